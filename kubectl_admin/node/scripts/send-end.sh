# Gives a file whose pieces have all come its name, where it is the whole that was sent.
# send-end.sh FILE SIZE SHA256 MODE
# Exit code 75 where it is not.
set -eu

file=$1 size=$2 digest=$3 mode=$4
rm -f -- "${file%/*}"/sending.*
# The answer to an earlier attempt may have been lost on its way.
source="$file.part"
[ -e "$source" ] || source=$file
[ -f "$source" ] || { printf '%s: there is no such file\n' "$source" >&2; exit 1; }
sum=$(sha256sum < "$source")
if [ "$(stat -c %s -- "$source")" -ne "$size" ] || [ "${sum%% *}" != "$digest" ]; then
  printf '%s is not what was sent\n' "$file" >&2
  exit 75
fi
chmod "$mode" -- "$source"
# These alone, where that can be said: etcd does not like the whole system to be synced.
sync "$source" 2> /dev/null || sync
[ "$source" = "$file" ] || mv -f -- "$source" "$file"
sync "${file%/*}" 2> /dev/null || sync
printf '%s %s\n' "$size" "${sum%% *}"
printf '\n# end\n'
