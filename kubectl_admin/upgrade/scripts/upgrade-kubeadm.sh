# kubeadm's part of a node's upgrade, run as a job.
# upgrade-kubeadm.sh RECORDS CONFIG MODE VERSION IGNORED PATCHES
#   RECORDS: the directory of records (record.sh); the one of this step is «kubeadm». CONFIG: the kubelet's configuration,
#   which both commands write near their end. MODE: «apply» for the first control-plane node, «node» for all others.
#   VERSION: v1.37.2. IGNORED: errors of kubeadm's checks that are warnings. PATCHES: a directory of kubeadm's patches.
#   Each of the last two «-» for none.
# Only a record with exit code 0 says that all of kubeadm's phases are over; it may be run again after anything else.
set -eu
records=$1 config=$2 mode=$3 version=$4 ignored=$5 patches=$6
export HOME=/root LC_ALL=C.UTF-8
[ -n "${KUBECONFIG-}" ] || [ ! -e /etc/kubernetes/admin.conf ] || export KUBECONFIG=/etc/kubernetes/admin.conf
. ./record.sh

# Runs a command; the first one that fails is the end. step WORD...
step() {
  code=0
  "$@" || code=$?
  if [ "$code" != 0 ]; then
    record "$records" kubeadm "$version" "$mode" "$code"
    exit "$code"
  fi
}

record "$records" kubeadm "$version" "$mode" -
set --
# kubeadm goes to a pre-release only with a flag; which one, was asked for by its name.
case $mode-$version in apply-*-*) set -- --allow-experimental-upgrades ;; esac
[ "$ignored" = - ] || set -- "$@" "--ignore-preflight-errors=$ignored"
if [ "$mode" = apply ]; then
  echo "== kubeadm upgrade plan $version"
  step kubeadm upgrade plan "$version" "$@"
fi
[ "$patches" = - ] || set -- "$@" "--patches=$patches"
if [ "$mode" = apply ]; then
  echo "== kubeadm upgrade apply $version"
  step kubeadm upgrade apply "$version" --yes "$@"
else
  echo "== kubeadm upgrade node"
  step kubeadm upgrade node "$@"
fi
# The record of this run's begin is not younger than the file that kubeadm has written since.
# A link stays one, and its target is written.
if [ ! -e "$config" ] || [ -n "$(find "$records/kubeadm" -newer "$(readlink -f -- "$config")")" ]; then
  echo "error: kubeadm ended with 0, but has not written $config"
  step false
fi
record "$records" kubeadm "$version" "$mode" 0
