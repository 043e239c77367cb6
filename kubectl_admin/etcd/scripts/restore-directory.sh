# The directory of a restore on a host. A part of other scripts, which include restore-look.sh before.
# shellcheck disable=SC2154 # what that sets

# Makes the directory with its owner and its plan. An earlier restore that is over, or was never begun, is removed;
# one that is underway never is.
# make_directory DIRECTORY OWNER ID PLAN UNITS
make_directory() {
  settle_unit kubectl-admin-restore.service
  look_at_restore "$1"
  if [ "$unit_is" = running ] || [ "$restore_is" = underway ]; then
    echo "restore ${restore_id:-without a plan} is underway here (its last word: $restore_last)" >&2
    return 1
  fi
  # The answer to an earlier attempt may have been lost on its way.
  if [ "$restore_id" = "$3" ]; then return 0; fi
  if [ -n "$restore_id" ]; then remove_aside "$restore_data" "$restore_id" || return 1; fi
  if [ "$restore_is" != none ]; then
    remove_unit "$5"
    rm -rf -- "$1" || return 1
  fi
  mkdir -p -- "${1%/*}" && mkdir -- "$1" || return 1
  printf '%s\n' "$2" > "$1/owner.part" && mv -- "$1/owner.part" "$1/owner" || return 1
  printf '%s' "$4" > "$1/plan.part" || return 1
  sync "$1/plan.part" 2> /dev/null || sync
  mv -- "$1/plan.part" "$1/plan"
}
