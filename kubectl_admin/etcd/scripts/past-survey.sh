# Prints the facts of a control plane's host that the opening of a snapshot needs. Changes nothing.
# past-survey.sh ETCD APISERVER STATE
#   ETCD, APISERVER: the ids of their containers. STATE: the directory of all operations' directories
# Answers a «NAME VALUE» a line; a fact that is not to be had has no line.
#   etcd, etcdutl, kube-apiserver VERSION   of the programs in the containers, a line of what they say
#   memory BYTES    that are available
#   total BYTES     of all memory
#   room BYTES      that are free for STATE
#   systemd, nsenter, carrier yes   what the host has
set -eu
etcd=$1 apiserver=$2 state=$3

. ./etcd-root.sh

# told PROGRAM WORD ROOT: a line of what a program of a root says of its version
told() {
  [ -n "$3" ] || return 0
  program=$(program_in "$3" "$1")
  [ -n "$program" ] || return 0
  "$program" "$2" 2> /dev/null | sed -n "/[Vv]ersion: \|Kubernetes v/{s/^/$1 /p;q}" || :
}
find_root "$etcd"
told etcd --version "$root"
told etcdutl version "$root"
find_root "$apiserver" kube-apiserver
told kube-apiserver --version "$root"
# awk's «%d» may have 32 bits.
awk '/^MemAvailable:/ { printf "memory %.0f\n", $2 * 1024 } /^MemTotal:/ { printf "total %.0f\n", $2 * 1024 }' /proc/meminfo
# The directory itself may not be there yet.
while [ ! -d "$state" ]; do state=$(dirname -- "$state"); done
df -Pk -- "$state" | { read -r _; read -r _ _ _ free _; printf 'room %s\n' "$((free * 1024))"; }
if [ -d /run/systemd/system ] && command -v systemd-run > /dev/null; then echo 'systemd yes'; fi
if command -v nsenter > /dev/null; then echo 'nsenter yes'; fi
for tool in bash socat nc; do
  if command -v "$tool" > /dev/null; then
    echo 'carrier yes'
    break
  fi
done
printf '\n# end\n'
