# Stops the unit of an operation, if it has one, and removes its directory.
# discard.sh STATE ID
set -eu

. ./unit.sh

case $2 in
  '' | . | .. | */*)
    printf '%s is not the name of an operation\n' "$2" >&2
    exit 1
    ;;
  restore)
    # In the middle of a restore of etcd, this directory alone says where a node's data are.
    echo "$1/$2 is a restore of etcd: only kubectl admin etcd-restore removes it" >&2
    exit 1
    ;;
esac
unit="kubectl-admin-$2.service"
settle_unit "$unit"
if [ "$unit_is" = running ]; then
  said=$(systemctl stop "$unit" 2>&1) || : # it may have ended by itself since
  settle_unit "$unit"
  if [ "$unit_is" = running ]; then
    echo "$unit could not be stopped: $said" >&2
    exit 1
  fi
fi
# A packer whose stream was just cut writes there until it notices that.
tries=0
until rm -rf -- "${1:?}/$2" 2> /dev/null; do
  tries=$((tries + 1))
  [ "$tries" -lt 25 ] || break
  sleep 0.2
done
rm -rf -- "${1:?}/$2"
rmdir -- "$1" 2> /dev/null || :
printf '\n# end\n'
