# Brings the packages of a version onto this host, and installs kubeadm alone: run as a job, in that job's directory.
# packages-prepare.sh VERSION MINOR RENEW_KEY
#   VERSION: the packages' (1.37.2-1.1). MINOR: 37. RENEW_KEY: yes: the repository's own key takes the place of the
#   one that this host trusts
# If it fails, repository file and key are as they were. It may be run again after it was killed anywhere.
set -eu
version=$1 minor=$2 renew=$3
state=/var/lib/kubectl-admin/upgrade
. ./packages-sources.sh
. ./packages-state.sh
. ./packages-trouble.sh
. ./packages-key.sh
. ./packages-replace.sh
. ./packages-dnf.sh
. ./packages-install-with.sh
. ./packages-holds.sh
. ./record.sh
export LC_ALL=C

finish() {
  ended=$1
  trap '' HUP INT TERM
  if [ "$ended" = 0 ]; then
    forget_replaced
  else
    put_back_replaced
    if restore_holds; then forget_holds; fi
    # Said last, where it is looked for.
    if [ -s words ]; then cat words; fi
  fi
  record "$state/records" packages "$version" - "$ended" || ended=1
  exit "$ended"
}

refuse() {
  printf '%s\n' "$1" > words
  exit 1
}

# The versions before the first attempt, however many there were.
note_installed() {
  for name in kubeadm kubelet kubectl; do
    now=$(installed_version "$name") || :
    if [ -z "$now" ] || [ "$now" = "$version" ]; then continue; fi
    mkdir -p "$state/installed"
    printf '%s\n' "$now" > "$state/installed/$name.part"
    on_disk "$state/installed/$name.part"
    mv -- "$state/installed/$name.part" "$state/installed/$name"
    if [ -z "$(package_file "$name" "$now")" ] && ! keep_installed "$name" "$now"; then
      echo "$name $now is no longer available, and can't be restored if $version fails to install"
    fi
  done
}

move_sources() {
  files_of_minor "$from" > moving
  while IFS= read -r file; do
    sources moved "$file" "$from" "$minor" > fresh
    replace "$file" fresh
    echo "$file: switched from v1.$from to v1.$minor"
  done < moving
}

(umask 077 && mkdir -p "$state/packages")
record "$state/records" packages "$version" - -
rm -f words
trap 'finish $?' EXIT
trap 'exit 1' HUP INT TERM
case $manager in
  none) refuse "this host has no apt, dnf or zypper" ;;
esac
from=$(moving_minor "$minor")
# The address of an own mirror may say nothing of a minor: its offers are there without being turned to.
address="this host's repositories"
[ -z "$from" ] || address=$(first_of addresses "$from" "$minor" | without_password)

echo "== Record the installed and held packages"
note_holds
note_installed
if [ -n "$from" ] && [ "$from" != "$minor" ]; then
  echo "== Switch the repository to v1.$minor"
  move_sources
fi
if [ "$renew" = yes ]; then
  [ -n "$from" ] || refuse "the key to renew is not known: no repository here names a minor of Kubernetes"
  echo "== Renew the key of $address"
  renew_key
fi
echo "== Refresh the list of $address"
refresh_list
for name in $(own_packages); do
  is_offered "$name" || refuse "$address: $name $version is not offered"
done
echo "== Download $(own_packages | paste -sd , - | sed 's/,/, /g') $version"
download_packages
echo "== Install kubeadm $version"
if ! install_from_repository kubeadm || [ "$(installed_version kubeadm)" != "$version" ]; then
  reinstall_former kubeadm || :
  now=$(installed_version kubeadm) || :
  refuse "kubeadm $version could not be installed ($(reason said)); installed is ${now:-none}"
fi
check_signatures
echo "== Restore the holds"
restore_holds || refuse "some packages are no longer held: $(reason said)"
forget_holds
