# A part of other scripts: which of Kubernetes' packages are installed, and which are held.
# shellcheck disable=SC2154 # packages-sources.sh says $manager

# The version of a package that is wholly installed, as the package manager has it; else nothing.
installed_version() {
  case $manager in
    apt)
      # shellcheck disable=SC2016 # these are dpkg's variables
      dpkg-query -W -f '${db:Status-Abbrev}|${Version}\n' "$1" 2> /dev/null | sed -n 's/^.i *|//p'
      ;;
    dnf | zypper)
      # There may be several, after an interrupted transaction: the last is the newest.
      rpm -q --qf '%{VERSION}-%{RELEASE}\n' "$1" 2> /dev/null | grep -v ' ' | tail -n 1
      ;;
  esac
}

# The packages that this host has, or had before an upgrade began: not every node has kubectl. A name a line.
own_packages() {
  printf 'kubeadm\nkubelet\n'
  # shellcheck disable=SC2154 # the scripts say $state
  if [ -n "$(installed_version kubectl)" ] || [ -e "$state/installed/kubectl" ]; then echo kubectl; fi
}

# The names of all packages that are held by a list of the package manager's own, a line each.
listed_holds() {
  case $manager in
    apt) apt-mark showhold 2> /dev/null ;;
    zypper)
      if [ -r /etc/zypp/locks ]; then sed -n 's/^solvable_name: *\([^ ]*\) *$/\1/p' /etc/zypp/locks; fi
      ;;
    dnf)
      # «kubelet-0:1.36.3-150500.1.1.*» or «kubelet», and a line with «!» in front is left out alone; dnf 5 has TOML.
      for list in /etc/dnf/plugins/versionlock.list /etc/yum/pluginconf.d/versionlock.list; do
        if [ -r "$list" ]; then
          sed -n 's/[ \t]*$//; /^[A-Za-z0-9]/{ s/-[0-9]*:[^:]*$//; s/-[0-9*][^-]*-[^-]*$//; p; }' "$list"
        fi
      done
      if [ -r /etc/dnf/versionlock.toml ]; then
        sed -n 's/^ *name *= *["'\'']\([^"'\'']*\).*/\1/p' /etc/dnf/versionlock.toml
      fi
      ;;
  esac
}

# Which of Kubernetes' packages are held, a line each, by a list or by the repository file's «exclude».
held_packages() {
  {
    listed_holds
    source_minors | while read -r _ source_file source_minor; do
      case $source_file in *.repo) sources excluded "$source_file" "$source_minor" "$source_minor" ;; esac
    done
    for configuration in /etc/dnf/dnf.conf /etc/yum.conf; do
      if [ "$manager" = dnf ] && [ -r "$configuration" ]; then
        sed -n 's/^ *exclude\(pkgs\)\{0,1\} *=//p' "$configuration" | sed 's/[ ,\t]\{1,\}/\
/g'
      fi
    done
  } | while IFS= read -r pattern; do
    for package in kubeadm kubelet kubectl; do
      # shellcheck disable=SC2254 # it is a pattern: kube*
      case $package in $pattern) printf '%s\n' "$package" ;; esac
    done
  done | sort -u
}
