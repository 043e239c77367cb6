# Makes the directory of a restore, with its plan, and the programs of etcd in it. An earlier one that is over, or was
# never begun, is removed; one that is underway never is.
# restore-begin.sh DIRECTORY OWNER ID PLAN CONTAINER UNITS
#   PLAN: its text. CONTAINER: the id of etcd's container. UNITS: the directory of systemd's units
# Answers «NAME VALUE» lines: etcdctl, etcdutl VERSION, of those that are in the directory now.
set -eu
state=$1 owner=$2 id=$3 plan=$4 container=$5 units=$6

. ./etcd-root.sh
. ./restore-look.sh

umask 077
settle_unit kubectl-admin-restore.service
look_at_restore "$state"
if [ "$unit_is" = running ] || [ "$restore_is" = underway ]; then
  echo "restore ${restore_id:-without a plan} is underway here (its last word: $restore_last)" >&2
  exit 1
fi
# The answer to an earlier attempt may have been lost on its way.
if [ "$restore_id" != "$id" ]; then
  if [ -n "$restore_id" ]; then remove_aside "$restore_data" "$restore_id"; fi
  if [ "$restore_is" != none ]; then
    remove_unit "$units"
    rm -rf -- "$state"
  fi
  mkdir -p -- "${state%/*}"
  mkdir -- "$state"
  printf '%s\n' "$owner" > "$state/owner.part"
  mv -- "$state/owner.part" "$state/owner"
  printf '%s' "$plan" > "$state/plan.part"
  sync "$state/plan.part" 2> /dev/null || sync
  mv -- "$state/plan.part" "$state/plan"
fi
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
