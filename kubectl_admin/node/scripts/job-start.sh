# Starts a job: a systemd unit, which outlives the connection.
# job-start.sh DIRECTORY UNIT OWNER RUNNER SCRIPT [ARGUMENT]...
#   DIRECTORY: of the job; its parent is there. RUNNER, SCRIPT: the texts of job.sh and of what is to be done.
# Answers «started»; «taken» and whose it is, if somebody else's job is there under that name; «busy» and the job
# that runs here, if both change something.
set -eu

. ./unit.sh
. ./changing.sh

directory=$1 unit=$2 owner=$3 runner=$4 script=$5
shift 5
if [ ! -d /run/systemd/system ] || ! command -v systemd-run > /dev/null; then
  echo "this host does not run systemd, which the work needs to survive a cut connection" >&2
  exit 1
fi
umask 077
mkdir -- "$directory" 2> /dev/null || [ -d "$directory" ]
# A link is made with its content or not at all, and by one of several only.
printf '%s\n' "$owner" > "$directory/owner.$$"
ln -- "$directory/owner.$$" "$directory/owner" 2> /dev/null || :
rm -f -- "$directory/owner.$$"
holder=$(cat -- "$directory/owner")
if [ "$holder" != "$owner" ]; then
  printf 'taken %s\n# end\n' "$holder"
  exit 0
fi
# Who starts one at the same moment is waited for, and then seen. That directory is on every host with systemd, and so
# is flock, nearly; without it a Lease is all that keeps two runs from meeting here.
exec 9< /run/systemd/system
if command -v flock > /dev/null; then flock 9; fi
# Two attempts of the same owner: the answer to the first was lost on the way.
settle_unit "$unit"
# A job of another directory whose result is written ends in a moment.
tries=0
while [ "$unit_is" = running ] && [ ! -e "$directory/run" ] && [ "$tries" -lt 20 ]; do
  sleep 0.2
  tries=$((tries + 1))
  settle_unit "$unit"
done
if [ ! -e "$directory/result" ] && { [ "$unit_is" = ended ] || [ ! -e "$directory/run" ]; }; then
  list_changing
  # One that only reads may run beside those, and they beside it.
  case ${unit#kubectl-admin-} in
    [0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f]) ;;
    *)
      if [ -n "$changing" ]; then
        [ -e "$directory/run" ] || rm -rf -- "$directory"
        printf 'busy %s\n# end\n' "$(printf '%s\n' "$changing" | sed -n 1p)"
        exit 0
      fi
      ;;
  esac
  printf '%s' "$script" > "$directory/script"
  : > "$directory/arguments"
  : > "$directory/log"
  # In a file, since systemd would expand a «$» or «%» in a command line.
  for argument in "$@"; do printf '%s\n' "$argument" >> "$directory/arguments"; done
  printf '%s' "$runner" > "$directory/run"
  if ! systemd-run --quiet --collect --unit="$unit" --description="kubectl-admin" /bin/sh "$directory/run" "$directory" >&2 9<&-; then
    # It may have been started all the same, and have ended since.
    settle_unit "$unit"
    [ "$unit_is" = running ] || [ -e "$directory/result" ]
  fi
fi
printf 'started\n# end\n'
