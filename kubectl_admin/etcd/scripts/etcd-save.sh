# Has etcd's own client save a snapshot.
# etcd-save.sh ETCDCTL FILE [FLAG]...
set -eu
etcdctl=$1 file=$2
shift 2
umask 077
export ETCDCTL_API=3
exec "$etcdctl" "$@" snapshot save "$file"
