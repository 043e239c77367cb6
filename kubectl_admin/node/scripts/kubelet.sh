# Where the kubelet's files are, by the flags of the running one and its configuration. A part of other scripts.
. ../../node/scripts/unit.sh
# Without its flags, other files than its own would be taken for them: no answer is not «none runs».
settle_process kubelet
flags=
if [ "$process" != 0 ] && [ -r "/proc/$process/cmdline" ]; then
  # «--name=value», «--name value», or «--name» alone, which is true; names may have «_» for «-».
  # shellcheck disable=SC2016 # these are awk's fields
  flags=$(tr '\0' '\n' < "/proc/$process/cmdline" | awk '
    function found(value) {
      gsub(/_/, "-", name)
      if (name ~ /^rotate-/ && value ~ /^(1|t|T|TRUE|True)$/) value = "true"
      print name "=" value
      name = ""
    }
    name != "" { found($0 ~ /^-/ ? "true" : $0) }
    /^--./ { name = substr($0, 3) }
    /^--[^=]+=/ {
      value = name
      sub(/^[^=]*=/, "", value)
      sub(/=.*/, "", name)
      found(value)
    }
    END { if (name != "") found("true") }')
fi
last() { # NAME ANOTHER: the value in the last line «NAME=VALUE» or «ANOTHER=VALUE» of stdin
  value=
  while IFS= read -r pair; do
    case $pair in "$1="* | "$2="*) value=${pair#*=} ;; esac
  done
  printf '%s\n' "$value"
}
flag() { # NAME: the last value of a flag of the running kubelet
  last "$1" "$1" << END
$flags
END
}
config=$(flag config)
config=${config:-/var/lib/kubelet/config.yaml}
drop_ins() { # PATH: the files *.conf there, in the order in which the kubelet merges them
  if [ -d "$1" ] && [ ! -L "$1" ]; then
    for entry in "$1"/.[!.]* "$1"/*; do drop_ins "$entry"; done
  elif [ -f "$1" ]; then
    case $1 in *.conf) printf '%s\n' "$1" ;; esac
  fi
}
# shellcheck disable=SC2016 # these are awk's fields
settings=$({
  printf '%s\n' "$config"
  drop_ins "$(flag config-dir)"
} | awk '{
  path = $0
  while ((getline line < path) > 0) {
    gsub(/["\047]/, "", line)
    sub(/[ \t]#.*/, "", line)
    sub(/[, \t\r]+$/, "", line)
    if (line ~ /^ *[A-Za-z]+:/ && sub(/: */, "=", line)) {
      sub(/^ */, "", line)
      print line
    }
  }
}')
setting() { # NAME: a field of the kubelet's configuration, or the flag that wins over it
  case $1 in
    serverTLSBootstrap) set -- "$1" rotate-server-certificates ;;
    rotateCertificates) set -- "$1" rotate-certificates ;;
    tlsCertFile) set -- "$1" tls-cert-file ;;
    clientCAFile) set -- "$1" client-ca-file ;;
    *) set -- "$1" "$1" ;;
  esac
  last "$@" << END
$settings
$flags
END
}
directory=$(flag cert-dir)
directory=${directory:-/var/lib/kubelet/pki}
own=$(flag kubeconfig)
own=${own:-/etc/kubernetes/kubelet.conf}
