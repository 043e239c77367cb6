"""A cluster by its listings, and the questions to its components by them. Pure.

A listing that has failed is a gap, and costs all that depends on it: an unknown thing lacks nothing.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from kubectl_admin.cluster.access import Right
from kubectl_admin.cluster.decode import mapping
from kubectl_admin.cluster.errors import Forbidden, NotFound
from kubectl_admin.cluster.objects import Object
from kubectl_admin.cluster.paths import KUBE_SYSTEM
from kubectl_admin.control_plane import static_pods
from kubectl_admin.control_plane.component import Component
from kubectl_admin.control_plane.pod import PARTS, flags_of
from kubectl_admin.control_plane.static_pods import ControlPlaneNode, component_of, node_of
from kubectl_admin.errors import AdminError
from kubectl_admin.finding import Gap
from kubectl_admin.health.asking import questions
from kubectl_admin.health.asking.nodes import wants_proxy
from kubectl_admin.health.asking.objects import gap_of
from kubectl_admin.health.asking.pods import pod_of
from kubectl_admin.health.asking.questions import KubeProxyConfig, Plan
from kubectl_admin.health.facts import Lease, Node, Pod, Process

NODES = Right("list", "nodes")
PODS = Right("list", "pods", KUBE_SYSTEM)
CONFIG_MAPS = Right("get", "configmaps", KUBE_SYSTEM)
DAEMON_SETS = Right("list", "daemonsets", KUBE_SYSTEM, "apps")
NODE_LEASES = Right("list", "leases", "kube-node-lease", "coordination.k8s.io")
LEASES = Right("list", "leases", KUBE_SYSTEM, "coordination.k8s.io")
SERVICES = Right("get", "services", "default")
RIGHTS = (NODES, PODS, CONFIG_MAPS, DAEMON_SETS, NODE_LEASES, LEASES, SERVICES)
LEADERS = (Component.CONTROLLER_MANAGER.value, Component.SCHEDULER.value)
DNS = "kube-dns"  # the label of CoreDNS' pods, too
CONFIGURED = ("kube-proxy", "kubelet-config")  # ConfigMaps

Result = TypeVar("Result")
Listing = tuple[Object, Node]  # a node's object, as far as it is needed later, and its facts


@dataclass(slots=True)
class Listed:
    """Facts by the listings. plans, ways: by node.

    pods: of kube-system; None where they can't be listed. service: the ClusterIPs of default/kubernetes.
    domain: of the cluster's names; "" where nothing says it. proxy_mode: as of a KubeProxyConfig.
    """

    nodes: tuple[Node, ...] = ()
    plans: Mapping[str, list[Plan]] = field(default_factory=dict)
    ways: Mapping[str, list[str]] = field(default_factory=dict)
    has: frozenset[Component] = frozenset({Component.KUBELET})
    pods: tuple[Pod, ...] | None = None
    leaders: Mapping[str, Lease] = field(default_factory=dict)
    domain: str = ""
    proxy_mode: str | None = None
    service: tuple[str, ...] = ()
    gaps: tuple[Gap, ...] = ()

    @property
    def resolvers(self) -> list[Pod]:
        """The pods of the cluster's DNS that run."""
        return [pod for pod in self.pods or () if pod.labels.get("k8s-app") == DNS and not pod.is_over]


@dataclass(slots=True)
class SystemPods:
    """The pods of kube-system; of those that are asked, the facts to ask them by."""

    pods: list[Pod] = field(default_factory=list)
    static: list[Object] = field(default_factory=list)
    proxies: dict[str, tuple[Pod, Mapping[str, str]]] = field(default_factory=dict)

    @classmethod
    def of(cls, items: Iterable[Object]) -> "SystemPods":
        """All pods of kube-system, out of their objects."""
        found = cls()
        for item in items:
            pod = pod_of(item)
            found.pods.append(pod)
            if component_of(item) in PARTS:
                found.static.append(item)
            elif questions.is_kube_proxy(pod) and pod.node and not pod.is_over:
                before = found.proxies.get(pod.node)
                # While one is replaced there are two.
                if before is None or (before[0].deleted and not pod.deleted):
                    found.proxies[pod.node] = pod, flags_of(item, Component.KUBE_PROXY)
        return found


def put_together(answers: Mapping[Right | str, Any], *, certificate: bool) -> Listed:
    """The listings as one. certificate: whether the user has a client certificate. Pure."""
    told = Told(answers)
    static, items = genuine(told)
    has = components_of(told, static, items)
    config = told.read("kube-proxy", questions.kube_proxy_config, "where kube-proxies serve")
    domain = told.read("kubelet-config", questions.cluster_domain, "the domain of the cluster's names")
    system, planning = told.system, Planning(told, has, config or KubeProxyConfig.of({}), certificate)
    by_place = {(node_of(pod), component_of(pod)): pod for pod in static}
    of_nodes, leaders = told.answer(NODE_LEASES, {}), told.answer(LEASES, {})
    service = mapping(mapping(told.answer(SERVICES, {})).get("spec"))
    addresses = service.get("clusterIPs") or [service.get("clusterIP")]
    return Listed(
        nodes=tuple(replace(node, lease=of_nodes.get(node.name)) for _, node in items),
        plans={node.name: list(planning.of(item, node, by_place)) for item, node in items},
        ways=questions.ways(system.pods),
        has=has,
        pods=None if told.is_blind else tuple(system.pods),
        leaders={name: leaders[name] for name in LEADERS if name in leaders},
        domain=domain or "",
        proxy_mode=config.mode if config else None,
        service=tuple(str(one) for one in addresses if one),
        gaps=tuple(dict.fromkeys(told.gaps)),
    )


class Told:
    """The listings' answers, and the gaps where they have none."""

    def __init__(self, answers: Mapping[Right | str, Any]) -> None:
        self._answers = answers
        self.is_blind = isinstance(answers[PODS], AdminError)  # whether no pods are known
        self.system: SystemPods = self.answer(PODS, SystemPods())
        self.gaps = [
            gap_of(CONFIG_MAPS if what in CONFIGURED and isinstance(one, Forbidden) else what, one)
            for what, one in answers.items()
            if isinstance(one, AdminError) and not isinstance(one, NotFound)
        ]

    def answer(self, what: Right | str, otherwise: Any) -> Any:
        """An answer; `otherwise` where there is none."""
        return otherwise if isinstance(self._answers[what], AdminError) else self._answers[what]

    def read(self, what: str, reading: Callable[[Object], Result], meaning: str) -> Result | None:
        """A ConfigMap, read; None where there is none, or it can't be read, which is a gap."""
        try:
            return reading(self.answer(what, {}))
        except AdminError as error:
            self.gaps.append(Gap(meaning, error.what))
            return None


def genuine(told: Told) -> tuple[list[Object], list[Listing]]:
    """The static pods of the control plane, and the nodes. Pods that only look so are gaps.

    Where nodes can't be listed, they are those of pods, and a mirror pod is taken for what it says.
    """
    items: list[Listing] | None = told.answer(NODES, None)
    if items is not None:
        nodes = [ControlPlaneNode.of(item) for item, node in items if node.is_control_plane]
        found = static_pods.among(told.system.static, nodes)
        told.gaps += static_pods.gaps(found.impostors)
        return list(found.pods), items
    static = [
        pod
        for pod in told.system.static
        if (pod["metadata"].get("annotations") or {}).get(static_pods.MIRROR)
    ]
    control_planes = {node_of(pod) for pod in static}
    names = dict.fromkeys(pod.node for pod in told.system.pods if pod.node)
    return static, [({"metadata": {"name": name}}, Node(name, name in control_planes)) for name in names]


def components_of(told: Told, static: list[Object], items: list[Listing]) -> frozenset[Component]:
    """The components that the cluster has; an unknown one is taken to be there."""
    has = {Component.KUBELET}
    if any(node.is_control_plane for _, node in items):
        has |= {Component.APISERVER, Component.CONTROLLER_MANAGER, Component.SCHEDULER}
        if told.is_blind or any(component_of(pod) == Component.ETCD for pod in static):
            has.add(Component.ETCD)
    daemon_sets = told.answer(DAEMON_SETS, None)
    if told.system.proxies or daemon_sets or (daemon_sets is None and told.is_blind):
        has.add(Component.KUBE_PROXY)
    return frozenset(has)


@dataclass(frozen=True, slots=True)
class Planning:
    """The questions to nodes. certificate: whether the user has a client certificate."""

    told: Told
    has: frozenset[Component]
    config: KubeProxyConfig
    certificate: bool

    def of(self, item: Object, node: Node, static: Mapping[tuple[str, str], Object]) -> Iterator[Plan]:
        """The plans of a node. static: the pods of the control plane, by node and component."""
        known = not self.told.is_blind
        for part in PARTS if node.is_control_plane else ():
            pod = static.get((node.name, part))
            if pod is not None:
                yield questions.static_pod(pod, Component(part), certificate=self.certificate)
            elif known and part in self.has:
                yield Plan(Process(Component(part), node.name))
        yield questions.kubelet(item, certificate=self.certificate)
        if node.name in self.told.system.proxies:
            yield questions.kube_proxy(*self.told.system.proxies[node.name], self.config)
        elif known and wants_proxy(self.told.answer(DAEMON_SETS, None), item):
            yield Plan(Process(Component.KUBE_PROXY, node.name))
