# Whether keys and certificates belong to each other, by their public keys. A part of other scripts.
# A key is named to openssl, or comes to it by stdin; it is never an argument.

# kubeadm renews these: pairs without their .crt and .key, and kubeconfigs.
# shellcheck disable=SC2034 # for the others
pairs='pki/apiserver pki/apiserver-kubelet-client pki/apiserver-etcd-client pki/front-proxy-client
  pki/etcd/server pki/etcd/peer pki/etcd/healthcheck-client'
# shellcheck disable=SC2034
configs='admin.conf super-admin.conf controller-manager.conf scheduler.conf'

embedded() { # FIELD KUBECONFIG: the content of the field
  sed -n "s/^ *$1: *//p" "$2" | tr -d "\"' \r" | base64 -d 2> /dev/null
}

is_whole() { # FILE: whether it has not been cut off in the midst of being written
  case $1 in
    *.conf) grep -q '^ *client-key-data: *[^ ]' "$1" || grep -q '^ *client-key: *[^ ]' "$1" ;;
    *) grep -q '^-----BEGIN ' "$1" && [ "$(grep -c '^-----BEGIN ' "$1")" = "$(grep -c '^-----END ' "$1")" ] ;;
  esac
}

are_two() { # CERTIFICATE KEY: whether their public keys are known to differ; of a kubeconfig both are one file
  command -v openssl > /dev/null || return 1
  case $1 in
    *.conf)
      signed=$(embedded client-certificate-data "$1" | openssl x509 -noout -pubkey 2> /dev/null || :)
      held=$(embedded client-key-data "$1" | openssl pkey -pubout -passin pass: 2> /dev/null || :)
      ;;
    *)
      signed=$(openssl x509 -noout -pubkey -in "$1" 2> /dev/null || :)
      held=$(openssl pkey -pubout -passin pass: -in "$2" 2> /dev/null || :)
      ;;
  esac
  # Files that openssl can't read may be a pair.
  [ -n "$signed" ] && [ -n "$held" ] && [ "$signed" != "$held" ]
}

has_expired() { # FILE: whether the certificate in it is known to have expired
  command -v openssl > /dev/null || return 1
  case $1 in
    *.conf) end=$(embedded client-certificate-data "$1" | openssl x509 -noout -checkend 0 2> /dev/null || :) ;;
    *) end=$(openssl x509 -noout -checkend 0 -in "$1" 2> /dev/null || :) ;;
  esac
  case $end in *"will expire"*) ;; *) return 1 ;; esac
}
