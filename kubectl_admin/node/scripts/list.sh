# Lists a directory: type and mode (hexadecimal), owner, group, size, time of change, name; each ended by a NUL.
# list.sh PATH
set -eu
[ -d "$1" ] || { printf '%s: there is no such directory\n' "$1" >&2; exit 1; }
cd -- "$1"
for name in .[!.]* ..?* *; do
  # A pattern without a match stays as it is, and a file may be gone a moment later.
  if [ -e "$name" ] || [ -L "$name" ]; then
    about=$(stat -c '%f %u %g %s %Y' -- "$name" 2> /dev/null) || continue
    printf '%s %s\000' "$about" "$name"
  fi
done
printf '\n# end\n'
