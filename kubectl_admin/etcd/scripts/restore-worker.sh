# The worker of a restore, on one control-plane node. systemd runs it, since no API server does meanwhile.
# worker settle|run|state
#   Its directory is where it lies: plan (lines «KEY VALUE»), steps (restore-steps.txt), etcdctl, journal, go, log.
#   settle: finishes a change of sides that was cut off; before the kubelet starts. run: until the end of the restore.
#   state: answers how far it is, a «KEY VALUE» a line.
# What it is about to do is in the journal, on the disk, before it is done; each act asks whether it is so already.
# Killed at any line, or without power, it therefore resumes where it was. Why that is safe together with the other
# nodes: kubectl_admin/etcd/restore/on_nodes/steps.py.
set -u
set -f # «*» is a word of the table
umask 077
export PATH="${PATH:-/usr/sbin:/usr/bin:/sbin:/bin}" LC_ALL=C
dir=$(cd -- "$(dirname -- "$0")" && pwd) || exit 1
unit=kubectl-admin-restore.service
line='
'

# Words for people, also in systemd's journal. A disk that is full loses them only.
say() {
  printf '%s\n' "$*"
  printf '%s %s\n' "$(date '+%Y-%m-%dT%H:%M:%S%z')" "$*" 2> /dev/null >> "$dir/log" || :
}

# flush PATH...: files and directories are on the disk when it returns.
flush() {
  sync -- "$@" 2> /dev/null || sync
}

# Sets a variable for each key of the plan.
read_plan() {
  decide=180 grace=20 armed=600 again=30 interval=0.2 idle=1 all=no by_hand=no proc=/proc
  id='' node='' nodes='' data='' endpoint='' cacert='' cert='' key='' peers='' members='' manifests='' parked=''
  pod_etcd='' pod_apiserver='' pod_manager='' pod_scheduler='' api_ready=''
  while read -r name value; do
    case $name in
      id) id=$value ;;
      node) node=$value ;;
      nodes) nodes=$value ;;
      data) data=$value ;;
      endpoint) endpoint=$value ;;
      cacert) cacert=$value ;;
      cert) cert=$value ;;
      key) key=$value ;;
      peers) peers=$value ;;
      members) members=$value ;;
      manifests) manifests=$value ;;
      parked) parked=$value ;;
      pod)
        case $value in
          'etcd '*) pod_etcd=${value#* } ;;
          'kube-apiserver '*) pod_apiserver=${value#* } ;;
          'kube-controller-manager '*) pod_manager=${value#* } ;;
          'kube-scheduler '*) pod_scheduler=${value#* } ;;
        esac
        ;;
      health) case $value in 'kube-apiserver '*) api_ready=${value#* } ;; esac ;;
      decide) decide=$value ;;
      grace) grace=$value ;;
      armed) armed=$value ;;
      again) again=$value ;;
      interval) interval=$value ;;
      idle) idle=$value ;;
      all) all=$value ;;
      by-hand) by_hand=$value ;;
      proc) proc=$value ;;
    esac
  done < "$dir/plan"
  for value in "$id" "$node" "$nodes" "$data" "$endpoint" "$members" "$manifests" "$parked" "$pod_etcd" \
    "$pod_apiserver" "$pod_manager" "$pod_scheduler"; do
    [ -n "$value" ] || {
      echo "the plan is not whole: $dir/plan" >&2
      return 1
    }
  done
  prefix=/kubectl-admin/restore/$id
  new=$data/.kubectl-admin-$id-new
  old=$data/.kubectl-admin-$id-old
  count=0
  for value in $nodes; do count=$((count + 1)); done
  majority=$((count / 2 + 1))
}

# Sets target (the side that the node is on, or on its way to) and what else the journal says.
read_journal() {
  target=old committed=no closed=no went=no told=no serving=no returns=0 last=''
  [ -e "$dir/journal" ] || return 0
  # The last line may lack its end, after a power cut.
  while read -r _ word || [ -n "$word" ]; do
    case $word in
      armed | ready) ;;
      told) told=yes ;;
      going) target=new went=yes ;;
      following) target=new went=yes committed=yes ;;
      committed) committed=yes ;;
      serving) serving=yes ;;
      closed) closed=yes ;;
      returning) target=old committed=no returns=$((returns + 1)) ;;
      restored | as-before | disarmed) ;;
      *) continue ;;
    esac
    last=$word
  done < "$dir/journal"
}

# note WORD: what is about to be done. It fails where the word is not on the disk.
note() {
  end=''
  if [ -s "$dir/journal" ] && [ -n "$(tail -c 1 "$dir/journal")" ]; then end=$line; fi
  if ! printf '%s%s %s\n' "$end" "$(date +%s)" "$1" 2> /dev/null >> "$dir/journal"; then
    # On a disk that is full, it has kept some space for this.
    rm -f -- "$dir/reserve"
    complain "the journal can't be written: $dir/journal"
    return 1
  fi
  flush "$dir/journal" "$dir" || return 1
  read_uptime
  stamp "$1"
  say "$1"
  read_journal
}

# Sets uptime, in seconds. No time of day is asked: clocks jump.
read_uptime() {
  read -r uptime _ < "$proc/uptime"
  uptime=${uptime%%.*}
}

# stamp WORD: it has happened now. Kept in a file for a worker that is killed; a disk that is full does no harm.
stamp() {
  stamps="$stamps$line$1 $boot $uptime"
  printf '%s %s %s\n' "$1" "$boot" "$uptime" 2> /dev/null >> "$dir/times" || :
}

# passed WORD SECONDS: that many have passed since the word was written, or since the machine has started.
passed() {
  case $stamps in *"$line$1 $boot "*) ;; *) stamp "$1" ;; esac
  since=${stamps##*"$line$1 $boot "}
  since=${since%%"$line"*}
  [ $((uptime - since)) -ge "$2" ]
}

# complain WORDS: once, until there is something else to complain of.
complain() {
  [ "$*" = "$complaint" ] || say "$*"
  complaint=$*
}

pause() {
  sleep "$1" 2> /dev/null || sleep 1
}

. ./restore-worker-node.sh
. ./restore-worker-look.sh
. ./restore-worker-steps.sh

begin() {
  read_plan || exit 1
  boot=$(cat "$proc/sys/kernel/random/boot_id") || exit 1
  read_uptime
  stamps=$line$(cat "$dir/times" 2> /dev/null)
  [ -e "$dir/reserve" ] || printf '%8192s' '' 2> /dev/null > "$dir/reserve" || :
  # A worker that was killed may have left words that are not on the disk yet.
  [ ! -e "$dir/journal" ] || flush "$dir/journal" "$dir"
  read_journal
  complaint='' waits='' all_told=no kubelet_due=no arranged='' has_timeout=no
  if timeout 1 true 2> /dev/null; then has_timeout=yes; fi
  # The one that was killed may have stopped the kubelet.
  [ "$went" = no ] || kubelet_due=yes
}

settle() {
  begin
  [ -n "$last" ] || note armed || exit 1
  has_ended || arrange || exit 1
}

# Only while others wait for this node is it done in a hurry.
wait_a_while() {
  if { [ "$target" = new ] && ! passed going 300; } || [ "$target$told$went" = oldyesno ]; then
    pause "$interval"
  else
    pause "$idle"
  fi
}

# Whether the last word is written: all was arranged before it.
has_ended() {
  case $last in restored | as-before | disarmed) return 0 ;; esac
  return 1
}

run() {
  settle
  while :; do
    if has_ended; then finish "$last"; fi
    if ! arrange; then
      # It can't get there. Nothing holds it on the new side before it is committed.
      read_uptime
      if [ "$target$committed" = newno ] && passed going "$decide"; then note returning || :; fi
      pause "$idle"
      continue
    fi
    look
    matching
    taken=no
    for step in $steps; do
      if take "$step"; then
        taken=yes
        break
      fi
    done
    [ "$taken" = no ] || continue
    say_what_is_missing
    wait_a_while
  done
}

# The age is by the clock: this is for people.
state() {
  read_plan || exit 1
  read_journal
  read_side
  age=-
  if [ -n "$last" ]; then
    age=$(($(date +%s) - $(sed -n "s/^\([0-9]*\) $last\$/\1/p" "$dir/journal" | tail -n 1)))
    [ "$age" -ge 0 ] || age=0
  fi
  waits=$(cat "$dir/waits" 2> /dev/null)
  printf 'id %s\nnode %s\nside %s\ncommitted %s\nclosed %s\nword %s\nage %s\nwaits %s\n' \
    "$id" "$node" "$side" "$committed" "$closed" "${last:--}" "$age" "${waits:--}"
  printf '\n# end\n'
}

case ${1-} in
  settle) settle ;;
  run) run ;;
  state) state ;;
  *)
    echo "usage: worker settle|run|state" >&2
    exit 2
    ;;
esac
