# Restores the snapshot beside the data that etcd runs with, and says what is in it. Run as a job.
# restore-aside.sh DIRECTORY ID DATA NAME TOKEN PEER CLUSTER BUMP RESERVE DEFRAG [file]
#   DATA: etcd's data directory. PEER: this member's own peer URL. CLUSTER: «NAME=URL,…», all members. BUMP: by how much
#   revisions rise. RESERVE: bytes that must stay free beside etcd's data. DEFRAG: yes or no, whether the restored
#   database is made as small as it can be. file: the snapshot is a copy of etcd's own file, with no sum behind it
# Its log ends with a line «restored JSON», etcdutl's own account of the restored data, and «took SECONDS».
set -eu
state=$1 id=$2 data=$3 name=$4 token=$5 peer=$6 cluster=$7 bump=$8 reserve=$9 defrag=${10:-no} kind=${11-}

fresh=$data/.kubectl-admin-$id-new
part=$fresh.part
began=$(cut -d ' ' -f 1 /proc/uptime)
[ -d "$data/member" ] || { echo "$data has no directory member"; exit 1; }
umask 077
rm -rf -- "$part" "$fresh"
set -- "$state/etcdutl"
# It is not to take the disk from the etcd that runs beside it.
if command -v ionice > /dev/null; then set -- ionice -c 3 "$@"; fi
if command -v nice > /dev/null; then set -- nice -n 10 "$@"; fi
size=$(stat -c %s -- "$state/snapshot.db")
# The etcd that runs beside it ends where its disk is full. Its log is 64 MB from the beginning.
free=$(df -Pk -- "$data" | tail -n 1 | { read -r _ _ _ free _; echo "$((free * 1024))"; })
needed=$((size + 64000000 + reserve))
# The smaller database is written beside the restored one.
if [ "$defrag" = yes ]; then needed=$((needed + size)); fi
if [ "$free" -lt "$needed" ]; then
  echo "$((free >> 20)) MiB are free in $data, and $(((needed + 1048575) >> 20)) MiB are needed"
  exit 1
fi
check=
if [ "$kind" = file ]; then check=--skip-hash-check; fi
memory=
# By default 10 GiB are mapped, which fails where memory may not be overcommitted.
if "$state/etcdutl" snapshot restore --help 2>&1 | grep -q -e --initial-memory-map-size; then
  memory=--initial-memory-map-size=$((size + 67108864))
fi
"$@" snapshot restore "$state/snapshot.db" --data-dir="$part" --name="$name" --initial-cluster="$cluster" \
  --initial-cluster-token="$token" --initial-advertise-peer-urls="$peer" \
  --bump-revision="$bump" --mark-compacted ${memory:+"$memory"} ${check:+"$check"}
if [ "$defrag" = yes ]; then "$@" defrag --data-dir="$part"; fi
# Not by «etcdutl hashkv»: of etcd 3.6 it panics where a key has a lease, and it writes into the file.
said=$("$@" snapshot status "$part/member/snap/db" --write-out=json)
chown -R -- "$(stat -c %u:%g -- "$data/member")" "$part/member"
chmod -- "$(stat -c %a -- "$data/member")" "$part/member"
# These alone, where that can be said: etcd does not like the whole system to be synced.
find "$part" -exec sync {} + 2> /dev/null || sync
mv -- "$part/member" "$fresh"
rmdir -- "$part"
sync "$data" 2> /dev/null || sync
printf 'restored %s\n' "$said"
printf 'took %s\n' "$(cut -d ' ' -f 1 /proc/uptime | awk -v began="$began" '{ print $1 - began }')"
