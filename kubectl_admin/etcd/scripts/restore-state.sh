# Says how far a restore is on this host. Changes nothing.
# restore-state.sh DIRECTORY [DATA]
#   DATA: etcd's data directory by its flags, "" where that is not known. The plan's is taken before it
# Answers «NAME VALUE» lines: restore (as restore-survey.sh), owner, node, data, unit, enabled; «journal SECONDS WORD» for
# each word of its journal, «old BYTES» for the data of before that are aside, and «new BYTES» for restored data, of all
# restores, be there a record of them or not; and «worker TEXT» for what its own worker says of it.
# No line «data»: nobody has looked for what is aside.
set -eu
state=$1 data=${2-}

. ./restore-look.sh

# tell_aside NAME DIRECTORY...: their bytes together, nothing where none is aside.
tell_aside() {
  name=$1 kilobytes=-1
  shift
  for directory; do
    is_aside "$directory" || continue
    [ "$kilobytes" -ge 0 ] || kilobytes=0
    kilobytes=$((kilobytes + $(du -sk -- "$directory" | cut -f 1)))
  done
  if [ "$kilobytes" -ge 0 ]; then printf '%s %s\n' "$name" "$((kilobytes * 1024))"; fi
}

look_at_restore "$state"
printf 'restore %s %s %s\n' "$restore_is" "${restore_id:--}" "$restore_last"
settle_unit kubectl-admin-restore.service
printf 'unit %s\n' "${unit_said:-none}"
# The next restore replaces the record of one that is over; what that has put aside stays.
if [ -n "$restore_data" ]; then data=$restore_data; fi
case $data in
  /?*)
    if [ -n "$restore_data" ] || [ -d "$data" ]; then
      printf 'data %s\n' "$data"
      tell_aside old "$data"/.kubectl-admin-*-old
      tell_aside new "$data"/.kubectl-admin-*-new "$data"/.kubectl-admin-*-new.part
    fi
    ;;
esac
if [ "$restore_is" != none ]; then
  printf 'owner %s\n' "$(head -n 1 -- "$state/owner" 2> /dev/null || :)"
  printf 'node %s\n' "$(plan_value "$state" node || :)"
  printf 'enabled %s\n' "$(systemctl is-enabled kubectl-admin-restore.service 2> /dev/null || :)"
  if [ -r "$state/journal" ]; then tail -n 100 -- "$state/journal" | sed 's/^/journal /'; fi
  if [ -r "$state/worker" ]; then
    { /bin/sh "$state/worker" state 2>&1 || :; } | head -n 50 | sed 's/^/worker /'
  fi
fi
printf '\n# end\n'
