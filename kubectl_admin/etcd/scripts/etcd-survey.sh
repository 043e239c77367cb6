# Prints the facts that a snapshot of this host's etcd needs.
# etcd-survey.sh CONTAINER DATA STATE
#   CONTAINER: the id of etcd's container, «-» where etcd runs outside of Kubernetes.
#   DATA: the member's data directory, as etcd itself sees it. STATE: where the snapshot will be.
# Answers a «NAME VALUE» a line; a fact that is not to be had has no line.
set -eu
container=$1 data=$2 state=$3

. ./etcd-root.sh

# All that etcd needs is looked for in its own root, where its flags say that it is.
if [ "$container" != - ]; then
  find_root "$container"
  if [ -n "$root" ]; then
    printf 'root %s\n' "$root"
    etcdctl=$(program_in "$root" etcdctl)
    if [ -n "$etcdctl" ]; then printf 'etcdctl %s\n' "$etcdctl"; fi
    if [ -e "$root$data/member/snap/db" ]; then
      printf 'database %s\n' "$(stat -c %s -- "$root$data/member/snap/db")"
    fi
  fi
elif command -v etcdctl > /dev/null; then
  printf 'etcdctl %s\n' "$(command -v etcdctl)"
fi
# The directory itself may not be there yet.
while [ ! -d "$state" ]; do state=$(dirname -- "$state"); done
df -Pk -- "$state" | { read -r _; read -r _ _ _ free _; printf 'free %s\n' "$((free * 1024))"; }
for tool in zstd gzip; do
  if command -v "$tool" > /dev/null; then printf 'tool %s\n' "$tool"; fi
done
printf '\n# end\n'
