# Says that somebody is interested in an opened snapshot, and how its programs are.
# past-state.sh DIRECTORY UNIT
# Answers a «NAME VALUE» a line.
#   gone directory   where that is not there; then nothing else
#   unit running|ended|unanswered
#   ended PROGRAM CODE   of each that has ended, and then «said PROGRAM LINE» for the last lines of its log
#   network own|shared   whether the unit has a network of its own; none while that is not to be seen
set -eu

. ../../node/scripts/unit.sh
. ./past-network.sh

directory=$1 unit=$2
if [ ! -d "$directory" ]; then
  printf 'gone directory\n# end\n'
  exit 0
fi
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
ask_network "$directory"
if [ -n "$network" ]; then printf 'network %s\n' "$network"; fi
printf '\n# end\n'
