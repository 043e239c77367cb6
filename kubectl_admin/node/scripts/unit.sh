# The state of a systemd unit. A part of other scripts.
# Source: systemd, src/basic/unit-def.c (the states of units); before version 230 systemctl says «unknown» of a
# unit that is not loaded, but also where it could not ask.

. ./until-answered.sh

# Sets `unit_is` to «running» (or being started or stopped), «ended» (or never there), or «unanswered»; `unit_said` to
# systemd's own word.
ask_unit() {
  unit_is=unanswered
  unit_said=$(systemctl is-active "$1" 2> /dev/null || :)
  case $unit_said in
    active | activating | deactivating | reloading | refreshing | maintenance) unit_is=running ;;
    inactive | failed) unit_is=ended ;;
    unknown) if systemctl show --property=Version > /dev/null 2>&1; then unit_is=ended; fi ;;
    # Where no systemd runs, no unit does.
    *) if [ ! -d /run/systemd/system ]; then unit_is=ended; fi ;;
  esac
}

# The same, asked until there is an answer; where there is none in some 20 s, that is said, and the script ends.
settle_unit() {
  until_answered "report the state of $1" "systemctl is-active $1" is_answered "$1"
}

is_answered() {
  ask_unit "$1"
  [ "$unit_is" != unanswered ]
}

# Sets `process` to the number of a unit's main process, 0 where there is none, and `restarts` to how often systemd has
# started it again by itself. Returns 1 where systemd does not say it.
ask_process() {
  # Without --value, which systemd has since version 230.
  process_said=$(systemctl show --property=MainPID --property=NRestarts "$1" 2> /dev/null || :)
  process=$(printf '%s\n' "$process_said" | sed -n 's/^MainPID=//p')
  # shellcheck disable=SC2034 # for the others
  restarts=$(printf '%s\n' "$process_said" | sed -n 's/^NRestarts=//p')
  if [ -z "$process" ] && [ ! -d /run/systemd/system ]; then process=0; fi
  [ -n "$process" ]
}

# The same, asked until there is an answer, as in settle_unit.
settle_process() {
  until_answered "report the process of $1" "systemctl show $1" ask_process "$1"
}
