# Replaces a file by what comes on standard input: whole or not at all, keeping the old one's mode and owner.
# write.sh PATH SIZE SHA256 MODE OWNER
#   MODE, OWNER (uid:gid): of a file that is not there yet
set -eu
path=$1 size=$2 sum=$3 mode=$4 owner=$5
# A link stays a link: what it leads to is replaced.
if [ -L "$path" ]; then path=$(readlink -f -- "$path"); fi
folder=$(dirname -- "$path")
[ -d "$folder" ] || { echo "$folder: there is no such folder" >&2; exit 1; }
if [ -e "$path" ]; then
  [ -f "$path" ] || { echo "$path is no file" >&2; exit 1; }
  mode=$(stat -c %a -- "$path")
  owner=$(stat -c %u:%g -- "$path")
fi
# The name begins with a dot: a kubelet reads every other file in the folder of its manifests.
fresh=$(mktemp "$folder/.kubectl-admin.XXXXXX")
trap 'rm -f -- "$fresh"' EXIT
cat > "$fresh"
got=$(sha256sum < "$fresh")
if [ "$(stat -c %s -- "$fresh")" != "$size" ] || [ "${got%% *}" != "$sum" ]; then
  echo "$path is as it was: what arrived is not what was sent" >&2
  exit 1
fi
chown "$owner" "$fresh"
chmod "$mode" "$fresh"
sync
mv -f -- "$fresh" "$path"
printf '\n# end\n'
