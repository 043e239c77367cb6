# A part of other scripts: holds, which are after the work as they were before it. $state/holds has their names.
# shellcheck disable=SC2154 # packages-sources.sh says $manager, the scripts $state: where things are kept

# Writes down which packages are held, before anything is done to them, once for all attempts until one is over.
note_holds() {
  if [ -e "$state/holds" ]; then return; fi
  listed_holds > "$state/holds.part"
  on_disk "$state/holds.part"
  mv -- "$state/holds.part" "$state/holds"
}

# Holds the packages that were held before, as they were; a package manager may have dropped a hold.
restore_holds() {
  if [ ! -e "$state/holds" ]; then return; fi
  listed_holds > held
  while IFS= read -r name; do
    case $manager in
      apt) grep -qxF -- "$name" held || patiently apt-mark hold "$name" || return ;;
      zypper) grep -qxF -- "$name" held || patiently zypper --non-interactive addlock "$name" || return ;;
      dnf)
        # It holds a version: the one that is installed now.
        case $name in kubeadm | kubelet | kubectl) ;; *) continue ;; esac
        if locks_installed "$name"; then continue; fi
        if grep -qxF -- "$name" held; then dnf_lock delete "$name" || return; fi
        dnf_lock add "$name" || return
        ;;
    esac
  done < "$state/holds"
}

# Once they are as they were: the next work notes the holds again.
forget_holds() { rm -f -- "$state/holds"; }

# By the installed packages, without a network.
dnf_lock() {
  if is_dnf5; then patiently dnf -q -y -C versionlock "$@"
  else patiently dnf -q -y -C --disablerepo='*' --disableexcludes=all versionlock "$@"; fi
}

# Whether dnf's lock of a package names the version that is installed.
locks_installed() {
  now=$(installed_version "$1")
  cat /etc/dnf/plugins/versionlock.list /etc/yum/pluginconf.d/versionlock.list /etc/dnf/versionlock.toml 2> /dev/null |
    grep -F -- "$1" | grep -qF -e "$now" -e "= $now"
}

# Takes locks off that can't be passed over; they are in the list of holds.
release_locks() {
  for name in "$@"; do
    if listed_holds | grep -qxF -- "$name"; then
      case $manager in
        zypper) patiently zypper --non-interactive removelock "$name" ;;
        dnf) dnf_lock delete "$name" ;;
      esac
    fi
  done
}
