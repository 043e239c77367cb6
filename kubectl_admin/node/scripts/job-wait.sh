# Waits for a job, a while at most, and says how it is and what it has written since.
# job-wait.sh DIRECTORY UNIT OFFSET SECONDS
#   OFFSET: bytes of its log that are known already
# Answers a line, «running», «ended CODE», «lost», or «unanswered» where systemd does not say how it is, and what
# is new in the log.
set -eu

. ./unit.sh

directory=$1 unit=$2 offset=$3 end=$(($(date +%s) + $4))
[ -d "$directory" ] || { echo "there is no job in $directory" >&2; exit 1; }
while :; do
  # The result is written before the unit ends, so the unit is looked at first.
  ask_unit "$unit"
  if [ -e "$directory/result" ]; then
    state="ended $(cat "$directory/result")"
    break
  elif [ "$unit_is" = ended ]; then
    state=lost
    break
  elif [ "$(date +%s)" -ge "$end" ]; then
    state=$unit_is
    break
  fi
  sleep 0.1
done
printf '%s\n' "$state"
tail -c "+$((offset + 1))" "$directory/log" | head -c 65536
printf '\n# end\n'
