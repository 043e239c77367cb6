# Prints this host's package manager, and its facts about Kubernetes: nothing is changed or fetched.
# packages-survey.sh
# Answers «manager MANAGER», «installed NAME VERSION», «held NAME» and «source FILE MINOR» lines.
set -eu
. ./packages-sources.sh
. ./packages-state.sh
printf 'manager %s\n' "$manager"
for name in kubeadm kubelet kubectl; do
  version=$(installed_version "$name") || :
  if [ -n "$version" ]; then printf 'installed %s %s\n' "$name" "$version"; fi
done
held_packages | sed 's/^/held /'
source_minors
printf '\n# end\n'
