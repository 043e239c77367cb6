# Shows the certificates on this host. Keys never leave it: of a file only whole blocks «CERTIFICATE» are shown,
# of a kubeconfig only the fields that hold certificates.
# certificates.sh PKI [KIND NAME PATH]...
#   PKI: the folder of which all *.crt, and those of its folder etcd, are shown, too, and after them the kubelet's;
#     «-» for neither
#   KIND: «pem», «kubeconfig», or «served», of which PATH is «10.0.0.11:2380». NAME: what it is called in the answer
# Answers for each certificate file a line «@ pem NAME KEY CHANGED PATH» and below it what it holds:
#   KEY: whether a .key lies beside a .crt (yes, no, -). CHANGED: when it was written, in seconds since 1970
# For a kubeconfig such a line «@ kubeconfig …» with nothing below it, and one «@ certificate …» or
# «@ authority …» for each that is embedded in it, «@ pem …» for each file that it names.
# For an address «@ served NAME - - ADDRESS» and below it the certificate that is shown there, or a line «? WHY».
# «@ absent NAME - - PATH» for one that is not there, «@ kubelet NAME - - VALUE» for a setting of the kubelet.
set -eu
pki=$1
shift

blocks() { # of PEM text on stdin; a block that is damaged may be followed by anything, and is only told of
  awk '
    function damaged() { print "-----BEGIN CERTIFICATE-----"; inside = 0; told = 1 }
    /^-----BEGIN ([A-Z0-9]+ )?CERTIFICATE-----/ { if (inside) damaged(); inside = 1; block = $0; next }
    !inside { next }
    /^-----END ([A-Z0-9]+ )?CERTIFICATE-----/ { print block; print; inside = 0; told = 1; next }
    !/^[A-Za-z0-9+\/= \t\r]*$/ { damaged(); next }
    { block = block "\n" $0 }
    END { if (inside) damaged(); if (NR && !told) print "-" }
  '
}

head_of() { # KIND NAME PATH
  key=-
  case $3 in
    *.crt) if [ -e "${3%.crt}.key" ]; then key=yes; else key=no; fi ;;
  esac
  printf '@ %s %s %s %s %s\n' "$1" "$2" "$key" "$(stat -L -c %Y -- "$3")" "$3"
}

pem() { # NAME PATH
  if [ -f "$2" ]; then
    head_of pem "$1" "$2"
    blocks < "$2"
  else
    printf '@ absent %s - - %s\n' "$1" "$2"
  fi
}

kubeconfig() { # NAME PATH
  if [ ! -f "$2" ]; then
    printf '@ absent %s - - %s\n' "$1" "$2"
    return
  fi
  head_of kubeconfig "$1" "$2"
  for field in client-certificate certificate-authority; do
    sed -n "s/^[ -]*$field-data: *//p" "$2" | tr -d "\"'" | while read -r data; do
      head_of "${field##*-}" "$1" "$2"
      { printf '%s' "$data" | base64 -d 2> /dev/null || echo broken; } | blocks
    done
  done
  sed -n 's/^[ -]*client-certificate: *//p' "$2" | tr -d "\"'" | while read -r file; do
    case $file in
      /*) ;;
      *) file=${2%/*}/$file ;;
    esac
    pem "$1" "$file"
  done
}

served() { # NAME ADDRESS
  printf '@ served %s - - %s\n' "$1" "$2"
  if command -v openssl > /dev/null; then
    shown=$(timeout 8 openssl s_client -connect "$2" < /dev/null 2> /dev/null | blocks || true)
  elif command -v curl > /dev/null; then
    shown=$(curl -sk -m 8 -o /dev/null -w '%{certs}' "https://$2/" < /dev/null 2> /dev/null | blocks || true)
  else
    echo '? the node has neither openssl nor curl to look there'
    return
  fi
  case $shown in
    *-----*) printf '%s\n' "$shown" ;;
    *) echo '? no certificate is shown there' ;;
  esac
}

while [ $# -gt 2 ]; do
  case $1 in
    pem) pem "$2" "$3" ;;
    kubeconfig) kubeconfig "$2" "$3" ;;
    served) served "$2" "$3" ;;
  esac
  shift 3
done
if [ "$pki" = - ]; then
  printf '\n# end\n'
  exit
fi
for file in "$pki"/*.crt "$pki"/etcd/*.crt; do
  if [ -f "$file" ]; then pem - "$file"; fi
done

. ./kubelet.sh
for name in serverTLSBootstrap rotateCertificates; do
  printf '@ kubelet %s - - %s\n' "$name" "$(setting "$name")"
done
printf '@ kubelet tlsCertFile - - %s\n' "$serving"
if [ -f "$own" ]; then kubeconfig kubelet.conf "$own"; fi
if [ -f "$folder/kubelet-client-current.pem" ]; then pem kubelet-client "$folder/kubelet-client-current.pem"; fi
if [ -n "$serving" ]; then
  pem kubelet-serving "$serving"
elif [ -f "$folder/kubelet-server-current.pem" ] && [ "$(setting serverTLSBootstrap)" = true ]; then
  pem kubelet-serving "$folder/kubelet-server-current.pem"
elif [ -f "$folder/kubelet.crt" ]; then
  pem kubelet-serving "$folder/kubelet.crt"
fi
trusted=$(setting clientCAFile)
if [ -n "$trusted" ]; then pem kubelet-client-ca "$trusted"; fi
printf '\n# end\n'
