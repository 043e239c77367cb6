# The settings of a restore on this host, and what is there of an earlier one. A part of restore-local.sh.
# shellcheck disable=SC2154,SC2034 # what that sets and uses

# A variable for each key of the settings. «members», «lost»: «NAME PEERURL CLIENTURL[,…]» a line.
read_settings() {
  id='' sha256='' bump=0 revision=0 decide=3600 all=no named=no defrag=no etcd_then='' kubernetes_then='' authorities='' members='' lost=''
  while read -r name value; do
    case $name in
      id) id=$value ;;
      sha256) sha256=$value ;;
      bump) bump=$value ;;
      revision) revision=$value ;;
      decide) decide=$value ;;
      all) all=$value ;;
      named) named=$value ;;
      defrag) defrag=$value ;;
      etcd) etcd_then=$value ;;
      kubernetes) kubernetes_then=$value ;;
      authority) authorities="$authorities $value" ;;
      member) members="$members${members:+$line}$value" ;;
      lost) lost="$lost${lost:+$line}$value" ;;
    esac
  done << END
$given
END
  if [ -z "$id" ] || [ -z "$members" ] || [ -z "$sha256" ]; then refuse "this script is not whole: print it again"; fi
}

# This node among the members; sets nodes, count, peers and cluster.
look_at_members() {
  nodes='' peers='' cluster='' count=0 own_peer=''
  while read -r name url clients; do
    nodes="$nodes${nodes:+ }$name"
    cluster="$cluster${cluster:+ }$name=$url"
    count=$((count + 1))
    if [ "$name" = "$node" ]; then own_peer=$url; else peers="$peers${peers:+ }$name=${clients%%,*}"; fi
  done << END
$members
END
  case " $nodes " in
    *" $node "*) ;;
    *) refuse "this node is member $node of etcd, which is not among the restored ones: $nodes" \
      "leave it as it is; afterwards it joins as a new one: kubeadm reset, then kubeadm join --control-plane" ;;
  esac
  [ "$own_peer" = "-" ] || [ "$own_peer" = "$own_url" ] || refuse "member $node is $own_peer by the snapshot, and etcd advertises $own_url here" \
    "its address has changed: restore the others (--members), and join this one again"
  cluster=$(printf '%s\n' "$cluster" | sed "s,=-\$,=$own_url,")
}

# Where this very restore is under way, it is followed: its manifests are elsewhere just now.
follow_earlier() {
  look_at_restore "$state"
  [ "$restore_is" = underway ] || return 0
  if [ "$restore_id" != "$id" ]; then
    refuse "another restore, ${restore_id:-without a plan}, is under way here (its last word: $restore_last)" "$asked --status"
  fi
  node=$(plan_value "$state" node)
  nodes=$(plan_value "$state" nodes)
  count=$(printf '%s\n' "$nodes" | wc -w)
  systemctl start kubectl-admin-restore.service
  follow
  exit 0
}

refuse_earlier() {
  if [ "$restore_id" = "$id" ] && [ "$restore_is" = over ]; then
    words_of_worker
    refuse "node $node has done restore $id already: $now" \
      "to do it again, remove it first (kubectl admin etcd-restore --prune, or --prune of the printed script), and print this again"
  fi
  settle_unit kubectl-admin-restore.service
  if [ "$restore_is" = unbegun ] && [ "$unit_is" = running ]; then
    refuse "restore ${restore_id:-without a plan} waits here for the word to begin" \
      "if nobody carries it out any more: systemctl disable --now kubectl-admin-restore.service"
  fi
  if [ ! -d "$data/member" ] || [ -L "$data/member" ]; then
    refuse "$data has no directory member: etcd's data are gone" \
      "restore the other nodes (--members), and join this one again"
  fi
}

refuse_unable() {
  facts=$(/bin/sh -c "$(part restore-survey)" restore-survey 'pod[0-9a-f]\{32\}' "$data" "$state") || exit 1
  for fact in "beside yes:$manifests is a mount of its own, so its manifests can't be moved beside it" \
    "member :$data/member is not a directory" "systemd yes:systemd-run is missing"; do
    case $line$facts in *"$line${fact%%:*}"*) ;; *) refuse "${fact#*:}" ;; esac
  done
  case $line$facts in *"${line}mount yes"*) refuse "$data/member is a mount of its own, which can't be renamed" ;; esac
  # Where etcd runs, it has to see the same directory.
  find_processes etcd
  if [ -n "$pids" ]; then
    case $line$facts in *"${line}same yes"*) ;; *) refuse "etcd runs with another directory than $data/member" ;; esac
  fi
}
