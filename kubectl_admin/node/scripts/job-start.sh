# Starts a job: a unit of systemd's, which outlives whoever starts it.
# job-start.sh FOLDER UNIT OWNER RUNNER SCRIPT [ARGUMENT]...
#   FOLDER: of the job; its parent is there. RUNNER, SCRIPT: the texts of job.sh and of what is to be done.
# Answers «started», or «taken» and whose it is, if somebody else's job is there under that name.
set -eu

. ./unit.sh

folder=$1 unit=$2 owner=$3 runner=$4 script=$5
shift 5
if [ ! -d /run/systemd/system ] || ! command -v systemd-run > /dev/null; then
  echo "this host runs no systemd, which would keep the work going while the connection is cut" >&2
  exit 1
fi
umask 077
mkdir -- "$folder" 2> /dev/null || [ -d "$folder" ]
# A link is made with its content or not at all, and by one of several only.
printf '%s\n' "$owner" > "$folder/owner.$$"
ln -- "$folder/owner.$$" "$folder/owner" 2> /dev/null || :
rm -f -- "$folder/owner.$$"
holder=$(cat -- "$folder/owner")
if [ "$holder" != "$owner" ]; then
  printf 'taken %s\n# end\n' "$holder"
  exit 0
fi
# Two attempts of the same owner: the answer to the first was lost on the way.
settle_unit "$unit"
if [ ! -e "$folder/result" ] && [ "$unit_is" = ended ]; then
  printf '%s' "$runner" > "$folder/run"
  printf '%s' "$script" > "$folder/script"
  : > "$folder/arguments"
  : > "$folder/log"
  # In a file, since systemd would expand a «$» or «%» in a command line.
  for argument in "$@"; do printf '%s\n' "$argument" >> "$folder/arguments"; done
  if ! systemd-run --quiet --collect --unit="$unit" --description="kubectl-admin" /bin/sh "$folder/run" "$folder" >&2; then
    # It may have been started all the same, and have ended since.
    settle_unit "$unit"
    [ "$unit_is" = running ] || [ -e "$folder/result" ]
  fi
fi
printf 'started\n# end\n'
