# Marks a restore as prepared, and has its unit wait for the word to begin.
# restore-arm.sh DIRECTORY ID UNITS UNIT
#   UNITS: the directory of systemd's units. UNIT: the text of kubectl-admin-restore.service
# It says when the journal has the word «armed» and the unit is active; run again, the same.
set -eu
state=$1 id=$2 units=$3 unit=$4

. ./restore-look.sh

umask 077
look_at_restore "$state"
if [ "$restore_is" != unbegun ] || [ "$restore_id" != "$id" ]; then
  echo "restore ${restore_id:-none} is here, with the last word $restore_last: $id can't be armed" >&2
  exit 1
fi
for file in owner plan steps worker etcdctl etcdutl snapshot.db; do
  [ -s "$state/$file" ] || { echo "$state/$file is missing" >&2; exit 1; }
done
for directory in "$restore_data/member" "$restore_data/.kubectl-admin-$id-new"; do
  [ -d "$directory" ] || { echo "$directory is missing" >&2; exit 1; }
done
if [ ! -e "$state/journal" ]; then
  printf '%s prepared\n' "$(date +%s)" > "$state/journal.part"
  mv -- "$state/journal.part" "$state/journal"
  sync "$state/journal" "$state" 2> /dev/null || sync
fi
(umask 022 && printf '%s' "$unit" > "$units/.kubectl-admin-restore.service")
sync "$units/.kubectl-admin-restore.service" 2> /dev/null || sync
mv -f -- "$units/.kubectl-admin-restore.service" "$units/kubectl-admin-restore.service"
systemctl daemon-reload
systemctl enable kubectl-admin-restore.service > /dev/null 2>&1
sync "$units" 2> /dev/null || sync
systemctl start kubectl-admin-restore.service
tries=0
while :; do
  ask_unit kubectl-admin-restore.service
  restore_last=$(tail -n 1 -- "$state/journal")
  if [ "$unit_said" = active ] && [ "${restore_last##* }" = armed ]; then break; fi
  tries=$((tries + 1))
  if [ "$tries" -ge 100 ]; then
    echo "kubectl-admin-restore.service is $unit_said, and its last word is ${restore_last##* }" >&2
    tail -n 3 -- "$state/log" >&2 2> /dev/null || :
    exit 1
  fi
  sleep 0.2
done
printf 'armed\n\n# end\n'
