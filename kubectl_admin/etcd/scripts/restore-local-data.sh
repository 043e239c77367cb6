# The snapshot and the members of a restore on this host. A part of restore-local.sh.
# shellcheck disable=SC2154,SC2034 # what that sets and uses

# Sets quorum (whether a majority answers at the own endpoint) and live (the newest revision that it tells, "" for none).
look_at_own_etcd() {
  quorum=no live=''
  if is_listening "$endpoint"; then
    if etcd_at "$endpoint" 3 get kubectl-admin-none > /dev/null 2>&1; then quorum=yes; fi
    live=$(etcd_at "$endpoint" 3 endpoint status --write-out=json 2> /dev/null | sed -n 's/.*"revision":\([0-9]*\).*/\1/p')
  fi
}

# Every member that this node knows: by etcd where a majority answers; else by its file, in which one that was removed may
# be found as well. A snapshot may be older than the last member. «NAME PEERURL[,…]» a line.
known_members() {
  if [ "$quorum" = yes ]; then
    etcd_at "$endpoint" 3 member list 2> /dev/null < /dev/null \
      | awk -F ', ' 'NF > 4 { print ($3 == "" ? "unnamed" : $3), $4 }'
    return
  fi
  # Source: etcd server/etcdserver/api/membership/member.go, Member as JSON.
  tr -c '\040-\176' '\n' < "$data/member/snap/db" | grep -oE '\{"id":[0-9]+,"peerURLs":\["[^"]+"(,"[^"]+")*\][^}]*\}' | sort -u | awk '{
    urls = $0; sub(/^[^[]*\[/, "", urls); sub(/"\].*$/, "", urls); gsub(/[" ]/, "", urls)
    name = "unnamed"
    if (match($0, /"name":"[^"]+"/)) name = substr($0, RSTART + 8, RLENGTH - 9)
    gsub(/[^A-Za-z0-9._-]/, "?", name)
    if (urls !~ /[^]A-Za-z0-9._:,%[\/-]/) print name, urls
  }'
}

# Adds those that are neither restored nor known to be left out to `lost`.
look_for_others() {
  known=$(known_members)
  # None is no answer where a majority has been heard, and where this node's data are to be all there is.
  case $(printf '%s\n' "$known" | sed 's/^[^ ]* /,/; s/$/,/') in
    *",$own_url,"*) ;;
    *)
      if [ "$quorum" = yes ] || [ "$sha256" = own ]; then
        refuse "etcd's members are not known here: neither etcd nor its data name this node, at $own_url" \
          "whether others run can't be seen without them; try again, or restore a snapshot"
      fi
      ;;
  esac
  if [ -z "$known" ] && [ "$named" = no ]; then
    refuse "etcd's data on this node do not tell who its members are, and a snapshot may be older than the last of them" \
      "name those that are restored when you print this: --members $(printf '%s' "$nodes" | tr ' ' ',')"
  fi
  while read -r name urls; do
    [ -n "$name" ] || continue
    for url in $(printf '%s\n' "$urls" | tr ',' ' '); do
      case "$line$members$line$lost$line" in *" $url "*) continue ;; esac
      [ "$url" != "$own_url" ] || continue
      lost="$lost${lost:+$line}$name $url -"
    done
  done << END
$known
END
}

# Members that are left out must not run: with a majority of them the former cluster goes on. One is down where its ports
# can't be dialled; whatever else there is counts as running.
refuse_running() { # «NAME PEER CLIENT» a line
  printf '%s\n' "$1" | while read -r name urls; do
    for url in $(printf '%s\n' "$urls" | tr ',' ' '); do
      [ "$url" != - ] || continue
      {
        # A host that does not answer at all is known after the 20 s of one attempt.
        for limit in 5 25; do
          said=$(ETCDCTL_API=3 "$dir/etcdctl" --endpoints="$url" --cacert="$cacert" --cert="$cert" --key="$key" \
            --dial-timeout=${limit}s --command-timeout=${limit}s endpoint status 2>&1 < /dev/null)
          case $said in
            # This host can't look there: that says nothing of the other one.
            *': lookup '* | *'network is unreachable'* | *'not permitted'* | *'cannot assign'*) break ;;
            *'Error while dialing'*) said=down && break ;;
            *'to become ready'*) ;;
            *) break ;;
          esac
        done
        [ "$said" = down ] || printf '%s at %s\n' "$name" "$url"
      } &
    done
    wait
  done > "$dir/running" || refuse "$dir can't be written"
  [ ! -s "$dir/running" ] || refuse "a member that is left out answers, or can't be looked at: $(head -n 1 "$dir/running")" \
    "its majority, if alive, is a running cluster; stop it first, for good (kubeadm reset there)"
}

# The snapshot: a file whose sum is the one that was printed.
look_at_snapshot() {
  if [ ! -f "$snapshot" ] || [ ! -s "$snapshot" ]; then
    refuse "${snapshot:-no snapshot} is no file" "name the snapshot: sh ${0##*/} snapshot.db"
  fi
  command -v sha256sum > /dev/null || refuse "this host has no sha256sum"
  size=$(stat -L -c %s -- "$snapshot")
  if [ "$sha256" != own ]; then
    sum=$(sha256sum < "$snapshot") || exit 1
    [ "${sum%% *}" = "$sha256" ] || refuse "$snapshot is not the snapshot that this was printed for (sha256 ${sum%% *})" \
      "carry the same file to each control plane; its sha256 is $sha256"
  fi
}

# Acknowledgements in the data of now would be taken for those of a second run: no node would know then which side it is on.
refuse_done() {
  grep -qsF "/kubectl-admin/restore/$id/ack/" "$data/member/snap/db"
  case $? in
    0) refuse "this node's data come from restore $id already" "print this script again; with --local, give all nodes another --bump" ;;
    1) ;;
    *) say "this node's data can't be read, so it is not known whether they come from restore $id already" ;;
  esac
}

# Restored data must begin above whatever a watcher has seen.
refuse_low() {
  [ -n "$live" ] || look_at_own_file
  if [ -z "$live" ]; then
    say "the revision of this node's data is not known, since neither etcd nor its file tells it; revisions raised by $bump must be above it"
  elif [ "$live" -ge $((revision + bump)) ]; then
    refuse "etcd is at revision $live, and the restored data would be at $((revision + bump))" \
      "watchers would miss events; print this script again, or give a --bump above $((live - revision))"
  fi
}

# Sets live by a copy of this node's file, whose pages etcdutl checks: an etcd that runs holds the file itself.
look_at_own_file() {
  bytes=$(stat -L -c %s -- "$data/member/snap/db" 2> /dev/null) || return 0
  free_in "$dir"
  if [ "$free" -ge $((bytes / 1048576 + 512)) ] \
    && cp -- "$data/member/snap/db" "$dir/now.db" 2> /dev/null; then
    live=$("$dir/etcdutl" snapshot status "$dir/now.db" --write-out=json 2> /dev/null | sed -n 's/.*"revision":\([0-9]*\).*/\1/p')
  fi
  rm -f -- "$dir/now.db"
}

# Sets free, in MiB.
free_in() { # PATH
  free=$(df -Pk -- "$1" | tail -n 1 | { read -r _ _ _ free _ && echo "$((free / 1024))"; })
}

refuse_room() { # BYTES of the snapshot
  there=$state
  while [ ! -d "$there" ]; do there=$(dirname -- "$there"); done
  for where in "$data" "$there"; do
    free_in "$where"
    need=$(($1 / 1048576 + 64 + 512))
    if [ "$defrag" = yes ]; then need=$((need + $1 / 1048576)); fi
    if [ "$(stat -L -c %d -- "$data")" = "$(stat -L -c %d -- "$there")" ]; then need=$((need + $1 / 1048576 + 64)); fi
    [ "$free" -ge "$need" ] || refuse "$free MiB are free in $where, and a restore needs $need MiB" \
      "make room there; the data of before stay beside the restored ones"
  done
}

# The authority that the snapshot gives to joining nodes and pods against this node's; and the versions.
refuse_strange() {
  if [ -n "$authorities" ] && [ "$force_authority" = no ]; then
    ca=$(sed -n '/-----BEGIN CERTIFICATE-----/,/-----END/p' /etc/kubernetes/pki/ca.crt 2> /dev/null)
    sums=''
    while [ -n "$ca" ]; do
      one=${ca%%-----END*}
      sum=$(printf '%s\n' "$one" | sed '/-----/d' | base64 -d 2> /dev/null | sha256sum)
      sums="$sums ${sum%% *}"
      case $ca in *-----END*-----BEGIN*) ca=-----BEGIN${ca#*-----END*-----BEGIN} ;; *) ca='' ;; esac
    done
    # Pods and joining nodes are given each by itself.
    for group in $authorities; do
      known=no
      for one in $(printf '%s\n' "$group" | tr ',' ' '); do
        case "$sums " in *" $one "*) known=yes ;; esac
      done
      [ "$known" = yes ] || refuse "the snapshot names another authority than /etc/kubernetes/pki/ca.crt" \
        "is it of this cluster? if that of then is to be given to pods and joining nodes: --force-authority"
    done
  fi
  [ "$force_version" = no ] || return 0
  mine=${etcdutl_is%.*}
  if [ -n "$etcd_then" ] && [ "$mine" != "$etcd_then" ] && [ "${mine%.*}.$((${mine#*.} - 1))" != "$etcd_then" ]; then
    refuse "the snapshot was made by etcd $etcd_then, and $mine runs here" "if etcd reads it: --force-version"
  fi
  here=${kubernetes#v}
  case $here in
    [0-9]*.[0-9]*.[0-9]*)
      if [ -n "$kubernetes_then" ] && [ "${here%.*}" != "$kubernetes_then" ]; then
        refuse "the cluster was of Kubernetes $kubernetes_then then, and kube-apiserver is $kubernetes here" \
          "if objects and add-ons of then are to run here: --force-version"
      fi
      ;;
  esac
}

# The kubelet runs again if it ran before; also where this is interrupted.
give_back_kubelet() {
  case $kubelet_was in inactive | failed) return 0 ;; esac
  systemctl start kubelet.service
  kubelet_was=inactive
}

# The node's own data into a file: through the client port, which needs no majority, or with etcd ended, which opens none
# once it has started again without one. The kubelet is stopped meanwhile: after a cut of power all is as before.
save_own() { # FILE
  rm -f -- "$1"
  if is_listening "$endpoint"; then
    limited=$has_timeout has_timeout=no # it takes as long as its data are large
    etcd_at "$endpoint" 5 snapshot save "$1" > "$dir/saved" 2>&1 && [ -s "$1" ] && own_is=saved
    has_timeout=$limited
    if [ "$own_is" = saved ]; then return 0; fi
  fi
  rm -f -- "$1" "$1.part"
  say "etcd does not give a snapshot, so its file is copied: the kubelet and etcd are stopped meanwhile"
  kubelet_was=$(systemctl is-active kubelet.service 2> /dev/null)
  saved=no
  if stop_kubelet; then
    end_named 100 etcd
    find_processes etcd
    if [ -z "$pids" ] && ! is_listening "$endpoint" && cp -- "$data/member/snap/db" "$1"; then saved=yes; fi
  fi
  give_back_kubelet
  [ "$saved" = yes ] || refuse "$data/member/snap/db could not be copied with etcd stopped" "is etcd started by something else here?"
  own_is='file'
  "$dir/etcdutl" snapshot status "$1" > "$dir/saved" 2>&1 || refuse "etcd's file is damaged: $(tail -n 1 "$dir/saved")" \
    "take another survivor, or a snapshot"
}
