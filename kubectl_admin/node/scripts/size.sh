# Says how long a file is, in bytes.
# size.sh PATH
set -eu
[ -f "$1" ] || { echo "$1: there is no such file" >&2; exit 1; }
stat -L -c %s -- "$1"
printf '\n# end\n'
