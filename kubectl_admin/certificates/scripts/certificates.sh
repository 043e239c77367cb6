# Shows the certificates on this host. Keys never leave it: of a file only whole blocks «CERTIFICATE» are shown,
# of a kubeconfig only the fields that hold certificates.
# certificates.sh PKI [KIND NAME PATH]...
#   PKI: the directory of which all *.crt, and those of its directory etcd, are shown, too, and after them the kubelet's;
#     «-» for neither
#   KIND: «pem», «kubeconfig», or «served», of which PATH is «10.0.0.11:2380». NAME: its name in the answer
# Answers for each certificate file a line «@ pem NAME KEY CHANGED PATH» and below it the certificates:
#   KEY: whether there is a .key beside a .crt (yes, no, -). CHANGED: when it was written, in seconds since 1970
# For a kubeconfig such a line «@ kubeconfig …» with nothing below it, and one «@ certificate …» or
# «@ authority …» for each that is embedded in it, «@ pem …» for each file that it names.
# For an address «@ served NAME - - ADDRESS» and below it the certificate that is shown there, or a line «? WHY».
# «@ absent NAME - - PATH» for one that is not there, «@ kubelet NAME - - VALUE» for a setting of the kubelet.
set -eu
pki=$1
shift

# All files are read by one awk, and their times asked for at once: on a host that is busy every process is dear.
blocks=' # of PEM text, a line at a time; one that is damaged may be followed by anything, and is only named
  function damaged() { print "-----BEGIN CERTIFICATE-----"; inside = 0; named = 1 }
  function feed(line) {
    fed = 1
    if (line ~ /^-----BEGIN ([A-Z0-9]+ )?CERTIFICATE-----/) {
      if (inside) damaged()
      inside = 1
      block = line
    } else if (inside && line ~ /^-----END ([A-Z0-9]+ )?CERTIFICATE-----/) {
      print block
      print line
      inside = 0
      named = 1
    } else if (inside && line !~ /^[A-Za-z0-9+\/= \t\r]*$/) damaged()
    else if (inside) block = block "\n" line
  }
  function finish() {
    if (inside) damaged()
    if (fed && !named) print "-"
    fed = named = 0
  }'
# shellcheck disable=SC2016 # these are awk's fields
files=' # stdin: lines «TIME PATH» until an empty one, then «KIND NAME KEY PATH»
  function head_of(kind, name, key, path) {
    print "@ " kind " " name " " key " " (path in changed ? changed[path] : "-") " " path
  }
  function embedded(kind, name, path, data,   command, line) {
    head_of(kind, name, "-", path)
    gsub(/["\047 \t\r]/, "", data)
    if (data ~ /^[A-Za-z0-9+\/=]+$/) {
      command = "echo " data " | base64 -d 2> /dev/null"
      while ((command | getline line) > 0) feed(line)
      close(command)
    }
    fed = 1
    finish()
  }
  /^$/ { asked = 1; next }
  { path = $0 }
  !asked { sub(/^[^ ]* /, "", path); changed[path] = $1; next }
  { sub(/^[^ ]* [^ ]* [^ ]* /, "", path); head_of($1, $2, $3, path) }
  $1 == "pem" {
    while ((getline line < path) > 0) feed(line)
    close(path)
    finish()
  }
  $1 == "kubeconfig" {
    while ((getline line < path) > 0)
      if (match(line, /^[ -]*(client-certificate|certificate-authority)-data: */)) {
        data = substr(line, RLENGTH + 1)
        embedded(line ~ /^[ -]*client/ ? "certificate" : "authority", $2, path, data)
      }
    close(path)
  }'

newline='
'
plan='' paths=''
noted() { # KIND NAME PATH
  key=-
  case $3 in
    *.crt) if [ -e "${3%.crt}.key" ]; then key=yes; else key=no; fi ;;
  esac
  if [ -f "$3" ]; then
    plan=$plan"$1 $2 $key $3"$newline paths=$paths$3$newline
  else
    plan=$plan"absent $2 - $3"$newline
  fi
}

kubeconfig() { # NAME PATH
  noted kubeconfig "$1" "$2"
  [ -f "$2" ] || return 0
  while read -r file; do
    case $file in
      '') ;;
      /*) noted pem "$1" "$file" ;;
      *) noted pem "$1" "${2%/*}/$file" ;;
    esac
  done << END
$(sed -e '/^[ -]*client-certificate: /!d' -e 's/^[^:]*: *//' -e "s/[\"']//g" "$2")
END
}

served() { # NAME ADDRESS
  printf '@ served %s - - %s\n' "$1" "$2"
  in_text="$blocks { feed(\$0) } END { finish() }"
  if command -v openssl > /dev/null; then
    shown=$(timeout 8 openssl s_client -connect "$2" < /dev/null 2> /dev/null | awk "$in_text" || true)
  elif command -v curl > /dev/null; then
    shown=$(curl -sk -m 8 -o /dev/null -w '%{certs}' "https://$2/" < /dev/null 2> /dev/null | awk "$in_text" || true)
  else
    echo '? the node has neither openssl nor curl to look there'
    return
  fi
  case $shown in
    *-----*) printf '%s\n' "$shown" ;;
    *) echo '? no certificate is shown there' ;;
  esac
}

show_noted() { # and with it ends the answer
  set -f
  IFS=$newline
  # shellcheck disable=SC2086 # a path a line
  times=$(stat -L -c '%Y %n' -- $paths 2> /dev/null || :)
  printf '%s\n\n%s' "$times" "$plan" | awk "$blocks$files"
  printf '\n# end\n'
}

while [ $# -gt 2 ]; do
  case $1 in
    pem) noted pem "$2" "$3" ;;
    kubeconfig) kubeconfig "$2" "$3" ;;
    served) served "$2" "$3" ;;
  esac
  shift 3
done
if [ "$pki" = - ]; then
  show_noted
  exit
fi
for file in "$pki"/*.crt "$pki"/etcd/*.crt; do
  if [ -f "$file" ]; then noted pem - "$file"; fi
done

. ../../node/scripts/kubelet.sh
for name in serverTLSBootstrap rotateCertificates tlsCertFile; do
  printf '@ kubelet %s - - %s\n' "$name" "$(setting "$name")"
done
if [ -f "$own" ]; then kubeconfig kubelet.conf "$own"; fi
if [ -f "$directory/kubelet-client-current.pem" ]; then noted pem kubelet-client "$directory/kubelet-client-current.pem"; fi
serving=$(setting tlsCertFile)
if [ -n "$serving" ]; then
  noted pem kubelet-serving "$serving"
elif [ -f "$directory/kubelet-server-current.pem" ] && [ "$(setting serverTLSBootstrap)" = true ]; then
  noted pem kubelet-serving "$directory/kubelet-server-current.pem"
elif [ -f "$directory/kubelet.crt" ]; then
  noted pem kubelet-serving "$directory/kubelet.crt"
fi
trusted=$(setting clientCAFile)
if [ -n "$trusted" ]; then noted pem kubelet-client-ca "$trusted"; fi
show_noted
