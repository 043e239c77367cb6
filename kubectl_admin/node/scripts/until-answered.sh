# A systemctl that fails for a moment (a bus that is busy, a systemd that re-executes itself) says nothing about a unit.
# A part of other scripts.

# Runs a function once a second until it succeeds. Where it has not in some 20 s, that is said, and the script ends.
# until_answered WHAT COMMAND FUNCTION ARGUMENT…: WHAT systemd does not do («list the units»), and the COMMAND that asks it.
until_answered() {
  answered_what=$1
  answered_command=$2
  shift 2
  answered_tries=1
  until "$@"; do
    if [ "$answered_tries" -ge 20 ]; then
      echo "systemd does not $answered_what: $answered_command" >&2
      exit 1
    fi
    sleep 1
    answered_tries=$((answered_tries + 1))
  done
}
