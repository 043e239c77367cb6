"""The judgement on nodes by their objects: conditions, leases, cordons, room. Pure.

The same fault of several nodes is one finding. A node whose kubelet or runtime can't be asked has a
finding of its own, which says how Ready it is.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from kubectl_admin.certificates.judge.alike import grouped
from kubectl_admin.drain.rules import NODE_NOT_READY
from kubectl_admin.finding import Finding, Severity
from kubectl_admin.health import rules
from kubectl_admin.health.components.ages import age_of_lease
from kubectl_admin.health.components.states import node_state
from kubectl_admin.health.components.verdict import State
from kubectl_admin.health.facts import Condition, Facts, Node
from kubectl_admin.report.text import some_of, span

PRESSURES = ("MemoryPressure", "DiskPressure", "PIDPressure")
# Conditions of a node at work, which are not problems. Source: kubernetes/api core/v1 types.go of 1.37,
# NodeConditionType.
LIFECYCLE = (
    "DrainInProgress",
    "Drained",
    "MaintenancePlanned",
    "MaintenanceInProgress",
    "GracefulNodeShutdownInProgress",
)
# Others write conditions as well. Most tell of a problem when they are True (node-problem-detector's do),
# some that all is well («NetworkingReady», «EtcdIsVoter»).
GOOD = ("Ready", "Healthy", "Available", "IsVoter", "Succeeded")

Found = tuple[Node, Condition]


def not_ready(facts: Facts) -> Iterator[Finding]:
    """Nodes that are not Ready; a warning where they are cordoned, and a note where they have just joined."""
    found = [
        (node, ready)
        for node in facts.nodes
        if (ready := node.condition("Ready") or Condition("Ready", "Unknown")).status != "True"
        and is_listed(node)
        and not is_out_of_reach(facts, node)
    ]

    def severity_of(node: Node) -> Severity:
        if is_joining(facts, node):
            return Severity.NOTE
        return Severity.WARNING if node.unschedulable else Severity.VIOLATION

    for (severity, _, _), alike in grouped(
        found, lambda pair: (severity_of(pair[0]), pair[1].status, pair[1].reason)
    ):
        node = alike[0][0].name
        yield NODE_NOT_READY.finding(
            severity,
            subject=subject(alike),
            evidence=told(alike),
            fix=f"kubectl describe node {node}; on the node: systemctl status kubelet",
            objects=objects(alike),
            since=since(alike),
        )


def flapping(facts: Facts) -> Iterator[Finding]:
    """Nodes that come and go while a watch looks on."""
    if facts.flaps is None:
        return
    changes = facts.flaps.ready
    found = [node for node in facts.nodes if changes.get(node.name, 0) > rules.READY_FLAPPING]
    if found:
        shown = [f"{changes[node.name]} times on {node.name}" for node in found]
        yield rules.NODE_FLAPPING.warning(
            subject=_named([node.name for node in found]),
            evidence=f"Ready changed {some_of(shown)}, in {span(facts.flaps.seconds)}",
            fix=f"kubectl describe node {found[0].name}; look at the log of its kubelet, and its network",
            objects=tuple(f"node/{node.name}" for node in found),
        )


def is_listed(node: Node) -> bool:
    """Whether its object was seen; without the right to that, pods alone tell that there is a node."""
    return node.created is not None or bool(node.conditions)


def pressure(facts: Facts) -> Iterator[Finding]:
    """Nodes that are short of something: they evict pods, and take no new ones."""
    found = [pair for pair in _conditions(facts) if pair[1].type in PRESSURES and pair[1].status == "True"]
    for _, alike in grouped(found, lambda pair: pair[1].type):
        yield rules.NODE_PRESSURE.warning(
            subject=subject(alike),
            evidence=told(alike),
            fix=f"kubectl describe node {alike[0][0].name}: it evicts pods until it has enough again",
            objects=objects(alike),
            since=since(alike),
        )


def conditions(facts: Facts) -> Iterator[Finding]:
    """Any other condition that tells of a problem; of work on a node it is a note."""
    found = [pair for pair in _conditions(facts) if is_problem(pair[1])]

    def severity_of(node: Node, condition: Condition) -> Severity:
        passing = condition.type in LIFECYCLE or is_joining(facts, node)
        return Severity.NOTE if passing else Severity.WARNING

    for (severity, _, _), alike in grouped(
        found, lambda pair: (severity_of(*pair), pair[1].type, pair[1].reason)
    ):
        at_work = alike[0][1].type in LIFECYCLE
        yield rules.NODE_CONDITION.finding(
            severity,
            subject=subject(alike),
            evidence=told(alike),
            fix="" if at_work else f"kubectl describe node {alike[0][0].name}",
            objects=objects(alike),
            since=since(alike),
        )


def leases(facts: Facts) -> Iterator[Finding]:
    """Ready nodes whose kubelet no longer renews its Lease: nobody has noticed that yet.

    The kubelet's own clock has written the time, so this is judged only where that clock was measured.
    """
    for node in facts.nodes:
        age = age_of_lease(facts, node) if node.clock else None
        if age is None or not age.is_above(rules.LEASE_OLD):
            continue
        ready = node.condition("Ready")
        if ready and ready.status == "True" and not is_out_of_reach(facts, node):
            yield rules.LEASE_OLD_RULE.warning(
                subject=f"node {node.name}",
                evidence=f"its Lease was renewed {span(age.seconds)} ago, and its condition is Ready still",
                fix="look whether its kubelet reaches an API server, and whether a controller-manager leads:"
                " it marks such a node after 50 s",
                objects=(f"node/{node.name}",),
                since=node.lease.renewed if node.lease else None,
            )


def cordoned(facts: Facts) -> Iterator[Finding]:
    """Nodes that take no new pods, since when, and who has cordoned them."""
    found = [node for node in facts.nodes if node.unschedulable]
    for by, alike in grouped(found, lambda node: node.by):
        names = [node.name for node in alike]
        yield rules.CORDONED.note(
            subject=_named(names),
            evidence=f"cordoned by {by}" if by else "cordoned; nothing says by whom",
            fix=f"kubectl admin uncordon {names[0]}, when the work on it is done",
            objects=tuple(f"node/{name}" for name in names),
            since=_earliest(node.cordoned for node in alike),
        )


def full(facts: Facts) -> Iterator[Finding]:
    """Nodes that run nearly as many pods as they may."""
    found = [
        node
        for node in facts.nodes
        if node.running and node.capacity and node.running > rules.NEARLY_FULL * node.capacity
    ]
    if found:
        shown = [f"{node.running} of {node.capacity} on {node.name}" for node in found]
        yield rules.TOO_MANY_PODS.note(
            subject=_named([node.name for node in found]),
            evidence=f"pods: {some_of(shown)}",
            fix="add nodes, or raise maxPods in the kubelet's configuration",
            objects=tuple(f"node/{node.name}" for node in found),
        )


def is_out_of_reach(facts: Facts, node: Node) -> bool:
    """Whether nothing of a node can be asked, which is a finding on its own."""
    behind = node_state(facts, node)
    return behind is not None and behind.state is not State.LEFT_OUT


def is_problem(condition: Condition) -> bool:
    """Whether a condition, which is none of the kubelet's own, tells of a problem, or of work on a node."""
    if condition.type in ("Ready", *PRESSURES):
        return False
    return condition.status == ("False" if condition.type.endswith(GOOD) else "True")


def is_joining(facts: Facts, node: Node) -> bool:
    """Whether a node was made so recently that its network need not be there yet."""
    return node.created is not None and (facts.now - node.created).total_seconds() < rules.JOINING


def told(alike: Sequence[Found]) -> str:
    """A condition in words: «Ready is False: KubeletNotReady: container runtime is down»."""
    condition = alike[0][1]
    text = ": ".join(part for part in (condition.reason, condition.message) if part)
    return f"{condition.type} is {condition.status}" + (f": {text}" if text else "")


def subject(alike: Sequence[Found]) -> str:
    """«node w1», «nodes w1, w2, w3 and 9 more»."""
    return _named([node.name for node, _ in alike])


def objects(alike: Sequence[Found]) -> tuple[str, ...]:
    """The nodes as findings name them."""
    return tuple(f"node/{node.name}" for node, _ in alike)


def since(alike: Sequence[Found]) -> datetime | None:
    """Since when the first of them has been so."""
    return _earliest(condition.since for _, condition in alike)


def _conditions(facts: Facts) -> Iterator[Found]:
    for node in facts.nodes:
        for condition in node.conditions:
            yield node, condition


def _named(names: Sequence[str]) -> str:
    return f"node {names[0]}" if len(names) == 1 else f"nodes {some_of(names)}"


def _earliest(times: Iterable[datetime | None]) -> datetime | None:
    return min((time for time in times if time), default=None)
