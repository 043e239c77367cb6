# The root of a container as the host sees it, and the programs in it: etcd's, or another's. A part of other scripts.

# Sets `root` to «/proc/PID/root», "" where the container does not run. Several etcds may run on a host: the container's
# own is the one in its cgroup.
# find_root CONTAINER [PROGRAM]
#   PROGRAM: the name of the process, as /proc/PID/comm has it; etcd if not given
find_root() {
  root=
  # shellcheck disable=SC2013 # these paths are words
  for cgroup in $(grep -ls -- "$1" /proc/[0-9]*/cgroup); do
    [ "$(cat "${cgroup%/cgroup}/comm" 2> /dev/null)" = "${2:-etcd}" ] || continue
    # shellcheck disable=SC2034 # for the others
    root=${cgroup%/cgroup}/root
    return 0
  done
}

# Prints the path of a program in that root, nothing where there is none.
# program_in ROOT NAME
program_in() {
  for bin in usr/local/bin usr/bin bin; do
    if [ -x "$1/$bin/$2" ]; then
      printf '%s\n' "$1/$bin/$2"
      return 0
    fi
  done
}
