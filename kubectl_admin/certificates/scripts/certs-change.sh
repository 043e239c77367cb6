# Renews certificates of this host with kubeadm, or restores those of a backup; the present ones are kept first.
# certs-change.sh renew STATE KUBERNETES PKI NEW NAME...
# certs-change.sh rollback STATE KUBERNETES PKI NEW BACKUP END FILE...
#   STATE: the directory of all that is kept here. KUBERNETES: the directory of the kubeconfig files, PKI: of the others
#   NEW: the name of a new backup. NAME: as kubeadm calls it. FILE: within a backup, «pki/apiserver.crt»
#   END: when the first of the backup's certificates expires, in seconds since 1970; «-»: that does not matter
# It may be killed at any moment and run again. All good files of this host are always kept first; a key beside
# another's certificate, or half a file, are not: of these the backup has an earlier backup's, and a renewal renews
# them, too. No backup is made only where the newest one has the very same good files, and its renewal was not seen
# to its end (it has the file «open»).
set -eu
umask 077
action=$1 state=$2 kubernetes=$3 pki=$4 new=$5
shift 5
backups=$state/certificates

. ./certs-files.sh
. ./certs-pairs.sh

here() { # FILE of a backup: where it is on this host
  case $1 in
    pki/*) printf '%s/%s\n' "$pki" "${1#pki/}" ;;
    *) printf '%s/%s\n' "$kubernetes" "$1" ;;
  esac
}

is_unpaired() { # NAME: the same on this host; of a file that is not there nothing is known
  case $1 in
    *.conf) set -- "$1" "$1" ;;
    *) set -- "$1.crt" "$1.key" ;;
  esac
  certificate=$(here "$1") key=$(here "$2")
  if [ ! -e "$certificate" ] || [ ! -e "$key" ]; then return 1; fi
  if ! is_whole "$certificate" || ! is_whole "$key"; then
    # A kubeconfig may be without a key for other reasons: somebody has given it a token, say.
    [ "$1" != "$2" ] || [ -n "$unseen" ]
    return
  fi
  # Without openssl, a pair that was cut off is known by the backup of that run: one of its files is another one.
  if command -v openssl > /dev/null || [ -z "$unseen" ]; then
    are_two "$certificate" "$key"
    return
  fi
  same=0
  for file in "$1" "$2"; do
    if cmp -s -- "$(here "$file")" "$unseen/$file"; then same=$((same + 1)); fi
  done
  [ "$1" != "$2" ] && [ "$same" = 1 ]
}

source_of() { # NAME: the newest backup that holds it, a pair; nothing where there is none
  case $1 in
    *.conf) set -- "$1" "$1" ;;
    *) set -- "$1.crt" "$1.key" ;;
  esac
  found=
  for backup in "$backups"/[!.]*/; do
    backup=${backup%/}
    if [ ! -e "$backup/$1" ] || [ ! -e "$backup/$2" ]; then continue; fi
    if is_whole "$backup/$1" && is_whole "$backup/$2" && ! are_two "$backup/$1" "$backup/$2"; then found=$backup; fi
  done
  printf '%s\n' "$found"
}

files_of() { # NAME: its files, a line each
  case $1 in
    *.conf) printf '%s\n' "$1" ;;
    *) printf '%s\n' "$1.key" "$1.crt" ;;
  esac
}

contents() { # BACKUP: its files, to be compared
  (cd -- "$1" && find . -type f ! -name open ! -name '*.found' -exec sha256sum {} + | sort)
}

# The newest backup of a renewal that was not seen to its end, and all names of this host that are certainly not a pair.
look() {
  unseen='' unpaired=''
  for backup in "$backups"/[!.]*/; do
    if [ -e "${backup}open" ]; then unseen=${backup%/}; fi
  done
  for name in $pairs $configs; do
    if is_unpaired "$name"; then unpaired="$unpaired $name"; fi
  done
}

keep() { # NAME: copies the present files into a backup, which has its name when it is whole; sets `kept` to its path
  nowhere=$(find -L "$pki" -type l)
  [ -z "$nowhere" ] || refuse "$nowhere leads nowhere: remove that link, or restore its target"
  mkdir -p -- "$backups"
  chmod 700 "$backups"
  rm -rf -- "$backups"/.*.part
  part=$backups/.$1.part
  mkdir -- "$part"
  # The targets of links, and not the links: kubeadm writes through them.
  cp -aL -- "$pki" "$part/pki"
  for file in "$kubernetes"/*.conf; do
    if [ -f "$file" ]; then cp -p -- "$file" "$part/"; fi
  done
  printf '%s\n' "$pki" > "$part/folder"
  for name in $unpaired; do
    from=$(source_of "$name")
    if [ -z "$from" ]; then
      say "$name: the key does not match the certificate, and no backup has a pair that matches"
      continue
    fi
    files_of "$name" | while read -r file; do
      mv -- "$part/$file" "$part/$file.found"
      cp -p -- "$from/$file" "$part/$file"
    done
    say "$name: the key does not match the certificate: the backup gets the pair of ${from##*/}"
  done
  if [ "$action" = renew ] && [ -n "$unseen" ] && [ "$(contents "$part")" = "$(contents "$unseen")" ]; then
    rm -rf -- "$part"
    kept=$unseen
    say "backup $kept has all good files already"
    return
  fi
  [ "$action" != renew ] || : > "$part/open"
  settled "$part"
  mv -- "$part" "$backups/$1"
  settled "$backups"
  kept=$backups/$1
  say "backed up in $kept"
}

behind_links() { # FILE of a backup: sets `to` to where it really is, or will be
  to=$(here "$1")
  # (busybox' readlink -f is wrong where that is not there.)
  if [ -e "$to" ]; then to=$(readlink -f -- "$to"); fi
}

sweep() { # removes files that a killed bring_back was about to rename into place: they may hold a key
  for name in $pairs $configs; do
    for file in $(files_of "$name"); do
      behind_links "$file"
      rm -f -- "${to%/*}"/.kubectl-admin.??????
    done
  done
}

bring_back() { # BACKUP FILE: replaces a file by the backup's, whole or not at all
  behind_links "$2" # a link stays a link: its target is replaced
  fresh=$(mktemp "${to%/*}/.kubectl-admin.XXXXXX")
  cp -p -- "$1/$2" "$fresh"
  touch -- "$fresh" # or who has read it before would seem to have read this one
  in_place "$fresh" "$to"
  say "$to restored"
}

kubeadms() { # NAME: kubeadm's name for it
  called=${1#pki/}
  case $called in
    etcd/*) printf 'etcd-%s\n' "${called#etcd/}" ;;
    *) printf '%s\n' "$called" ;;
  esac
}

renew() { # NAME...
  keep "$new"
  # kubeadm makes the new one after the old one, which it must be able to read.
  for name in $unpaired; do
    if [ -n "$(source_of "$name")" ]; then
      files_of "$name" | while read -r file; do bring_back "$kept" "$file"; done
    fi
  done
  settled "$pki"
  for name in $unpaired; do
    called=$(kubeadms "$name")
    case " $* " in
      *" $called "* | *" all "*) ;;
      *) set -- "$called" "$@" ;;
    esac
  done
  for name in "$@"; do
    say "kubeadm certs renew $name"
    kubeadm certs renew "$name" --cert-dir "$pki" < /dev/null
    settled "$pki"
  done
  printf 'backup %s\n' "${kept##*/}"
}

rollback() { # BACKUP END FILE...
  name=$1 backup=$backups/$1 end=$2
  shift 2
  [ -d "$backup" ] || refuse "there is no backup $name"
  [ "$(cat "$backup/folder")" = "$pki" ] || refuse "backup $name is of $(cat "$backup/folder")"
  for file in ca.crt ca.key front-proxy-ca.crt front-proxy-ca.key etcd/ca.crt etcd/ca.key sa.pub sa.key; do
    if [ -e "$backup/pki/$file" ] && ! cmp -s -- "$backup/pki/$file" "$pki/$file"; then
      refuse "$pki/$file is not the one of backup $name: the backup is worthless for this cluster"
    fi
  done
  # By this host's clock, and now: the plan may be hours old. A host without openssl goes by the plan.
  if [ "$end" != - ] && [ "$(date +%s)" -ge "$end" ]; then
    refuse "backup $name holds expired certificates"
  fi
  for file in "$@"; do
    if [ ! -e "$backup/$file" ] || cmp -s -- "$backup/$file" "$(here "$file")"; then continue; fi
    case $file in
      *.conf) key=$file ;;
      *.crt) key=${file%.crt}.key ;;
      *) continue ;;
    esac
    if [ "$end" != - ] && has_expired "$backup/$file"; then refuse "$file of backup $name has expired"; fi
    if [ -e "$backup/$key" ] && are_two "$backup/$file" "$backup/$key"; then
      refuse "$file of backup $name does not match its key"
    fi
  done
  if [ ! -d "$backups/$new" ]; then keep "$new"; fi
  for file in "$@"; do
    if [ -e "$backup/$file" ] && ! cmp -s -- "$backup/$file" "$(here "$file")"; then
      bring_back "$backup" "$file"
    fi
  done
  # The renewal that made it is undone, and is not to be resumed.
  rm -f -- "$backup/open"
  printf 'backup %s\n' "$new"
}

sweep
look
case $action in
  renew) renew "$@" ;;
  rollback) rollback "$@" ;;
esac
