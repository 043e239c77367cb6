# Carries bytes between its standard streams and the API server of an opened snapshot, until either end hangs up.
# past-relay.sh DIRECTORY PORT
# That has a network of its own, which nothing else leads to.
set -eu

. ../../node/scripts/carry.sh

read -r process < "$1/kube-apiserver.pid"
case $process in '' | *[!0-9]*) exit 1 ;; esac
carry 127.0.0.1 "$2" nsenter --net="/proc/$process/ns/net"
