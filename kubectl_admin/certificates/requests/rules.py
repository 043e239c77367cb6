"""The rules that requests for kubelets' certificates are judged by, and their approvals."""

from kubectl_admin.finding import Rule

SIGNERS = (
    "https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/#kubernetes-signers"
)
BOOTSTRAPPING = "https://kubernetes.io/docs/reference/access-authn-authz/kubelet-tls-bootstrapping/"
SERVING = "https://kubernetes.io/docs/tasks/administer-cluster/kubeadm/kubeadm-certs/#kubelet-serving-certs"
PKCS10 = "RFC 2986, section 4.1"

# The request as it is written.
BROKEN = Rule("broken", "a request is one PEM block with a PKCS#10 request", SIGNERS)
BAD_SIGNATURE = Rule(
    "bad-signature",
    "a request is signed with the key that it is for, so that the requester has that key",
    "RFC 2986, section 4.2",
)
WEAK_KEY = Rule("weak-key", "the key is ECDSA, Ed25519, or RSA of at least 2048 bits", "NIST SP 800-57")
ATTRIBUTES = Rule("attributes", "a request has one attribute, the extensions that it asks for", PKCS10)
INEXACT = Rule(
    "inexact", "the bytes of a request are what was judged, as a kubelet encodes it, and nothing else", PKCS10
)

# Who asks, and for whom.
REQUESTER = Rule(
    "requester",
    "the requester is the node's own user in group system:nodes, or, for a client certificate, a bootstrap "
    "token in group system:bootstrappers",
    SIGNERS,
)
COMMON_NAME = Rule("common-name", "there is one common name, system:node:NAME", SIGNERS)
ORGANIZATION = Rule("organization", "the organization is system:nodes and no other", SIGNERS)
SUBJECT = Rule("subject", "the subject holds only organization and common name", SIGNERS)
NO_NODE = Rule("no-node", "a serving certificate is for an existing node", SERVING)
NODE_EXISTS = Rule("node-exists", "a bootstrap token is for a node that does not exist yet", BOOTSTRAPPING)

# The content of a request.
USAGES = Rule(
    "usages",
    "the usages are exactly those that a kubelet asks for; only RSA keys can encipher keys",
    SIGNERS,
)
NO_NAMES = Rule("no-names", "a serving certificate names at least one address", SIGNERS)
NAMES = Rule("names", "alternative names are DNS names and addresses; a client certificate has none", SIGNERS)
EXTENSIONS = Rule("extensions", "a kubelet asks for no other extension", SIGNERS)
FOREIGN_ADDRESS = Rule("foreign-address", "every alternative name is an address of that very node", SERVING)
SHARED_ADDRESS = Rule("shared-address", "an address belongs to one node alone")
EXPIRATION = Rule("expiration", "the certificate is valid no longer than is allowed")

# Approvals.
PASSED_OVER = Rule("passed-over", "only the newest pending requests of a node are judged")
NOT_APPROVED = Rule("not-approved", "a request that was to be approved is approved")
NOT_ISSUED = Rule("not-issued", "the signer issues the certificate of an approved request")
NOT_AS_JUDGED = Rule("not-as-judged", "the issued certificate is what was judged")
LASTS_LONGER = Rule("lasts-longer", "the issued certificate is valid no longer than is allowed")
