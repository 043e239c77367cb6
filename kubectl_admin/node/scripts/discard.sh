# Ends the unit of an operation, if it has one, and removes its folder.
# discard.sh STATE ID
set -eu
case $2 in
  '' | . | .. | */*)
    printf '%s: no operation is called that\n' "$2" >&2
    exit 1
    ;;
esac
if command -v systemctl > /dev/null; then
  unit="kubectl-admin-$2.service"
  # A unit that is being started or stopped is not active, but is there.
  case $(systemctl is-active "$unit" 2> /dev/null || :) in
    '' | inactive | unknown | failed) ;;
    *) systemctl stop "$unit" 2> /dev/null || : ;; # it may have ended by itself since
  esac
fi
# What packs for a stream that was just cut writes there until it notices that.
tries=0
until rm -rf -- "${1:?}/$2" 2> /dev/null; do
  tries=$((tries + 1))
  [ "$tries" -lt 25 ] || break
  sleep 0.2
done
rm -rf -- "${1:?}/$2"
rmdir -- "$1" 2> /dev/null || :
printf '\n# end\n'
