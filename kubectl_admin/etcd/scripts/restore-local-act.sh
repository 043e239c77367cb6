# A restore on this host: prepared, and told to begin. A part of restore-local.sh.
# shellcheck disable=SC2154,SC2034 # what that sets and uses

the_plan() {
  printf '%s\n' "id $id" "node $node" "nodes $nodes" "data $data" "endpoint $endpoint" "cacert $cacert" "cert $cert" \
    "key $key" "peers $peers" "members $cluster" "manifests $manifests" "parked $parked" "decide $decide" "grace 20" \
    "armed 600" "all $all" "by-hand yes" "pod etcd $file_etcd" "pod kube-apiserver $file_apiserver" \
    "pod kube-controller-manager $file_manager" "pod kube-scheduler $file_scheduler" "health kube-apiserver $ready"
}

ask() {
  say "restore $id of etcd on node $node: from $what, with members $nodes, revisions raised by $bump"
  if [ -n "$lost" ]; then
    say "left out: $(printf '%s\n' "$lost" | sed 's/ .*//' | tr '\n' ' ')- they must never run with their data of now again"
  fi
  if [ "$quorum" = yes ]; then say "etcd has a majority: what was written since the snapshot is lost"; fi
  [ "$yes" = no ] || return 0
  [ -t 0 ] || refuse "nobody can be asked" "--yes"
  printf 'Restore? Type yes: ' >&2
  read -r answer || answer=no
  [ "$answer" = yes ] || refuse "nothing was changed"
}

undo() {
  /bin/sh -c "$(part restore-remove)" restore-remove "$state" "$id" "$units" > /dev/null
}

prepare() {
  trap 'trap "" INT TERM HUP; undo; rm -rf -- "$dir"; exit 130' INT TERM HUP
  make_directory "$state" "$(id -un)@$(uname -n) - $$ -" "$id" "$(the_plan)$line" "$units" || exit 1
  for name in etcdctl etcdutl; do
    cp -- "$dir/$name" "$state/$name" || { undo; refuse "$dir/$name can't be copied to $state"; }
  done
  { part restore-worker > "$state/worker" && part restore-steps > "$state/steps"; } \
    || { undo; refuse "the worker can't be written to $state"; }
  cp -- "$snapshot" "$state/snapshot.db" || { undo; refuse "$snapshot can't be copied to $state"; }
  if [ "$sha256" != own ]; then
    sum=$(sha256sum < "$state/snapshot.db")
    [ "${sum%% *}" = "$sha256" ] || { undo; refuse "the copy of $snapshot is another file"; }
  fi
  restored=$(/bin/sh -c "$(part restore-aside)" restore-aside "$state" "$id" "$data" "$node" "kubectl-admin-$id" "$own_url" \
    "$(printf '%s' "$cluster" | tr ' ' ',')" "$bump" 536870912 "$defrag" "$own_is" 2>&1)
  said=$(printf '%s\n' "$restored" | sed -n 's/^restored //p')
  if [ -z "$said" ]; then
    undo
    refuse "etcdutl could not restore the snapshot: $(printf '%s\n' "$restored" | tail -n 1)" "nothing was changed"
  fi
  at=$(printf '%s\n' "$said" | sed -n 's/.*"revision":\([0-9]*\).*/\1/p')
  if [ "${at:-0}" -lt $((revision + bump)) ]; then
    undo
    refuse "the restored data end with revision ${at:-<unknown>}, and $((revision + bump)) was expected"
  fi
  say "restored beside the running data: $said"
}

go() {
  unit=$(part restore-unit)
  paths=$(printf '%s %s %s %s' "$state" "$data" "$manifests" "$parked" | sed 's/%/%%/g')
  /bin/sh -c "$(part restore-arm)" restore-arm "$state" "$id" "$units" "${unit%%@PATHS@*}$paths${unit#*@PATHS@}$line" \
    > /dev/null || { undo; exit 1; }
  : > "$state/go"
  flush "$state/go" "$state"
  say "node $node goes over; the former data are kept in $data/.kubectl-admin-$id-old"
}
