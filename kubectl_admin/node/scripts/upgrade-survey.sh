# Says what an upgrade wants to know of this host.
# upgrade-survey.sh KUBERNETES DATA
#   KUBERNETES: the folder of kubeadm's files. DATA: etcd's data folder, «-» where this host runs no etcd.
# Answers «NAME VALUE» lines; what is not there has no line. A «kubelet-argument» is one word of the kubelet that
# runs, a «kubelet-gate» one line of its configuration.
set -eu
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
  pid=$(systemctl show --property=MainPID --value kubelet.service 2> /dev/null || :)
  case $pid in
    '' | 0 | *[!0-9]*) ;;
    *)
      tr '\n\0' ' \n' < "/proc/$pid/cmdline" | while IFS= read -r word; do
        printf 'kubelet-argument %s\n' "$word"
      done
      ;;
  esac
fi
if [ "$(stat -f -c %T /sys/fs/cgroup 2> /dev/null || :)" = cgroup2fs ]; then
  printf 'cgroup 2\n'
else
  printf 'cgroup 1\n'
fi
if [ "$2" != - ] && [ -d "$2" ]; then
  printf 'etcd-kilobytes %s\n' "$(du -sk -- "$2" | cut -f 1)"
fi
for folder in "$1" /var/cache /usr; do
  if [ -d "$folder" ]; then
    # The last line alone, since a long name of a device takes two.
    df -Pk -- "$folder" | tail -n 1 | while read -r _ _ _ free _; do
      printf 'free-kilobytes %s %s\n' "$free" "$folder"
    done
  fi
done
printf '\n# end\n'
