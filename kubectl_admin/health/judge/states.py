"""Findings by the states of components: on bad ones, and on those that were not seen. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from kubectl_admin.certificates.rules import KUBELET_DOWN
from kubectl_admin.control_plane.component import Component
from kubectl_admin.finding import NOT_SEEN, Finding, Severity
from kubectl_admin.health import rules
from kubectl_admin.health.asking.questions import ip_of
from kubectl_admin.health.components.containers import has_crashed, main_container, told
from kubectl_admin.health.components.states import node_state, verdict, verdict_of
from kubectl_admin.health.components.verdict import State, Verdict
from kubectl_admin.health.facts import Facts, Node, NoReply, Process, Why
from kubectl_admin.report.text import some_of

KUBELET_LOG = "on the node: systemctl status kubelet; journalctl -u kubelet -n 50"
BY_NODE = {
    State.NODE: (
        rules.NODE_UNREACHABLE,
        "look whether the machine runs, then at its network, then at its kubelet",
    ),
    State.KUBELET: (KUBELET_DOWN, KUBELET_LOG),
    State.UNREACHED: (KUBELET_DOWN, "look at what is between the API servers and port 10250 of the node"),
    State.RUNTIME: (
        rules.RUNTIME_HANGS,
        "on the node: crictl ps; where it hangs, restart the container runtime",
    ),
}
BY_HOST = "--host asks it through a debug pod on its node"
LOAD = "look at the load of its node and its disk; if it stays so, restart it"
OWN_RULES = {
    State.MISSING: rules.COMPONENT_MISSING,
    State.CLOSED: rules.PORT_CLOSED,
    State.HANGING: rules.COMPONENT_HANGS,
}
# Their answers are judged by rules of their own, with advice by check.
JUDGED_BY_ANSWER = (
    Component.APISERVER,
    Component.ETCD,
    Component.KUBELET,
    Component.KUBE_PROXY,
    Component.CONTROLLER_MANAGER,
    Component.SCHEDULER,
)


@dataclass(frozen=True, slots=True)
class Standing:
    """A component on a node, and its state."""

    node: Node
    process: Process
    verdict: Verdict

    @property
    def objects(self) -> tuple[str, ...]:
        """Its node, as findings name it."""
        return (f"node/{self.node.name}",)

    @property
    def unready_since(self) -> datetime | None:
        """Since when its kubelet says that it is not Ready; None where it does not."""
        pod = self.process.pod
        return pod.since if pod and pod.ready is False else None

    @property
    def subject(self) -> str:
        """«etcd on node cp-1»."""
        return f"{self.process.component} on node {self.node.name}"


def standings(facts: Facts, component: Component | None = None) -> Iterator[Standing]:
    """Every component on every node, or one of them, with its state."""
    return (one for one in all_standings(facts) if component is None or one.process.component is component)


@lru_cache(maxsize=1)  # many checks go through them, of thousands of nodes
def all_standings(facts: Facts) -> tuple[Standing, ...]:
    """Every component on every node with its state."""
    return tuple(
        Standing(node, process, verdict(facts, node, process))
        for node in facts.nodes
        for process in node.processes
    )


def is_told(facts: Facts, node: str, component: Component) -> bool:
    """Whether a finding tells of the component on the node of that name, or of what it is behind."""
    found = facts.node(node)
    return found is not None and verdict_of(facts, found, component).is_told


def nodes(facts: Facts) -> Iterator[Finding]:
    """Nodes of which nothing can be asked: one finding, whatever is on them."""
    for node in facts.nodes:
        found = node_state(facts, node)
        if found is None:
            continue
        rule, fix = BY_NODE.get(found.state, (None, ""))
        if rule:
            down = found.state is State.KUBELET
            # One that hangs and one that can't ask an API server whom it may let in look alike.
            silent = down and isinstance(node.way, NoReply) and node.way.why is Why.SILENT
            how = "gives no sign of life" if silent else "is down" if down else "is out of reach"
            of_kubelet = f"kubelet on node {node.name} {how}"
            follows = "its components are not known to be up or down"
            yield rule.violation(
                subject=of_kubelet if rule is KUBELET_DOWN else f"node {node.name}",
                evidence=f"{found.evidence}; {'its pods may still run' if down else follows}",
                fix=f"{fix}; see that it reaches an API server" if silent else fix,
                objects=(f"node/{node.name}",),
                since=node.lease.renewed if down and node.lease else _since(node),
            )


def components(facts: Facts) -> Iterator[Finding]:
    """Components that are missing, hang, or do not listen."""
    for one in standings(facts):
        rule = OWN_RULES.get(one.verdict.state)
        if one.verdict.state is State.UNHEALTHY and one.process.component not in JUDGED_BY_ANSWER:
            rule = rules.COMPONENT_UNHEALTHY
        if rule and not _waits(facts, one):
            yield rule.violation(
                subject=one.subject,
                evidence=one.verdict.evidence,
                fix=_advice(one),
                objects=one.objects,
                since=one.unready_since,
            )


def _waits(facts: Facts, one: Standing) -> bool:
    """Whether a kubelet that hangs asks an API server on its node that is not well whom it may let in."""
    hangs = one.process.component is Component.KUBELET and one.verdict.state is State.HANGING
    return hangs and is_told(facts, one.node.name, Component.APISERVER)


def crashes(facts: Facts) -> Iterator[Finding]:
    """Components whose processes end, and those that are well again after that."""
    for one in standings(facts):
        container = main_container(one.process)
        crashed = container and has_crashed(facts, one.node.name, container)
        if one.verdict.state is State.CRASHING:
            severity, evidence = Severity.VIOLATION, one.verdict.evidence
        elif one.verdict.is_well and container and crashed:
            severity = Severity.WARNING
            evidence = f"it runs again: {told(facts, one.node.name, container)}"
        else:
            continue
        yield rules.COMPONENT_CRASHING.finding(
            severity,
            subject=one.subject,
            evidence=evidence,
            fix=_advice(one),
            objects=one.objects,
            since=container.finished if container else None,
        )


def contradictions(facts: Facts) -> Iterator[Finding]:
    """Components that answer, and that their kubelet takes for not Ready.

    On a node that is not Ready a controller has said so of all its pods, and not their kubelet.
    """
    for one in standings(facts):
        pod, ready = one.process.pod, one.node.condition("Ready")
        if ready is None or ready.status != "True" or node_state(facts, one.node):
            continue
        if not one.verdict.is_well or pod is None or pod.ready is not False or pod.deleted:
            continue
        if pod.since and (facts.now - pod.since).total_seconds() >= rules.VERDICT_GRACE:
            message = f": {pod.message}" if pod.message else ""
            yield rules.VERDICTS_DIFFER.warning(
                subject=one.subject,
                evidence=f"it answers that it is well, and the kubelet says that it is not Ready{message}",
                fix=f"kubectl -n {pod.namespace} describe pod {pod.name}",
                objects=one.objects,
                since=pod.since,
            )


def elsewhere(facts: Facts) -> Iterator[Finding]:
    """Components at addresses that can't be asked this way; one finding for those that are alike."""
    alike: dict[tuple[Component, str], list[Standing]] = {}
    for one in standings(facts):
        if one.verdict.state is State.BOUND:
            evidence = one.verdict.evidence
            host = one.process.endpoint.host if one.process.endpoint else ""
            # Each node has its own address and name; the rest of the sentence makes them alike.
            generic = evidence.replace(host, "its own address") if host else evidence
            generic = generic.replace(one.node.name, "NODE")
            alike.setdefault((one.process.component, generic), []).append(one)
    for (component, evidence), found in alike.items():
        yield rules.BOUND_ELSEWHERE.note(
            subject=str(component),
            evidence=found[0].verdict.evidence if len(found) == 1 else evidence,
            fix=BY_HOST if any(_could_be_asked(one) for one in found) else "",
            objects=tuple(name for one in found for name in one.objects),
        )


def unseen(facts: Facts) -> Iterator[Finding]:
    """Notes on unseen ones: one for each reason, whatever the number of nodes."""
    alike: dict[tuple[State, str, str], list[Standing]] = {}
    for one in standings(facts):
        if one.verdict.state in (State.DENIED, State.UNKNOWN):
            reason = one.verdict.evidence.replace(one.node.name, "NODE")
            alike.setdefault((one.verdict.state, reason, _permission(one)), []).append(one)
    for (_, _, permission), found in alike.items():
        components = dict.fromkeys(str(one.process.component) for one in found)
        names = tuple(dict.fromkeys(one.node.name for one in found))
        yield NOT_SEEN.note(
            subject=f"{', '.join(components)} on {some_of(names)}",
            evidence=found[0].verdict.evidence,
            fix=f"grant it: {permission} (docs/permissions.md)" if permission else _way_out(facts, found[0]),
            objects=tuple(f"node/{name}" for name in names),
        )


def _could_be_asked(one: Standing) -> bool:
    """Whether --host would have asked a component that is bound elsewhere."""
    endpoint = one.process.endpoint
    unseen = [reply for reply in one.process.replies.values() if isinstance(reply, NoReply)]
    elsewhere = any(reply.why is Why.ELSEWHERE for reply in unseen)
    return not one.node.host and elsewhere and endpoint is not None and ip_of(endpoint) is not None


def _way_out(facts: Facts, one: Standing) -> str:
    """The fix where no pod leads to a node; where no pods are known, one may."""
    way, known = one.node.way, facts.objects is not None and facts.objects.pods is not None
    is_without = isinstance(way, NoReply) and way.why is Why.NO_WAY and not one.node.host
    return BY_HOST if known and is_without else ""


def _permission(one: Standing) -> str:
    replies = (one.node.way, *one.process.replies.values())
    return next(
        (reply.permission for reply in replies if isinstance(reply, NoReply) and reply.permission), ""
    )


def _since(node: Node) -> datetime | None:
    ready = node.condition("Ready")
    return ready.since if ready and ready.status != "True" else None


def _advice(one: Standing) -> str:  # noqa: PLR0911 - a line each
    component, pod = one.process.component, one.process.pod
    match one.verdict.state:
        case State.MISSING if pod:
            return f"kubectl -n {pod.namespace} describe pod {pod.name}"
        case State.MISSING if component is Component.KUBE_PROXY:
            return "kubectl -n kube-system describe daemonset kube-proxy"
        case State.MISSING:
            return f"on the node: ls /etc/kubernetes/manifests; journalctl -u kubelet | grep {component}"
        case State.HANGING if component is Component.KUBELET:
            return f"{LOAD}: systemctl restart kubelet"
        case State.HANGING if pod and component is Component.KUBE_PROXY:
            return f"{LOAD}: kubectl -n {pod.namespace} delete pod {pod.name}"
        case State.HANGING:
            # A static pod can't be deleted: its object is a mirror.
            return f"{LOAD}, on the node: crictl ps --name {component}, then crictl stop ID"
    name = f"kubectl -n {pod.namespace} logs {pod.name}" if pod else "journalctl -u kubelet on the node"
    container = main_container(one.process)
    return f"{name} --previous" if pod and container and container.restarts else name
