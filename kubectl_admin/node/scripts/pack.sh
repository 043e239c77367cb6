# Sends a file in pieces, each compressed, with its length and SHA-256 in a line before it.
# pack.sh FOLDER FILE PIECE FIRST TOOL
#   FOLDER: for what is packed ahead. PIECE: bytes of the file in one. FIRST: the piece to begin with, from 0.
#   TOOL: zstd, gzip or none
# Every piece is «piece NUMBER LENGTH SHA256» and LENGTH bytes; at the end stands «end NUMBER».
set -eu
folder=$1 file=$2 piece=$3 number=$4 tool=$5
size=$(stat -c %s -- "$file")
mine="$folder/packing.$$"
umask 077
mkdir -- "$mine"
trap 'rm -rf -- "$mine"' EXIT
# A stream that was cut is not always told so: the one that follows takes over.
printf '%s\n' "$$" > "$folder/packing"

packed() {
  case $tool in
    zstd) zstd -q -1 -T1 -c ;;
    gzip) gzip -1 -c ;;
    none) cat ;;
  esac
}

pack() {
  dd if="$file" bs="$piece" skip="$1" count=1 2> /dev/null | packed > "$mine/$1"
  sum=$(sha256sum < "$mine/$1")
  printf 'piece %s %s %s\n' "$1" "$(stat -c %s "$mine/$1")" "${sum%% *}" > "$mine/$1.head"
}

[ $((number * piece)) -ge "$size" ] || pack "$number"
while [ $((number * piece)) -lt "$size" ]; do
  [ "$(cat "$folder/packing")" = "$$" ] || exit 1
  next=$((number + 1))
  ahead=
  if [ $((next * piece)) -lt "$size" ]; then
    pack "$next" &
    ahead=$!
  fi
  cat "$mine/$number.head" "$mine/$number"
  rm -f -- "$mine/$number" "$mine/$number.head"
  [ -z "$ahead" ] || wait "$ahead"
  number=$next
done
printf 'end %s\n' "$number"
