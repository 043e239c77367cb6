# A part of other scripts: their work on packages, with each package manager; its last words are in the file «said».
# shellcheck disable=SC2154 # the scripts say $version, $minor, $from, $address, and $state: where things are kept

export DEBIAN_FRONTEND=noninteractive DEBCONF_NONINTERACTIVE_SEEN=true
export NEEDRESTART_SUSPEND=1 NEEDRESTART_MODE=l APT_LISTCHANGES_FRONTEND=none UCF_FORCE_CONFFOLD=1
export ZYPP_LOCK_TIMEOUT=600
PATIENCE=600 # seconds that another package manager is waited for

# Runs a command, its words into the log and into «said»; again, while another package manager is at work.
patiently() {
  began=$(date +%s)
  repaired=no
  while :; do
    {
      code=0
      "$@" < /dev/null 2>&1 || code=$?
      echo "$code" > code
    } | without_password | tee said
    code=$(cat code)
    if [ "$code" = 0 ]; then return 0; fi
    if grep -Eq 'Could not get lock|Unable to (acquire|lock)|status database is locked|System management is locked' said &&
      [ $(($(date +%s) - began)) -lt "$PATIENCE" ]; then
      echo "another package manager is at work: waiting for it"
      sleep 5
    elif [ "$repaired" = no ] && grep -q 'dpkg was interrupted' said; then
      # By the end of an earlier run, or of this host.
      repaired=yes
      dpkg --force-confdef --force-confold --configure -a < /dev/null || :
    else
      return "${code:-1}" # nothing, where the disk was too full for it
    fi
  done
}

apt_patiently() {
  patiently apt-get -q -y -o DPkg::Lock::Timeout="$PATIENCE" -o Dpkg::Use-Pty=0 \
    -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold \
    -o APT::Install-Recommends=false -o APT::Sandbox::User=root -o APT::Keep-Downloaded-Packages=true \
    -o Dir::Cache::archives="$state/packages" "$@"
}

apt_install() {
  apt_patiently --no-remove --allow-downgrades --allow-change-held-packages "$@"
}

dnf_patiently() { patiently all_of_dnf "$@"; }

# Fetches packages that are installed (reinstall) or are to be (install). dnf_fetch COMMAND NAME-VERSION...
dnf_fetch() {
  if is_dnf5; then
    shift
    dnf_patiently download --resolve --destdir="$state/fetched" "$@" || :
  else
    dnf_patiently --downloadonly --downloaddir="$state/fetched" "$@" || :
  fi
  # dnf 4 removes its downloads with its next transaction, wherever they are, by their paths.
  find "$state/fetched" -name '*.rpm' -exec mv -f -- {} "$state/packages/" \; 2> /dev/null || :
  rm -rf -- "$state/fetched"
}

zypper_patiently() {
  patiently zypper --non-interactive --pkg-cache-dir "$state/packages" "$@"
}

# apt-get's update of Kubernetes' repository alone, its entries moved from one minor to another.
# apt_update FROM TO
apt_update() {
  rm -rf sources
  mkdir sources
  number=0
  files_of_minor "$1" > moving
  while IFS= read -r file; do
    number=$((number + 1))
    sources entries "$file" "$1" "$2" > "sources/kubernetes$number.${file##*.}"
  done < moving
  apt_patiently -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$(pwd)/sources" \
    -o APT::Get::List-Cleanup=0 update
}

# The list of Kubernetes' repository alone; of all, where none is known to be.
refresh_list() {
  code=0
  if [ -z "$from" ]; then
    # Nobody asks whether another repository is well: the wanted package is offered, or it is not.
    case $manager in
      apt) apt_patiently update || : ;;
      dnf) dnf_patiently --refresh makecache || : ;;
      zypper) zypper_patiently refresh || : ;;
    esac
    return
  fi
  case $manager in
    apt)
      apt_update "$minor" "$minor" || code=$?
      apt_list_trouble said "$code" "$address"
      ;;
    dnf)
      dnf_patiently --disablerepo='*' --enablerepo="$(repositories)" --setopt=skip_if_unavailable=0 \
        --refresh makecache || code=$?
      rpm_list_trouble said "$code" "$address"
      ;;
    zypper)
      # shellcheck disable=SC2046 # they are words
      zypper_patiently refresh --force $(repositories | tr , ' ') || code=$?
      rpm_list_trouble said "$code" "$address"
      ;;
  esac
}

# The names of the repositories of the minor, with commas.
repositories() {
  files_of_minor "$minor" | while IFS= read -r file; do
    sources ids "$file" "$minor" "$minor"
  done | paste -sd , -
}

# Whether a package is to be had in the version.
is_offered() {
  case $manager in
    apt) apt-cache madison "$1" | awk -F '|' -v wanted="$version" '{ gsub(/ /, "") } $2 == wanted { found = 1 } END { exit ! found }' ;;
    dnf) [ -n "$(all_of_dnf -q -C repoquery "$1-$version" < /dev/null)" ] ;;
    zypper)
      zypper --non-interactive --no-refresh search --details --type package --match-exact "$1" < /dev/null |
        awk -F '|' -v wanted="$version" '{ gsub(/ /, "") } $4 == wanted && $6 !~ /^\(System/ { found = 1 } END { exit ! found }'
      ;;
  esac
}

# The file of a package that was downloaded; nothing if it was not. package_file NAME VERSION
package_file() {
  if [ ! -d "$state/packages" ]; then return; fi
  find "$state/packages" -type f \( -name "$1_$2_*.deb" -o -name "$1-$2.*.rpm" \) ! -path '*/partial/*' | sed -n 1p
}

download_packages() {
  set --
  for name in $(own_packages); do
    case $manager in
      dnf) set -- "$@" "$name-$version" ;;
      *) set -- "$@" "$name=$version" ;;
    esac
  done
  case $manager in
    apt) apt_install --download-only install "$@" || : ;;
    dnf)
      # shellcheck disable=SC2046 # they are words
      if is_dnf5; then release_locks $(own_packages); fi
      dnf_fetch install "$@"
      ;;
    zypper) zypper_patiently download "$@" || : ;;
  esac
  for name in $(own_packages); do
    # One that is installed already is not fetched, nor needed.
    if [ -z "$(package_file "$name" "$version")" ] && [ "$(installed_version "$name")" != "$version" ]; then
      refuse "$name $version could not be downloaded: $(reason said)"
    fi
  done
}

apt_download() {
  job=$(pwd)
  (cd "$state/packages" && apt-get -q -o APT::Sandbox::User=root download "$@" > "$job/said" 2>&1 < /dev/null)
}

# Keeps the package that is installed, from the host's own cache or from where it came. keep_installed NAME VERSION
keep_installed() {
  case $manager in
    apt)
      for file in "/var/cache/apt/archives/$1_$2"_*.deb; do
        if [ -f "$file" ]; then cp -- "$file" "$state/packages/" && return; fi
      done
      apt_download "$1=$2" && return
      [ -n "$from" ] || return 1
      # The host's copy of the repository's list may be gone, or not be its own any more.
      former_minor=${2#*.}
      apt_update "$(moving_minor "$minor")" "${former_minor%%.*}" > refreshed 2>&1 || :
      apt_download -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$(pwd)/sources" "$1=$2"
      ;;
    dnf)
      dnf_fetch reinstall "$1-$2" > refreshed 2>&1
      ;;
    zypper)
      zypper_patiently download "$1=$2" > refreshed 2>&1 || :
      if [ -z "$(package_file "$1" "$2")" ]; then
        # The list that it has may be another minor's, of an attempt that failed.
        zypper_patiently refresh > refreshed 2>&1 || :
        zypper_patiently download "$1=$2" > refreshed 2>&1 || :
      fi
      ;;
  esac
  [ -n "$(package_file "$1" "$2")" ]
}

# Installs a package by its name and version, as the package manager checks it.
install_from_repository() {
  if [ "$(installed_version "$1")" = "$version" ]; then
    echo "$1 $version is already installed"
    return
  fi
  case $manager in
    apt) apt_install install "$1=$version" ;;
    dnf) dnf_patiently install "$1-$version" ;;
    zypper)
      release_locks "$1"
      zypper_patiently install --oldpackage --no-recommends "$1=$version"
      ;;
  esac
}

# Refuses where the signature of a downloaded package is not right. dnf 4, zypper and apt look for themselves.
check_signatures() {
  if [ "$manager" != dnf ] || ! is_dnf5; then return; fi
  if [ -n "$from" ] && [ "$(first_of checked "$minor" "$minor")" != 1 ]; then return; fi
  for name in $(own_packages); do
    file=$(package_file "$name" "$version")
    if [ -z "$file" ] || [ "$name" = kubeadm ]; then continue; fi
    rpmkeys --checksig "$file" 2>&1 | grep -q 'signatures OK' ||
      refuse "$name $version was downloaded, but its signature is not right or missing"
  done
}

# Installs packages from their files, without a network.
install_files() {
  case $manager in
    apt) apt_install --no-download install "$@" ;;
    *) patiently rpm -U --oldpackage --replacepkgs "$@" ;;
  esac
}

# Installs the former packages, where they were kept; whether it is installed now. reinstall_former NAME...
reinstall_former() {
  names=$*
  set --
  for name in $names; do
    if [ -e "$state/installed/$name" ]; then
      read -r former < "$state/installed/$name"
      file=$(package_file "$name" "$former")
      if [ -n "$file" ]; then set -- "$@" "$file"; fi
    fi
  done
  echo "== Restore the former packages: $names"
  if [ $# -gt 0 ]; then install_files "$@" || :; fi
  if [ "$manager" = apt ]; then
    dpkg --force-confdef --force-confold --configure -a < /dev/null || :
  fi
  for name in $names; do
    if [ ! -e "$state/installed/$name" ]; then return 1; fi
    read -r former < "$state/installed/$name"
    [ "$(installed_version "$name")" = "$former" ] || return 1
  done
}
