# Carries bytes between its standard streams and an address of this host, until either end hangs up.
# relay.sh ADDRESS PORT
# The first line on stderr says that it runs, the others why it could not connect.
set -eu

. ../../node/scripts/carry.sh

echo 'it runs' >&2
# A program on this host is bound to an address of this host. Anything else is another machine, whatever a
# pod's flags say of it; it is neither asked nor taken for this one.
command -v ip > /dev/null || {
  echo 'its host has no program «ip», which tells its addresses' >&2
  exit 127
}
case $(ip route get "$1" 2> /dev/null || true) in
  local\ *) ;;
  *)
    echo "its host does not have the address $1" >&2
    exit 1
    ;;
esac
carry "$1" "$2"
