# kubeadm's part of a node's upgrade, run as a job.
# upgrade-kubeadm.sh MODE VERSION IGNORED PATCHES
#   MODE: «apply» for the first control-plane node, «node» for all others. VERSION: v1.37.2.
#   IGNORED: errors of kubeadm's checks that are warnings. PATCHES: a folder of kubeadm's patches. Each «-» for none.
set -eu
mode=$1 version=$2 ignored=$3 patches=$4
export HOME=/root LC_ALL=C.UTF-8
[ -n "${KUBECONFIG-}" ] || [ ! -e /etc/kubernetes/admin.conf ] || export KUBECONFIG=/etc/kubernetes/admin.conf
set --
# kubeadm goes to a pre-release only when it is told so; which one, was asked for by its name.
case $mode-$version in apply-*-*) set -- --allow-experimental-upgrades ;; esac
[ "$ignored" = - ] || set -- "$@" "--ignore-preflight-errors=$ignored"
if [ "$mode" = apply ]; then
  echo "== kubeadm upgrade plan $version"
  kubeadm upgrade plan "$version" "$@"
fi
[ "$patches" = - ] || set -- "$@" "--patches=$patches"
if [ "$mode" = apply ]; then
  echo "== kubeadm upgrade apply $version"
  exec kubeadm upgrade apply "$version" --yes "$@"
fi
echo "== kubeadm upgrade node"
exec kubeadm upgrade node "$@"
