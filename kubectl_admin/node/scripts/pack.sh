# Sends a file in pieces, each packed, with its length and SHA-256 in a line before it; also one that still grows.
# pack.sh DIRECTORY FILE PIECE FIRST TOOL RESULT [UNIT [STALL]]
#   DIRECTORY: for what is packed ahead. PIECE: bytes of the file in one. FIRST: the piece to begin with, from 0.
#   TOOL: zstd, gzip or none. RESULT: «-», or a file that is there, and holds «0», when FILE is complete; until
#   then FILE grows under the name of FILE.part. UNIT: the systemd unit that makes it grow. STALL:
#   seconds of waiting in which it must have grown, or this ends with exit code 75; 0 for any number.
# Every piece is «piece NUMBER BYTES LENGTH SHA256» and LENGTH bytes, which hold BYTES of the file; the last line
# is «end NUMBER SIZE».
set -eu

. ./unit.sh

directory=$1 file=$2 piece=$3 number=$4 tool=$5 result=$6 unit=${7-} stall=${8-0}
source=$file
mine="$directory/packing.$$"
umask 077
mkdir -- "$mine"
trap 'rm -rf -- "$mine"' EXIT
# A stream may not notice that it was cut: the one that follows takes over.
printf '%s\n' "$$" > "$directory/packing"
# A link of its own keeps a growing file in hand when it changes its name.
[ "$result" = - ] || source="$directory/packed"

cd -- "$mine"

complete=no
size=0
turn=0
together=2 # pieces that are packed side by side, and sent at once
# A small block is still in the processor's cache when it is packed.
block=65536
[ "$((piece % block))" -eq 0 ] || block=$piece

# Ends this where the file has not grown for too long, by a clock that nobody sets. Sets `known`, its size at
# the last look that saw it grow, and `since`, when that was.
refuse_stall() {
  read -r now _ < /proc/uptime
  now=${now%.*}
  if [ "$size" -ne "$known" ]; then
    known=$size since=$now
    echo >&2 # a sign of life while less than a piece has grown
  elif [ "$((now - since))" -ge "$stall" ]; then
    echo "$file has not grown for ${stall}s beyond $size bytes" >&2
    exit 75
  fi
}

# Waits for a piece, until it is whole or the file ends; sets `ready`, how many can be packed from there on.
await() {
  known=-1 # the time in which nobody waited for it does not count
  while [ "$((($1 + 1) * piece))" -gt "$size" ] && [ "$complete" = no ]; do
    # The result is written before the unit ends, so the unit is looked at first, about once a second.
    unit_is=running
    turn=$((turn + 1))
    if [ -n "$unit" ] && [ "$((turn % 20))" -eq 0 ]; then ask_unit "$unit"; fi
    if [ "$result" = - ] || [ -e "$result" ]; then complete=yes; fi
    if [ "$complete" = yes ] && [ "$result" != - ] && ! { read -r code < "$result" && [ "$code" = 0 ]; }; then
      echo "$file was not completed" >&2
      exit 1
    fi
    if [ "$complete" = no ] && [ "$unit_is" = ended ]; then
      echo "$unit was stopped before $file was complete" >&2
      exit 1
    fi
    if [ ! -e "$source" ]; then
      ln -- "$file.part" "$source" 2> /dev/null || ln -- "$file" "$source" 2> /dev/null || :
    fi
    # Looked at after the result, so that a complete file's size is its last one.
    if [ -e "$source" ] || [ "$complete" = yes ]; then size=$(stat -c %s -- "$source"); fi
    if [ "$stall" -gt 0 ] && [ "$complete" = no ] && [ "$((turn % 20))" -eq 0 ]; then refuse_stall; fi
    [ "$((($1 + 1) * piece))" -le "$size" ] || [ "$complete" = yes ] || sleep 0.05
  done
  ready=$((size / piece - $1))
  if [ "$complete" = yes ]; then ready=$(((size + piece - 1) / piece - $1)); fi
  if [ "$ready" -gt "$together" ]; then ready=$together; fi
}

# A piece as it is sent.
packed() {
  case $tool in
    zstd) raw "$1" | zstd -q -3 --single-thread -c ;;
    gzip) raw "$1" | gzip -1 -c ;;
    none) raw "$1" ;;
  esac
}

raw() {
  dd if="$source" bs="$block" skip="$(($1 * (piece / block)))" count="$((piece / block))" 2> /dev/null
}

# Packs the pieces that are ready, from the one numbered $1 on, into one of two places: one is sent while the
# other one fills. Names what is to be sent.
pack() {
  next=$1 end=$(($1 + ready)) names='' parts='' packers=''
  while [ "$next" -lt "$end" ]; do
    name=$2.$((next - $1))
    packed "$next" > "$name" &
    packers="$packers $!" names="$names $name" parts="$parts $name.head $name"
    next=$((next + 1))
  done
  for packer in $packers; do wait "$packer"; done
  next=$1
  # shellcheck disable=SC2046,SC2086 # numbers and names without spaces
  set -- $(stat -c %s $names)
  # shellcheck disable=SC2086
  sha256sum $names | while read -r sum name; do
    bytes=$piece
    if [ "$(((next + 1) * piece))" -gt "$size" ]; then bytes=$((size - next * piece)); fi
    printf 'piece %s %s %s %s\n' "$next" "$bytes" "$1" "$sum" > "$name.head"
    next=$((next + 1))
    shift
  done
}

place=0
await "$number"
[ "$ready" -le 0 ] || pack "$number" "$place"
while [ "$ready" -gt 0 ]; do
  read -r owner < "$directory/packing" && [ "$owner" = "$$" ] || exit 1
  # A packed piece is sent before the next one is waited for: a file that grows slowly comes as it grows.
  # shellcheck disable=SC2086
  cat $parts &
  sending=$!
  number=$((number + ready))
  place=$((1 - place))
  await "$number"
  [ "$ready" -le 0 ] || pack "$number" "$place"
  wait "$sending"
done
printf 'end %s %s\n' "$number" "$size"
