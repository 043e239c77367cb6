"""The facts on a cluster's health at one moment, as plain data: the questions and their answers.

Times are aware; seconds and bytes are numbers. Nothing here is a judgement: silence is a NoReply with its
reason, and never a component that is down.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from ipaddress import ip_address
from typing import TYPE_CHECKING

from kubectl_admin.control_plane.component import Component
from kubectl_admin.finding import Finding, Gap

if TYPE_CHECKING:
    from kubectl_admin.health.flaps import Flaps
    from kubectl_admin.health.object_facts import Objects

KUBELET_PING = 10248  # the kubelet's healthz port: no check stands behind its answer


class Why(StrEnum):
    """Why a question has no answer."""

    REFUSED = "refused"  # the node has forwarded it, and nothing listens at that port of its loopback
    SILENT = "silent"  # a connection came about, and nothing was answered in time
    GARBLED = "garbled"  # the bytes are not an answer: not HTTP, not TLS, cut off
    FORBIDDEN = "forbidden"  # the API server or the component refuses this user
    SERVER = "server"  # no API server has taken the request at the address that is spoken to
    NODE = "node"  # the API server can't reach the node's kubelet
    FORWARD = "forward"  # the kubelet answers the API server, and can't or does not forward ports
    NO_WAY = "no way"  # no running pod in the node's network leads there
    ELSEWHERE = "elsewhere"  # it is bound to an address that no forwarded port leads to
    LATE = "late"  # its turn did not come before the time limit of the whole
    LEFT_OUT = "left out"  # this node is not in the sample that was asked


@dataclass(frozen=True, slots=True)
class NoReply:
    """No answer. said: the words of whoever refused or failed. permission: the one that is missing."""

    why: Why
    said: str = ""
    permission: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer. text: of its body, cut to a few thousand characters.

    seconds: from sending the request to the end of the answer. date: of the answer's Date header.
    """

    status: int
    text: str
    seconds: float
    date: datetime | None = None

    @property
    def is_fine(self) -> bool:
        """Whether it is 200."""
        return self.status == 200


@dataclass(frozen=True, slots=True)
class Sample:
    """One series of a metric, its labels unescaped."""

    labels: Mapping[str, str]
    value: float


Metrics = Mapping[str, tuple[Sample, ...]]  # those that are judged, by their names


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a component serves, by the probes and flags of its own pod, or its configuration.

    host: that it is bound to as written: "" for every address, «127.0.0.1», «10.0.0.11».
    """

    host: str
    port: int
    scheme: str  # http, https

    @property
    def is_on_loopback(self) -> bool:
        """Whether a connection to the node's loopback reaches it."""
        if self.host in ("", "localhost"):
            return True
        try:
            address = ip_address(self.host.strip("[]"))
        except ValueError:
            return False
        return address.is_loopback or address.is_unspecified


@dataclass(frozen=True, slots=True)
class Container:
    """The kubelet's word on a container: of a pod's main program.

    waiting: the reason why it does not run («CrashLoopBackOff»); "" where it runs or has ended.
    started: of the running process. exit_code, reason, finished: of the process before it.
    """

    name: str
    ready: bool
    restarts: int
    waiting: str = ""
    started: datetime | None = None
    exit_code: int | None = None
    reason: str = ""
    finished: datetime | None = None


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod as its object shows it.

    owner: the kind of its controller («DaemonSet», «Node»), "" for none; owner_name: the controller's name.
    ready: its condition Ready; None where there is none yet. since: when that last changed.
    message: why it is not scheduled or not ready, by its conditions. ports: for TCP, by their names.
    """

    namespace: str
    name: str
    node: str
    phase: str
    ready: bool | None
    since: datetime | None = None
    created: datetime | None = None
    deleted: datetime | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    host_network: bool = False
    ip: str = ""
    priority_class: str = ""
    owner: str = ""
    restart_policy: str = "Always"
    containers: tuple[Container, ...] = ()
    message: str = ""
    owner_name: str = ""
    ports: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_over(self) -> bool:
        """Whether it has done its work, and nothing runs in it any more."""
        return self.phase in ("Succeeded", "Failed")


@dataclass(frozen=True, slots=True)
class Process:
    """One component on one node, with all that it was asked.

    expected: whether the cluster wants it there: a control-plane node's static pod, a DaemonSet's pod.
    pod: None where there is none (a kubelet has none; of a mirror pod it means that it is missing).
    endpoint: None where it is not known; of a kubelet that could only be pinged, that at KUBELET_PING.
    replies: by path as asked («/readyz», «/readyz/etcd»). metrics: None where they were not asked for.
    certificate: that its endpoint has shown, in DER; None where it speaks no TLS, or was not asked.
    """

    component: Component
    node: str
    expected: bool = True
    pod: Pod | None = None
    endpoint: Endpoint | None = None
    flags: Mapping[str, str] = field(default_factory=dict)
    replies: Mapping[str, Reply | NoReply] = field(default_factory=dict)
    metrics: Metrics | NoReply | None = None
    earlier: Metrics | None = None  # of a look `Facts.window` seconds before
    certificate: bytes | None = None


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition of a node, or of another object. status: True, False, Unknown."""

    type: str
    status: str
    reason: str = ""
    message: str = ""
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Lease:
    """A Lease. renewed: by the clock of its holder. duration: seconds. transitions: changes of its holder.

    read: when it was read, by this machine's clock; None for about the time of `Facts.at`.
    """

    name: str
    holder: str
    renewed: datetime | None
    duration: float | None = None
    transitions: int = 0
    acquired: datetime | None = None
    strategy: str = ""
    preferred: str = ""
    read: datetime | None = None


@dataclass(frozen=True, slots=True)
class Clock:
    """A node's clock. offset: seconds that it is ahead of this machine's; error: how far that may be off."""

    offset: float
    error: float


@dataclass(frozen=True, slots=True)
class Node:
    """A node, and its answers.

    way: the pod through which its ports were reached («NAMESPACE/NAME» outside of kube-system), or why none.
    host: the debug pod by which it was asked, in that form, or why there is none; "" where none was wanted.
    lease: of kube-node-lease; None for none. cordoned: since when, if known. by: who did it, by an annotation
    of this program. created: when its object was. running, capacity: pods that run there, and that may.
    """

    name: str
    is_control_plane: bool
    conditions: tuple[Condition, ...] = ()
    unschedulable: bool = False
    cordoned: datetime | None = None
    by: str = ""
    kubelet: str = ""  # its version, «v1.36.3»
    address: str = ""
    lease: Lease | None = None
    way: str | NoReply = ""
    host: str | NoReply = ""
    processes: tuple[Process, ...] = ()
    clock: Clock | None = None
    running: int | None = None
    capacity: int | None = None
    created: datetime | None = None

    def process(self, component: Component) -> Process | None:
        """The component here; None where the cluster does not have it here."""
        return next((one for one in self.processes if one.component is component), None)

    def condition(self, kind: str) -> Condition | None:
        """The condition of this type; None where the node does not have it."""
        return next((one for one in self.conditions if one.type == kind), None)


@dataclass(frozen=True, slots=True)
class Resolver:
    """A CoreDNS pod, and its answer to a question over TCP for the Service kubernetes.

    answer: the addresses of its answer. expected: the Service's ClusterIPs.
    """

    pod: Pod
    question: str
    answer: tuple[str, ...] | NoReply
    expected: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Balancer:
    """An address that should lead to API servers, asked for /readyz as any user of it would."""

    server: str
    reply: Reply | NoReply


@dataclass(frozen=True, slots=True, eq=False)
class Facts:
    """Everything that was seen. No two are compared: facts derived from one are found again by its identity.

    at: this machine's clock when it began; took: seconds of the whole. server_time: the API server's clock at
    the same moment; None where it has not said. sampled: how many nodes were asked where not all were, else
    None. window: seconds between `earlier` metrics and the later; None for one look. balancer: the address
    that was spoken to; bypassed: the kubeconfig's, where --server leads past it. leaders: Leases of
    kube-controller-manager and kube-scheduler, by their names. earlier_leaders: the same of the look `window`
    seconds before. flaps: changes that a watch has seen. has: components that this cluster has; others are
    «-» in every row. found: findings of other rooms' judges (etcd's members, certificates). gaps: all that
    could not be looked at.
    """

    context: str
    server: str
    at: datetime
    took: float
    nodes: tuple[Node, ...]
    has: frozenset[Component]
    balancer: Balancer | None = None
    leaders: Mapping[str, Lease] = field(default_factory=dict)
    resolvers: tuple[Resolver, ...] = ()
    objects: "Objects | None" = None
    sampled: int | None = None
    window: float | None = None
    found: tuple[Finding, ...] = ()
    gaps: tuple[Gap, ...] = ()
    server_time: datetime | None = None
    earlier_leaders: Mapping[str, Lease] = field(default_factory=dict)
    flaps: "Flaps | None" = None
    bypassed: Balancer | None = None

    @property
    def now(self) -> datetime:
        """The moment by the clock that wrote the times in objects: an operator's own may be off."""
        return self.server_time or self.at

    def node(self, name: str) -> Node | None:
        """The node of that name."""
        return next((one for one in self.nodes if one.name == name), None)
