"""The rules that a cluster's certificates are judged by, and those of renewing them.

Those of requests for certificates are in requests/rules.py.
"""

from kubectl_admin.certificates.renewable import RENEWAL_DOCS
from kubectl_admin.finding import Rule

PKI_DOCS = "https://kubernetes.io/docs/setup/best-practices/certificates/"
AUTHENTICATION = "https://kubernetes.io/docs/reference/access-authn-authz/kubelet-authn-authz/"
DEBUG = "https://kubernetes.io/docs/tasks/debug/debug-cluster/"
BOOTSTRAPPING = "https://kubernetes.io/docs/reference/access-authn-authz/kubelet-tls-bootstrapping/"
EXTERNAL_CA = f"{RENEWAL_DOCS}#external-ca-mode"
SERVING_CERTIFICATES = f"{RENEWAL_DOCS}#kubelet-serving-certs"
TROUBLESHOOTING = (
    "https://kubernetes.io/docs/setup/production-environment/tools/kubeadm/troubleshooting-kubeadm/"
)

# Every certificate.
EXPIRED = Rule("expired", "a certificate is valid for its time only")
EXPIRES_SOON = Rule("expires-soon", "a certificate is renewed before it expires")
NOT_VALID_YET = Rule("not-valid-yet", "a certificate is valid from its first moment on")
UNREADABLE = Rule("unreadable", "a file that a component is told to use holds a certificate")
ODD_EXTENSION = Rule(
    "odd-extension",
    "an extension is encoded as RFC 5280 says; some programs refuse others",
    "RFC 5280, section 4.2",
)
NOT_LOADED = Rule("not-loaded", "a process uses the certificate that is on its disk", RENEWAL_DOCS)

# Authorities.
AUTHORITY_EXPIRES_FIRST = Rule(
    "authority-expires-first",
    "an authority outlives the certificates that it has signed, which are worth nothing without it",
    PKI_DOCS,
)
EXTERNAL_AUTHORITY = Rule(
    "external-authority", "kubeadm renews a certificate where it has the authority's key", EXTERNAL_CA
)

# Kubelets.
APISERVER_REFUSED = Rule(
    "apiserver-refused",
    "kubelets accept the API server's client certificate; exec, logs and port-forward need it",
    AUTHENTICATION,
)
KUBELET_WITHOUT_CERTIFICATE = Rule(
    "kubelet-without-certificate",
    "a kubelet has a certificate to serve; exec, logs and port-forward need it",
    SERVING_CERTIFICATES,
)
KUBELET_CONF_EMBEDS = Rule(
    "kubelet-conf-embeds",
    "kubelet.conf names the file that the kubelet rotates, kubelet-client-current.pem",
    TROUBLESHOOTING,
)
KUBELET_DOWN = Rule("kubelet-down", "the kubelet of every node runs, and can be reached", DEBUG)
NO_ROTATION = Rule(
    "no-rotation", "a kubelet asks for new certificates where its configuration says so", BOOTSTRAPPING
)
FOREIGN_CERTIFICATE = Rule(
    "foreign-certificate",
    "a kubelet renews only certificates that it has requested or generated itself",
    BOOTSTRAPPING,
)
SILENT_MEANWHILE = Rule(
    "silent-meanwhile",
    "a kubelet serves when the request for its certificate has been approved",
    SERVING_CERTIFICATES,
)

# Renewing.
BUSY = Rule("busy", "only one run at a time changes a node's certificates")
NO_KUBEADM = Rule("no-kubeadm", "the node's own kubeadm renews its certificates", RENEWAL_DOCS)
BROKEN_CERTIFICATE = Rule("broken-certificate", "the certificate to be renewed can be read", RENEWAL_DOCS)
MISSING_CERTIFICATE = Rule("missing-certificate", "kubeadm renews only certificates that exist", RENEWAL_DOCS)
EXTERNAL_ETCD = Rule(
    "external-etcd", "kubeadm does not renew certificates that an external etcd's authority has signed"
)
RENEWAL_RESUMED = Rule("renewal-resumed", "an interrupted renewal is resumed")

# Rolling back.
NO_BACKUP = Rule("no-backup", "a rollback restores what a renewal has backed up")
BROKEN_BACKUP = Rule("broken-backup", "the certificates in a backup can be read")
EXPIRED_BACKUP = Rule(
    "expired-backup", "the certificates in a backup are valid, and for some time to come", RENEWAL_DOCS
)
RENEWED_SINCE = Rule("renewed-since", "a rollback undoes the renewal that made its backup, and no other")
