# Run by the unit of a job: the script with its arguments, its words into a log, how it ended into a file.
# job.sh DIRECTORY
cd -- "$1" || exit 1
set --
while IFS= read -r argument; do set -- "$@" "$argument"; done < arguments
/bin/sh script "$@" < /dev/null > log 2>&1
printf '%s\n' "$?" > result.part && mv result.part result
