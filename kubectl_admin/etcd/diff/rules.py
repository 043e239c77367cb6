"""The rules that two snapshots are compared by."""

from kubectl_admin.finding import Rule

SNAPSHOT_CLUSTER = Rule(
    "snapshot-cluster",
    "compared snapshots are of one cluster, whose namespace kube-system has the same UID in both",
)
SNAPSHOT_CLUSTER_UNKNOWN = Rule(
    "snapshot-cluster-unknown",
    "the UID of namespace kube-system tells whether compared snapshots are of one cluster",
)
SAME_FILE = Rule("same-file", "two files are compared, not one with itself")
NAMESPACE_UNKNOWN = Rule("namespace-unknown", "a namespace that is asked for is in one of the snapshots")
KIND_UNKNOWN = Rule(
    "kind-unknown", "a kind that is asked for is one of Kubernetes, or one of which an object differs"
)
SNAPSHOTS_DIFFER = Rule("snapshots-differ", "with --exit-code, no object differs between the snapshots")
