"""Which object a key of etcd is: its kind, namespace and name. Pure.

The key of an object is PREFIX/PLACE/NAMESPACE/NAME, or PREFIX/PLACE/NAME where its kind has no namespaces.
PLACE is the resource, for custom resources GROUP/RESOURCE. A key does not say which of the two forms it has:
for Kubernetes' own kinds that is in the table below, for others in their definition.

Sources: kubernetes 1.36 and 1.37 test/integration/etcd/data.go (where each kind is stored),
pkg/kubeapiserver/default_storage_factory_builder.go (SpecialDefaultResourcePrefixes), the strategies in
pkg/registry (NamespaceScoped); of keys without a kind: pkg/registry/core/rest/storage_core.go (ranges),
pkg/controlplane/instance.go (masterleases), pkg/controlplane/apiserver/peer.go (peerserverleases), and
apiserver pkg/storage/etcd3/compact.go (compact_rev_key).
"""

from collections.abc import Callable, Iterator

from kubectl_admin.etcd.stored.facts import Kind, Object

PREFIX = "/registry"  # kube-apiserver's --etcd-prefix
DEFINITIONS = "apiextensions.k8s.io/customresourcedefinitions"
COMPACTION = b"compact_rev_key"  # not below the prefix
COMPACTED = Kind("CompactRevision", "", COMPACTION.decode(), namespaced=False, noisy=True)
LONG, SHOWN = 4096, 200  # bytes of a key that is no object's any more, and how many of it are shown
KEPT = 10_000  # directories, and definitions, that are remembered
LONG_DIRECTORY = 1024  # bytes; group, resource and namespace have 379 at most
LONG_DEFINITION = 253  # characters of a definition's name, as the API server takes it
LONG_NAMESPACE = 63  # and of a namespace

# Those that are stored elsewhere than under the name of their resource.
PLACES = {
    "controllers": "replicationcontrollers",
    "services/endpoints": "endpoints",
    "services/specs": "services",
    "minions": "nodes",
    "ingress": "ingresses",
    "apiregistration.k8s.io/apiservices": "apiservices",
    DEFINITIONS: "customresourcedefinitions",
}
NOISY = {"events", "leases", "leasecandidates", "masterleases", "peerserverleases"}
# By group: kinds in namespaces, and kinds without.
IN_NAMESPACES = {
    "": "Pod Secret ConfigMap ServiceAccount Service Endpoints PersistentVolumeClaim Event LimitRange"
    " ResourceQuota PodTemplate ReplicationController",
    "apps": "Deployment StatefulSet DaemonSet ReplicaSet ControllerRevision",
    "autoscaling": "HorizontalPodAutoscaler",
    "batch": "Job CronJob",
    "certificates.k8s.io": "PodCertificateRequest",
    "coordination.k8s.io": "Lease LeaseCandidate",
    "discovery.k8s.io": "EndpointSlice",
    "lifecycle.k8s.io": "Eviction EvictionRequest",
    "networking.k8s.io": "Ingress NetworkPolicy",
    "policy": "PodDisruptionBudget",
    "rbac.authorization.k8s.io": "Role RoleBinding",
    "resource.k8s.io": "ResourceClaim ResourceClaimTemplate",
    "scheduling.k8s.io": "Workload PodGroup CompositePodGroup",
    "storage.k8s.io": "CSIStorageCapacity",
}
WITHOUT = {
    "": "Node Namespace PersistentVolume",
    "admissionregistration.k8s.io": "ValidatingWebhookConfiguration MutatingWebhookConfiguration"
    " ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding MutatingAdmissionPolicy"
    " MutatingAdmissionPolicyBinding",
    "apiextensions.k8s.io": "CustomResourceDefinition",
    "apiregistration.k8s.io": "APIService",
    "certificates.k8s.io": "CertificateSigningRequest ClusterTrustBundle",
    "flowcontrol.apiserver.k8s.io": "FlowSchema PriorityLevelConfiguration",
    "internal.apiserver.k8s.io": "StorageVersion",
    "networking.k8s.io": "IngressClass IPAddress ServiceCIDR",
    "node.k8s.io": "RuntimeClass",
    "rbac.authorization.k8s.io": "ClusterRole ClusterRoleBinding",
    "resource.k8s.io": "ResourceSlice DeviceClass DeviceTaintRule ResourcePoolStatusRequest",
    "scheduling.k8s.io": "PriorityClass",
    "storage.k8s.io": "StorageClass VolumeAttachment VolumeAttributesClass CSINode CSIDriver",
    "storagemigration.k8s.io": "StorageVersionMigration",
}
# The API server's own records, which no request shows.
RECORDS = {
    "ranges": "RangeAllocation",
    "masterleases": "ApiServerLease",
    "peerserverleases": "ApiServerPeerLease",
}


def built_in() -> Iterator[Kind]:
    """Kubernetes' own kinds."""
    for table, namespaced in ((IN_NAMESPACES, True), (WITHOUT, False)):
        for group, names in table.items():
            for name in names.split():
                resource = plural(name.lower())
                yield Kind(name, group, resource, namespaced, noisy=resource in NOISY)
    for resource, name in RECORDS.items():
        yield Kind(name, "", resource, namespaced=False, noisy=resource in NOISY)


def plural(word: str) -> str:
    """The resource of a kind in lower case, as all of Kubernetes' own are named."""
    if word.endswith("endpoints"):
        return word
    if word.endswith("y"):
        return f"{word[:-1]}ies"
    return f"{word}es" if word.endswith("s") else f"{word}s"


def by_place() -> dict[str, Kind]:
    """Kubernetes' own kinds by the place below the prefix where they are stored."""
    elsewhere = {resource: place for place, resource in PLACES.items()}
    return {elsewhere.get(kind.resource, kind.resource): kind for kind in built_in()}


def root_of(prefix: str) -> str:
    """The prefix as the API server puts it before each key: «/registry/»."""
    inner = prefix.strip("/")
    return f"/{inner}/" if inner else "/"


class Kinds:
    """Tells objects by their keys.

    definition: gives the kind that the CustomResourceDefinition of a name («RESOURCE.GROUP») makes.
    """

    def __init__(self, prefix: str, definition: Callable[[str], Kind | None]) -> None:
        self._root = root_of(prefix)
        self._definition = definition
        self._own = by_place()
        self._known: dict[bytes, tuple[Kind, str] | None] = {}

    def object(self, key: bytes) -> Object:
        """The object that the key is; one without a kind where that can't be told."""
        if len(key) > LONG:
            start = key[:SHOWN].decode(errors="backslashreplace")
            return Object(None, "", "", f"{start}… ({len(key):,} bytes)")
        try:
            text = key.decode()
        except UnicodeDecodeError:
            return Object(None, "", "", key.decode(errors="backslashreplace"))
        if key == COMPACTION:
            return Object(COMPACTED, "", text, text)
        directory, _, _ = key.rpartition(b"/")
        if len(directory) > LONG_DIRECTORY:
            return Object(None, "", "", text)
        if directory not in self._known:
            if len(self._known) >= KEPT:
                self._known.clear()
            self._known[directory] = self._directory(directory.decode())
        found, name = self._known[directory], text[text.rfind("/") + 1 :]
        return Object(*found, name, text) if found and name else Object(None, "", "", text)

    def _directory(self, directory: str) -> tuple[Kind, str] | None:
        """Kind and namespace of all keys that are right below a part of the tree of keys."""
        if not directory.startswith(self._root):
            return None
        parts = directory[len(self._root) :].split("/")
        for length in (1, 2):
            if kind := self._kind(parts[:length]):
                match parts[length:]:
                    case [] if not kind.namespaced:
                        return kind, ""
                    case [namespace] if kind.namespaced and 0 < len(namespace) <= LONG_NAMESPACE:
                        return kind, namespace
        return None

    def _kind(self, place: list[str]) -> Kind | None:
        """The kind that is stored at a place."""
        if kind := self._own.get("/".join(place)):
            return kind
        match place:
            case [group, resource] if "." in group and resource:
                name = f"{resource}.{group}"
                return self._definition(name) if len(name) <= LONG_DEFINITION else None
        return None
