"""A record of a look, to be compared with a later one, and the difference of two. Pure.

Rates, ages and seconds are not kept: they differ from look to look, and mean nothing side by side.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from kubectl_admin.control_plane.component import Component
from kubectl_admin.finding import NOT_SEEN, Severity
from kubectl_admin.health import rules
from kubectl_admin.health.again.changes import Change, Kind
from kubectl_admin.health.components.leaders import node_of_holder
from kubectl_admin.health.components.verdict import BAD, State
from kubectl_admin.health.look import Look, Row, sorted_by_severity
from kubectl_admin.health.shown.ignore import Exemption

ANSWERED = (State.WELL, State.UNHEALTHY)
# The component by which a rule is judged, by how the rule's id begins; other rules are about any of them.
JUDGED: Mapping[str, Component] = {
    "kubelet-": Component.KUBELET,
    rules.PLEG_STUCK.id: Component.KUBELET,
    "kube-proxy-": Component.KUBE_PROXY,
    "etcd-": Component.ETCD,
    rules.SLOW_DISK.id: Component.ETCD,
    rules.SLOW_PEER.id: Component.ETCD,
    rules.PROPOSALS_FAIL.id: Component.ETCD,
    rules.APISERVER_UNHEALTHY.id: Component.APISERVER,
    rules.API_ERRORS.id: Component.APISERVER,
    "controller-manager-": Component.CONTROLLER_MANAGER,
    "scheduler-": Component.SCHEDULER,
}
Broken = tuple[str, str]  # the id of a rule, and an object that breaks it


@dataclass(frozen=True, slots=True)
class Part:
    """A component on a node.

    restarts: of its pod's containers; None without a pod. version: "" where it has not said, and of a
    kubelet, whose version its node has.
    """

    state: State
    restarts: int | None = None
    version: str = ""


@dataclass(frozen=True, slots=True)
class Machine:
    """A node. ready: None where that is not known. version: of its kubelet; "" where it is not known.

    parts: by component.
    """

    ready: bool | None
    cordoned: bool
    version: str
    parts: Mapping[str, Part] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Record:
    """A look in short.

    findings: all, also those that are set aside, a severity for each object. aside: by what those are, which
    is not kept in a file: whoever compares says anew what counts. budgets: the disruption budgets that are
    short, their healthy pods and those that they want. leaders: the node of each.
    """

    at: datetime
    context: str
    nodes: Mapping[str, Machine] = field(default_factory=dict)
    findings: Mapping[Broken, Severity] = field(default_factory=dict)
    budgets: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    leaders: Mapping[str, str] = field(default_factory=dict)
    aside: tuple[Exemption, ...] = ()


def record(look: Look) -> Record:
    """The look in short."""
    facts = look.facts
    return Record(
        facts.at,
        facts.context,
        {row.node.name: machine(row) for row in look.rows},
        broken(look),
        {
            f"{one.namespace}/{one.name}": (one.current, one.desired)
            for one in (facts.objects.budgets if facts.objects else ())
        },
        {name: node for name, lease in facts.leaders.items() if (node := node_of_holder(lease.holder))}
        | {str(component): node for component, node in look.leaders.items()},
        look.parted.exemptions,
    )


def broken(look: Look) -> dict[Broken, Severity]:
    """The worst severity by which each object breaks each rule, set aside or not."""
    found: dict[Broken, Severity] = {}
    for finding in sorted_by_severity([*look.findings, *look.parted.ignored]):
        for subject in finding.objects or (finding.subject,):
            found.setdefault((finding.rule, subject), finding.severity)
    return found


def machine(row: Row) -> Machine:
    """A node in short."""
    parts = {
        str(component): Part(
            verdict.state,
            row.restarts(component),
            "" if component is Component.KUBELET else row.version(component),
        )
        for component, verdict in row.verdicts.items()
        if verdict.state is not State.ABSENT
    }
    return Machine(row.is_ready, row.node.unschedulable, row.version(Component.KUBELET), parts)


def differences(before: Record, after: Record) -> list[Change]:
    """All that is another way than before: nodes, components, leaders, budgets, findings."""
    return [
        *of_nodes(before, after),
        *of_leaders(before, after),
        *of_budgets(before, after),
        *of_findings(before, after),
    ]


def of_nodes(before: Record, after: Record) -> Iterator[Change]:
    """Nodes that have come, gone or changed, and their components; of one that has come, only that."""
    for name in dict.fromkeys([*before.nodes, *after.nodes]):
        old, new, where = before.nodes.get(name), after.nodes.get(name), f"node/{name}"
        if old is None and is_listed(before):
            yield Change(Kind.NEW, "node", where)
        elif new is None:
            yield Change(Kind.GONE if is_listed(after) else Kind.UNSEEN, "node", where)
        elif old is not None and old != new:
            yield from of_machine(old, new, where)


def is_listed(seen: Record) -> bool:
    """Whether nodes were listed; else pods alone tell of some of them."""
    return any(one.ready is not None for one in seen.nodes.values())


def of_machine(old: Machine, new: Machine, where: str) -> Iterator[Change]:
    """Changes of a node."""
    if old.ready != new.ready:
        words = {True: "Ready", False: "NotReady", None: "unknown"}
        kind = {True: Kind.BETTER, False: Kind.WORSE, None: Kind.CHANGED}[new.ready]
        yield Change(kind, "node", where, words[old.ready], words[new.ready])
    if None not in (old.ready, new.ready) and old.cordoned != new.cordoned:
        words = {True: "cordoned", False: "schedulable"}
        yield Change(Kind.CHANGED, "node", where, words[old.cordoned], words[new.cordoned])
    if old.version and new.version and old.version != new.version:
        yield Change(Kind.CHANGED, "version of kubelet", where, old.version, new.version)
    for name in dict.fromkeys([*old.parts, *new.parts]):
        yield from of_part(name, old.parts.get(name), new.parts.get(name), where)


def of_part(name: str, old: Part | None, new: Part | None, where: str) -> Iterator[Change]:
    """Changes of a component; none where it was not asked in one of both looks."""
    if old is None or new is None:
        yield Change(Kind.NEW if old is None else Kind.GONE, name, where)
        return
    if State.LEFT_OUT in (old.state, new.state):
        return
    if old.state is not new.state:
        yield Change(kind_of(old.state, new.state), name, where, str(old.state), str(new.state))
    if old.version and new.version and old.version != new.version:
        yield Change(Kind.CHANGED, f"version of {name}", where, old.version, new.version)
    if old.restarts is not None and new.restarts is not None and new.restarts > old.restarts:
        yield Change(Kind.WORSE, f"restarts of {name}", where, str(old.restarts), str(new.restarts))


def kind_of(old: State, new: State) -> Kind:
    """Whether a component has become worse or better; neither, where one of both is not known."""
    if new is State.WELL:
        return Kind.BETTER
    return Kind.WORSE if new in BAD and old not in BAD else Kind.CHANGED


def of_leaders(before: Record, after: Record) -> Iterator[Change]:
    """Leaders that are others; where one of both is not known, nothing."""
    for name, node in after.leaders.items():
        if name in before.leaders and before.leaders[name] != node:
            yield Change(Kind.CHANGED, f"leader of {name}", "", before.leaders[name], node)


def of_budgets(before: Record, after: Record) -> Iterator[Change]:
    """Budgets that are short, and were less so. A finding tells that one has come or gone."""
    for name, (healthy, wanted) in after.budgets.items():
        if name in before.budgets and before.budgets[name] != (healthy, wanted):
            old = before.budgets[name]
            kind = Kind.WORSE if wanted - healthy > old[1] - old[0] else Kind.BETTER
            words = f"{old[0]} of {old[1]} healthy", f"{healthy} of {wanted} healthy"
            yield Change(kind, "budget", name, *words)


def of_findings(before: Record, after: Record) -> Iterator[Change]:
    """Findings that are new, worse, better or gone; none is gone that could not be seen this time.

    A finding that is set aside now is not a change.
    """
    old, new = (
        {broken: one for broken, one in seen.findings.items() if not is_aside(after, broken)}
        for seen in (before, after)
    )
    order = list(Severity)
    for (rule, subject), severity in new.items():
        earlier = old.get((rule, subject))
        if earlier is None:
            yield Change(Kind.NEW, f"{severity} {rule}", subject, severity=severity)
        elif earlier is not severity:
            worse = order.index(severity) < order.index(earlier)
            kind = Kind.WORSE if worse else Kind.BETTER
            yield Change(kind, rule, subject, str(earlier), str(severity), severity=severity)
    for (rule, subject), severity in old.items():
        if (rule, subject) not in new:
            kind = Kind.UNSEEN if is_hidden(rule, subject, before, after) else Kind.GONE
            yield Change(kind, f"{severity} {rule}", subject, severity=severity)


def is_aside(seen: Record, broken: Broken) -> bool:
    """Whether a finding is set aside for one object."""
    return any(one.covers(*broken) for one in seen.aside)


def is_hidden(rule: str, subject: str, before: Record, after: Record) -> bool:
    """Whether an object could not be seen as well as before, so that nobody knows whether it is well now.

    Of a rule about one component that one counts, of another rule every component of the node.
    """
    if subject.startswith("node/"):
        name = subject.removeprefix("node/")
        unseen = hidden(after, name) - hidden(before, name)
        judged = next((str(one) for start, one in JUDGED.items() if rule.startswith(start)), None)
        return name in after.nodes and (judged in unseen if judged else bool(unseen))
    return bool(gaps(after) - gaps(before))


def hidden(seen: Record, name: str) -> set[str]:
    """The components of a node that have not answered, so that their metrics were not seen."""
    node = seen.nodes.get(name)
    return {part for part, one in node.parts.items() if one.state not in ANSWERED} if node else set()


def gaps(seen: Record) -> set[str]:
    """All that was not seen."""
    return {subject for rule, subject in seen.findings if rule == NOT_SEEN.id}
