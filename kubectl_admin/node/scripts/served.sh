# Says which certificate a server shows to this host.
# served.sh ADDRESS
#   ADDRESS: «10.0.0.11:2380», «[fd00::11]:2380»
# Answers the certificate as PEM; without one it says why.
set -u
address=$1
if command -v openssl > /dev/null; then
  shown=$(timeout 8 openssl s_client -connect "$address" < /dev/null 2> /dev/null | sed -n '/-BEGIN CERT/,/-END CERT/p')
elif command -v curl > /dev/null; then
  shown=$(curl --silent --insecure --max-time 8 --output /dev/null --write-out '%{certs}' "https://$address/" |
    sed -n '/-BEGIN CERT/,/-END CERT/p;/-END CERT/q')
else
  echo "neither openssl nor curl is there to look at $address" >&2
  exit 1
fi
if [ -z "$shown" ]; then
  echo "no certificate is shown at $address" >&2
  exit 1
fi
printf '%s\n\n# end\n' "$shown"
