# Makes room for a job's next run: its log goes into the journal of all runs.
# job-clear.sh DIRECTORY JOURNAL UNIT
set -eu

. ./unit.sh

umask 077
if [ -d "$1" ]; then
  settle_unit "$3"
  if [ "$unit_is" = running ]; then
    echo "$3 is still at work" >&2
    exit 1
  fi
fi
if [ -e "$1/log" ]; then
  {
    printf '=== %s: ended with %s\n' "${1##*/}" "$(cat -- "$1/result" 2> /dev/null || echo 'no result')"
    cat -- "$1/log"
  } >> "$2"
fi
rm -rf -- "${1:?}"
printf '\n# end\n'
