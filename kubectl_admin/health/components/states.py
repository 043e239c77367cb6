"""The state of one component on one node, by the evidence. Pure.

Every state is told apart from its neighbours by what was seen. A component that could not be looked at is
never well and never down: it is denied, behind a node or a runtime that does not answer, bound elsewhere, or
unknown.
"""

from collections.abc import Iterator, Mapping
from itertools import chain

from kubectl_admin.control_plane.component import Component
from kubectl_admin.health.asking.silence import WORDS
from kubectl_admin.health.components.checks import health_replies, is_only_standby, words
from kubectl_admin.health.components.containers import (
    BEGINNING,
    START_GRACE,
    has_crashed,
    is_running_on,
    is_starting,
    kubelet_says,
    main_container,
    shown_as,
    told,
)
from kubectl_admin.health.components.etcd_state import ALARM, reason_of_health
from kubectl_admin.health.components.leaders import holding_node, leads
from kubectl_admin.health.components.signs import (
    forwards_nothing,
    is_alive,
    is_of_runtime,
    is_renewing,
    last_sign,
    not_reached,
    refuses,
    signs,
    waits_for_instance,
)
from kubectl_admin.health.components.verdict import CELLS, PINGED, State, Verdict
from kubectl_admin.health.facts import KUBELET_PING, Facts, Node, NoReply, Process, Reply, Why

# A pod that is deleted is gone so long after its grace period, of which its deletionTimestamp is the end. One
# whose kubelet can't say so stays.
ENDING_GRACE = 10.0  # seconds
ON_EVERY_NODE = (Component.KUBELET, Component.KUBE_PROXY)
# Each of their answers knows what the other does not: alarms, checks, whether it is ready.
EACH_COUNTS = (Component.APISERVER, Component.ETCD)


def verdict_of(facts: Facts, node: Node, component: Component) -> Verdict:
    """The state of a component on a node, whether or not the node has it."""
    process = node.process(component)
    if process is not None:
        return verdict(facts, node, process)
    wanted = component in facts.has and (component in ON_EVERY_NODE or node.is_control_plane)
    if wanted and isinstance(node.way, NoReply):
        return verdict(facts, node, Process(component, node.name, expected=False))
    return _of(State.ABSENT, f"no {component} is wanted on node {node.name}")


def verdict(facts: Facts, node: Node, process: Process) -> Verdict:
    """The state of a component on its node."""
    if process.component not in facts.has:
        return _of(State.ABSENT, f"this cluster does not have {process.component}")
    replies = health_replies(process)
    if any(isinstance(reply, Reply) for reply in replies.values()):
        return _answered(facts, process)
    if process.component is Component.APISERVER and waits_for_instance(node):
        paths = ", ".join(replies)
        return _of(
            State.HANGING,
            f"it gives another API server no answer to {paths}, and its node's kubelet waits for it",
        )
    # The node stands before its components: nobody can know what is behind it.
    found = chain(
        _waiting(node), _behind(facts, node), _by_object(facts, node, process), _by_silence(process)
    )
    first = next(found, None) or _unknown(node, process)
    if first.state is State.KUBELET and process.component is not Component.KUBELET:
        return _of(State.UNREACHED, f"the kubelet of node {node.name} is down: {first.evidence}")
    return first


def node_state(facts: Facts, node: Node) -> Verdict | None:
    """Why nothing of a node can be asked: NODE, KUBELET, UNREACHED, RUNTIME, LEFT_OUT; None where it can be.

    UNKNOWN where its API server hangs, for which its kubelet waits.
    """
    return next(chain(_waiting(node), _behind(facts, node)), None)


def _waiting(node: Node) -> Iterator[Verdict]:
    """That a kubelet lets nobody in before the API server of its node has allowed it, which hangs."""
    if waits_for_instance(node):
        yield _of(State.UNKNOWN, "its node's kubelet waits for the API server of the node, which hangs")


def _behind(facts: Facts, node: Node) -> Iterator[Verdict]:
    """Why nothing can be known of what is on a node."""
    way = node.way
    if not isinstance(way, NoReply):
        if reason := forwards_nothing(node):
            evidence = f"the kubelet forwards none of the ports: {reason}"
            yield _of(State.RUNTIME, f"{evidence}; {signs(facts, node)}")
        return
    if way.why is Why.LEFT_OUT:  # as thousands are
        yield _of(State.LEFT_OUT, f"node {node.name} is not in the sample that was asked")
        return
    said = way.said or WORDS[way.why]
    seen = f"{said}; {signs(facts, node)}"
    match way.why:
        case Why.NODE if is_alive(facts, node):
            yield _of(
                State.KUBELET if refuses(node) or not is_renewing(facts, node) else State.UNREACHED,
                f"{not_reached(node)}; {last_sign(facts, node)}",
            )
        case Why.NODE:
            yield _of(State.NODE, f"the API server can't reach the kubelet: {seen}")
        case Why.FORWARD if is_of_runtime(way.said):
            yield _of(State.RUNTIME, f"the kubelet does not forward ports: {seen}")
        case Why.SILENT if not is_alive(facts, node):
            yield _of(State.NODE, seen)
        case Why.SILENT if not is_renewing(facts, node):
            yield _of(State.KUBELET, f"{said}; {last_sign(facts, node)}")
        case Why.SILENT:
            yield _of(State.RUNTIME, f"{said}, and it lives: {signs(facts, node)}")


def _by_object(facts: Facts, node: Node, process: Process) -> Iterator[Verdict]:
    """The verdict by its pod's object on a component without an answer."""
    pod = process.pod
    if pod is None:
        yield from _without_pod(facts, node, process)
        return
    container = main_container(process)
    if pod.deleted is not None and (facts.now - pod.deleted).total_seconds() < ENDING_GRACE:
        yield _of(State.UNKNOWN, f"pod {pod.name} is being ended")
    elif container and has_crashed(facts, node.name, container) and not _is_silent(facts, process):
        yield _of(State.CRASHING, f"pod {pod.name}: {told(facts, node.name, container)}")
    elif is_starting(facts, process) and not _refusal(node, process):
        yield _of(State.UNKNOWN, f"pod {pod.name} is just starting")
    elif container and container.waiting not in BEGINNING:
        yield _of(State.CRASHING, f"pod {pod.name} does not start: {container.waiting}")
    elif pod.phase == "Pending":
        yield _of(State.MISSING, f"pod {pod.name} is Pending{f': {pod.message}' if pod.message else ''}")


def _is_silent(facts: Facts, process: Process) -> bool:
    """Whether a process that has run for a while takes connections: that is not an earlier one's end."""
    container = main_container(process)
    silent = any(
        isinstance(reply, NoReply) and reply.why is Why.SILENT for reply in health_replies(process).values()
    )
    return silent and container is not None and is_running_on(facts, process.node, container)


def _without_pod(facts: Facts, node: Node, process: Process) -> Iterator[Verdict]:
    """The verdict without a pod; a kubelet never has one."""
    if not process.expected:
        if not process.replies:
            yield _of(State.ABSENT, f"no {process.component} is wanted on node {node.name}")
    elif process.component is Component.KUBELET:
        return
    elif node.created and (facts.now - node.created).total_seconds() < START_GRACE:
        yield _of(State.UNKNOWN, f"node {node.name} has just joined, and its pod is not there yet")
    else:
        yield _of(State.MISSING, f"it has no pod{_leader(facts, process)}")


def _leader(facts: Facts, process: Process) -> str:
    """Where another instance leads instead, in words."""
    lease = facts.leaders.get(process.component)
    leading = holding_node(facts, lease.holder) if lease else None
    other = leading and leading.name != process.node
    return f"; that of node {leading.name} leads" if leading and other else ""


def _by_silence(process: Process) -> Iterator[Verdict]:
    """The verdict by the kind of silence."""
    reasons = {path: reply for path, reply in health_replies(process).items() if isinstance(reply, NoReply)}
    whys = {reply.why for reply in reasons.values()}
    said = next((reply.said for reply in reasons.values() if reply.said), "")
    endpoint = process.endpoint
    where = f"{endpoint.host or 'port'}:{endpoint.port}".replace("port:", "port ") if endpoint else "its port"
    if Why.FORBIDDEN in whys:
        yield _of(State.DENIED, said or "this user may not ask it")
    elif Why.ELSEWHERE in whys:
        yield _of(State.BOUND, f"it is bound to {where}, {said}; {kubelet_says(process)}")
    elif Why.REFUSED in whys and process.component is Component.KUBELET:
        # It has forwarded the question itself, so it runs.
        yield _of(State.BOUND, f"it runs, and does not listen at {where} of the loopback")
    elif Why.REFUSED in whys:
        yield _of(State.CLOSED, f"nothing listens at {where}; {shown_as(process)}")
    elif Why.SILENT in whys:
        paths = " and ".join(path for path, reply in reasons.items() if reply.why is Why.SILENT)
        # From a host it is not seen whether a connection has come about.
        connected = "" if endpoint and not endpoint.is_on_loopback else "takes connections, and "
        evidence = f"{where} {connected}does not answer {paths}"
        yield _of(State.HANGING, f"{evidence}; {shown_as(process)}".removesuffix("; "))


def _answered(facts: Facts, process: Process) -> Verdict:  # noqa: PLR0911 - a state each
    """The state of a component of which something is answered."""
    replies = health_replies(process)
    answers = {path: reply for path, reply in replies.items() if isinstance(reply, Reply)}
    silences = {path: reply for path, reply in replies.items() if isinstance(reply, NoReply)}
    seconds = max(reply.seconds for reply in answers.values())
    silent = [path for path, one in silences.items() if one.why is Why.SILENT]
    refused = {path: reply for path, reply in answers.items() if not reply.is_fine}
    if _is_excused(facts, process, refused):
        refused = {}
    denied = {path: reply for path, reply in refused.items() if reply.status in (401, 403)}
    worse = [path for path in refused if path not in denied]
    worst = max(worse, key=lambda path: refused[path].status, default="")
    # An alarm of etcd outlives its members' processes.
    alarmed = process.component is Component.ETCD and reason_of_health(process).startswith(ALARM)
    if worst and is_starting(facts, process) and not alarmed:
        return _of(State.UNKNOWN, f"it is just starting: {worst} is {refused[worst].status}", seconds)
    if worst:
        status = refused[worst].status
        evidence = f"{worst} is {status}: {words(process, worst)}".rstrip(": ")
        return Verdict(State.UNHEALTHY, str(status), evidence, seconds)
    if silent:
        return _of(State.HANGING, f"it does not answer {' and '.join(silent)} in time", seconds)
    each_counts = process.component in EACH_COUNTS
    if denied and (each_counts or len(denied) == len(answers)):
        path, reply = next(iter(denied.items()))
        return _of(State.DENIED, f"{path} is {reply.status}: {words(process, path)}".rstrip(": "), seconds)
    if each_counts and silences:
        why = WORDS[next(iter(silences.values())).why]
        evidence = f"{', '.join(answers)} answered, and {', '.join(silences)} did not: {why}"
        return _of(State.UNKNOWN, evidence, seconds)
    if process.endpoint and process.endpoint.port == KUBELET_PING:
        evidence = f"only pinged at {KUBELET_PING}: no check stands behind that answer"
        return Verdict(State.WELL, PINGED, evidence, seconds)
    return _of(State.WELL, f"{', '.join(answers)} answered in {seconds * 1000:.0f} ms", seconds)


def _is_excused(facts: Facts, process: Process, refused: Mapping[str, Reply]) -> bool:
    """Whether an answer that is not fine is as it should be."""
    if not refused:
        return False
    if process.component is Component.KUBE_PROXY:
        # /healthz tells load balancers also that the node is about to go; /livez is on kube-proxy alone.
        live = process.replies.get("/livez")
        return isinstance(live, Reply) and live.is_fine
    return is_only_standby(process, leads(facts, process))


def _unknown(node: Node, process: Process) -> Verdict:
    """The state of a component that could not be looked at, and why."""
    if refusal := _refusal(node, process):
        return _of(State.DENIED, refusal.said or "this user may not forward ports to the node")
    first = next(_silences(node, process), None)
    if first is None:
        return _of(State.UNKNOWN, "it was not asked")
    return _of(State.UNKNOWN, f"{WORDS[first.why]}: {first.said}".removesuffix(": "))


def _refusal(node: Node, process: Process) -> NoReply | None:
    """That this user may not ask a component, or nothing of its node."""
    return next((one for one in _silences(node, process) if one.why is Why.FORBIDDEN), None)


def _silences(node: Node, process: Process) -> Iterator[NoReply]:
    """Why a component or its node has not answered."""
    return (one for one in (node.way, *process.replies.values()) if isinstance(one, NoReply))


def _of(state: State, evidence: str, seconds: float | None = None) -> Verdict:
    return Verdict(state, CELLS[state], evidence, seconds)
