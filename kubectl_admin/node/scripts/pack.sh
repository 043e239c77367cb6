# Sends a file in pieces, each packed, with what proves it in a line before it; also one that still grows.
# pack.sh FOLDER FILE PIECE FIRST TOOL RESULT
#   FOLDER: for what is packed ahead. PIECE: bytes of the file in one. FIRST: the piece to begin with, from 0.
#   TOOL: zstd, gzip or none. RESULT: «-», or a file that is there, and holds «0», when FILE is complete; until
#   then FILE grows under the name of FILE.part.
# Every piece is «piece NUMBER BYTES LENGTH SHA256» and LENGTH bytes, which hold BYTES of the file; at the end
# stands «end NUMBER SIZE».
set -eu
folder=$1 file=$2 piece=$3 number=$4 tool=$5 result=$6
source=$file
mine="$folder/packing.$$"
umask 077
mkdir -- "$mine"
trap 'rm -rf -- "$mine"' EXIT
# A stream that was cut is not always told so: the one that follows takes over.
printf '%s\n' "$$" > "$folder/packing"
# A link of its own keeps a growing file in hand when it changes its name.
[ "$result" = - ] || source="$folder/packed"

# Waits for a piece, until it is whole or the file ends; sets the number of bytes in it, 0 for no such piece.
await() {
  while :; do
    complete=yes
    [ "$result" = - ] || [ -e "$result" ] || complete=no
    if [ "$complete" = yes ] && [ "$result" != - ] && [ "$(cat "$result")" != 0 ]; then
      echo "$file was not completed" >&2
      exit 1
    fi
    if [ ! -e "$source" ]; then
      ln -- "$file.part" "$source" 2> /dev/null || ln -- "$file" "$source" 2> /dev/null || :
    fi
    size=0
    if [ -e "$source" ] || [ "$complete" = yes ]; then size=$(stat -c %s -- "$source"); fi
    bytes=$((size - $1 * piece))
    if [ "$bytes" -ge "$piece" ]; then
      bytes=$piece
      return
    elif [ "$complete" = yes ]; then
      [ "$bytes" -ge 0 ] || bytes=0
      return
    fi
    sleep 0.05
  done
}

packed() {
  case $tool in
    zstd) zstd -q -1 -T1 -c ;;
    gzip) gzip -1 -c ;;
    none) cat ;;
  esac
}

prepare() {
  await "$1"
  [ "$bytes" -gt 0 ] || return 0
  dd if="$source" bs="$piece" skip="$1" count=1 2> /dev/null | packed > "$mine/$1"
  sum=$(sha256sum < "$mine/$1")
  printf 'piece %s %s %s %s\n' "$1" "$bytes" "$(stat -c %s "$mine/$1")" "${sum%% *}" > "$mine/$1.head"
}

prepare "$number"
while [ -e "$mine/$number.head" ]; do
  [ "$(cat "$folder/packing")" = "$$" ] || exit 1
  next=$((number + 1))
  prepare "$next" &
  ahead=$!
  cat "$mine/$number.head" "$mine/$number"
  rm -f -- "$mine/$number" "$mine/$number.head"
  wait "$ahead"
  number=$next
done
printf 'end %s %s\n' "$number" "$(stat -c %s -- "$source")"
