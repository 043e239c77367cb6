# Etcd's own programs for a restore on this host. A part of restore-local.sh.
# shellcheck disable=SC2154,SC2034 # what that sets and uses

# Copies etcd's own programs into $dir: out of the root of the etcd that runs, else out of its image, which containerd
# mounts. Never a file of that name in some image's layer: that may be anybody's, and it would run as root.
# take_programs ETCDUTL: a person's own, or ""; an etcdctl beside it is taken where there is no other
take_programs() {
  running=''
  find_processes etcd
  for pid in $pids; do running=/proc/$pid/root; done
  if [ -n "$running" ]; then
    take_from "$running"
  elif command -v ctr > /dev/null; then
    mkdir -p -- "$dir/image"
    image=$(printf '%s\n' "$facts_etcd" | sed -n 's/^image //p')
    if ctr -n k8s.io images mount "$image" "$dir/image" > /dev/null 2>&1; then
      take_from "$dir/image"
      ctr -n k8s.io images unmount --rm "$dir/image" > /dev/null 2>&1
    fi
  fi
  if [ -n "$1" ]; then
    [ -x "$1" ] || refuse "$1 can't be run"
    take_program "$1" etcdutl
    if [ ! -x "$dir/etcdctl" ] && [ -x "${1%/*}/etcdctl" ]; then take_program "${1%/*}/etcdctl" etcdctl; fi
  fi
  for name in etcdctl etcdutl; do
    if [ ! -x "$dir/$name" ]; then
      found=''
      set +f
      for each in /var/lib/containerd/io.containerd.snapshotter.v1.overlayfs/snapshots/*/fs/usr/local/bin/"$name" \
        /var/lib/containers/storage/overlay/*/diff/usr/local/bin/"$name"; do
        if [ -x "$each" ]; then found="is $each of etcd's image? "; fi
      done
      refuse "$name is not to be had: etcd does not run here, and its image can't be mounted, or has none (etcd 3.6.0 to 3.6.4)" \
        "${found}name an etcdutl of etcd $tag, with etcdctl beside it: --etcdutl FILE"
    fi
    version=$("$dir/$name" version 2>&1) || refuse "$name does not run here: $version"
    version=$(printf '%s\n' "$version" | sed -n "s/^$name version: //p")
    # «3.6.8-0» and «v3.6.8» are kubeadm's and upstream's tags of one version; another's may say nothing.
    is_tag=${tag#v}
    is_tag=${is_tag%%-*}
    case $is_tag in
      [0-9]*.[0-9]*.[0-9]*)
        [ "${version%.*}" = "${is_tag%.*}" ] || refuse "$name is $version, and etcd's image is $tag" \
          "name an etcdutl of etcd's own version: --etcdutl FILE"
        ;;
      *) say "$name is $version; the tag of etcd's image tells no version to be compared with: $tag" ;;
    esac
  done
  etcdutl_is=$version
}

take_from() { # ROOT
  for name in etcdctl etcdutl; do
    program=$(program_in "$1" "$name")
    if [ -n "$program" ]; then take_program "$program" "$name"; fi
  done
}

take_program() { # FILE NAME
  if ! cp -- "$1" "$dir/$2" || ! chmod 700 -- "$dir/$2"; then refuse "$1 can't be copied to $dir"; fi
}
