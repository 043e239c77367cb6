# What the worker on this node says, in words. A part of restore-local.sh.
# shellcheck disable=SC2154,SC2034 # what that sets and uses

# worker_says KEY: the value, of what it has said last.
worker_says() {
  printf '%s\n' "$worker_said" | sed -n "s/^$1 //p" | head -n 1
}

words_of_worker() {
  worker_said=$(/bin/sh "$state/worker" state 2> /dev/null)
  word=$(worker_says word) waits=$(worker_says waits)
  case $word:$waits in
    restored:*) now="this node runs with the restored data" ;;
    as-before:*) now="this node runs with the former data" ;;
    disarmed:*) now="the restore was never begun here" ;;
    serving:*) now="the API server starts with the restored data" ;;
    *:etcd | *:nodes | *:acks)
      now="waits until a majority of $nodes is there: run the same on the others"
      [ "$count" -gt 1 ] || now="waits for etcd"
      ;;
    *:api) now="waits for the API server" ;;
    *:backs) now="is back at the former data, and waits until a majority of $nodes is" ;;
    going:* | following:*) now="starts with the restored data" ;;
    returning:*) now="goes back to the former data" ;;
    *) now="stops what runs, and goes over" ;;
  esac
}

# Says how far it is until its last word. Interrupted, the worker goes on.
follow() {
  trap 'echo "the restore goes on by itself on this node: $asked --status" >&2; exit 130' INT TERM HUP
  before=''
  while :; do
    words_of_worker
    if [ "$now" != "$before" ]; then say "node $node: $now"; fi
    before=$now
    case $word in
      restored) return 0 ;;
      as-before | disarmed)
        refuse "node $node: $now" "its log says why: $state/log; the restored data stay aside"
        ;;
    esac
    sleep 1
  done
}
