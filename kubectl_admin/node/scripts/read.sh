# Prints a file after a line that says how long it is and what its SHA-256 is.
# read.sh PATH LIMIT
set -eu
[ -f "$1" ] || { echo "$1: there is no such file" >&2; exit 1; }
size=$(stat -L -c %s -- "$1")
[ "$size" -le "$2" ] || { echo "$1: $size bytes are more than the $2 that are read" >&2; exit 1; }
sum=$(sha256sum < "$1")
echo "$size ${sum%% *}"
cat -- "$1"
printf '\n# end\n'
