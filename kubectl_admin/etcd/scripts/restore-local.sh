# Restores etcd on this control-plane node, by itself: for when no API server answers, or etcd has no majority.
# restore-local.sh [SNAPSHOT] [OPTION]...: on each of its nodes, as root
#   SNAPSHOT: the file that this was printed for; none where it was printed for this node's own data
#   --check: looks only. --dry-run: restores beside the running data, and removes it again. --yes: does not ask
#   --etcdutl FILE: for images without it. --force-authority, --force-version: see docs/etcd-restore.md
#   --settings: takes the lines of «settings» from stdin. --asked COMMAND: by which it was begun
# restore-local.sh --status: how far this node is. --prune: removes the former data of a restore that is over
# restore-local.sh --look: the facts of this host, a «NAME VALUE» a line. --save FILE: this node's own data
# kubectl_admin/etcd/restore/local/script.py puts two functions on top: «settings» prints what was decided elsewhere, a
# «KEY VALUE» a line, and «part NAME» the texts of other scripts. The last line alone runs anything: a copy that was cut
# off does nothing.
set -u
umask 077
export PATH="${PATH:-/usr/sbin:/usr/bin:/sbin:/bin}" LC_ALL=C
line='
'
state=/var/lib/kubectl-admin/restore
units=/etc/systemd/system
proc=/proc has_timeout=no

say() {
  printf '%s\n' "$*" >&2
}

complain() {
  say "$@"
}

pause() {
  sleep "$1" 2> /dev/null || sleep 1
}

flush() {
  sync -- "$@" 2> /dev/null || sync
}

. ./restore-look.sh
. ./restore-directory.sh
. ./etcd-root.sh
. ./restore-worker-look.sh
. ./restore-worker-node.sh
. ./restore-local-manifests.sh
. ./restore-local-parts.sh
. ./restore-local-host.sh
. ./restore-local-settings.sh
. ./restore-local-programs.sh
. ./restore-local-data.sh
. ./restore-local-act.sh
. ./restore-local-follow.sh
. ../../node/scripts/changing.sh
. ../../node/scripts/kubelet.sh
set -f # an address of IPv6 is a pattern

restore() {
  prepare
  if [ "$mode" = dry-run ]; then
    undo
    say "restored aside and removed again: nothing was changed"
    return 0
  fi
  go
  follow
  if [ -n "$lost" ]; then
    say "then: kubectl delete node of those that are lost, and kubeadm join --control-plane on fresh machines"
  fi
  say "afterwards: kubectl admin health; the former data go with kubectl admin etcd-restore --prune"
}

# Two at once would remove the restored data from under each other. The directory is the lock: it ends with the process.
begin_alone() {
  command -v flock > /dev/null || return 0
  exec 9< "${state%/*}"
  flock -n 9 || refuse "another run of this is at work on this host" "wait for its end"
  case $mode in restore | dry-run) ;; *) return 0 ;; esac
  look_at_restore "$state"
  [ "$restore_is" != underway ] || refuse "a restore has begun here meanwhile" "$asked --status"
}

# What is undone is not left half undone by a second signal.
leave() {
  trap '' INT TERM HUP
  give_back_kubelet
  rm -rf -- "$dir"
  rmdir -- "${state%/*}" 2> /dev/null
}

# The facts of this host for those who decide elsewhere.
tell() {
  printf '%s %s\n' node "$node" peer "$own_url" clients "$advertises" data "$data" manifests "$manifests" etcd "$etcdutl_is" \
    kubernetes "$kubernetes" quota "${quota:--}" encryption "${encryption:--}" quorum "$quorum" live "${live:--}"
  printf '\n# end\n'
}

main() {
  mode=restore snapshot='' own_utl='' yes=no force_authority=no force_version=no own_is=snapshot given='' asked="sh $0"
  while [ $# -gt 0 ]; do
    case $1 in
      --check | --dry-run | --look | --status | --prune) mode=${1#--} ;;
      --save) mode=save && snapshot=${2-} && shift ;;
      --etcdutl) own_utl=${2-} && shift ;;
      --own-file) own_is='file' ;;
      --settings) given=$(cat) ;;
      --asked) asked=${2-} && shift ;;
      --yes | -y) yes=yes ;;
      --force-authority) force_authority=yes ;;
      --force-version) force_version=yes ;;
      -*) refuse "unknown: $1" "$asked [SNAPSHOT] [--check|--dry-run] [--yes] [--etcdutl FILE] | --status | --prune" ;;
      *) snapshot=$1 ;;
    esac
    shift
  done
  if [ "$mode" = status ]; then
    # Of one that is under way, its plan says where etcd's data are.
    data=$(look_at_host > /dev/null 2>&1 && printf '%s\n' "$data") || data=''
    exec /bin/sh -c "$(part restore-state)" restore-state "$state" "$data"
  fi
  if timeout 1 true 2> /dev/null; then has_timeout=yes; fi
  [ "$(id -u)" = 0 ] || refuse "this needs root" "sudo"
  case $mode in
    restore | dry-run | check)
      [ -n "$given" ] || given=$(settings)
      read_settings
      follow_earlier
      ;;
    look | save)
      look_at_restore "$state"
      [ "$restore_is" != underway ] || refuse "a restore is under way here (its last word: $restore_last)" "$asked --status"
      ;;
  esac
  look_at_host
  if [ "$mode" = prune ]; then
    exec /bin/sh -c "$(part restore-prune)" restore-prune "$state" "$data" "$units" "$parked"
  fi
  case $mode in
    look | save) ;;
    *)
      look_at_members
      refuse_earlier
      refuse_unable
      ;;
  esac
  mkdir -p -- "${state%/*}"
  begin_alone
  dir=$(mktemp -d "${state%/*}/local-XXXXXX") || exit 1
  kubelet_was=inactive # as long as this has not stopped it
  trap leave EXIT
  trap 'exit 130' INT TERM HUP
  take_programs "$own_utl"
  look_at_own_etcd
  case $mode in
    look)
      tell
      return 0
      ;;
    save)
      save_own "$snapshot"
      printf 'saved %s\n\n# end\n' "$own_is"
      return 0
      ;;
  esac
  look_for_others
  if [ -n "$lost" ]; then
    [ "$quorum" = no ] || refuse "etcd has a majority, and would lose $(printf '%s\n' "$lost" | sed 's/ .*//' | sort -u | tr '\n' ' '| sed 's/ $//')" \
      "members are not left out of a cluster that works: name all (--members), or remove them: kubeadm reset there"
    refuse_running "$lost"
  fi
  what=$snapshot
  if [ "$sha256" = own ]; then
    [ -z "$snapshot" ] || refuse "this was printed for the data of this node, and not for $snapshot" \
      "print it for that snapshot, or give none"
    [ "$count" = 1 ] || refuse "several nodes can't be restored from the data of each: they differ" "--members NAME, one of them"
    what="this node's own data"
  fi
  if [ "$sha256" != own ]; then
    look_at_snapshot
    refuse_strange
  else
    size=$(stat -L -c %s -- "$data/member/snap/db")
  fi
  refuse_room "$size"
  refuse_done
  # The data of now are raised above now in any case.
  [ "$sha256" = own ] || refuse_low
  # A copy of its own data may end etcd for a while, which a dry run does not.
  if [ "$mode" = dry-run ] && [ "$sha256" = own ] && [ -z "$snapshot" ]; then mode=check; fi
  if [ "$mode" = check ]; then
    say "restore $id can be done on node $node, with members $nodes"
    return 0
  fi
  ask
  # Members may have come back while somebody thought about it.
  if [ "$yes" = no ] && [ -n "$lost" ]; then
    look_at_own_etcd
    [ "$quorum" = no ] || refuse "etcd has a majority again" "members are not left out of a cluster that works"
    refuse_running "$lost"
  fi
  if [ "$sha256" = own ]; then
    snapshot=$dir/own.db
    save_own "$snapshot"
  fi
  restore
}
