# Prints the words of jobs: the journal of earlier runs, then the logs of those that are there.
# job-logs.sh DIRECTORY
#   DIRECTORY: in it the directories of jobs, and «journal»
set -eu
[ -d "$1" ] || { printf '\n# end\n'; exit 0; }
{
  [ ! -e "$1/journal" ] || cat -- "$1/journal"
  for log in "$1"/*/log; do
    [ -e "$log" ] || continue
    job=${log%/log}
    printf '=== %s\n' "${job##*/}"
    cat -- "$log"
  done
} | tail -c 4194304
printf '\n# end\n'
