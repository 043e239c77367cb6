# Copies the programs that open a snapshot into its directory, out of the running containers, and the configuration by
# which objects are encrypted.
# past-begin.sh DIRECTORY ETCD APISERVER ENCRYPTION
#   ETCD, APISERVER: the ids of their containers. ENCRYPTION: the path of the configuration on the host; «-» for none
set -eu
directory=$1 etcd=$2 apiserver=$3 encryption=$4

. ./etcd-root.sh

umask 077
# copy PROGRAM ROOT
copy() {
  [ -x "$directory/$1" ] && return 0
  program=
  if [ -n "$2" ]; then program=$(program_in "$2" "$1"); fi
  if [ -z "$program" ]; then
    echo "$1 is not in its container, or that does not run any more" >&2
    exit 1
  fi
  cp -- "$program" "$directory/$1.part"
  chmod 700 -- "$directory/$1.part"
  mv -f -- "$directory/$1.part" "$directory/$1"
}
find_root "$etcd"
copy etcdutl "$root"
copy etcd "$root"
find_root "$apiserver" kube-apiserver
copy kube-apiserver "$root"
if [ "$encryption" != - ]; then
  cat -- "$encryption" > "$directory/encryption.part"
  mv -f -- "$directory/encryption.part" "$directory/encryption.conf"
fi
printf '\n# end\n'
