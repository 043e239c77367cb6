# Opens a snapshot: makes its database, and runs etcd and kube-apiserver on it until nobody is interested any more. Then
# nothing of it is left.
# past-run.sh DIRECTORY SILENCE
#   DIRECTORY: for root alone, or for the one who runs this. Once there is a file «go», there are the programs etcdutl,
#   etcd and kube-apiserver, and for each a file NAME.words, a word a line. SILENCE: seconds after which nobody is
#   interested, since nobody has written the present /proc/uptime into the file «alive» there; 0: as soon as standard
#   input ends
# Of each program there are NAME.log, NAME.pid, and, once it has ended, NAME.ended with its exit code. The file «bound» has
# the number of this process, and says that without it nothing there is of use.
set -u
umask 077
directory=$1 silence=$2
cd -- "$directory" || exit 1
# A terminal's signals are for others.
trap '' HUP INT QUIT TERM
echo "$$" > bound.part && mv -- bound.part bound || exit 1

# run NAME
run() {
  [ ! -e over ] || exit 1
  name=$1
  set --
  while IFS= read -r word; do set -- "$@" "$word"; done < "$name.words"
  (
    "./$name" "$@" < /dev/null >> "$name.log" 2>&1 &
    echo "$!" > "$name.pid"
    wait "$!"
    ended=$?
    [ -e over ] || { echo "$ended" > "$name.part" && mv -- "$name.part" "$name.ended"; }
  ) &
}

open() {
  until [ -e go ]; do sleep 0.2; done
  run etcdutl
  until [ -e etcdutl.ended ]; do sleep 0.05; done
  [ "$(cat etcdutl.ended)" = 0 ] || return 0
  rm -f -- snapshot.db
  run etcd
  # To etcd, «:0» is a part of the name.
  until [ -S clients.sock:0 ]; do
    [ ! -e etcd.ended ] || return 0
    sleep 0.05
  done
  run kube-apiserver
}

# No program may fill the disk with its words.
trim() {
  for log in *.log; do
    if [ -e "$log" ] && [ "$(wc -c < "$log")" -gt 8000000 ]; then : > "$log"; fi
  done
}

# An API server that is told to end after its etcd has gone never does: nothing here is worth an end in good order.
end() {
  : > over
  kill -9 "$opening" 2> /dev/null
  for again in 1 2; do
    for name in kube-apiserver etcd etcdutl; do
      if [ -e "$name.pid" ] && [ ! -e "$name.ended" ]; then kill -9 "$(cat "$name.pid")" 2> /dev/null; fi
    done
    [ "$again" = 2 ] || sleep 0.1
  done
  cd /
  # A program that ends may still make a file. In a systemd unit the directory itself is left to systemd.
  rm -rf -- "$directory" 2> /dev/null || { sleep 0.5; rm -rf -- "$directory" 2> /dev/null; }
}

uptime_now() {
  read -r now _ < /proc/uptime
  now=${now%%.*}
}

open &
opening=$!
if [ "$silence" = 0 ]; then
  while :; do trim; sleep 5; done &
  trimming=$!
  cat > /dev/null
  kill -9 "$trimming" 2> /dev/null
  end
  # Whoever of them is left is in the same group as this.
  kill -9 -- "-$$" 2> /dev/null
  exit 0
fi
while :; do
  uptime_now
  heard=$(head -n 1 alive 2> /dev/null)
  case $heard in '' | *[!0-9]*) heard=0 ;; esac
  [ "$((now - heard))" -lt "$silence" ] || break
  trim
  sleep 1
done
end
exit 0
