# Has the kubelet restart a static pod's process, if that is older than the files that it has read.
# certs-restart.sh COMPONENT UID SINCE SECONDS
#   COMPONENT: the program. UID: of its pod as the kubelet knows it. SINCE: seconds since 1970; one that began
#   later is left alone, so that this may be run twice. SECONDS: in which the new one must be there
# The process is asked to end, and the kubelet starts the next one: the manifest stays where it is, so at no
# moment is there one that could be missing afterwards. Answers «young», or «restarted».
set -eu

. ../../node/scripts/unit.sh

component=$1 uid=$2 since=$3 end=$(($(date +%s) + $4))
hertz=$(getconf CLK_TCK 2> /dev/null || echo 100)
booted=$(sed -n 's/^btime //p' /proc/stat)
short=$(printf '%.15s' "$component") # as much as the kernel keeps of a name

process() { # the number of the component's process
  # shellcheck disable=SC2013 # these paths are words
  for cgroup in $(grep -ls -e "$uid" -e "$(printf '%s' "$uid" | tr - _)" /proc/[0-9]*/cgroup); do
    found=${cgroup%/cgroup}
    if [ "$(cat "$found/comm" 2> /dev/null)" = "$short" ]; then
      printf '%s\n' "${found#/proc/}"
      return
    fi
  done
}

began() { # PROCESS: when, in seconds since 1970; nothing for none
  line=$(cat "/proc/$1/stat" 2> /dev/null) || return 0
  # shellcheck disable=SC2086 # behind the name, which may hold spaces, all are words
  set -- ${line##*) }
  printf '%s\n' "$((booted + ${20} / hertz))"
}

is_young() { # PROCESS
  moment=$(began "$1")
  # The second in which it was read, too, counts as before: clocks are cut off to seconds.
  [ -n "$moment" ] && [ "$moment" -gt "$((since + 1))" ]
}

settle_unit kubelet
# Not one that is being started either: it may be so again and again.
[ "$unit_said" = active ] || { echo "the kubelet is not running, so it can't restart $component" >&2; exit 1; }
while [ "$(date +%s)" -le "$((since + 2))" ]; do sleep 0.5; done
word=young old=
while :; do
  current=$(process)
  if [ -n "$current" ] && is_young "$current"; then
    printf '%s\n\n# end\n' "$word"
    exit 0
  fi
  if [ -n "$current" ] && [ "$current" != "$old" ]; then
    kill -TERM "$current"
    old=$current word=restarted
  fi
  if [ "$(date +%s)" -ge "$end" ]; then
    if [ -n "$old" ]; then
      echo "$component was stopped, and the kubelet has not restarted it within ${4}s: journalctl -u kubelet" >&2
    else
      echo "$component is not running" >&2
    fi
    exit 1
  fi
  sleep 0.2
done
