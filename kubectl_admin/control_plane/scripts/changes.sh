# Says which work of this tool that changes something runs on this host.
# changes.sh STATE
#   STATE: the directory of all that is kept here
# Answers a «change NAME OWNER» a line.
set -eu

. ../../node/scripts/changing.sh

list_changing
for name in $changing; do
  printf 'change %s %s\n' "$name" "$(head -n 1 -- "$1/$name/owner" 2> /dev/null || :)"
done
printf '\n# end\n'
