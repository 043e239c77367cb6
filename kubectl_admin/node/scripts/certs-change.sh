# Renews certificates of this host with kubeadm, or brings those of a backup back; what there was is kept first.
# certs-change.sh renew STATE KUBERNETES PKI NEW NAME...
# certs-change.sh rollback STATE KUBERNETES PKI NEW BACKUP FILE...
#   STATE: the folder of all that is kept here. KUBERNETES: the folder of the kubeconfig files, PKI: of the others
#   NEW: what a new backup is called. NAME: as kubeadm calls it. FILE: within a backup, «pki/apiserver.crt»
# It may be killed at any moment and run again: a renewal that was not seen to its end goes on with the same backup,
# which has the file «open» until then, and finishes first what that run had begun.
set -eu
umask 077
action=$1 state=$2 kubernetes=$3 pki=$4 new=$5
shift 5
backups=$state/certificates

. ./certs-files.sh

keep() { # NAME: copies what there is into a backup, which has its name when it is whole
  nowhere=$(find -L "$pki" -type l)
  [ -z "$nowhere" ] || refuse "$nowhere leads nowhere: remove that link, or put there what it should lead to"
  mkdir -p -- "$backups"
  chmod 700 "$backups"
  rm -rf -- "$backups"/.*.part
  part=$backups/.$1.part
  mkdir -- "$part"
  # What links lead to, and not the links: kubeadm writes through them.
  cp -aL -- "$pki" "$part/pki"
  for file in "$kubernetes"/*.conf; do
    if [ -f "$file" ]; then cp -p -- "$file" "$part/"; fi
  done
  printf '%s\n' "$pki" > "$part/folder"
  [ "$action" != renew ] || : > "$part/open"
  settled "$part"
  mv -- "$part" "$backups/$1"
  settled "$backups"
  say "kept in $backups/$1"
}

here() { # FILE of a backup: where it lies on this host
  case $1 in
    pki/*) printf '%s/%s\n' "$pki" "${1#pki/}" ;;
    *) printf '%s/%s\n' "$kubernetes" "$1" ;;
  esac
}

bring_back() { # BACKUP FILE: replaces a file by the backup's, whole or not at all
  to=$(here "$2")
  # A link stays a link: what it leads to is replaced. (busybox' readlink -f is wrong where that is not there.)
  if [ -e "$to" ]; then to=$(readlink -f -- "$to"); fi
  fresh=$(mktemp "${to%/*}/.kubectl-admin.XXXXXX")
  cp -p -- "$1/$2" "$fresh"
  touch -- "$fresh" # or who has read it before would seem to have read this one
  in_place "$fresh" "$to"
  say "$to brought back"
}

is_whole() { # FILE: whether its end is there
  [ -s "$1" ] || return 1
  case $1 in
    *.conf) grep -q '^ *client-key-data: *[^ ]' "$1" || grep -q '^ *client-key: *[^ ]' "$1" ;;
    *) tail -n 1 -- "$1" | grep -q '^-----END ' ;;
  esac
}

unfinished() { # the newest backup of a renewal that was not seen to its end
  found=
  for backup in "$backups"/[!.]*/; do
    if is_open "${backup%/}"; then found=${backup%/}; fi
  done
  printf '%s\n' "$found"
}

renew() { # NAME...
  backup=$(unfinished)
  if [ -n "$backup" ]; then
    say "goes on from ${backup##*/}, which was not seen to its end"
    # What was cut off in the midst of being written, kubeadm could not read.
    find "$backup/pki" "$backup" -maxdepth 2 \( -name '*.crt' -o -name '*.key' -o -name '*.conf' \) -type f |
      while read -r file; do
        file=${file#"$backup/"}
        if [ -e "$(here "$file")" ] && ! is_whole "$(here "$file")" && is_whole "$backup/$file"; then
          bring_back "$backup" "$file"
        fi
      done
  else
    keep "$new"
    backup=$backups/$new
  fi
  # Key and certificate are two files: a pair that was being renewed when it was cut off is renewed again.
  touch "$backup/renewing"
  for name in "$@"; do
    grep -qx -- "$name" "$backup/renewing" || printf '%s\n' "$name" >> "$backup/renewing"
  done
  settled "$backup"
  while read -r name <&3; do
    say "kubeadm certs renew $name"
    kubeadm certs renew "$name" --cert-dir "$pki" < /dev/null
    settled "$pki"
  done 3< "$backup/renewing"
  touch -- "$backup/open" # what is younger than this is not of this run
  rm -f -- "$backup/renewing"
  printf 'backup %s\n' "${backup##*/}"
}

rollback() { # BACKUP FILE...
  name=$1 backup=$backups/$1
  shift
  [ -d "$backup" ] || refuse "there is no backup $name"
  [ "$(cat "$backup/folder")" = "$pki" ] || refuse "backup $name is of $(cat "$backup/folder")"
  for file in ca.crt ca.key front-proxy-ca.crt front-proxy-ca.key etcd/ca.crt etcd/ca.key sa.pub sa.key; do
    if [ -e "$backup/pki/$file" ] && ! cmp -s -- "$backup/pki/$file" "$pki/$file"; then
      refuse "$pki/$file is not the one of backup $name: what that one signed is no longer good for this cluster"
    fi
  done
  if [ ! -d "$backups/$new" ]; then keep "$new"; fi
  # Cut off between two files it is gone on with by a renewal, too, and not taken for somebody else's.
  if [ -e "$backup/open" ]; then touch -- "$backup/renewing"; fi
  for file in "$@"; do
    if [ -e "$backup/$file" ] && ! cmp -s -- "$backup/$file" "$(here "$file")"; then
      bring_back "$backup" "$file"
    fi
  done
  # The renewal that made it is undone, and not to be gone on with.
  rm -f -- "$backup/open" "$backup/renewing"
  printf 'backup %s\n' "$new"
}

case $action in
  renew) renew "$@" ;;
  rollback) rollback "$@" ;;
esac
