"""How a cluster's health is shown: the matrix, lines on what belongs to no node, plain data. Pure."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from kubectl_admin.control_plane.component import Component
from kubectl_admin.finding import Finding, Severity
from kubectl_admin.health.components.ages import age, common_clock
from kubectl_admin.health.components.leaders import node_of_holder
from kubectl_admin.health.components.verdict import State, Verdict
from kubectl_admin.health.facts import Balancer, Facts, Lease, Node, NoReply, Reply, Resolver, Why
from kubectl_admin.health.look import Look, Row, counted
from kubectl_admin.health.shown import prometheus
from kubectl_admin.health.shown.matrix import LEADS, table
from kubectl_admin.report import Report
from kubectl_admin.report.terminal import about
from kubectl_admin.report.text import printable, some_of, span

ELECTED = (Component.CONTROLLER_MANAGER, Component.SCHEDULER)


def report(
    look: Look,
    *,
    wide: bool = False,
    fail_on: Severity | None = Severity.VIOLATION,
    beside: Sequence[Finding] = (),
) -> Report:
    """The report of health. beside: findings on what was done with the look, which come first."""
    findings = [*beside, *look.findings]
    return Report(
        kind="Health",
        items=lambda: (document(row, look.facts) for row in look.rows),
        names=lambda: (f"node/{row.node.name}" for row in look.rows),
        tables=[table(look, wide=wide)],
        paragraphs=["\n".join(map(printable, lines(look)))],
        findings=findings,
        closing=closing(look, findings),
        fields=fields(look),
        texts={"prometheus": lambda: prometheus.exposition(look)},
        fail_on=fail_on,
        at=look.facts.now,
    )


def lines(look: Look) -> Iterator[str]:
    """The lines on the balancer, the leaders, DNS, and ignored findings."""
    facts = look.facts
    yield f"context {facts.context}, {facts.server}: {balancer_text(facts.balancer)}"
    if facts.bypassed:
        yield f"the kubeconfig's own address, {facts.bypassed.server}: {balancer_text(facts.bypassed)}"
    leading = ", ".join(f"{component} {node}" for component, node in leaders(look).items())
    yield f"leaders ({LEADS}): {leading or 'none is known'}"
    yield f"DNS: {dns_text(facts)}"
    for finding in look.parted.ignored:
        yield f"ignored {finding.severity}: {finding.rule}, {about(finding)}"
    for exemption in look.parted.unused:
        yield f"--ignore {exemption}: there is no such finding"


def balancer_text(balancer: Balancer | None) -> str:
    """The answer of an address that leads to API servers."""
    if balancer is None:
        return "not asked"
    if isinstance(balancer.reply, NoReply):
        return f"no answer ({balancer.reply.said or balancer.reply.why})"
    if balancer.reply.is_fine:
        return f"ready, in {balancer.reply.seconds * 1000:.0f} ms"
    return f"/readyz is {balancer.reply.status}"


def leaders(look: Look) -> dict[str, str]:
    """Each leader that is known, by a short name of its component."""
    etcd = look.leaders.get(Component.ETCD)
    named = {"etcd": etcd} if etcd else {}
    for component in ELECTED:
        if lease := look.facts.leaders.get(component):
            named[component.removeprefix("kube-")] = node_of_holder(lease.holder) or "nobody"
    return named


def dns_text(facts: Facts) -> str:
    """How many of CoreDNS' pods have answered, and which have not."""
    if not facts.resolvers:
        return "no pod of CoreDNS was asked"
    denied = sum(is_denied(one) for one in facts.resolvers)
    total = len(facts.resolvers) - denied
    if not total:
        return f"not asked (you may not forward ports to {denied} CoreDNS pods)"
    silent = [one for one in facts.resolvers if not has_answered(one) and not is_denied(one)]
    said = f"{total - len(silent)} of {total} CoreDNS pods answered"
    unasked = f"; {denied} not asked (you may not forward ports to them)" if denied else ""
    silence = f"; no answer of {some_of([one.pod.name for one in silent])}" if silent else ""
    return f"{said}{silence}{unasked}"


def is_denied(resolver: Resolver) -> bool:
    """Whether this user may not ask a pod."""
    return isinstance(resolver.answer, NoReply) and resolver.answer.why is Why.FORBIDDEN


def has_answered(resolver: Resolver) -> bool:
    """Whether a pod has given an answer."""
    return not isinstance(resolver.answer, NoReply)


def closing(look: Look, findings: Sequence[Finding]) -> str:
    """The last line: nodes reached, nodes not asked, how long it took, and findings."""
    facts, total = look.facts, len(look.rows)
    asked = total if facts.sampled is None else facts.sampled
    reached = sum(not isinstance(node.way, NoReply) for node in facts.nodes)
    left_out = f", {total - asked:,} not asked (--all asks all)" if asked < total else ""
    through = [node.name for node in facts.nodes if node.host and isinstance(node.host, str)]
    hosts = f", through a debug pod on {some_of(through)}" if through else ""
    told = [
        str(look.counts),
        f"{reached:,} of {asked:,} nodes reached in {facts.took:.1f} s{hosts}{left_out}",
        f"rates are of {span(facts.window)}" if facts.window else "no rate is judged without --sample",
        counted(findings) or "no findings",
    ]
    return "; ".join(told)


def document(row: Row, facts: Facts) -> dict[str, object]:
    """A node as plain data."""
    node, clock, common = row.node, row.node.clock, common_clock(facts)
    return {
        "name": node.name,
        "controlPlane": node.is_control_plane,
        "ready": row.is_ready,
        "unschedulable": node.unschedulable,
        "asked": not isinstance(node.way, NoReply),
        "way": None if isinstance(node.way, NoReply) else node.way or None,
        "debugPod": None if isinstance(node.host, NoReply) else node.host or None,
        "problem": no_reply_text(node.way) if isinstance(node.way, NoReply) else None,
        "kubeletVersion": node.kubelet.removeprefix("v") or None,
        "clockOffsetSeconds": round(clock.offset - common.offset, 3) if clock and common else None,
        "clockErrorSeconds": round(clock.error, 3) if clock else None,
        "leaseAgeSeconds": lease_age(facts, node),
        "pods": node.running,
        "podCapacity": node.capacity,
        "components": {
            str(component): component_document(row, component, verdict)
            for component, verdict in row.verdicts.items()
            if verdict.state is not State.ABSENT
        },
    }


def component_document(row: Row, component: Component, verdict: Verdict) -> dict[str, object]:
    """A component on a node as plain data; `well` is null where it was not seen."""
    process = row.node.process(component)
    pod = process.pod if process else None
    endpoint = process.endpoint if process else None
    return {
        "state": str(verdict.state),
        "well": True if verdict.is_well else False if verdict.is_bad else None,
        "evidence": verdict.evidence,
        "answerSeconds": None if verdict.seconds is None else round(verdict.seconds, 4),
        "leads": component in row.leading,
        "pod": pod.name if pod else None,
        "podReady": pod.ready if pod else None,
        "restarts": row.restarts(component),
        "port": endpoint.port if endpoint else None,
    }


def lease_age(facts: Facts, node: Node) -> float | None:
    """Seconds since the kubelet renewed its node's lease."""
    if node.lease is None or node.lease.renewed is None:
        return None
    return round(age(facts, node.name, node.lease.renewed).seconds, 1)


def fields(look: Look) -> dict[str, object]:
    """Fields of the cluster as a whole."""
    facts, counts = look.facts, look.counts
    return {
        "context": facts.context,
        "server": facts.server,
        "at": moment(facts.at),
        "tookSeconds": round(facts.took, 3),
        "sampledNodes": facts.sampled,
        "windowSeconds": None if facts.window is None else round(facts.window, 1),
        "components": {"well": counts.well, "notWell": counts.bad, "notSeen": counts.unseen},
        "balancer": balancer_document(facts.balancer),
        "bypassed": balancer_document(facts.bypassed),
        "leaders": leader_documents(look),
        "dns": [resolver_document(one) for one in facts.resolvers],
        "ignored": [finding.document() for finding in look.parted.ignored],
    }


def balancer_document(balancer: Balancer | None) -> dict[str, object] | None:
    """The answer of an address that leads to API servers."""
    if balancer is None:
        return None
    reply = balancer.reply
    answered = isinstance(reply, Reply)
    return {
        "server": balancer.server,
        "status": reply.status if isinstance(reply, Reply) else None,
        "answerSeconds": round(reply.seconds, 4) if isinstance(reply, Reply) else None,
        "problem": None if answered or not isinstance(reply, NoReply) else no_reply_text(reply),
    }


def leader_documents(look: Look) -> dict[str, object]:
    """The leaders as plain data, by their components. etcd's has no Lease: its members say who it is."""
    etcd = look.leaders.get(Component.ETCD)
    elected = {name: lease_document(look.facts, lease) for name, lease in look.facts.leaders.items()}
    if etcd is None:
        return {**elected}
    return {
        str(Component.ETCD): {"holder": None, "node": etcd, "ageSeconds": None, "transitions": None},
        **elected,
    }


def lease_document(facts: Facts, lease: Lease) -> dict[str, object]:
    """A leader's Lease; its age is corrected by the clock of its holder."""
    node = node_of_holder(lease.holder)
    seconds = age(facts, node, lease.renewed).seconds if lease.renewed else None
    return {
        "holder": lease.holder or None,
        "node": node or None,
        "ageSeconds": None if seconds is None else round(seconds, 1),
        "transitions": lease.transitions,
    }


def resolver_document(resolver: Resolver) -> dict[str, object]:
    """A CoreDNS pod and its answer."""
    answer = resolver.answer
    return {
        "pod": resolver.pod.name,
        "node": resolver.pod.node or None,
        "question": resolver.question,
        "answer": None if isinstance(answer, NoReply) else list(answer),
        "expected": list(resolver.expected),
        "problem": no_reply_text(answer) if isinstance(answer, NoReply) else None,
    }


def no_reply_text(reply: NoReply) -> str:
    """Why a question has no answer."""
    return f"{reply.why}: {reply.said}" if reply.said else str(reply.why)


def moment(at: datetime) -> str:
    """A time as documents have it, in UTC."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
