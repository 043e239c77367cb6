# Installs kubelet, and kubectl where it is installed, from the packages that were downloaded before, and restarts the
# kubelet: run as a job, in that job's directory.
# packages-install.sh VERSION
#   VERSION: the packages' (1.37.2-1.1)
# If it fails, the former packages are put back, if they were kept. It may be run again after it was killed anywhere.
# Ends with 10 where it has seen that the former packages are installed and their kubelet stays up, and with another
# code, as any command of it may, where it has not.
set -eu
version=$1
state=/var/lib/kubectl-admin/upgrade
. ./packages-sources.sh
. ./packages-state.sh
. ./packages-trouble.sh
. ./packages-dnf.sh
. ./packages-install-with.sh
. ./packages-holds.sh
. ../../node/scripts/unit.sh
. ./kubelet-stays.sh
. ./record.sh
export LC_ALL=C

# Ends the job with its last words; its record says how. finish CODE WORDS
finish() {
  code=$1 words=$2
  record "$state/records" kubelet "$version" - "$code" ||
    code=2 words="$words; this could not be written to $state/records: is the disk full?"
  printf '%s\n' "$words"
  exit "$code"
}

# The packages that are installed now, in words.
now_installed() {
  for name in $packages; do
    now=$(installed_version "$name") || :
    printf '%s %s\n' "$name" "${now:-is only partly installed}"
  done | paste -sd , - | sed 's/,/, /g'
}

# Puts the former packages back and ends. give_up WHY
give_up() {
  why=$1 how=10
  # A package that had the version before the first attempt stays as it was.
  former=
  for name in $packages; do
    if [ -e "$state/installed/$name" ] || is_installed_here "$name"; then former="$former $name"; fi
  done
  # shellcheck disable=SC2086 # they are words
  if [ -z "$former" ]; then back="there are no former packages to restore" how=2
  elif reinstall_former $former; then back="the former packages are installed again"
  else back="the former packages could not be restored" how=2; fi
  if restore_holds; then forget_holds; else back="$back, some packages are no longer held"; fi
  restart_kubelet || back="$back, $trouble" how=2
  finish "$how" "$version could not be installed ($why); $back: now $(now_installed)"
}

# Whether it was this run that set out to install a package.
is_installed_here() { case "$wanted " in *" $1 "*) ;; *) return 1 ;; esac; }

# Restarts the kubelet, and sees that it stays; else says what is wrong in $trouble.
restart_kubelet() {
  if insist daemon-reload && insist restart kubelet; then
    kubelet_stays
  else
    trouble="the kubelet does not start: $(kubelet_last_words)"
    return 1
  fi
}

# A systemctl that fails may do so for a moment. insist WORD...
insist() {
  for pause in 1 5 0; do
    if systemctl "$@"; then return; fi
    sleep "$pause"
  done
  return 1
}

(umask 077 && mkdir -p "$state")
record "$state/records" kubelet "$version" - -
packages=$(own_packages | grep -vx kubeadm)
set --
wanted=
echo "== Install $(echo "$packages" | paste -sd + - | sed 's/+/ and /') $version"
for name in $packages; do
  if [ "$(installed_version "$name")" = "$version" ]; then continue; fi
  file=$(package_file "$name" "$version")
  if [ -z "$file" ]; then
    finish 2 "$name $version was not downloaded: now $(now_installed)"
  fi
  wanted="$wanted $name"
  set -- "$@" "$file"
done
note_holds
if [ $# -gt 0 ]; then
  install_files "$@" || give_up "$(reason said)"
  for name in $packages; do
    [ "$(installed_version "$name")" = "$version" ] || give_up "$name is only partly installed"
  done
else
  echo "they are already installed"
fi
echo "== Restore the holds"
loose=
restore_holds || loose="$(reason said)"
echo "== Restart the kubelet"
restart_kubelet || give_up "$trouble"
if [ -n "$loose" ]; then
  finish 2 "some packages are no longer held ($loose), but $version is installed: now $(now_installed)"
fi
forget_holds
finish 0 "installed: $(now_installed)"
