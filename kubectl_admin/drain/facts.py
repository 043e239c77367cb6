"""Facts of a node that is to be emptied, as plain data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from kubectl_admin.drain.labels import Requirement, Selector
from kubectl_admin.finding import Gap

Name = tuple[str, str]  # namespace and name
Resources = Mapping[str, float]  # cores, bytes, pieces, by the resource's name

SYSTEM_CRITICAL = 2_000_000_000  # priority of system-cluster-critical (kubernetes pkg/apis/scheduling)


@dataclass(frozen=True, slots=True)
class Owner:
    """The controller of a pod, as the pod names it."""

    kind: str
    name: str
    uid: str
    api_version: str = "apps/v1"

    @property
    def daemonset(self) -> bool:
        """Whether it is a DaemonSet, as kubectl drain tells one."""
        return (self.kind, self.api_version) == ("DaemonSet", "apps/v1")


@dataclass(frozen=True, slots=True)
class Taint:
    """A taint of a node."""

    key: str
    value: str
    effect: str

    def __str__(self) -> str:
        value = f"={self.value}" if self.value else ""
        return f"{self.key}{value}:{self.effect}"


@dataclass(frozen=True, slots=True)
class Toleration:
    """A toleration of a pod. key "" is every key (with Exists), effect "" every effect."""

    key: str
    operator: str
    value: str
    effect: str

    def covers(self, taint: Taint) -> bool:
        """Whether the pod may be where this taint is.

        Source: k8s.io/api core/v1 toleration.go, ToleratesTaint.
        """
        if self.effect and self.effect != taint.effect:
            return False
        if self.key and self.key != taint.key:
            return False
        return self.operator == "Exists" or (bool(self.key) and self.value == taint.value)


@dataclass(frozen=True, slots=True)
class AntiAffinity:
    """A required anti-affinity: no such pod within the same topology (a node, a zone).

    namespaces: where such pods are looked for.
    """

    selector: Selector
    topology: str
    namespaces: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Demands:
    """A pod's demands on the node that it is to run on.

    affinity: alternatives of which one must hold, each with requirements on labels and on the node's name;
        None where any node will do.
    requests: its containers' requests together, a piece of «pods» among them.
    """

    node_selector: tuple[Requirement, ...] = ()
    affinity: tuple[tuple[Requirement, ...], ...] | None = None
    tolerations: tuple[Toleration, ...] = ()
    requests: Resources = field(default_factory=dict)
    anti_affinity: tuple[AntiAffinity, ...] = ()


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod on the node.

    deleted: its DeletionTimestamp: when its grace ends; None while nobody has deleted it.
    mirror: whether it stands for a static pod. empty_dirs: its volumes of that kind.
    claims: the PersistentVolumeClaims that it uses. grace: seconds that it is given to end.
    finalizers: who must let it go.
    """

    namespace: str
    name: str
    uid: str
    node: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    phase: str = "Running"
    ready: bool = True
    controller: Owner | None = None
    mirror: bool = False
    empty_dirs: tuple[str, ...] = ()
    claims: tuple[str, ...] = ()
    deleted: datetime | None = None
    priority: int = 0
    grace: int = 30
    finalizers: tuple[str, ...] = ()
    demands: Demands = Demands()

    @property
    def key(self) -> Name:
        """Namespace and name."""
        return self.namespace, self.name

    @property
    def finished(self) -> bool:
        """Whether it has run to its end, well or badly."""
        return self.phase in ("Succeeded", "Failed")

    @property
    def guarded(self) -> bool:
        """Whether an eviction of it asks the disruption budgets at all.

        Source: kubernetes pkg/registry/core/pod/storage/eviction.go, canIgnorePDB.
        """
        return self.phase not in ("Succeeded", "Failed", "Pending") and self.deleted is None

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class Budget:
    """A PodDisruptionBudget with its numbers.

    selector: None selects nothing. allowed, current, desired, expected: disruptionsAllowed, currentHealthy,
    desiredHealthy, expectedPods. wants: its demand («minAvailable 2»). stale: whether the numbers are of
    an older version of it. failure: why the controller can't work it out; "" where it can.
    always_unhealthy: whether pods that are not ready may always go.
    """

    namespace: str
    name: str
    selector: Selector | None
    wants: str = ""
    allowed: int = 0
    current: int = 0
    desired: int = 0
    expected: int = 0
    stale: bool = False
    failure: str = ""
    always_unhealthy: bool = False

    @property
    def key(self) -> Name:
        """Namespace and name."""
        return self.namespace, self.name

    def covers(self, pod: Pod) -> bool:
        """Whether this pod is one of those that it counts."""
        if self.selector is None or self.namespace != pod.namespace:
            return False
        return self.selector.selects(pod.labels)

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class Node:
    """A node, by the facts that decide which pods it may take.

    ready: whether it was as of the listing. allocatable: the most that its pods may ask for together.
    """

    name: str
    uid: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[Taint, ...] = ()
    unschedulable: bool = False
    ready: bool = True
    allocatable: Resources = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Claim:
    """A PersistentVolumeClaim that is bound.

    affinity: on which nodes its volume can be used: alternatives, as in Demands; None for all nodes.
    """

    volume: str
    affinity: tuple[tuple[Requirement, ...], ...] | None = None


@dataclass(frozen=True, slots=True)
class Scale:
    """How many pods a controller wants and how many of them are ready."""

    desired: int
    ready: int


@dataclass(frozen=True, slots=True)
class Member:
    """A pod that is part of a database or another cluster with a leader.

    operator, cluster: which table entry knows it, and what the cluster is called there (namespace/name).
    leads: whether it is the primary.
    """

    operator: str
    cluster: str
    pod: Name
    node: str
    leads: bool
    ready: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is known before a drain.

    drained_since: when a drain before has cordoned the node, by that one's clock; "" where none has.
    others: the other nodes, None where they can't be seen.
    neighbours: the pods on them, None where they were not listed (a large cluster).
    daemonsets: those that exist. claims, scales: by namespace and name, and by the controller's UID.
    members: of every cluster with a leader of which a pod is on this node, wherever they are.
    """

    context: str
    node: Node
    pods: tuple[Pod, ...]
    drained_since: str = ""
    budgets: tuple[Budget, ...] = ()
    others: tuple[Node, ...] | None = ()
    neighbours: tuple[Pod, ...] | None = None
    daemonsets: frozenset[Name] = frozenset()
    claims: Mapping[Name, Claim] = field(default_factory=dict)
    scales: Mapping[str, Scale] = field(default_factory=dict)
    members: tuple[Member, ...] = ()
    gaps: tuple[Gap, ...] = ()
