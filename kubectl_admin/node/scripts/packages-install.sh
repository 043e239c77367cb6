# Installs kubelet and kubectl from the packages that were downloaded before, and restarts the kubelet: run as a job,
# in that job's folder.
# packages-install.sh VERSION
#   VERSION: the packages' (1.37.2-1.1)
# If it fails, the former packages are put back, if they were kept. It may be run again after it was killed anywhere.
set -eu
version=$1
state=/var/lib/kubectl-admin/upgrade
. ./packages-sources.sh
. ./packages-state.sh
. ./packages-trouble.sh
. ./packages-dnf.sh
. ./packages-install-with.sh
. ./packages-holds.sh
export LC_ALL=C

# What is installed now, in words.
now_installed() {
  for name in kubelet kubectl; do
    now=$(installed_version "$name") || :
    printf '%s %s\n' "$name" "${now:-is not wholly installed}"
  done | paste -sd , - | sed 's/,/, /g'
}

# Puts the former packages back and ends. give_up WHY
give_up() {
  why=$1
  if reinstall_former kubelet kubectl; then back="the former packages are back"
  else back="the former packages could not be put back"; fi
  restore_holds || back="$back, some packages are not held any more"
  restart_kubelet || back="$back, the kubelet does not start"
  echo "$version could not be installed ($why); $back: now $(now_installed)"
  exit 1
}

restart_kubelet() {
  systemctl daemon-reload && systemctl restart kubelet && systemctl is-active --quiet kubelet
}

(umask 077 && mkdir -p "$state")
set --
echo "== Install kubelet and kubectl $version"
for name in kubelet kubectl; do
  if [ "$(installed_version "$name")" = "$version" ]; then continue; fi
  file=$(package_file "$name" "$version")
  if [ -z "$file" ]; then
    echo "$name $version was not downloaded: now $(now_installed)"
    exit 1
  fi
  set -- "$@" "$file"
done
note_holds
if [ $# -gt 0 ]; then
  install_files "$@" || give_up "$(reason said)"
  for name in kubelet kubectl; do
    [ "$(installed_version "$name")" = "$version" ] || give_up "$name is not wholly installed"
  done
else
  echo "they are installed already"
fi
echo "== Restore the holds"
loose=
restore_holds || loose="$(reason said)"
echo "== Restart the kubelet"
restart_kubelet || give_up "the kubelet does not start"
if [ -n "$loose" ]; then
  echo "some packages are not held any more ($loose), but $version is installed: now $(now_installed)"
  exit 1
fi
echo "installed: $(now_installed)"
