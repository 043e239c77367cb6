# Prints the facts of a control plane's host that a restore needs. Changes nothing.
# restore-survey.sh CONTAINER DATA DIRECTORY
#   CONTAINER: the id of etcd's container. DATA: its data directory on the host. DIRECTORY: of restores.
# Answers a «NAME VALUE» a line; a fact that is not to be had has no line.
#   manifests PATH     the directory of static pods, by the flags and the configuration of the running kubelet
#   etcdctl, etcdutl PATH   in etcd's root
#   same yes           etcd itself sees the same directory member
#   database BYTES     of etcd's present database
#   member UID:GID MODE     of the directory that etcd runs with
#   mount yes          the directory member is a mount of its own, which can't be renamed
#   free-data, free-state BYTES DEVICE   where the restored data will be, and the snapshot
#   beside yes|no      whether the parent of the manifests is on their file system
#   restore none|unbegun|over|underway ID WORD   an earlier restore, and the last word of its journal
#   unit WORD          systemd's word for kubectl-admin-restore.service
#   systemd yes
set -eu
container=$1 data=$2 state=$3

. ./etcd-root.sh
. ../../node/scripts/kubelet.sh
. ./restore-look.sh

manifests=$(flag pod-manifest-path)
[ -n "$manifests" ] || manifests=$(setting staticPodPath)
if [ -n "$manifests" ] && [ -d "$manifests" ]; then
  manifests=$(cd -P -- "$manifests" && pwd -P)
  printf 'manifests %s\n' "$manifests"
  beside=no
  if [ "$(stat -L -c %d -- "$manifests")" = "$(stat -L -c %d -- "${manifests%/*}/")" ]; then beside=yes; fi
  printf 'beside %s\n' "$beside"
fi
find_root "$container"
if [ -n "$root" ]; then
  for name in etcdctl etcdutl; do
    program=$(program_in "$root" "$name")
    if [ -n "$program" ]; then printf '%s %s\n' "$name" "$program"; fi
  done
  theirs=$(stat -L -c %d:%i -- "$root$data/member" 2> /dev/null || :)
  if [ -n "$theirs" ] && [ "$theirs" = "$(stat -L -c %d:%i -- "$data/member" 2> /dev/null)" ]; then
    printf 'same yes\n'
  fi
fi
if [ -e "$data/member/snap/db" ]; then
  printf 'database %s\n' "$(stat -c %s -- "$data/member/snap/db")"
fi
if [ -d "$data/member" ] && [ ! -L "$data/member" ]; then
  printf 'member %s\n' "$(stat -c '%u:%g %a' -- "$data/member")"
  if [ "$(stat -c %d -- "$data/member")" != "$(stat -L -c %d -- "$data")" ]; then printf 'mount yes\n'; fi
fi
# Prints the bytes that are free for a directory, which may not be there yet, and the device.
# free_for NAME DIRECTORY
free_for() {
  there=$2
  while [ ! -d "$there" ]; do there=$(dirname -- "$there"); done
  df -Pk -- "$there" | tail -n 1 | while read -r _ _ _ free _; do
    printf '%s %s %s\n' "$1" "$((free * 1024))" "$(stat -L -c %d -- "$there")"
  done
}
free_for free-data "$data"
free_for free-state "$state"
look_at_restore "$state"
printf 'restore %s %s %s\n' "$restore_is" "${restore_id:--}" "$restore_last"
settle_unit kubectl-admin-restore.service
printf 'unit %s\n' "${unit_said:-none}"
if [ -d /run/systemd/system ] && command -v systemd-run > /dev/null; then printf 'systemd yes\n'; fi
printf '\n# end\n'
