# Carries bytes between its standard streams and an address of this host, until either end hangs up.
# relay.sh ADDRESS PORT
# The first line on stderr says that it runs, the others why it could not connect.
set -eu
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
if command -v bash > /dev/null; then
  # shellcheck disable=SC2016 # the other shell expands it
  exec bash -c '
    exec 3<> "/dev/tcp/$1/$2" || exit 1
    cat <&3 &
    cat <&0 >&3 &
    wait -n
    kill $(jobs -p) 2> /dev/null
    exit 0
  ' relay "$1" "$2"
fi
if command -v socat > /dev/null; then
  case $1 in
    *:*) exec socat - "TCP6:[$1]:$2" ;;
    *) exec socat - "TCP4:$1:$2" ;;
  esac
fi
if command -v nc > /dev/null; then
  exec nc "$1" "$2"
fi
echo 'its host has none of bash, socat and nc' >&2
exit 127
