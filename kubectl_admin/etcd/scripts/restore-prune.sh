# Removes all that restores which are over, or were never armed, have left on this host: their directory, and the data
# that are aside, be there a record of them or not.
# restore-prune.sh DIRECTORY DATA UNITS PARKED
#   DATA: etcd's data directory; the directory «member» in it stays in any case. PARKED: beside the manifests; it is
#   removed where it is empty
# Answers «removed BYTES», and «kept PATH» a line for what is not removed.
set -eu
state=$1 data=$2 units=$3 parked=$4

. ./restore-look.sh

settle_unit kubectl-admin-restore.service
look_at_restore "$state"
# One that was prepared and never armed has nobody who could begin it. One that was armed ends by itself.
if [ "$restore_is" = unbegun ] && [ "$restore_last" != armed ]; then restore_is=over; fi
if [ "$unit_is" = running ] || { [ "$restore_is" != over ] && [ "$restore_is" != none ]; }; then
  echo "the restore here is not over (its last word: $restore_last), so nothing was removed" >&2
  exit 1
fi
if [ ! -d "$data/member" ] || [ -L "$data/member" ]; then
  echo "$data has no directory member, so nothing beside it was removed" >&2
  exit 1
fi
if [ -n "$restore_data" ] && [ "$restore_data" != "$data" ]; then
  echo "the restore here was of $restore_data, and etcd runs with $data, so nothing was removed" >&2
  exit 1
fi
# Without a record nothing else tells that data aside may be needed yet.
if [ "$restore_is" = none ]; then
  for manifest in "$parked"/*; do
    if [ -e "$manifest" ]; then
      echo "$manifest is there, of a restore that was cut off, so nothing was removed; move it back if that is over" >&2
      exit 1
    fi
  done
fi
if [ -n "$restore_id" ]; then remove_aside "$restore_data" "$restore_id"; fi
kilobytes=0
for directory in "$data"/.kubectl-admin-*-old "$data"/.kubectl-admin-*-new "$data"/.kubectl-admin-*-new.part "$state"; do
  if [ ! -d "$directory" ] || [ -L "$directory" ]; then continue; fi
  if [ "$directory" != "$state" ]; then
    if ! is_aside "$directory"; then
      printf 'kept %s\n' "$directory"
      continue
    fi
    id=${directory##*/.kubectl-admin-}
    settle_unit "kubectl-admin-${id%%-*}.service"
    if [ "$unit_is" = running ]; then
      printf 'kept %s\n' "$directory"
      continue
    fi
  fi
  used=$(du -sk -- "$directory" | cut -f 1)
  rm -rf -- "$directory"
  kilobytes=$((kilobytes + used))
done
if [ "$restore_is" = over ]; then remove_unit "$units"; fi
rmdir -- "$parked" 2> /dev/null || :
rmdir -- "${state%/*}" 2> /dev/null || :
printf 'removed %s\n\n# end\n' "$((kilobytes * 1024))"
