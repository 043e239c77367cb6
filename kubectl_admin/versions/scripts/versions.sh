# Says which kubelet is installed on this host, and which API servers its components are pointed at.
# versions.sh KUBERNETES
#   KUBERNETES: the directory of kubeadm's files
# Answers a «NAME VALUE» a line; a thing that is not there has no line.
set -eu
if command -v kubelet > /dev/null && version=$(kubelet --version 2> /dev/null); then
  printf 'kubelet-version %s\n' "${version##* }"
fi
for component in kubelet controller-manager scheduler; do
  if [ -r "$1/$component.conf" ]; then
    sed -n "s/^ *server: *\"\\{0,1\\}\\([^\" ]*\\).*/$component-server \\1/p" "$1/$component.conf" | head -n 1
  fi
done
if [ -r "$1/manifests/kube-apiserver.yaml" ]; then
  sed -n 's/.*--advertise-address=\([^" ]*\).*/apiserver-address \1/p' "$1/manifests/kube-apiserver.yaml" | head -n 1
fi
printf '\n# end\n'
