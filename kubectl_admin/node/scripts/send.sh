# Takes pieces of a file on standard input, and writes each into FILE.part once it is what was sent.
# send.sh FILE SIZE PIECE RESERVE FIRST [SHA256]...
#   SIZE: bytes of the whole. PIECE: bytes of one, of the last one fewer. RESERVE: bytes that must stay free there. FIRST:
#   the piece that comes first, from 0. SHA256: of each piece that comes; without any, the place is prepared.
# Answers «piece NUMBER» for each that is on the disk. Exit code 75 for one that did not come whole.
# Two runs write the same bytes to the same place.
set -eu

file=$1 size=$2 piece=$3 reserve=$4 number=$5
shift 5
directory=${file%/*}
part="$file.part"
mine="$directory/sending.$$"
block=65536
[ "$((piece % block))" -eq 0 ] || block=$piece

refuse() {
  printf '%s\n' "$1" >&2
  # API servers don't report the exit code of a command that has left much of its input unread.
  cat > /dev/null
  exit 1
}

[ -d "$directory" ] || refuse "$directory: there is no such directory"
umask 077
free=$(df -Pk -- "$directory" | { read -r _; read -r _ _ _ free _; echo "$((free * 1024))"; })
# The piece is there twice for a moment.
needed=$((size - number * piece + piece + reserve))
if [ "$free" -lt "$needed" ]; then
  refuse "$((free >> 20)) MiB are free in $directory, and $(((needed + 1048575) >> 20)) MiB are needed there"
fi
if [ "$number" -eq 0 ] && [ "$#" -eq 0 ]; then : > "$part" || refuse "$part can't be written"; fi
# One whose stream was cut may not have noticed it: this one takes over.
rm -f -- "$directory"/sending.*
trap 'rm -f -- "$mine"' EXIT
for digest in "$@"; do
  length=$((size - number * piece))
  [ "$length" -le "$piece" ] || length=$piece
  # Exactly one piece is read, however its bytes come; what follows the last one is more than was announced.
  if [ "$length" -eq "$piece" ]; then
    dd of="$mine" bs="$block" count="$((piece / block))" iflag=fullblock 2> /dev/null
  else
    cat > "$mine"
  fi || refuse "$directory can't be written to"
  sum=$(sha256sum < "$mine")
  if [ "$(stat -c %s -- "$mine")" -ne "$length" ] || [ "${sum%% *}" != "$digest" ]; then
    printf 'piece %s is not what was sent\n' "$number" >&2
    cat > /dev/null
    exit 75
  fi
  # On the disk before it is told: after a restart of the node it is not sent again.
  dd if="$mine" of="$part" bs="$block" seek="$((number * (piece / block)))" conv=notrunc,fsync 2> /dev/null ||
    refuse "$part can't be written"
  printf 'piece %s\n' "$number"
  number=$((number + 1))
done
cat > /dev/null
printf '\n# end\n'
