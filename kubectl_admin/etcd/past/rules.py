"""The rules that say whether a snapshot can be opened, and how much of it can be read."""

from kubectl_admin.finding import Rule

OPEN_ETCD = Rule(
    "open-etcd-version",
    "a snapshot is opened by an etcd that is not older than the one that made it",
    "https://github.com/etcd-io/etcd/issues/13070",
)
OPEN_KUBERNETES = Rule(
    "open-kubernetes-version",
    "an API server reads all objects of its own minor, and of older ones those that it still serves",
    "https://kubernetes.io/docs/reference/using-api/deprecation-policy/",
)
OPEN_MEMORY = Rule(
    "open-memory",
    "a machine has the memory for a snapshot, its etcd and its API server besides all that runs",
)
OPEN_ROOM = Rule("open-room", "a machine has room for a snapshot, and for the database that is made from it")
OPEN_CLUSTER = Rule(
    "open-other-cluster", "a snapshot that is opened on a node is of the cluster of that node"
)
OPEN_UNREADABLE = Rule(
    "open-unreadable",
    "every API server that opens a snapshot has the keys by which its objects are encrypted",
    "https://kubernetes.io/docs/tasks/administer-cluster/encrypt-data/",
)
OPEN_UNSEEN = Rule("open-unseen", "all that can't be read in an opened snapshot is found, and said by name")
OPEN_CONVERSION = Rule(
    "open-conversion",
    "custom resources of an opened snapshot are read in their stored version, since it reaches no webhook",
    "https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definition-versioning/",
)
