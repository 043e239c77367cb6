# Starts the systemd unit that opens a snapshot, within limits: whatever it does, the rest of the host comes first. It
# waits for the snapshot (past-go.sh), and removes the directory when nobody is interested any more.
# past-start.sh DIRECTORY UNIT SCRIPT SILENCE MEMORY
#   SCRIPT: the text of past-run.sh. SILENCE: its argument. MEMORY: bytes that the unit may take
# Answers «started», «busy NAME» where work runs on this host that changes something, or «ended» where it was started
# before, and runs no more.
set -eu

. ../../node/scripts/unit.sh
. ../../node/scripts/changing.sh

directory=$1 unit=$2 script=$3 silence=$4 memory=$5
umask 077
# As in job-start.sh: who starts work at the same moment is waited for, and then seen.
exec 9< /run/systemd/system
if command -v flock > /dev/null; then flock 9; fi
settle_unit "$unit"
# The answer to an earlier attempt may have been lost on its way. A unit that has ended has removed its directory; where
# it could not, there are its marks.
if [ "$unit_is" = ended ]; then
  if [ ! -d "$directory" ] || [ -e "$directory/bound" ]; then
    printf 'ended\n# end\n'
    exit 0
  fi
  list_changing
  if [ -n "$changing" ]; then
    printf 'busy %s\n# end\n' "$(printf '%s\n' "$changing" | sed -n 1p)"
    exit 0
  fi
  printf '%s' "$script" > "$directory/run"
  cut -d . -f 1 /proc/uptime > "$directory/alive"
  # It can't remove its directory itself, which is a mount to it: systemd does, outside of it, and however it ends. What
  # just writes there may make a file meanwhile.
  # No network but a loopback of its own, no device, no right of root's but to its own files, nothing to write but its
  # directory. An end in good order is worth nothing.
  outside='nsenter --mount=/proc/1/ns/mnt'
  removal="+/bin/sh -c \"$outside rm -rf -- $directory || { sleep 1; $outside rm -rf -- $directory; }; $outside rmdir -- ${directory%/*} 2> /dev/null; exit 0\""
  set --
  # Where every controller has a hierarchy of its own, a systemd that uses one for the first time, and then no more, takes
  # all containers out of it. Source: systemd src/shared/cgroup-setup.c, cg_create_everywhere and cg_trim.
  if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
    set -- -p CPUWeight=10 -p IOWeight=10 -p PrivateDevices=yes
  fi
  # One that is killed for its memory is told by the script, where systemd leaves the rest alone. An older systemd takes
  # no property that it does not know. Source: systemd NEWS, 243.
  version=$(systemctl --version 2> /dev/null | sed -n '1s/^systemd \([0-9]\{1,4\}\).*/\1/p')
  if [ "${version:-0}" -ge 243 ]; then set -- "$@" -p OOMPolicy=continue; fi
  if ! systemd-run --quiet --collect --unit="$unit" --description='kubectl-admin: a snapshot that is opened' "$@" \
    -p "MemoryMax=$memory" -p MemorySwapMax=0 -p TasksMax=4096 -p Nice=10 -p IOSchedulingPriority=7 \
    -p OOMScoreAdjust=900 -p LimitCORE=0 -p LimitNOFILE=65536 -p KillSignal=SIGKILL \
    -p PrivateNetwork=yes -p PrivateTmp=yes -p ProtectSystem=strict -p ProtectHome=yes \
    -p "ReadWritePaths=$directory" -p "ExecStopPost=$removal" -p ProtectKernelTunables=yes -p ProtectKernelModules=yes \
    -p ProtectControlGroups=yes -p NoNewPrivileges=yes -p CapabilityBoundingSet= \
    -p "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK" -p "WorkingDirectory=$directory" \
    /bin/sh "$directory/run" "$directory" "$silence" >&2 9<&-; then
    # It may have been started all the same.
    settle_unit "$unit"
    [ "$unit_is" = running ]
  fi
fi
printf 'started\n# end\n'
