# A part of other scripts: dnf 4 and dnf 5, which know different options.

# dnf with no package left out by its configuration, which stays as it is.
all_of_dnf() {
  if is_dnf5; then dnf -y --setopt=disable_excludes='*' --setopt=install_weak_deps=0 "$@"
  else dnf -y --disableexcludes=all --disableplugin=versionlock --setopt=install_weak_deps=0 "$@"; fi
}

# dnf 5's versionlock is not a plugin, and its --downloadonly knows no directory.
is_dnf5() { case $(readlink -f -- "$(command -v dnf)") in *dnf5) ;; *) return 1 ;; esac; }
