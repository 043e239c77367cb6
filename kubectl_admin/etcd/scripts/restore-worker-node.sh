# A node's side in a restore: directories, manifests and processes. A part of restore-worker.sh.
# shellcheck disable=SC2154 # what that sets

# Sets side by the directories: old, new, «between», or «unknown».
read_side() {
  if [ -d "$data/member" ] && [ -d "$new" ] && [ ! -e "$old" ]; then
    side=old
  elif [ -d "$data/member" ] && [ -d "$old" ] && [ ! -e "$new" ]; then
    side=new
  elif [ ! -e "$data/member" ] && [ -d "$old" ] && [ -d "$new" ]; then
    side=between
  else
    side=unknown
  fi
}

# Whether the node is where the journal wants it.
is_arranged() {
  read_side
  [ "$side" = "$target" ] && [ ! -e "$parked/$pod_etcd" ] || return 1
  [ "$target" = old ] || return 0
  [ ! -e "$parked/$pod_apiserver" ] && [ ! -e "$parked/$pod_manager" ] && [ ! -e "$parked/$pod_scheduler" ]
}

# Makes it so, once for each word of the journal that wants it; before the first nothing is touched. The kubelet
# starts no pod meanwhile, and etcd's manifest is away while `member` is.
arrange() {
  [ "$went" = yes ] && [ "$arranged" != "$target$returns" ] || return 0
  if ! is_arranged; then
    if [ "$side" = unknown ]; then
      complain "not two of these three are there: $data/member, $new, $old"
      return 1
    fi
    kubelet_due=yes
    if [ "$side" != "$target" ]; then change_sides || return 1; fi
    # Also where a worker that was killed has changed them.
    flush "$data"
    unpark "$pod_etcd" || return 1
    if [ "$target" = old ]; then
      unpark "$pod_apiserver" && unpark "$pod_manager" && unpark "$pod_scheduler" || return 1
    fi
    say "this node is on the $target side"
  fi
  if [ "$kubelet_due" = yes ]; then start_kubelet || return 1; fi
  arranged=$target$returns
}

change_sides() {
  stop_kubelet && park || return 1
  say "the kubelet is stopped"
  end_processes || return 1
  say "the control plane's processes have ended"
  swap
}

# While the machine starts it is not active yet, and a stop would cancel the start that systemd is about to make.
stop_kubelet() {
  kubelet_is=$(systemctl is-active kubelet.service 2> /dev/null)
  case $kubelet_is in inactive | failed) return 0 ;; esac
  systemctl stop kubelet.service || return 1
  kubelet_is=$(systemctl is-active kubelet.service 2> /dev/null)
  case $kubelet_is in
    inactive | failed) ;;
    *)
      complain "the kubelet was told to stop, and is: ${kubelet_is:-unknown}"
      return 1
      ;;
  esac
}

# Without waiting: at the start of the machine the kubelet waits for this script.
start_kubelet() {
  systemctl start --no-block kubelet.service || return 1
  kubelet_due=no
}

park() {
  mkdir -p -- "$parked" || return 1
  for file in "$pod_etcd" "$pod_apiserver" "$pod_manager" "$pod_scheduler"; do
    [ ! -e "$manifests/$file" ] || mv -f -- "$manifests/$file" "$parked/$file" || return 1
  done
  flush "$manifests" "$parked"
}

# unpark FILE: the manifest is in the kubelet's directory again.
unpark() {
  [ -e "$parked/$1" ] || return 0
  mv -- "$parked/$1" "$manifests/$1" && flush "$manifests" "$parked"
}

# API servers first: none may write while etcd ends.
end_processes() {
  end_named 20 kube-apiserver kube-controller-manager kube-scheduler && end_named 100 etcd || return 1
  # Nobody found is no proof: data are never taken away from an etcd that runs.
  [ -e "$proc/net/tcp" ] && is_listening "$endpoint" || return 0
  complain "no etcd was found among the static pods' processes that would listen at $endpoint, and one does"
  return 1
}

# end_named TENTHS NAME...: told to end, killed after that many tenths of a second, and seen gone.
end_named() {
  tenths=$1
  shift
  find_processes "$@"
  for pid in $pids; do kill -TERM "$pid" 2> /dev/null; done
  waited=0
  while [ -n "$pids" ]; do
    if [ "$waited" -ge "$tenths" ]; then
      for pid in $pids; do kill -KILL "$pid" 2> /dev/null; done
    fi
    if [ "$waited" -ge $((tenths + 100)) ]; then
      complain "these do not end: $*: process $pids"
      return 1
    fi
    pause 0.1
    waited=$((waited + 1))
    find_processes "$@"
  done
}

# Sets pids to the processes of these programs in static pods: the UID of a static pod is 32 hexadecimal digits
# without a dash, which that of no other pod is. Of a pod within a pod, as in kind, the outer one is the node's.
find_processes() {
  pids=''
  set +f
  found=$(grep -lsE 'pod[0-9a-f]{32}([^0-9a-f_-]|$)' "$proc"/[0-9]*/cgroup)
  set -f
  for cgroup in $found; do
    ! grep -qsE 'pod[0-9a-f]{8}[_-][0-9a-f]{4}[_-]' "$cgroup" || continue
    directory=${cgroup%/cgroup}
    comm=$(cat "$directory/comm" 2> /dev/null) || continue
    for program in "$@"; do
      # The kernel keeps 15 characters of a name.
      [ "$comm" = "$(printf '%.15s' "$program")" ] || continue
      # One that has ended is there until its parent has seen it.
      if grep -qs '^State:.*Z' "$directory/status" || ! kill -0 "${directory##*/}" 2> /dev/null; then continue; fi
      pids="$pids ${directory##*/}"
    done
  done
}

# Puts the data of the target in etcd's place; two renames, each of which may be the last.
swap() {
  if [ "$target" = new ]; then from=$new to=$old; else from=$old to=$new; fi
  [ "$side" = between ] || mv -- "$data/member" "$to" || return 1
  flush "$data"
  mv -- "$from" "$data/member"
}
