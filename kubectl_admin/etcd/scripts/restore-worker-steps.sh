# The steps of restore-steps.txt. A part of restore-worker.sh.
# shellcheck disable=SC2154 # what that sets

# matching: sets `steps` to the steps of all rows that match what was seen, in order.
matching() {
  steps=''
  while read -r step a b c d e f g h i j k l _; do
    case $step in '' | '#'*) continue ;; esac
    is "$a" "$target" && is "$b" "$committed" && is "$c" "$closed" && is "$d" "$went" && is "$e" "$own" \
      && is "$f" "$go" && is "$g" "$decision" && is "$h" "$acks" && is "$i" "$backs" && is "$j" "$said" \
      && is "$k" "$enough" && is "$l" "$late" && steps="$steps $step"
  done < "$dir/steps"
}

is() {
  [ "$1" = '*' ] || [ "$1" = "$2" ]
}

# take STEP: it fails where it is not done yet.
take() {
  case $1 in
    return) { [ "$closed" = yes ] || note closed; } && note returning ;;
    back) note returning ;;
    here) is_as_planned && put "here/$node" "$uptime" ;;
    decide) put decision commit ;;
    commit) note committed ;;
    ack) put "ack/$node" "$uptime" ;;
    serve) serve ;;
    follow) has_restored && note following ;;
    end) finish as-before ;;
    disarm) finish disarmed ;;
    close) note closed ;;
    say-back) put "back/$node" "$uptime" ;;
    say-going) say_going ;;
    go) has_restored && note going ;;
    *)
      say "unknown in the table: $1"
      return 1
      ;;
  esac
}

has_restored() {
  [ -e "$new/snap/db" ] && return 0
  complain "no restored data are in $new"
  return 1
}

own_etcd() {
  etcd_at "$endpoint" 3 "$@" 2>&1
}

# put KEY VALUE
put() {
  answer=$(own_etcd put "$prefix/$1" "$2" < /dev/null) && return 0
  refused "$1"
}

# refused KEY: complains of etcd's answer, and sees whether an alarm makes it refuse all keys. It fails.
# Source: etcd api/v3rpc/rpctypes/error.go, ErrGRPCNoSpace.
refused() {
  case $answer in *'database space exceeded'*) full=yes ;; esac
  complain "etcd does not take the key $1: $answer"
  return 1
}

# The key that told this node of GO has to be there still: an old one is no GO.
say_going() {
  # Whoever has joined the old etcd since has a part in its majority, and none in the restored one.
  has_planned_members || return 1
  seen=go
  if ! has go; then
    for each in $nodes; do
      if has "going/$each"; then seen=going/$each; fi
    done
  fi
  answer=$(printf 'version("%s") > "0"\n\nput %s %s\n\n\n' "$prefix/$seen" "$prefix/going/$node" "$uptime" \
    | own_etcd txn) || {
    refused "going/$node"
    return 1
  }
  case $answer in *SUCCESS*) note told ;; *) return 1 ;; esac
}

# An alarm that the snapshot holds would make etcd refuse every key.
is_as_planned() {
  answer=$(own_etcd alarm disarm < /dev/null) || {
    complain "etcd's alarms can't be disarmed: $answer"
    return 1
  }
  has_planned_members
}

has_planned_members() {
  answer=$(own_etcd member list < /dev/null) || {
    complain "etcd's members can't be listed: $answer"
    return 1
  }
  has_members=$(printf '%s\n' "$answer" | awk -F ', ' 'NF > 4 { print $3 "=" $4 }' | sort)
  wants_members=$(printf '%s\n' "$members" | tr ' ' '\n' | sort)
  [ "$has_members" != "$wants_members" ] || return 0
  complain "etcd has other members than planned: $(printf '%s' "$has_members" | tr '\n' ' ')"
  return 1
}

# A majority stays with the restored data for good: the API server may serve them, and then the controllers act.
serve() {
  [ "$serving" = yes ] || note serving || return 1
  unpark "$pod_apiserver" || return 1
  is_ready || return 1
  unpark "$pod_manager" && unpark "$pod_scheduler" && finish restored
}

# Whether this node's API server is ready, by whatever the host has to ask it with.
is_ready() {
  [ -n "$api_ready" ] || return 0
  is_listening "$api_ready" || return 1
  if command -v curl > /dev/null; then
    curl -ksf -m 5 -o /dev/null "$api_ready" < /dev/null && return 0
  elif command -v python3 > /dev/null; then
    bounded python3 -I -c 'import ssl, sys, urllib.request as r
r.urlopen(sys.argv[1], timeout=3, context=ssl._create_unverified_context())' "$api_ready" 2> /dev/null < /dev/null && return 0
  elif command -v openssl > /dev/null; then
    address=${api_ready#*://}
    printf 'GET /%s HTTP/1.0\r\n\r\n' "${address#*/}" \
      | bounded openssl s_client -quiet -connect "${address%%/*}" 2> /dev/null | head -n 1 | grep -q ' 200' && return 0
  elif wget --help 2>&1 | grep -q no-check-certificate; then
    bounded wget -q -T 3 -t 1 --no-check-certificate -O /dev/null "$api_ready" < /dev/null && return 0
  else
    say "this host has no curl, python3, openssl or wget: the API server listens, which is taken for ready"
    return 0
  fi
  # Some API servers do not answer those who are not known.
  passed serving 60 || return 1
  say "the API server listens and has not said that it is ready for 60 s: the controllers are started all the same"
}

# finish WORD: the last word. Directory and data stay; the unit ends for good.
finish() {
  [ "$last" = "$1" ] || note "$1" || return 1
  wait_for nothing
  systemctl disable "$unit" > /dev/null 2>&1 || say "the unit can't be disabled: systemctl disable $unit"
  exit 0
}

# wait_for WORD: for those who ask how far this node is.
wait_for() {
  [ "$1" = "$waits" ] || printf '%s\n' "$1" 2> /dev/null > "$dir/waits" || :
  waits=$1
}

# What there is to wait for, in a word.
say_what_is_missing() {
  case $target$own in
    newsilent) wait_for etcd ;;
    newanswers)
      if [ "$serving" = yes ]; then
        wait_for api
      elif [ "$committed" = yes ]; then
        wait_for acks
      else
        wait_for nodes
      fi
      ;;
    *)
      if [ "$full" = yes ]; then
        wait_for space
      elif [ "$closed$own" = yesanswers ]; then
        wait_for backs
      elif [ "$own" = silent ]; then
        wait_for etcd
      elif [ "$go" = key ] || [ "$go" = hand ]; then
        wait_for nodes
      else
        wait_for go
      fi
      ;;
  esac
}
