# How a unit of systemd's is. A systemctl that fails for a moment (a bus that is busy, a systemd that is executed
# anew) does not say that a unit has ended.
# Source: systemd, src/basic/unit-def.c (the states of units); before version 230 systemctl says «unknown» of a
# unit that is not loaded, but also where it could not ask.

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
  unit_asked=1
  ask_unit "$1"
  while [ "$unit_is" = unanswered ]; do
    if [ "$unit_asked" -ge 20 ]; then
      echo "systemd does not report the state of $1: systemctl is-active $1" >&2
      exit 1
    fi
    sleep 1
    unit_asked=$((unit_asked + 1))
    ask_unit "$1"
  done
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
  process_asked=1
  until ask_process "$1"; do
    if [ "$process_asked" -ge 20 ]; then
      echo "systemd does not report the process of $1: systemctl show $1" >&2
      exit 1
    fi
    sleep 1
    process_asked=$((process_asked + 1))
  done
}
