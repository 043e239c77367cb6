# Prints the text of files, and of all files below directories, in the order in which Go's filepath.WalkDir meets them.
# texts.sh LIMIT PATH...
#   LIMIT: bytes of a file that are read. PATH: a file, or a directory; of a directory that is a link, nothing.
# Answers a line «file PATH», and each of its lines after a space; «unread PATH» for what is there and can't be read,
# or is longer; a PATH that is not there has no line.
set -eu
limit=$1
shift
print() { # PATH
  if [ -d "$1" ]; then
    # Files below a link are not walked; for the same in «PATH/*» the locale is C.
    if [ -L "$1" ]; then return; fi
    if [ ! -r "$1" ] || [ ! -x "$1" ]; then
      printf 'unread %s\n' "$1"
      return
    fi
    for entry in "$1"/.[!.]* "$1"/..?* "$1"/*; do
      if [ -e "$entry" ] || [ -L "$entry" ]; then printf '%s\n' "$entry"; fi
    done | sort | while IFS= read -r entry; do print "$entry"; done
  elif [ -f "$1" ]; then
    if [ -r "$1" ] && [ "$(wc -c < "$1")" -le "$limit" ]; then
      printf 'file %s\n' "$1"
      tr -d '\000' < "$1" | awk '{ print " " $0 }' # which gives a last line its end, too
    else
      printf 'unread %s\n' "$1"
    fi
  elif [ -c "$1" ]; then
    printf 'file %s\n' "$1" # /dev/null, by which systemd masks what has the same name elsewhere
  elif [ -e "$1" ] || [ -L "$1" ]; then
    printf 'unread %s\n' "$1" # a broken link is an error to its reader
  fi
}
LC_ALL=C
export LC_ALL
for path; do print "$path"; done
printf '\n# end\n'
