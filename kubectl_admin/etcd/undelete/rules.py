"""The rules of bringing objects back out of a snapshot."""

from kubectl_admin.finding import Rule

DRY_RUN = "https://kubernetes.io/docs/reference/using-api/api-concepts/#dry-run"
GARBAGE = "https://kubernetes.io/docs/concepts/architecture/garbage-collection/"
VOLUMES = "https://kubernetes.io/docs/concepts/storage/persistent-volumes/"

# Whether it may be done at all.
OTHER_CLUSTER = Rule(
    "undelete-other-cluster",
    "objects come back into the cluster of the snapshot: namespace kube-system has the same UID in both",
)
CLUSTER_UNKNOWN = Rule(
    "undelete-cluster-unknown", "the UID of namespace kube-system tells which cluster a snapshot is of"
)
# As both clusters have it.
DATA = Rule("undelete-data", "a claim that comes back has its data", f"{VOLUMES}#reclaiming")
CYCLE = Rule("undelete-cycle", "objects do not own each other", GARBAGE)
EMPTY = Rule(
    "undelete-empty-claims",
    "whoever makes claims comes back only if they are there: those that are missing would be made empty",
    "https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#stable-storage",
)
FINALIZERS = Rule(
    "undelete-finalizers",
    "finalizers come back with an object: whoever is to remove them is needed before it can be deleted",
    "https://kubernetes.io/docs/concepts/overview/working-with-objects/finalizers/",
)
FINISHED = Rule(
    "undelete-finished",
    "a Job or a pod that had come to its end does not run a second time unless it is named",
    "https://kubernetes.io/docs/concepts/workloads/controllers/job/#job-termination-and-cleanup",
)
FOR_GOOD = Rule(
    "undelete-for-good",
    "--undo gives an object that is put back its former content: one that is immutable has its own for good",
    "https://kubernetes.io/docs/concepts/configuration/configmap/#configmap-immutable",
)
KIND = Rule("undelete-kind", "the live cluster serves the kind of an object that comes back")
LEAVING = Rule(
    "undelete-terminating",
    "an object that is being deleted is gone before it, or anything in it, is brought back",
)
MADE = Rule("undelete-made", "an object that a controller makes comes back with that controller")
NAME = Rule(
    "undelete-name",
    "an object has a name that can be asked for",
    "https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#path-segment-names",
)
NOT_FOUND = Rule("undelete-not-found", "an object that is named is in the snapshot")
OWNER = Rule(
    "undelete-owner",
    "an owner of an object that comes back is there, or comes back with it: else it would be removed again",
    GARBAGE,
)
REFERENCE = Rule("undelete-reference", "an object keeps all of its owners", GARBAGE)
RIGHTS = Rule(
    "undelete-rights",
    "rights come back only to whom they are still to be granted",
    "https://kubernetes.io/docs/concepts/security/rbac-good-practices/",
)
SNAPSHOT = Rule(
    "undelete-volume-snapshot",
    "a VolumeSnapshot that is made again is taken of the present data, not of that of then",
    "https://kubernetes.io/docs/concepts/storage/volume-snapshots/",
)
TOKEN = Rule(
    "undelete-token",
    "a token of a service account that comes back is another one, which its users have to be given",
    "https://kubernetes.io/docs/concepts/configuration/secret/#serviceaccount-token-secrets",
)
UNKNOWN = Rule(
    "undelete-unknown", "an object counts as missing only if the live cluster says that it is not there"
)
UNREAD = Rule("undelete-unread", "all that is asked for can be read in the snapshot")
VOLUME = Rule(
    "undelete-volume",
    "a volume comes back only if its storage is there, and is that of no other volume",
    f"{VOLUMES}#reclaiming",
)
WAS_LEAVING = Rule(
    "undelete-was-terminating", "an object that was being deleted in the snapshot may lack parts"
)
# As the API server says, before or while objects are made.
REFUSED = Rule("undelete-refused", "the API server takes an object that comes back", DRY_RUN)
UNTRIED = Rule("undelete-untried", "an object is tried before the first one is made", DRY_RUN)
ALTERED = Rule(
    "undelete-altered",
    "an object comes back with the fields that it had, and no others",
    "https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/",
)
TAKEN = Rule("undelete-taken", "a Service comes back with its addresses and node ports")
NOT_MADE = Rule("undelete-not-made", "all that was asked for comes back")
MANAGERS = Rule(
    "undelete-managers",
    "an object has the field managers that it had",
    "https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management",
)
UNFINISHED = Rule(
    "undelete-unfinished", "an owner that is made after what it owns is noted there in the end", GARBAGE
)
NOT_UNDONE = Rule("undelete-not-undone", "all that was made is taken back")
