# Prints the offers of Kubernetes' repository of a minor, beside the host's own lists and files, which stay as they are.
# packages-offer.sh MINOR DIRECTORY RENEW_KEY
#   MINOR: 37. DIRECTORY: where a directory of its own is made for a while. RENEW_KEY: yes: trust the repository's own key
# Answers an «offered NAME VERSION» a line, for each version.
set -eu
minor=$1 directory=$2 renew=$3
. ./packages-sources.sh
. ./packages-trouble.sh
. ./packages-key.sh
. ./packages-dnf.sh
export LC_ALL=C

# Leftovers of a killed attempt.
find "$directory" -maxdepth 1 -name 'kubectl-admin-offer.??????' -mmin +60 -exec rm -rf -- {} + 2> /dev/null || :
work=$(mktemp -d "$directory/kubectl-admin-offer.XXXXXX")
trap 'rm -rf -- "$work"' EXIT
trap 'exit 1' HUP INT TERM PIPE
# apt fetches as a user who may do nothing else, and has to get there.
chmod 755 "$work"
umask 022
said=$work/said

from=$(moving_minor "$minor")
# The offers in the host's own lists: the address of an own mirror may say nothing of a minor.
offered_here() {
  case $manager in
    apt)
      for name in kubeadm kubelet kubectl; do
        apt-cache madison "$name" |
          awk -F '|' -v name="$name" '{ gsub(/ /, ""); if ($1 == name) print "offered", name, $2 }' | uniq
      done
      ;;
    dnf)
      all_of_dnf -q -C repoquery --qf '%{name} %{version}-%{release}\n' kubeadm kubelet kubectl < /dev/null |
        awk 'NF == 2 && $1 ~ /^kube/ { print "offered", $1, $2 }' | sort -u
      ;;
    zypper)
      zypper --non-interactive --no-refresh search --details --type package --match-exact kubeadm kubelet kubectl |
        awk -F '|' '{ gsub(/ /, ""); if ($3 == "package" && $6 !~ /^\(System/) print "offered", $2, $4 }' | sort -u
      ;;
  esac 2> /dev/null
}

if [ -z "$from" ]; then
  offered_here > "$work/offered"
  if [ "$renew" = yes ] || ! grep -Eq "^offered kubeadm ([0-9]+:)?1[.]${minor}[.]" "$work/offered"; then
    refuse "no repository of Kubernetes, like https://pkgs.k8s.io/core:/stable:/v1.$minor/, is enabled here, and \
this host's lists have no kubeadm 1.$minor"
  fi
  cat "$work/offered"
  printf '\n# end\n'
  exit
fi
address=$(first_of addresses "$from" "$minor" | without_password)
key=
if [ "$renew" = yes ]; then
  key=$work/key.asc
  fetch_key "$(first_of addresses "$from" "$minor")" "$key"
fi
case $manager in apt) suffix=list ;; *) suffix=repo ;; esac
mkdir "$work/lists" "$work/cache"
# There may be a password in an entry, and the host's own file for root alone.
mkdir -m 700 "$work/sources"
number=0
files_of_minor "$from" | while IFS= read -r file; do
  number=$((number + 1))
  suffix=${file##*.}
  sources entries "$file" "$from" "$minor" "$key" > "$work/sources/kubernetes$number.$suffix"
done

case $manager in
  apt)
    # Read behind the host's own configuration; its hooks after an update are not for this one.
    cat > "$work/apt.conf" << END
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "$work/sources";
Dir::State::lists "$work/lists";
Dir::Cache "$work/cache";
Acquire::Languages "none";
Acquire::Retries "1";
Acquire::http::Timeout "15";
Acquire::https::Timeout "15";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
END
    code=0
    apt-get -q -c "$work/apt.conf" update > "$said" 2>&1 || code=$?
    apt_list_trouble "$said" "$code" "$address"
    for name in kubeadm kubelet kubectl; do
      apt-cache -c "$work/apt.conf" madison "$name" |
        awk -F '|' -v name="$name" '{ gsub(/ /, ""); if ($1 == name) print "offered", name, $2 }' | uniq
    done > "$work/offered"
    ;;
  dnf)
    code=0
    all_of_dnf --setopt=reposdir="$work/sources" --setopt=cachedir="$work/cache" --setopt=keepcache=0 \
      --setopt=retries=2 --setopt=timeout=15 --setopt=skip_if_unavailable=0 repoquery \
      --qf '%{name} %{version}-%{release}\n' kubeadm kubelet kubectl \
      > "$work/found" 2> "$said" < /dev/null || code=$?
    rpm_list_trouble "$said" "$code" "$address"
    awk 'NF == 2 && $1 ~ /^kube/ { print "offered", $1, $2 }' "$work/found" | sort -u > "$work/offered"
    ;;
  zypper)
    zypper_beside() {
      zypper --non-interactive --reposd-dir "$work/sources" --cache-dir "$work/cache" "$@"
    }
    code=0
    # It would take a key into the host's own keyring; the one that is trusted for once is beside the lists.
    if [ -n "$key" ]; then set -- --no-gpg-checks; else set --; fi
    zypper_beside "$@" refresh --force > "$said" 2>&1 < /dev/null || code=$?
    rpm_list_trouble "$said" "$code" "$address"
    zypper_beside "$@" --no-refresh search --details --type package --match-exact kubeadm kubelet kubectl |
      awk -F '|' '{ gsub(/ /, ""); if ($3 == "package" && $6 !~ /^\(System/) print "offered", $2, $4 }' | sort -u > "$work/offered"
    ;;
esac
[ -s "$work/offered" ] || refuse "$address offers neither kubeadm nor kubelet nor kubectl"
cat "$work/offered"
printf '\n# end\n'
