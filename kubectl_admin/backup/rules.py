"""The rules that a backup is judged by: while it is made, and when archives are looked at."""

from kubectl_admin.finding import Rule

HIGH_AVAILABILITY = (
    "https://kubernetes.io/docs/setup/production-environment/tools/kubeadm/high-availability/#manual-certs"
)
ENCRYPTION = "https://kubernetes.io/docs/tasks/administer-cluster/encrypt-data/#rotating-a-decryption-key"
BACKING_UP = (
    "https://kubernetes.io/docs/tasks/administer-cluster/configure-upgrade-etcd/#backing-up-an-etcd-cluster"
)

# Making one.
NODE_NOT_SAVED = Rule("backup-node", "a backup holds the files of every control plane")
FILE_NOT_SAVED = Rule(
    "backup-file", "a backup holds every file that the control plane is told to use by a flag"
)
NOT_RESTORABLE = Rule("backup-not-restorable", "what is kept elsewhere is backed up there")
MIXED_VERSIONS = Rule("backup-mixed-versions", "a backup is made of control planes of one version")

# Control planes beside each other.
AUTHORITIES_DIFFER = Rule(
    "backup-authorities-differ", "all control planes have the same authorities", HIGH_AVAILABILITY
)
FOREIGN_KEY = Rule("backup-foreign-key", "the key beside an authority is that authority's", HIGH_AVAILABILITY)
SIGNING_KEYS_DIFFER = Rule(
    "backup-signing-keys-differ",
    "every API server accepts the service accounts' tokens that any control plane has signed",
    HIGH_AVAILABILITY,
)
ENCRYPTION_DIFFERS = Rule(
    "backup-encryption-differs", "every API server can decrypt what any of them has encrypted", ENCRYPTION
)

# Archives.
NO_ARCHIVE = Rule("backup-none", "there is a verified backup of the cluster", BACKING_UP)
TOO_OLD = Rule("backup-too-old", "the newest verified backup is not older than it may be", BACKING_UP)
NOT_VERIFIED = Rule("backup-not-verified", "a backup is verified, and stays as it was then")
OF_THE_FUTURE = Rule("backup-of-the-future", "a backup is older than now")
INCOMPLETE = Rule("backup-incomplete", "the newest verified backup holds all of the cluster")

# What an archive holds.
OTHER_SNAPSHOT = Rule("backup-other-snapshot", "the snapshot in an archive is the one that was put there")
OTHER_CLUSTER = Rule("backup-other-cluster", "the snapshot in an archive is of the cluster that it names")
OTHER_AUTHORITY = Rule(
    "backup-other-authority", "pods and joining nodes are given the authority that is in the files"
)
UNDECRYPTABLE = Rule(
    "backup-undecryptable", "an archive has the keys of all that is encrypted in it", ENCRYPTION
)
FOREIGN_CERTIFICATE = Rule(
    "backup-foreign-certificate", "a certificate is of its key, and its authority's", HIGH_AVAILABILITY
)
AUTHORITY_EXPIRED = Rule("backup-authority-expired", "an authority in an archive still signs")
NO_FILES = Rule("backup-no-files", "files of the control plane are kept beside a snapshot", BACKING_UP)
NO_SNAPSHOT = Rule("backup-no-snapshot", "a snapshot is kept beside files of the control plane", BACKING_UP)
