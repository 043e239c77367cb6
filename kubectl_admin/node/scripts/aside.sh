# What an operation puts aside on a host, beside data that are not its own. A part of other scripts.

# is_id TEXT: whether it is the id of an operation, and nothing else.
is_id() {
  case $1 in
    *[!0-9a-f]*) return 1 ;;
    ??????????) return 0 ;;
  esac
  return 1
}

# is_aside DIRECTORY: whether it is a directory that an operation has put aside, beside etcd's own.
is_aside() {
  [ -d "$1" ] && [ ! -L "$1" ] || return 1
  set -- "${1##*/.kubectl-admin-}"
  is_id "${1%%-*}"
}
