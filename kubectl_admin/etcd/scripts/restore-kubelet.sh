# The kubelet of this host after a restore of etcd, and the pods that run here.
# restore-kubelet.sh restart SINCE: restarts the kubelet, unless it has started since; it may be run twice
#   SINCE: hundredths of a second for which the restored API has been there
# restore-kubelet.sh pods: the pods alone
# Answers «kubelet AGE», in hundredths of a second, then «pod UID NAMESPACE_NAME» for each pod that has a process here;
# NAMESPACE_NAME is «-» where it is not known. Static pods are left out: no API pod can have a UID like theirs.
set -eu
. ../../node/scripts/unit.sh

hertz=$(getconf CLK_TCK 2> /dev/null || echo 100)
patience=60 # seconds in which the kubelet must be there again

age() { # PROCESS: for how long it runs, in hundredths of a second; nothing for none
  line=$(cat "/proc/$1/stat" 2> /dev/null) || return 0
  # shellcheck disable=SC2086 # behind the name, which may hold spaces, all are words
  set -- ${line##*) }
  up=$(cut -d ' ' -f 1 /proc/uptime)
  printf '%s\n' "$((${up%.*}${up#*.} - ${20} * 100 / hertz))"
}

restart() { # SINCE
  settle_process kubelet
  before=$process
  [ "$before" != 0 ] || { echo "the kubelet is not running: journalctl -u kubelet" >&2; exit 1; }
  seconds=$(age "$before")
  if [ -n "$seconds" ] && [ "$seconds" -lt "$1" ]; then
    printf 'kubelet %s\n' "$seconds"
    return
  fi
  # This connection goes through the kubelet, and ends with it: systemd must know all before.
  systemctl restart --no-block kubelet
  tries=0
  while :; do
    settle_process kubelet
    settle_unit kubelet
    if [ "$process" != 0 ] && [ "$process" != "$before" ] && [ "$unit_said" = active ]; then break; fi
    tries=$((tries + 1))
    if [ "$tries" -ge "$((patience * 2))" ]; then
      echo "the kubelet was stopped, and does not start again: journalctl -u kubelet" >&2
      exit 1
    fi
    sleep 0.5
  done
  printf 'kubelet %s\n' "$(age "$process")"
}

# Of a pod within a pod, the outer one is the node's: it is the first in the path.
uids() {
  cat /proc/[0-9]*/cgroup 2> /dev/null |
    sed -n 's/pod\([0-9a-f]\{8\}[_-][0-9a-f]\{4\}[_-][0-9a-f]\{4\}[_-][0-9a-f]\{4\}[_-][0-9a-f]\{12\}\).*$/@\1/p' |
    sed 's/.*@//' | tr _ - | sort -u
}

# Source: kubernetes/kubernetes pkg/kubelet/kuberuntime/helpers.go, BuildPodLogsDirectory: NAMESPACE_NAME_UID.
pods() {
  for uid in $(uids); do
    name=-
    for logs in /var/log/pods/*_"$uid"; do
      if [ -d "$logs" ]; then
        name=${logs##*/}
        name=${name%_"$uid"}
      fi
    done
    printf 'pod %s %s\n' "$uid" "$name"
  done
}

case $1 in
  restart) restart "$2" ;;
esac
pods
printf '\n# end\n'
