# Lists a folder: type and mode (hexadecimal), owner, group, size, time of change, name; each ended by a NUL.
# list.sh PATH
set -eu
[ -d "$1" ] || { echo "$1: there is no such folder" >&2; exit 1; }
cd -- "$1"
for name in .[!.]* ..?* *; do
  if [ -e "$name" ] || [ -L "$name" ]; then
    printf '%s %s\000' "$(stat -c '%f %u %g %s %Y' -- "$name")" "$name"
  fi
done
printf '\n# end\n'
