# Starts the systemd unit that opens a snapshot, within limits: whatever it does, the rest of the host comes first.
# past-start.sh DIRECTORY UNIT SCRIPT SILENCE MEMORY
#   SCRIPT: the text of past-run.sh. SILENCE: its argument. MEMORY: bytes that the unit may take
# Standard input has files of the directory, «NAME BASE64» a line, and a last line «end».
set -eu

. ../../node/scripts/unit.sh

directory=$1 unit=$2 script=$3 silence=$4 memory=$5
umask 077
whole=no
while read -r name content; do
  if [ "$name" = end ]; then
    whole=yes
    break
  fi
  case $name in */* | .* | '') exit 1 ;; esac
  printf '%s' "$content" | base64 -d > "$directory/$name"
done
cat > /dev/null
# Of a stream that was cut, the rest comes with the next attempt.
if [ "$whole" = no ]; then
  echo 'the files have not come whole' >&2
  exit 143
fi
settle_unit "$unit"
# The answer to an earlier attempt may have been lost on its way.
if [ "$unit_is" = ended ] && [ ! -e "$directory/started" ]; then
  printf '%s' "$script" > "$directory/run"
  cut -d . -f 1 /proc/uptime > "$directory/alive"
  : > "$directory/started"
  # It can't remove its directory itself, which is a mount to it: systemd does, outside of it, and however it ends.
  # No network but a loopback of its own, no device, no right of root's but to its own files, nothing to write but its
  # directory. An end in good order is worth nothing, and one that is killed for its memory is told by the script.
  outside='nsenter --mount=/proc/1/ns/mnt'
  removal="+/bin/sh -c \"$outside rm -rf -- $directory; $outside rmdir -- ${directory%/*} 2> /dev/null; exit 0\""
  set --
  # Where every controller has a hierarchy of its own, a systemd that uses one for the first time, and then no more, takes
  # all containers out of it. Source: systemd src/shared/cgroup-setup.c, cg_create_everywhere and cg_trim.
  if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
    set -- -p CPUWeight=10 -p IOWeight=10 -p PrivateDevices=yes
  fi
  systemd-run --quiet --collect --unit="$unit" --description='kubectl-admin: a snapshot that is opened' "$@" \
    -p "MemoryMax=$memory" -p MemorySwapMax=0 -p TasksMax=4096 -p Nice=10 -p IOSchedulingPriority=7 \
    -p OOMScoreAdjust=900 -p OOMPolicy=continue -p LimitCORE=0 -p LimitNOFILE=65536 -p KillSignal=SIGKILL \
    -p PrivateNetwork=yes -p PrivateTmp=yes -p ProtectSystem=strict -p ProtectHome=yes \
    -p "ReadWritePaths=$directory" -p "ExecStopPost=$removal" -p ProtectKernelTunables=yes -p ProtectKernelModules=yes \
    -p ProtectControlGroups=yes -p NoNewPrivileges=yes -p CapabilityBoundingSet= -p RestrictSUIDSGID=yes \
    -p "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK" -p "WorkingDirectory=$directory" \
    /bin/sh "$directory/run" "$directory" "$silence" >&2
fi
printf 'started\n# end\n'
