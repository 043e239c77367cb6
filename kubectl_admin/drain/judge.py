"""The findings on a drain: bars and costs. Pure."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from kubectl_admin.drain.budgets import Permission, Ruling
from kubectl_admin.drain.facts import Pod
from kubectl_admin.drain.filters import FORCE
from kubectl_admin.drain.preview import Preview
from kubectl_admin.drain.rules import (
    BEFORE_THE_NEXT_NODE,
    BUDGET_NEVER_MET,
    BUDGET_NOT_YET,
    CAME_MEANWHILE,
    DATABASE_ALONE,
    DOWN_MEANWHILE,
    LOST,
    NODE_NOT_READY,
    NOWHERE_TO_GO,
    PRIMARY,
    REFUSED_DAEMONSET,
    REFUSED_DAEMONSET_GONE,
    REFUSED_EMPTYDIR,
    REFUSED_NO_CONTROLLER,
    SEVERAL_BUDGETS,
)
from kubectl_admin.drain.stateful import Move
from kubectl_admin.finding import Finding, Severity
from kubectl_admin.report.text import some_of

# The rule that refuses a pod, and how such pods are called, by the pod's word in the table.
REFUSALS = {
    "DaemonSet": (REFUSED_DAEMONSET, "pods of a DaemonSet"),
    "DaemonSet gone": (REFUSED_DAEMONSET_GONE, "pods whose DaemonSet is gone"),
    "emptyDir": (REFUSED_EMPTYDIR, "pods with data in an emptyDir"),
    "no controller": (REFUSED_NO_CONTROLLER, "pods without a controller"),
}
FIX_UNREADY = (
    "see why the pod is not Ready; or allow its eviction: set unhealthyPodEvictionPolicy: AlwaysAllow in the "
    "budget, or delete the pod, which bypasses the budget"
)
FIX_NEVER_MET = (
    "add a replica, relax the budget during the drain, or wait for a change with --wait-for-budgets"
)


def findings(preview: Preview, *, waits: bool = False) -> list[Finding]:
    """All findings about a drain, those that forbid it first.

    waits: a budget that can never be met does not forbid it.
    """
    every = [
        *refusals(preview),
        *blocked_budgets(preview, Severity.WARNING if waits else Severity.VIOLATION),
        *silence(preview),
        *delays(preview),
        *primaries(preview),
        *singletons(preview),
        *nowhere(preview),
        *losses(preview),
        *gaps(preview),
    ]
    return sorted(every, key=lambda finding: list(Severity).index(finding.severity))


def refusals(preview: Preview) -> Iterator[Finding]:
    """Pods that the flags do not allow to evict, one finding for each reason."""
    alike: dict[tuple[str, str], list[str]] = defaultdict(list)
    for verdict in preview.refused:
        alike[verdict.why, verdict.flag].append(f"pod/{verdict.pod}")
    for (why, flag), pods in alike.items():
        rule, subject = REFUSALS[why]
        yield rule.violation(
            subject=subject,
            evidence=f"{len(pods)} on node {preview.node}",
            fix=f"add {flag}" if flag != FORCE else f"add {flag}, or give them a controller",
            objects=pods,
        )


def blocked_budgets(preview: Preview, severity: Severity) -> Iterator[Finding]:
    """Budgets that can never be met, each once, with the pods that it blocks."""
    alike: dict[Ruling, list[str]] = defaultdict(list)
    for (namespace, name), ruling in preview.blocked.items():
        alike[ruling].append(f"pod/{namespace}/{name}")
    for ruling, pods in alike.items():
        names = ", ".join(str(budget) for budget in ruling.budgets)
        if ruling.permission is Permission.SEVERAL:
            yield SEVERAL_BUDGETS.finding(
                severity,
                subject=f"disruption budgets {names}",
                evidence="each of them selects these pods",
                fix="delete or narrow one of them",
                objects=pods,
            )
        else:
            yield BUDGET_NEVER_MET.finding(
                severity,
                subject=f"disruption budget {names}",
                evidence=ruling.why,
                fix=FIX_UNREADY if ruling.unready else FIX_NEVER_MET,
                objects=pods,
            )


def stayed(node: str, pods: Sequence[Pod]) -> Finding:
    """Pods that came during the drain and are still there: the node is not empty."""
    return CAME_MEANWHILE.violation(
        subject=f"pods on node {node}",
        evidence="they came after the cordon and were left alone",
        fix="find out what creates them there, then run the drain again",
        objects=tuple(f"pod/{pod}" for pod in pods),
    )


def silence(preview: Preview) -> Iterator[Finding]:
    """A node that is not Ready: its kubelet may never end the pods."""
    if not preview.facts.node.ready and preview.leaving:
        yield NODE_NOT_READY.warning(
            subject=f"node {preview.node}",
            evidence="the node is not Ready: its pods may stay Terminating for ever",
            fix="bring the node back, or skip such pods with --skip-wait-for-delete-timeout",
            objects=(f"node/{preview.node}",),
        )


def delays(preview: Preview) -> Iterator[Finding]:
    """Budgets that do not allow an eviction now, but may later."""
    alike: dict[Ruling, list[str]] = defaultdict(list)
    for (namespace, name), ruling in preview.rulings.items():
        if ruling.permission is Permission.WAIT:
            alike[ruling].append(f"pod/{namespace}/{name}")
    for ruling, pods in alike.items():
        yield BUDGET_NOT_YET.warning(
            subject=f"disruption budget {', '.join(str(budget) for budget in ruling.budgets)}",
            evidence=ruling.why,
            fix=FIX_UNREADY if ruling.unready else "",
            objects=pods,
        )


def primaries(preview: Preview) -> Iterator[Finding]:
    """Databases on the node: how their primaries move, and which have no second instance."""
    left = {verdict.pod.key for verdict in preview.leaving}
    for group in preview.groups:
        pods = tuple(f"pod/{'/'.join(member.pod)}" for member in group.here if member.pod in left)
        if not pods:
            continue
        name = f"{group.operator.name} {group.cluster}"
        if group.alone:
            yield DATABASE_ALONE.warning(
                subject=name,
                evidence="no instance on another node is ready: the database will be down",
                fix="add a second instance first",
                objects=pods,
            )
        elif group.primary:
            how = {
                Move.CORDON: "its operator moves it once the node is cordoned; the drain waits for that",
                Move.WEBHOOK: "its operator moves it when its eviction is requested",
                Move.EVICTION: "another instance takes over when this one is terminated",
            }[group.operator.move]
            yield PRIMARY.note(
                subject=name,
                evidence=f"{group.primary.pod[1]} is the primary: {how}",
                objects=pods,
            )
        if group.operator.between:
            yield BEFORE_THE_NEXT_NODE.note(
                subject=name,
                evidence=f"before another node is drained, wait {group.operator.between}",
                objects=pods,
            )


def singletons(preview: Preview) -> Iterator[Finding]:
    """Workloads that are down while their pods move."""
    if not preview.down:
        return
    pods = [f"pod/{pod}" for pods in preview.down.values() for pod in pods]
    yield DOWN_MEANWHILE.warning(
        subject=(some_of(list(preview.down))),
        evidence="no pod on another node is ready: down until a new one is",
        fix="scale up first, and add a disruption budget",
        objects=pods,
    )


def nowhere(preview: Preview) -> Iterator[Finding]:
    """Pods that will be Pending, since no other node can run them."""
    alike: dict[str, list[str]] = defaultdict(list)
    for (namespace, name), why in preview.pending.items():
        alike[why].append(f"pod/{namespace}/{name}")
    for why, pods in alike.items():
        yield NOWHERE_TO_GO.warning(
            subject=(
                "pods that no other node can run" if len(pods) > 1 else "a pod that no other node can run"
            ),
            evidence=f"{why}; Pending until this node is back or another one can run it",
            objects=pods,
        )


def losses(preview: Preview) -> Iterator[Finding]:
    """Losses that the flags allow."""
    alike: dict[str, list[str]] = defaultdict(list)
    for verdict in preview.leaving:
        for loss in verdict.losses:
            alike[loss].append(f"pod/{verdict.pod}")
    for loss, pods in alike.items():
        yield LOST.note(
            subject="pods whose eviction loses something",
            evidence=loss,
            objects=pods,
        )


def gaps(preview: Preview) -> Iterator[Finding]:
    """All that was not read, so that silence is not taken for safety."""
    return (gap.finding() for gap in preview.facts.gaps)
