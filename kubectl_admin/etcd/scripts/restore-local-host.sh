# This host as a restore needs it: what it refuses, and what the plan says. A part of restore-local.sh.
# shellcheck disable=SC2154,SC2034 # what that sets and uses

PARTS='etcd kube-apiserver kube-controller-manager kube-scheduler'

# refuse WHAT [HINT]: ends the script. Nothing is touched before the last refusal.
refuse() {
  printf 'error: %s\n' "$1" >&2
  [ -z "${2-}" ] || printf '       %s\n' "$2" >&2
  exit 1
}

# need_plain NAME TEXT: it may stand in a plan, and be a word of a shell.
need_plain() {
  case $2 in
    '' | *[!]A-Za-z0-9._/:=@%+,~[-]*) refuse "this host's $1 is «$2»: it must be plain text without spaces" \
      "a restore by this program takes kubeadm's own names and paths" ;;
  esac
}

look_at_host() {
  if [ ! -d /run/systemd/system ] || ! command -v systemctl > /dev/null; then
    refuse "this host does not run systemd, which the work needs while no API server runs"
  fi
  list_changing
  for name in $changing; do
    [ "$name" = restore ] || refuse "kubectl-admin-$name.service changes something on this host" \
      "wait for its end: systemctl status kubectl-admin-$name.service"
  done
  manifests=$(flag pod-manifest-path)
  [ -n "$manifests" ] || manifests=$(setting staticPodPath)
  [ -n "$manifests" ] || manifests=/etc/kubernetes/manifests
  [ -d "$manifests" ] || refuse "$manifests, the kubelet's directory of static pods, is not there" \
    "this is for control-plane nodes that kubeadm has set up"
  manifests=$(cd -P -- "$manifests" && pwd -P) || exit 1
  need_plain "directory of static pods" "$manifests"
  parked=${manifests%/*}/kubectl-admin-restore
  for part in $PARTS; do
    refuse_parked "$part"
  done
  look_at_manifests
  look_at_etcd
  look_at_apiserver
}

# A manifest that a restore has moved, and that restore is not known any more.
refuse_parked() {
  if [ -e "$parked/$1.yaml" ] && [ "$(look_at_restore "$state"; echo "$restore_is")" != underway ]; then
    refuse "$parked/$1.yaml is there, of a restore that was cut off" "move it back to $manifests if that is over"
  fi
}

# Sets facts_PART and file_PART for each of the four, which must be there once each.
look_at_manifests() {
  file_etcd='' file_apiserver='' file_manager='' file_scheduler=''
  facts_etcd='' facts_apiserver='' etcd_is=''
  set +f
  for path in "$manifests"/*; do
    set -f
    [ -f "$path" ] || continue
    file=${path##*/}
    facts=$(read_manifest "$path") || refuse "$path can't be read"
    case $facts in
      *unread*)
        # Another static pod may be written in any way; one that names a part of the control plane may be it.
        if printf '%s\n' "$facts" | grep -q '^unread ' \
          && grep -qE 'etcd|kube-apiserver|kube-controller-manager|kube-scheduler' -- "$path"; then
          refuse "$path is not written as kubeadm does ($(printf '%s\n' "$facts" | sed -n 's/^unread //p' | head -n 1))" \
            "nobody knows what it starts; move it out of that directory, or write it in kubeadm's way"
        fi
        ;;
    esac
    started=$(printf '%s\n' "$facts" | sed -n 's/^part //p')
    case $started in
      '') continue ;;
      *"$line"*) refuse "$path starts several parts of the control plane" "a restore moves the four of kubeadm, one file each" ;;
      etcd) once "$file_etcd" && file_etcd=$file facts_etcd=$facts ;;
      kube-apiserver) once "$file_apiserver" && file_apiserver=$file facts_apiserver=$facts ;;
      kube-controller-manager) once "$file_manager" && file_manager=$file ;;
      kube-scheduler) once "$file_scheduler" && file_scheduler=$file ;;
    esac
    need_plain "manifest of $started" "$file"
  done
  for part in $PARTS; do
    case $part in
      etcd) file=$file_etcd ;;
      kube-apiserver) file=$file_apiserver ;;
      kube-controller-manager) file=$file_manager ;;
      kube-scheduler) file=$file_scheduler ;;
    esac
    [ -n "$file" ] || refuse "$manifests has no manifest of $part" \
      "a restore moves the four of kubeadm together; an etcd elsewhere is restored where it runs"
  done
}

once() { # FILE: of a manifest before this one that starts the same
  [ -z "$1" ] || refuse "$manifests has two manifests of $started ($1 and $file)" \
    "keep the one that kubeadm wrote, and move the other out of that directory"
}
