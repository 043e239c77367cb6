"""The rules of bringing objects back out of a snapshot."""

from kubectl_admin.finding import Rule

DRY_RUN = "https://kubernetes.io/docs/reference/using-api/api-concepts/#dry-run"

# Whether it may be done at all.
OTHER_CLUSTER = Rule(
    "undelete-other-cluster",
    "objects come back into the cluster of the snapshot: namespace kube-system has the same UID in both",
)
CLUSTER_UNKNOWN = Rule(
    "undelete-cluster-unknown", "the UID of namespace kube-system tells which cluster a snapshot is of"
)
# As the API server says, before or while objects are made.
REFUSED = Rule("undelete-refused", "the API server takes an object that comes back", DRY_RUN)
UNTRIED = Rule("undelete-untried", "an object is tried before the first one is made", DRY_RUN)
TAKEN = Rule("undelete-taken", "a Service comes back with its addresses and node ports")
NOT_MADE = Rule("undelete-not-made", "all that was asked for comes back")
MANAGERS = Rule(
    "undelete-managers",
    "an object has the field managers that it had",
    "https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management",
)
NOT_UNDONE = Rule("undelete-not-undone", "all that was made is taken back")
