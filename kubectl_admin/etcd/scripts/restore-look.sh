# How far a restore is on this host, by its own journal. A part of other scripts.

. ../../node/scripts/unit.sh
. ../../node/scripts/aside.sh

# Sets, for a restore's directory:
#   restore_id, restore_data: of its plan, "" where it has none
#   restore_last: the last word of its journal, "-" where there is none
#   restore_is: none (no directory), unbegun (nothing was touched but what is aside), over, or underway
# A journal that can't be read, or whose last word is not known, is that of a restore that is underway.
# look_at_restore DIRECTORY
look_at_restore() {
  restore_id='' restore_data='' restore_last=- restore_is=underway
  if [ ! -e "$1" ] && [ ! -L "$1" ]; then
    restore_is=none
    return 0
  fi
  [ -d "$1" ] && [ ! -L "$1" ] || return 0
  if [ -e "$1/plan" ]; then
    restore_id=$(plan_value "$1" id) || return 0
    restore_data=$(plan_value "$1" data) || return 0
    is_id "$restore_id" || return 0
    case $restore_data in /?*) ;; *) return 0 ;; esac
  fi
  if [ -e "$1/journal" ] || [ -L "$1/journal" ]; then
    restore_last=$(tail -n 1 -- "$1/journal") || return 0
    restore_last=${restore_last##* }
    # It was begun, and its power was cut before a word of it was written.
    [ -n "$restore_last" ] || restore_last=torn
  elif [ -e "$1/go" ]; then
    return 0
  fi
  case $restore_last in
    - | prepared | armed) restore_is=unbegun ;;
    restored | as-before | disarmed) restore_is=over ;;
  esac
  # The file that says go to a node by hand: whoever has put it wants that it begins.
  if [ "$restore_is" = unbegun ] && [ -e "$1/go" ]; then restore_is=underway; fi
}

# plan_value DIRECTORY KEY: the value in the plan.
plan_value() {
  [ -r "$1/plan" ] || return 1
  sed -n "s/^$2 //p" "$1/plan" | head -n 1
}

# Removes the restored data that a restore has put aside, and the unit that put them there.
# remove_aside DATA ID
remove_aside() {
  is_id "$2" || return 1
  settle_unit "kubectl-admin-$2.service"
  if [ "$unit_is" = running ]; then
    systemctl stop "kubectl-admin-$2.service" > /dev/null 2>&1 || : # it may have ended by itself since
    settle_unit "kubectl-admin-$2.service"
    if [ "$unit_is" = running ]; then
      echo "kubectl-admin-$2.service could not be stopped" >&2
      return 1
    fi
  fi
  # Data that are aside can't be what etcd runs with, which has the name «member».
  [ -d "$1/member" ] || { echo "$1 has no directory member, so nothing beside it is removed" >&2; return 1; }
  rm -rf -- "${1:?}/.kubectl-admin-$2-new" "${1:?}/.kubectl-admin-$2-new.part"
}

# Removes the unit of a restore that does not run. UNITS: the directory of units.
# remove_unit UNITS
remove_unit() {
  systemctl disable kubectl-admin-restore.service > /dev/null 2>&1 || :
  rm -f -- "$1/kubectl-admin-restore.service" "$1/multi-user.target.wants/kubectl-admin-restore.service"
  systemctl daemon-reload > /dev/null 2>&1 || :
}
