# How a unit of systemd's is. A systemctl that fails for a moment (a bus that is busy, a systemd that is executed
# anew) does not say that a unit has ended.
# Source: systemd, src/basic/unit-def.c (the states of units); before version 230 systemctl says «unknown» of a
# unit that is not loaded, but also where it could not ask.

# Sets `unit_is` to «running» (or being started or stopped), «ended» (or never there), or «unanswered».
ask_unit() {
  unit_is=unanswered
  case $(systemctl is-active "$1" 2> /dev/null || :) in
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
      echo "systemd does not say how $1 does: systemctl is-active $1" >&2
      exit 1
    fi
    sleep 1
    unit_asked=$((unit_asked + 1))
    ask_unit "$1"
  done
}
