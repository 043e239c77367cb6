# What a node sees in a restore: the columns of restore-steps.txt. A part of restore-worker.sh.
# shellcheck disable=SC2154,SC2034 # what that sets and uses

# etcd_at ENDPOINT SECONDS COMMAND...: etcd's own client.
etcd_at() {
  at=$1 limit=$2
  shift 2
  ETCDCTL_API=3 bounded "$dir/etcdctl" --endpoints="$at" --cacert="$cacert" --cert="$cert" --key="$key" \
    --dial-timeout="${limit}s" --command-timeout="${limit}s" "$@"
}

# A transaction of etcdctl has no time limit of its own.
bounded() {
  if [ "$has_timeout" = yes ]; then timeout 10 "$@"; else "$@"; fi
}

# keys_at ENDPOINT SECONDS: the keys of this restore there, a line each. Only a majority answers.
keys_at() {
  etcd_at "$1" "$2" get --prefix --keys-only "$prefix/" 2> /dev/null < /dev/null
}

# is_listening URL: whether a process listens on the port. An etcd without a majority does not open it.
is_listening() {
  port=${1#*://}
  port=${port%%/*}
  port=$(printf '%04X' "${port##*:}")
  [ -e "$proc/net/tcp" ] || return 0
  cat "$proc/net/tcp" "$proc/net/tcp6" 2> /dev/null \
    | awk -v port="$port" '$4 == "0A" && $2 ~ ":" port "$" { found = 1 } END { exit !found }'
}

# has KEY: whether that key was seen.
has() {
  case $line$keys$line in *"$line$prefix/$1$line"*) return 0 ;; esac
  return 1
}

# how_many KIND: of how many nodes the key KIND/NODE was seen. Sets number.
how_many() {
  number=0
  for each in $nodes; do
    ! has "$1/$each" || number=$((number + 1))
  done
}

# Sets the columns of the table.
look() {
  read_uptime
  own=silent keys='' full=no
  # A node that knows of GO is about to lose its old etcd, and waits no longer than it must.
  seconds=3
  if [ "$target$told$went" = oldyesno ]; then seconds=1; fi
  if is_listening "$endpoint"; then
    if keys=$(keys_at "$endpoint" "$seconds"); then own=answers; else keys=''; fi
  fi
  look_for_go
  decision=none said=no
  if has decision; then decision=commit; fi
  case $target$committed$closed in
    newno*) asked=here ;;
    newyes*) asked=ack ;;
    old*yes) asked=back ;;
    *) asked=going ;;
  esac
  if has "$asked/$node"; then said=yes; fi
  look_at_time
  if [ "$own" = silent ] && needs_peers; then ask_peers; fi
  acks=few backs=few
  how_many ack
  [ "$number" -lt "$majority" ] || acks=most
  how_many back
  # Of one node its own journal tells, also where etcd takes no key.
  if [ "$count$closed" = 1yes ]; then number=1; fi
  [ "$number" -lt "$majority" ] || backs=most
}

# What a node sees at another one is no GO: it could not say that it goes.
look_for_go() {
  if [ "$target$told" = oldno ]; then
    if [ -e "$dir/go" ] || has "going/$node"; then note told || :; fi
  fi
  how_many going
  go=no
  if [ "$by_hand" = yes ]; then go=later; fi
  if [ "$told" = yes ] || [ "$number" -gt 0 ] || has go; then go=key; fi
  if [ -e "$dir/go" ]; then go=hand; fi
}

look_at_time() {
  enough=no late=no
  if [ "$target" = new ]; then
    how_many here
    if [ "$number" -eq "$count" ]; then
      enough=yes
    elif [ "$number" -ge "$majority" ] && [ "$all" != yes ] && passed "majority-$returns" "$grace"; then
      enough=yes
    fi
    if passed going "$decide"; then late=yes; fi
  elif [ "$went" = yes ]; then
    # Nodes that keep missing each other meet since each waits for a time of its own, and another one each time.
    if passed returning $((again + $(spread))); then late=yes; fi
  else
    how_many going
    # One more look: the others see then, too, that all know, before the old etcd is gone.
    if [ "$number" -eq "$count" ] && [ "$all_told" = yes ]; then enough=yes; fi
    if [ "$number" -eq "$count" ]; then all_told=yes; fi
    if [ "$told" = yes ] && passed told 3; then enough=yes; fi
    if passed armed "$armed"; then late=yes; fi
  fi
}

# A number up to twice `again`, the same until the node returns once more.
spread() {
  awk -v text="$id $node" -v returns="$returns" -v most=$((2 * again)) 'BEGIN {
    for (at = 1; at <= length(text); at++)
      seed = (seed * 31 + index("0123456789abcdefghijklmnopqrstuvwxyz-.", substr(text, at, 1))) % 65521
    srand(seed + 7919 * returns)
    rand()
    print int(rand() * (most + 1))
  }'
}

# Whether other nodes are asked. An own etcd that answers has a majority, so the other side has none.
needs_peers() {
  # Each question takes a while, and the restored etcd is about to answer, or the old one is given up.
  if [ "$target" = new ] && ! passed going 15 && ! passed following 15; then return 1; fi
  [ "$target$told$went" != oldyesno ]
}

# Adds their keys. Each key is written in one piece.
ask_peers() {
  keys=$keys$line$(
    for peer in $peers; do keys_at "${peer#*=}" 3 & done
    wait
  )
}
