# Where the kubelet's files are, by the flags of the running one and its configuration. A part of other scripts.
process=$(systemctl show --property=MainPID --value kubelet 2> /dev/null || true)
flags=
if [ "${process:-0}" != 0 ] && [ -r "/proc/$process/cmdline" ]; then
  flags=$(tr '\0' '\n' < "/proc/$process/cmdline" | sed -n 's/^--\([^=]*\)=/\1=/p')
fi
last() { # NAME: its value in the last line «NAME=VALUE» of stdin
  value=
  while IFS= read -r pair; do
    case $pair in "$1="*) value=${pair#*=} ;; esac
  done
  printf '%s\n' "$value"
}
flag() { # NAME: the last value of a flag of the running kubelet
  last "$1" << END
$flags
END
}
config=$(flag config)
config=${config:-/var/lib/kubelet/config.yaml}
settings=
if [ -r "$config" ]; then
  settings=$(sed -n -e "s/[\"']//g" -e 's/^ *\([A-Za-z]*\): */\1=/p' "$config")
fi
setting() { # NAME: a field of the kubelet's configuration
  last "$1" << END
$settings
END
}
folder=$(flag cert-dir)
folder=${folder:-/var/lib/kubelet/pki}
own=$(flag kubeconfig)
own=${own:-/etc/kubernetes/kubelet.conf}
serving=$(flag tls-cert-file)
serving=${serving:-$(setting tlsCertFile)}
