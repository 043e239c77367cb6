"""The rules on what a restore means for nodes, volumes, webhooks and databases."""

from kubectl_admin.finding import Rule

NODE_JOINED = Rule(
    "node-joined-since",
    "a node that joined after the snapshot is not in it, and its kubelet registers only when it starts",
    "https://github.com/kubernetes/kubernetes/issues/92769",
)
NODE_LEFT = Rule(
    "node-left-since", "a node that left after the snapshot comes back as an object without a machine"
)
NODE_REPLACED = Rule(
    "node-replaced-since", "a node has the object and the range of pod addresses of its own machine"
)
POD_RANGES_OVERLAP = Rule("pod-ranges-overlap", "no two nodes have the same range of pod addresses (podCIDR)")
STORAGE_OF_ANOTHER_CLAIM = Rule(
    "storage-of-another-claim", "no storage goes to another claim than the one that uses it now"
)
STORAGE_ORPHANED = Rule("storage-orphaned", "storage has an object by which it is found and deleted")
VOLUME_DANGLING = Rule("volume-dangling", "a volume or a volume's snapshot has its storage")
ATTACHMENT_STALE = Rule(
    "attachment-stale", "a VolumeAttachment stands for a volume that is attached to that node now"
)
WEBHOOK_RESTORED = Rule(
    "webhook-restored-without-backend",
    "a webhook that refuses pods, nodes or leases when it fails has a Service with ready endpoints",
    "https://kubernetes.io/docs/concepts/cluster-administration/admission-webhooks-good-practices/",
)
PRIMARY_DIFFERS = Rule(
    "database-primary-differs",
    "a database's operator knows the primary that has the newest data",
    "https://cloudnative-pg.io/documentation/current/fencing/",
)
IMAGE_NOT_ON_NODES = Rule(
    "image-not-on-nodes", "an image that a restored workload needs is on a node, or can be pulled"
)
ADDRESSES_IN_API = Rule(
    "pod-addresses-in-the-api",
    "a network that keeps the addresses of pods in the API has those of the pods that run",
    "https://docs.tigera.io/calico/latest/reference/calicoctl/ipam/check",
)
SNAPSHOT_OBJECT_UNREAD = Rule(
    "snapshot-object-unread", "the objects of the snapshot that are judged can be read"
)
# Of what is seen once the restored API answers.
PHANTOM_POD = Rule("phantom-pod", "a node runs the pods that the API has, and no others")
APISERVER_LEASE_OF_NOBODY = Rule(
    "apiserver-lease-of-nobody", "the Service kubernetes leads to API servers that exist"
)
