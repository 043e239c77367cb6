# Which work of this tool that changes something runs on a host. A part of other scripts.
# A unit that only reads is called by the ten hexadecimal digits of its operation, any other by a name of its own.

. ./until-answered.sh

# Sets `changing` to the names, a line each («certs», «upgrade»). Where systemd does not answer in some 20 s, that
# is said, and the script ends.
list_changing() {
  changing=
  # Where no systemd runs, no unit does.
  [ -d /run/systemd/system ] || return 0
  until_answered "list the units that run" "systemctl list-units 'kubectl-admin-*'" list_units
  # Before its name there may be a dot, after it: LOAD ACTIVE SUB DESCRIPTION.
  changing=$(printf '%s\n' "$changing" | awk '
    {
      sub(/^[^A-Za-z0-9]*/, "")
      name = $1
      if (!sub(/^kubectl-admin-/, "", name) || !sub(/\.service$/, "", name)) next
      if (length(name) == 10 && name !~ /[^0-9a-f]/) next
      if ($3 != "inactive" && $3 != "failed") print name
    }')
}

list_units() {
  changing=$(systemctl list-units --all --full --plain --no-legend 'kubectl-admin-*.service' 2> /dev/null)
}
