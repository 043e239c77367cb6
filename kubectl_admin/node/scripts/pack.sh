# Sends a file in pieces, each packed, with what proves it in a line before it; also one that still grows.
# pack.sh FOLDER FILE PIECE FIRST TOOL RESULT [UNIT]
#   FOLDER: for what is packed ahead. PIECE: bytes of the file in one. FIRST: the piece to begin with, from 0.
#   TOOL: zstd, gzip or none. RESULT: «-», or a file that is there, and holds «0», when FILE is complete; until
#   then FILE grows under the name of FILE.part. UNIT: of systemd's, that makes it grow.
# Every piece is «piece NUMBER BYTES LENGTH SHA256» and LENGTH bytes, which hold BYTES of the file; at the end
# stands «end NUMBER SIZE».
set -eu
folder=$1 file=$2 piece=$3 number=$4 tool=$5 result=$6 unit=${7-}
source=$file
mine="$folder/packing.$$"
umask 077
mkdir -- "$mine"
trap 'rm -rf -- "$mine"' EXIT
# A stream that was cut is not always told so: the one that follows takes over.
printf '%s\n' "$$" > "$folder/packing"
# A link of its own keeps a growing file in hand when it changes its name.
[ "$result" = - ] || source="$folder/packed"

complete=no
size=0
turn=0

# Waits for a piece, until it is whole or the file ends; sets the number of bytes in it, 0 for no such piece.
await() {
  bytes=$((size - $1 * piece))
  while [ "$bytes" -lt "$piece" ] && [ "$complete" = no ]; do
    # The result is written before the unit ends, so the unit is looked at first, about once a second.
    alive=yes
    turn=$((turn + 1))
    if [ -n "$unit" ] && [ "$((turn % 20))" -eq 0 ]; then systemctl is-active --quiet "$unit" || alive=no; fi
    if [ "$result" = - ] || [ -e "$result" ]; then complete=yes; fi
    if [ "$complete" = yes ] && [ "$result" != - ] && ! { read -r code < "$result" && [ "$code" = 0 ]; }; then
      echo "$file was not completed" >&2
      exit 1
    fi
    if [ "$complete" = no ] && [ "$alive" = no ]; then
      echo "$unit was ended before $file was complete" >&2
      exit 1
    fi
    if [ ! -e "$source" ]; then
      ln -- "$file.part" "$source" 2> /dev/null || ln -- "$file" "$source" 2> /dev/null || :
    fi
    # Looked at after the result, so that a complete file's size is its last one.
    if [ -e "$source" ] || [ "$complete" = yes ]; then size=$(stat -c %s -- "$source"); fi
    bytes=$((size - $1 * piece))
    [ "$bytes" -ge "$piece" ] || [ "$complete" = yes ] || sleep 0.05
  done
  if [ "$bytes" -gt "$piece" ]; then bytes=$piece; fi
  if [ "$bytes" -lt 0 ]; then bytes=0; fi
}

packed() {
  case $tool in
    zstd) exec zstd -q -1 -T1 -c ;;
    gzip) exec gzip -1 -c ;;
    none) exec cat ;;
  esac
}

# Packs a piece that was waited for, into one of two places: one is sent while the other one fills.
pack() {
  dd if="$source" bs="$piece" skip="$1" count=1 2> /dev/null | packed > "$mine/$2"
  sum=$(sha256sum < "$mine/$2")
  printf 'piece %s %s %s %s\n' "$1" "$bytes" "$(stat -c %s "$mine/$2")" "${sum%% *}" > "$mine/$2.head"
}

place=0
await "$number"
[ "$bytes" -eq 0 ] || pack "$number" "$place"
while [ "$bytes" -gt 0 ]; do
  read -r owner < "$folder/packing" && [ "$owner" = "$$" ] || exit 1
  # What is packed is sent before the next piece is waited for: a file that grows slowly comes as it grows.
  cat "$mine/$place.head" "$mine/$place" &
  sending=$!
  number=$((number + 1))
  place=$((1 - place))
  await "$number"
  [ "$bytes" -eq 0 ] || pack "$number" "$place"
  wait "$sending"
done
printf 'end %s %s\n' "$number" "$size"
