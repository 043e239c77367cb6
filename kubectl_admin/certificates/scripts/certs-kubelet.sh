# Has the kubelet of this host get a new certificate now, where by itself it would late in the life of the old one.
# certs-kubelet.sh client|serving SECONDS
#   SECONDS: in which the new one must be there; after that the kubelet works with the old one again
# It may be killed at any moment and run again.
#
# A kubelet asks for a client certificate when it starts without one of its own, and with one in its kubeconfig
# (kubernetes/kubernetes cmd/kubelet/app/server.go, buildKubeletClientConfig): the present one is put there
# until the next has come, so it is never without. For serving there is nothing of the kind: until the next
# has come, it serves nothing.
set -eu
umask 077
what=$1 seconds=$2
. ../../node/scripts/kubelet.sh
. ./certs-files.sh
# A link stays one: its target is replaced.
if [ -e "$own" ]; then own=$(readlink -f -- "$own"); fi

start_anew() {
  say "restarting the kubelet"
  systemctl restart kubelet
}
certificate() { sed '/-----END CERTIFICATE-----/q'; } # the first on stdin

came() { # TEST ARGUMENT...: waits until it is so, and says whether that came in time
  end=$(($(date +%s) + seconds))
  until "$@"; do
    [ "$(date +%s)" -lt "$end" ] || return 1
    sleep 0.3
  done
}

# --- the certificate that it shows to API servers

# A key is never an argument, which every user of the host can read: it goes through stdin.

fields() { # CERTIFICATE KEY: has the kubeconfig hold these fields, whole or not at all
  fresh=$(mktemp "${own%/*}/.kubectl-admin.XXXXXX")
  cp -p -- "$own" "$fresh"
  # shellcheck disable=SC2016 # these are awk's fields
  awk '
    FNR == NR { value[FNR] = $0; next }
    match($0, /^ *client-certificate(-data)?:/) { sub(/client.*/, ""); $0 = $0 value[1] }
    match($0, /^ *client-key(-data)?:/) { sub(/client.*/, ""); $0 = $0 value[2] }
    { print }' - "$own" > "$fresh" << END
client-certificate$1
client-key$2
END
  in_place "$fresh" "$own"
  settled "$own"
}

on_one_line() { base64 | tr -d '\n'; }

embedded() { # the certificate in the kubeconfig itself
  sed -n 's/^ *client-certificate-data: *//p' "$own" | tr -d "\"'" | base64 -d 2> /dev/null | certificate
}

is_another() { [ -f "$pair" ] && [ "$(certificate < "$pair")" != "$old" ] && grep -q 'PRIVATE KEY-----' "$pair"; }

client() {
  pair=$directory/kubelet-client-current.pem
  for field in client-certificate client-key; do
    [ "$(grep -c "^ *$field\(-data\)\{0,1\}: *[^ ]" "$own")" = 1 ] ||
      refuse "$own does not have one $field on a line of its own, as kubeadm writes it"
  done
  rm -f -- "${own%/*}"/.kubectl-admin.??????
  if [ -f "$pair" ]; then
    old=$(certificate < "$pair")
    key=$(sed -n '/-----BEGIN .*PRIVATE KEY-----/,/-----END .*PRIVATE KEY-----/p' "$pair")
    chain=$(sed -n '/-----BEGIN CERTIFICATE-----/,/-----END CERTIFICATE-----/p' "$pair")
    if [ -z "$key" ] || [ -z "$chain" ]; then refuse "$pair does not hold a certificate and its key"; fi
    last=$(readlink -- "$pair") || refuse "$pair is not a link, as kubelets make it"
    fields "-data: $(printf '%s\n' "$chain" | on_one_line)" "-data: $(on_one_line << END
$key
END
)"
    rm -f -- "$pair"
  else # a run that was cut off here, or a kubelet that never had another
    old=$(embedded)
    [ -n "$old" ] || refuse "neither $pair nor $own holds a certificate"
    last=
  fi
  if start_anew && came is_another; then
    fields ": $pair" ": $pair"
    return
  fi
  if [ ! -f "$pair" ] && [ -n "$last" ]; then ln -s -- "$last" "$pair" || :; fi
  if [ -f "$pair" ]; then fields ": $pair" ": $pair"; fi
  without
}

without() { # says what is there instead of a new certificate
  settle_unit kubelet
  if [ "$unit_said" != active ] && ! start_anew; then
    refuse "the kubelet does not start; it keeps the certificate that it had: journalctl -u kubelet"
  fi
  refuse "no new certificate came within ${seconds}s; the kubelet keeps the one that it had: kubectl get csr"
}

# --- the certificate that it serves

serving() {
  named=$(setting tlsCertFile)
  [ -z "$named" ] || refuse "the kubelet serves $named by its configuration, and does not renew it"
  if [ "$(setting serverTLSBootstrap)" = true ]; then
    set -- "$directory/kubelet-server-current.pem"
  else
    set -- "$directory/kubelet.crt" "$directory/kubelet.key"
  fi
  for file in "$@"; do
    if [ -e "$file" ]; then mv -f -- "$file" "$file.before"; fi
  done
  settled "$directory"
  if start_anew && came test -e "$1"; then
    for file in "$@"; do rm -f -- "$file.before"; done
    return
  fi
  for file in "$@"; do
    if [ -L "$file.before" ] || [ -e "$file.before" ]; then mv -f -- "$file.before" "$file"; fi
  done
  start_anew || :
  without
}

case $what in
  client) client ;;
  serving) serving ;;
esac
