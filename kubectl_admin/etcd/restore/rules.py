"""The rules that say whether a snapshot may be restored into a cluster."""

from kubectl_admin.finding import Rule

RECOVERY = "https://etcd.io/docs/latest/op-guide/recovery/"
ENCRYPTION = "https://kubernetes.io/docs/tasks/administer-cluster/encrypt-data/"

# The snapshot and the cluster.
OTHER_CLUSTER = Rule(
    "restore-other-cluster",
    "a snapshot is of the cluster that it is restored into: namespace kube-system has the same UID in both",
)
CLUSTER_UNKNOWN = Rule(
    "restore-cluster-unknown", "the UID of namespace kube-system tells which cluster a snapshot is of"
)
ETCD_VERSION = Rule(
    "restore-etcd-version",
    "a snapshot is restored by the minor of etcd that made it; a newer format can't be read",
    "https://github.com/etcd-io/etcd/issues/13070",
)
ETCD_MIXED = Rule(
    "restore-etcd-mixed", "all members have one version of etcd when a snapshot is restored", RECOVERY
)
KUBERNETES_VERSION = Rule(
    "restore-kubernetes-version",
    "a snapshot is of the minor of Kubernetes that runs, whose objects and add-ons come back with it",
    "https://kubernetes.io/releases/version-skew-policy/",
)
QUOTA = Rule(
    "restore-quota",
    "a restored database has room below its quota, of which the whole file counts",
    "https://etcd.io/docs/latest/op-guide/maintenance/#space-quota",
)
AUTHORITY = Rule(
    "restore-authority",
    "a snapshot names an authority that the cluster has: pods and joining nodes trust the one in it",
    "https://kubernetes.io/docs/setup/best-practices/certificates/",
)
UNDECRYPTABLE = Rule(
    "restore-undecryptable",
    "every API server can decrypt what is encrypted in a snapshot, with the keys that it has now",
    ENCRYPTION,
)
PLUGIN_KEY = Rule(
    "restore-plugin-key", "a KMS plugin still has the key by which values were encrypted", ENCRYPTION
)
SIGNING_KEYS = Rule(
    "restore-signing-keys",
    "tokens of service accounts are signed by keys that the cluster has",
    "https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/",
)
ALARM_IN_SNAPSHOT = Rule(
    "restore-alarm", "an alarm in a snapshot is disarmed before the restored etcd is written to", RECOVERY
)
MEMBERS_DROPPED = Rule(
    "restore-members-dropped",
    "a restore writes a new list of members, and drops that of the snapshot",
    "https://etcd.io/blog/2025/zombie_members_upgrade/",
)
TWO_CONTROL_PLANES = Rule(
    "restore-two-control-planes",
    "a majority of the control planes carries a restore; of two, both are needed",
    "https://etcd.io/docs/latest/faq/#why-an-odd-number-of-cluster-members",
)

# How the cluster is built: all else is not restored by this program yet.
STACKED_ETCD = Rule(
    "restore-stacked-etcd", "etcd runs as static pods on the control-plane nodes, one member on each"
)
OWN_MEMBER = Rule(
    "restore-own-member",
    "an API server uses the member of its own node alone: another would be written to by old caches",
)
PLAIN_ETCD = Rule(
    "restore-plain-etcd",
    "a member has its settings as flags, its log in its data directory, and that under one path on the node",
)
FOUR_PARTS = Rule(
    "restore-four-parts", "a control-plane node runs the four static pods of kubeadm, each once"
)
NODE_READY = Rule("restore-node-ready", "every control-plane node is Ready when a restore begins")
MEMBER_ANSWERS = Rule("restore-member-answers", "every member answers and votes when a restore begins")
DOWNGRADE = Rule(
    "restore-downgrade", "no downgrade of etcd is under way", "https://etcd.io/docs/latest/downgrades/"
)

LOCAL_UNKNOWN = Rule(
    "restore-local-unknown", "a restore on the nodes themselves sees no more than the node that it runs on"
)

# The restore itself.
UNSETTLED = Rule("restore-unsettled", "all control-plane nodes run with the restored data in the end")
