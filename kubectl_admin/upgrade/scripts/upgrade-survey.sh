# Prints the facts of this host that an upgrade needs.
# upgrade-survey.sh KUBERNETES DATA
#   KUBERNETES: the directory of kubeadm's files. DATA: etcd's data directory, «-» where this host runs no etcd.
# Answers «NAME VALUE» lines; a thing that is not there has no line. A «kubelet-argument» is one word of the kubelet that
# runs; a «room» is the kilobytes that are free for a directory, the device that they are on, and the directory.
# «record STEP TARGET MODE CODE» says how a step of an upgrade ended here (record.sh).
set -eu

. ../../node/scripts/unit.sh

version_of() {
  command -v "$1" > /dev/null || return 0
  case $1 in
    kubeadm) said=$(kubeadm version -o short 2> /dev/null) || return 0 ;;
    kubelet) said=$(kubelet --version 2> /dev/null) || return 0 ;;
  esac
  printf '%s %s\n' "$1" "${said##* }"
}
version_of kubeadm
version_of kubelet
if [ -d /run/systemd/system ] && command -v systemd-run > /dev/null; then
  printf 'systemd yes\n'
  # Without its flags, their defaults would be judged.
  settle_process kubelet
  if [ "$process" != 0 ]; then
    tr '\n\0' ' \n' < "/proc/$process/cmdline" | while IFS= read -r word; do
      printf 'kubelet-argument %s\n' "$word"
    done
  fi
fi
# The root of the unified hierarchy has this file; where both are mounted, the kubelet finds version 1 there.
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
  printf 'cgroup 2\n'
elif [ -d /sys/fs/cgroup ]; then
  printf 'cgroup 1\n'
fi
if [ "$2" != - ] && [ -d "$2" ]; then
  printf 'etcd-kilobytes %s\n' "$(du -sk -- "$2" | cut -f 1)"
fi
# Whether its Node is labelled so or not: a host whose kubelet starts an API server is a control plane.
if [ -e "$1/manifests/kube-apiserver.yaml" ]; then printf 'apiserver yes\n'; fi
# A directory that is not there yet will be where its nearest parent is.
for directory in "$1" /usr /var/lib/kubectl-admin /var/lib/containerd /var/lib/containers/storage; do
  there=$directory
  while [ ! -d "$there" ]; do there=$(dirname -- "$there"); done
  # The last line alone, since a long name of a device takes two.
  df -Pk -- "$there" | tail -n 1 | while read -r _ _ _ free _; do
    printf 'room %s %s %s\n' "$free" "$(stat -L -c %d -- "$there")" "$directory"
  done
done
for record in /var/lib/kubectl-admin/upgrade/records/*; do
  if [ -f "$record" ]; then printf 'record %s %s\n' "${record##*/}" "$(cat -- "$record")"; fi
done
printf '\n# end\n'
