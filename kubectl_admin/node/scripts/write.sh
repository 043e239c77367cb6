# Replaces a file by what comes on standard input: whole or not at all, keeping the old one's mode and owner.
# write.sh PATH SIZE SHA256 MODE OWNER
#   PATH: from the root. MODE, OWNER (uid:gid): of a file that is not there yet
set -eu
path=$1 size=$2 sum=$3 mode=$4 owner=$5

refuse() {
  printf '%s\n' "$1" >&2
  # API servers don't report the exit code of a command that has left much of its input unread.
  cat > /dev/null
  exit 1
}

# A link stays a link: its target is replaced. (busybox' readlink -f is wrong where that is not there yet.)
links=0
while [ -L "$path" ]; do
  links=$((links + 1))
  [ "$links" -le 40 ] || refuse "$1 leads nowhere"
  # Without the end, the newlines at the end of a name would be lost.
  target=$(readlink -- "$path" && echo end)
  target=${target%?end}
  case $target in
    /*) path=$target ;;
    *) path=${path%/*}/$target ;;
  esac
done
directory=${path%/*}/
[ -d "$directory" ] || refuse "$directory: there is no such directory"
if [ -e "$path" ]; then
  [ -f "$path" ] || refuse "$path is not a regular file"
  mode=$(stat -c %a -- "$path")
  owner=$(stat -c %u:%g -- "$path")
fi
# Leftovers of a killed attempt.
find "$directory" -maxdepth 1 -name '.kubectl-admin.??????' -mmin +60 -exec rm -f -- {} + 2> /dev/null || :
# The name begins with a dot: a kubelet reads every other file in the directory of its manifests.
fresh=$(mktemp "$directory.kubectl-admin.XXXXXX") || refuse "$directory can't be written to"
trap 'rm -f -- "$fresh"' EXIT
cat > "$fresh" || refuse "$path is as it was: it can't be written"
got=$(sha256sum < "$fresh")
if [ "$(stat -c %s -- "$fresh")" != "$size" ] || [ "${got%% *}" != "$sum" ]; then
  refuse "$path is as it was: what arrived is not what was sent"
fi
chown "$owner" "$fresh"
chmod "$mode" "$fresh"
# This file alone, where that can be said: etcd does not like the whole system to be synced.
sync "$fresh" 2> /dev/null || sync
mv -f -- "$fresh" "$path"
printf '\n# end\n'
