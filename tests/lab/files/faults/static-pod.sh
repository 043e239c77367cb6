#!/bin/sh
# static-pod.sh stop|start COMPONENT: takes its manifest out of the kubelet's folder, and waits for its process.
set -eu
act=$1 component=$2
present=/etc/kubernetes/manifests/$component.yaml
aside=/etc/kubernetes/manifests-taken-away/$component.yaml

within_two_minutes() {
  for _ in $(seq 240); do
    if "$@"; then return 0; fi
    sleep 0.5
  done
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
  within_two_minutes runs
  ;;
esac
