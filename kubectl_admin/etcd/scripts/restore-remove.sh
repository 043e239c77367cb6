# Removes a restore that has not begun, or that has left all as it was, with all that was prepared for it; its unit is
# stopped first.
# restore-remove.sh DIRECTORY ID UNITS
#   ID: the operation's. Another one's stays
# Answers «removed», or «none» where it is not there. Any other stays, and that is an error.
set -eu
state=$1 id=$2 units=$3

. ./restore-look.sh

look_at_restore "$state"
if [ "$restore_is" = none ] || { [ -n "$restore_id" ] && [ "$restore_id" != "$id" ]; }; then
  printf 'none\n\n# end\n'
  exit 0
fi
stopped=no
if [ "$restore_is" = unbegun ]; then
  settle_unit kubectl-admin-restore.service
  if [ "$unit_is" = running ]; then
    stopped=yes
    systemctl stop kubectl-admin-restore.service > /dev/null 2>&1 || :
    settle_unit kubectl-admin-restore.service
    if [ "$unit_is" = running ]; then
      echo "kubectl-admin-restore.service could not be stopped" >&2
      exit 1
    fi
  fi
  # A worker writes its journal before it does anything, and this one does nothing any more.
  look_at_restore "$state"
fi
case $restore_last in
  disarmed | as-before)
    # Data of before beside the present ones go with restore-prune.sh alone.
    if [ "$restore_is" = over ] && [ ! -e "$restore_data/.kubectl-admin-$restore_id-old" ]; then restore_is=unbegun; fi
    ;;
esac
if [ "$restore_is" != unbegun ]; then
  if [ "$stopped" = yes ]; then systemctl start kubectl-admin-restore.service; fi
  echo "the restore here is $restore_is (its last word: $restore_last), so it was not removed" >&2
  exit 1
fi
if [ -n "$restore_id" ]; then remove_aside "$restore_data" "$restore_id"; fi
remove_unit "$units"
rm -rf -- "$state"
rmdir -- "${state%/*}" 2> /dev/null || :
printf 'removed\n\n# end\n'
