# Etcd and kube-apiserver of this host, by the flags in their manifests. A part of restore-local.sh.
# shellcheck disable=SC2154,SC2034 # what that sets and uses

# option FACTS NAME: a flag's value; refused where it is there twice. kube-apiserver takes «_» for «-».
option() {
  found=$(printf '%s\n' "$1" | awk -v name="$2" '
    /^flag / { text = substr($0, 6); key = text; sub(/=.*/, "", key); gsub(/_/, "-", key)
      if (key == name) { sub(/^[^=]*=/, "", text); print text } }')
  case $found in
    *"$line"*) refuse "--$2 is there twice in $manifests" "a restore by this program takes kubeadm's own flags" ;;
  esac
  printf '%s\n' "$found"
}

# Sets option_NAME by `option`, and ends the script with it.
take_option() { # FACTS NAME VARIABLE
  taken=$(option "$1" "$2") || exit 1
  [ -z "$taken" ] || need_plain "--$2" "$taken"
  eval "$3=\$taken"
}

# on_host FACTS PATH: where on the host a path of the container is; nothing where it is not of the host.
on_host() {
  printf '%s\n' "$1" | awk -v path="$2" '
    /^mount / && NF == 3 {
      inside = $2; sub(/\/+$/, "", inside)
      if ((path == inside || index(path, inside "/") == 1) && length(inside) >= best) {
        best = length(inside); there = $3; sub(/\/+$/, "", there); there = there substr(path, best + 1)
      }
    }
    END { if (there) print there }'
}

refuse_odd() { # FACTS FILE PROGRAM
  case "$line$1$line" in
    *"${line}containers 1$line"*) ;;
    *) refuse "$manifests/$2 has several containers" "a restore by this program takes kubeadm's own manifests" ;;
  esac
  case "$line$1$line" in
    *"${line}program $3$line"*) ;;
    *) refuse "$manifests/$2 does not start $3 itself" "a restore by this program takes kubeadm's own manifests" ;;
  esac
  odd=$(printf '%s\n' "$1" | sed -n 's/^odd //p' | head -n 1)
  [ -z "$odd" ] || refuse "$manifests/$2 has «$odd», which kubeadm does not write" "write flags as --NAME=VALUE"
}

look_at_etcd() {
  refuse_odd "$facts_etcd" "$file_etcd" etcd
  if printf '%s\n' "$facts_etcd" | grep -q '^variable ETCD_'; then
    refuse "etcd has settings in variables" "give them as flags in $manifests/$file_etcd"
  fi
  for name in wal-dir config-file; do
    take_option "$facts_etcd" "$name" other
    [ -z "$other" ] || refuse "etcd has --$name" "a restore by this program takes etcd as kubeadm sets it up"
  done
  take_option "$facts_etcd" name node
  take_option "$facts_etcd" data-dir data
  take_option "$facts_etcd" listen-client-urls listens
  take_option "$facts_etcd" advertise-client-urls advertises
  take_option "$facts_etcd" initial-advertise-peer-urls own_url
  take_option "$facts_etcd" trusted-ca-file cacert
  take_option "$facts_etcd" cert-file cert
  take_option "$facts_etcd" key-file key
  take_option "$facts_etcd" quota-backend-bytes quota
  for name in "name $node" "data-dir $data" "listen-client-urls $listens" "initial-advertise-peer-urls $own_url" \
    "trusted-ca-file $cacert" "cert-file $cert" "key-file $key"; do
    [ -n "${name#* }" ] || refuse "etcd has no --${name% *}" "a restore by this program takes etcd as kubeadm sets it up"
  done
  data=${data%/}
  there=$(on_host "$facts_etcd" "$data")
  [ "$there" = "$data" ] || refuse "etcd's data directory $data is ${there:-nowhere} on this host" \
    "a restore by this program takes a data directory that has the same path on both"
  cacert=$(on_host "$facts_etcd" "$cacert") cert=$(on_host "$facts_etcd" "$cert") key=$(on_host "$facts_etcd" "$key")
  for file in "$cacert" "$cert" "$key"; do
    [ -s "$file" ] || refuse "etcd's certificate, key or authority is not on this host: ${file:-no mount of it}"
  done
  endpoint=$(nearest "$listens")
  case $endpoint in https://?*:[0-9]*) ;; *) refuse "etcd listens at $listens: there is no URL with TLS" ;; esac
  case $own_url in https://?*:[0-9]*) ;; *) refuse "etcd advertises $own_url to its peers: it must be one URL with TLS" ;; esac
  case $own_url in *,*) refuse "etcd advertises several URLs to its peers: $own_url" ;; esac
  tag=$(printf '%s\n' "$facts_etcd" | sed -n 's/^image //p')
  tag=${tag%@*}
  tag=${tag##*:}
}

# nearest URLS: the one on the loopback, else the first.
nearest() {
  first=''
  for url in $(printf '%s\n' "$1" | tr ',' ' '); do
    case $url in
      https://127.* | https://localhost:* | 'https://[::1]:'*) printf '%s\n' "$url" && return ;;
      https://0.0.0.0:*) printf 'https://127.0.0.1:%s\n' "${url##*:}" && return ;;
      'https://[::]:'*) printf 'https://[::1]:%s\n' "${url##*:}" && return ;;
    esac
    first=${first:-$url}
  done
  printf '%s\n' "$first"
}

# An API server that asks other members would write to a restored etcd from the caches of another node.
look_at_apiserver() {
  refuse_odd "$facts_apiserver" "$file_apiserver" kube-apiserver
  take_option "$facts_apiserver" etcd-servers-overrides other
  [ -z "$other" ] || refuse "kube-apiserver has --etcd-servers-overrides" \
    "a restore by this program takes one etcd for all"
  take_option "$facts_apiserver" etcd-servers servers
  is_own=no
  for url in $(printf '%s,%s\n' "$listens" "$advertises" | tr ',' ' '); do
    if [ "$servers" = "$url" ]; then is_own=yes; fi
    case $servers in
      https://127.0.0.1:"${url##*:}" | https://localhost:"${url##*:}" | 'https://[::1]:'"${url##*:}")
        case $url in https://127.* | https://localhost:* | 'https://[::1]:'* | https://0.0.0.0:* | 'https://[::]:'*) is_own=yes ;; esac
        ;;
    esac
  done
  [ "$is_own" = yes ] || refuse "kube-apiserver uses ${servers:-no etcd by its flags}, which is not its own node's member alone" \
    "have it use https://127.0.0.1:2379 alone (--etcd-servers), as kubeadm does"
  take_option "$facts_apiserver" secure-port port
  ready=https://127.0.0.1:${port:-6443}/readyz
  probe=$(printf '%s\n' "$facts_apiserver" | sed -n 's/^probe //p')
  case $probe in
    ?*' '[0-9]*' '[a-z]*' '/*)
      host=${probe%% *} probe=${probe#* }
      case $host in *:*) host="[$host]" ;; esac
      ready=${probe#* }
      ready=${ready%% *}://$host:${probe%% *}${probe##* }
      ;;
  esac
  need_plain "URL of kube-apiserver" "$ready"
  kubernetes=$(printf '%s\n' "$facts_apiserver" | sed -n 's/^image //p')
  kubernetes=${kubernetes%@*}
  kubernetes=${kubernetes##*:}
  take_option "$facts_apiserver" encryption-provider-config encryption
  [ -z "$encryption" ] || encryption=$(on_host "$facts_apiserver" "$encryption")
}
