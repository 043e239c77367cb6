# Makes room for a job's next run: its log goes into the journal of all runs.
# job-clear.sh FOLDER JOURNAL
set -eu
umask 077
if [ -e "$1/log" ]; then
  {
    printf '=== %s: ended with %s\n' "${1##*/}" "$(cat -- "$1/result" 2> /dev/null || echo 'no result')"
    cat -- "$1/log"
  } >> "$2"
fi
rm -rf -- "${1:?}"
printf '\n# end\n'
