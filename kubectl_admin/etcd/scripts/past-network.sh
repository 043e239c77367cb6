# Whether the unit of an opened snapshot has a network of its own. A part of other scripts.

# Sets `network` to «own», or «shared» with the host; "" where that is not to be seen, as before the unit runs.
# ask_network DIRECTORY
ask_network() {
  network=
  network_process=$(cat -- "$1/bound" 2> /dev/null || :)
  case $network_process in '' | *[!0-9]*) return 0 ;; esac
  network_theirs=$(readlink "/proc/$network_process/ns/net" 2> /dev/null || :)
  network_hosts=$(readlink /proc/1/ns/net 2> /dev/null || :)
  if [ -z "$network_theirs" ] || [ -z "$network_hosts" ]; then return 0; fi
  network=own
  # shellcheck disable=SC2034 # for the others
  if [ "$network_theirs" = "$network_hosts" ]; then network=shared; fi
}
