# Says which images the kubeadm of this host uses for a cluster, an image a line; nothing is fetched.
# kubeadm-images.sh
#   stdin: the ClusterConfiguration
set -eu
export HOME=/root LC_ALL=C.UTF-8
config=$(mktemp)
trap 'rm -f -- "$config"' EXIT
cat > "$config"
kubeadm config images list --config "$config" || exit
printf '\n# end\n'
