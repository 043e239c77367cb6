# Makes the directory of a restore, with its plan, and the programs of etcd in it. An earlier one that is over, or was
# never begun, is removed; one that is underway never is.
# restore-begin.sh DIRECTORY OWNER ID PLAN CONTAINER UNITS
#   PLAN: its text. CONTAINER: the id of etcd's container. UNITS: the directory of systemd's units
# Answers «NAME VALUE» lines: etcdctl, etcdutl VERSION, of those that are in the directory now.
set -eu
state=$1 owner=$2 id=$3 plan=$4 container=$5 units=$6

. ./etcd-root.sh
. ./restore-look.sh
. ./restore-directory.sh

umask 077
make_directory "$state" "$owner" "$id" "$plan" "$units"
find_root "$container"
if [ -z "$root" ]; then
  echo "etcd's container $container does not run here any more" >&2
  exit 1
fi
# Once etcd is stopped, its root is gone.
for name in etcdctl etcdutl; do
  program=$(program_in "$root" "$name")
  [ -n "$program" ] || continue
  cp -- "$program" "$state/$name.part"
  chmod 700 -- "$state/$name.part"
  mv -f -- "$state/$name.part" "$state/$name"
done
for name in etcdctl etcdutl; do
  [ -x "$state/$name" ] || continue
  version=$("$state/$name" version 2>&1) || { printf '%s: %s\n' "$state/$name" "$version" >&2; exit 1; }
  printf '%s %s\n' "$name" "$(printf '%s\n' "$version" | sed -n "s/^$name version: //p")"
done
printf '\n# end\n'
