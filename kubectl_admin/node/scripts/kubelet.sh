# Where the kubelet's files are, by the flags of the running one and its configuration. A part of other scripts.
process=$(systemctl show --property=MainPID --value kubelet 2> /dev/null || true)
flag() { # NAME: the last value of a flag of the running kubelet
  if [ "${process:-0}" != 0 ] && [ -r "/proc/$process/cmdline" ]; then
    tr '\0' '\n' < "/proc/$process/cmdline" | sed -n "s/^--$1=//p" | tail -n 1
  fi
}
config=$(flag config)
config=${config:-/var/lib/kubelet/config.yaml}
setting() { # NAME: a field of the kubelet's configuration
  if [ -r "$config" ]; then sed -n "s/^ *$1: *//p" "$config" | tr -d "\"'" | tail -n 1; fi
}
folder=$(flag cert-dir)
folder=${folder:-/var/lib/kubelet/pki}
own=$(flag kubeconfig)
own=${own:-/etc/kubernetes/kubelet.conf}
serving=$(flag tls-cert-file)
serving=${serving:-$(setting tlsCertFile)}
