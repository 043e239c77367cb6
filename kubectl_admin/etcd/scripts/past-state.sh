# Says that somebody is interested in an opened snapshot, and how its programs are.
# past-state.sh DIRECTORY UNIT
# Answers a «NAME VALUE» a line.
#   unit running|ended|unanswered
#   ended PROGRAM CODE   of each that has ended, and then «said PROGRAM LINE» for the last lines of its log
#   network own|shared   whether the unit has a network of its own; none while it does not run yet
set -eu

. ../../node/scripts/unit.sh

directory=$1 unit=$2
[ -d "$directory" ] || { echo "the snapshot is not open any more: $directory is gone" >&2; exit 1; }
umask 077
cut -d . -f 1 /proc/uptime > "$directory/alive.$$"
mv -f -- "$directory/alive.$$" "$directory/alive"
ask_unit "$unit"
printf 'unit %s\n' "$unit_is"
for ended in "$directory"/*.ended; do
  [ -e "$ended" ] || continue
  name=${ended##*/}
  name=${name%.ended}
  printf 'ended %s %s\n' "$name" "$(cat -- "$ended")"
  tail -n 20 -- "$directory/$name.log" 2> /dev/null | cut -c 1-1000 | sed "s/^/said $name /"
done
if [ -e "$directory/kube-apiserver.pid" ] && [ ! -e "$directory/kube-apiserver.ended" ]; then
  theirs=$(readlink "/proc/$(cat -- "$directory/kube-apiserver.pid")/ns/net" 2> /dev/null || :)
  if [ "$theirs" = "$(readlink /proc/1/ns/net)" ]; then
    echo 'network shared'
  elif [ -n "$theirs" ]; then
    echo 'network own'
  fi
fi
printf '\n# end\n'
