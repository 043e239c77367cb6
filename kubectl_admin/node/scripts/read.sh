# Prints a file after a line that says how long it is and what its SHA-256 is.
# read.sh PATH LIMIT
set -eu
[ -f "$1" ] || { printf '%s: there is no such file\n' "$1" >&2; exit 1; }
size=$(stat -L -c %s -- "$1")
# The files of /proc and /sys are of no size, or of one that they don't have.
[ "$size" -gt "$2" ] || size=$(wc -c < "$1")
[ "$size" -le "$2" ] || { printf '%s: %s bytes are more than the %s that are read\n' "$1" "$size" "$2" >&2; exit 1; }
sum=$(sha256sum < "$1")
printf '%s %s\n' "$((size))" "${sum%% *}"
cat -- "$1"
printf '\n# end\n'
