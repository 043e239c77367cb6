#!/bin/sh
# static-pod.sh stop|start COMPONENT: takes its manifest out of the kubelet's folder, and waits for its process.
set -eu
act=$1 component=$2
present=/etc/kubernetes/manifests/$component.yaml
aside=/etc/kubernetes/manifests-taken-away/$component.yaml

within() {
  seconds=$1
  shift
  for _ in $(seq $((seconds * 2))); do
    if "$@"; then return 0; fi
    sleep 0.5
  done
  return 1
}
within_two_minutes() {
  within 120 "$@" && return
  echo "$component: not so after two minutes: $*" >&2
  return 1
}
runs() { pidof "$component" >/dev/null; }
ended() { ! runs; }

mkdir -p "${aside%/*}"
case $act in
stop)
  [ -e "$present" ] || [ -e "$aside" ] || { echo "there is no $present" >&2; exit 1; }
  if [ -e "$present" ]; then mv "$present" "$aside"; fi
  within_two_minutes ended
  ;;
start)
  if [ -e "$aside" ]; then mv "$aside" "$present"; fi
  # While etcd is away, its node's API server holds each request of the kubelet (as the one that would delete the
  # mirror pod) for half a minute, and the kubelet does nothing else meanwhile: minutes pass before it starts etcd,
  # and one after it was restarted. So the API server is ended, which is of no use now; the kubelet starts it anew.
  if ! within 5 runs && [ "$component" = etcd ]; then
    pidof kube-apiserver | xargs --no-run-if-empty kill -KILL
  fi
  within_two_minutes runs
  ;;
esac
