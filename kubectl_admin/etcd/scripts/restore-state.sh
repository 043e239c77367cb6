# Says how far a restore is on this host. Changes nothing.
# restore-state.sh DIRECTORY
# Answers «NAME VALUE» lines: restore (as restore-survey.sh), owner, node, data, unit, enabled; «journal SECONDS WORD» for
# each word of its journal, «old BYTES» for the data of before that are aside, of earlier restores as well, «new BYTES»
# for the restored data, and «worker TEXT» for what its own worker says of it.
set -eu
state=$1

. ./restore-look.sh

look_at_restore "$state"
printf 'restore %s %s %s\n' "$restore_is" "${restore_id:--}" "$restore_last"
settle_unit kubectl-admin-restore.service
printf 'unit %s\n' "${unit_said:-none}"
if [ "$restore_is" != none ]; then
  printf 'owner %s\n' "$(head -n 1 -- "$state/owner" 2> /dev/null || :)"
  printf 'node %s\n' "$(plan_value "$state" node || :)"
  printf 'data %s\n' "$restore_data"
  printf 'enabled %s\n' "$(systemctl is-enabled kubectl-admin-restore.service 2> /dev/null || :)"
  if [ -r "$state/journal" ]; then tail -n 100 -- "$state/journal" | sed 's/^/journal /'; fi
  if [ -n "$restore_id" ]; then
    kilobytes=-1
    for directory in "$restore_data"/.kubectl-admin-*-old; do
      if [ ! -d "$directory" ] || [ -L "$directory" ]; then continue; fi
      [ "$kilobytes" -ge 0 ] || kilobytes=0
      kilobytes=$((kilobytes + $(du -sk -- "$directory" | cut -f 1)))
    done
    if [ "$kilobytes" -ge 0 ]; then printf 'old %s\n' "$((kilobytes * 1024))"; fi
    directory=$restore_data/.kubectl-admin-$restore_id-new
    if [ -d "$directory" ]; then printf 'new %s\n' "$(($(du -sk -- "$directory" | cut -f 1) * 1024))"; fi
  fi
  if [ -r "$state/worker" ]; then
    { /bin/sh "$state/worker" state 2>&1 || :; } | head -n 50 | sed 's/^/worker /'
  fi
fi
printf '\n# end\n'
