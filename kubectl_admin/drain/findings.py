"""What stands in a drain's way and what it will cost, in words. Pure."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from kubectl_admin.drain.budgets import Leave, Ruling
from kubectl_admin.drain.facts import Pod
from kubectl_admin.drain.filters import FORCE
from kubectl_admin.drain.preview import Preview
from kubectl_admin.drain.stateful import Move
from kubectl_admin.finding import Finding, Severity

REFUSALS = {  # what a refused pod's word in the table means, by that word
    "DaemonSet": ("pods of a DaemonSet", "they would be back at once; such pods are left where they are"),
    "DaemonSet gone": ("pods whose DaemonSet is gone", "nothing would make them anew"),
    "emptyDir": ("pods with data in an emptyDir", "that data is gone with the pod"),
    "no controller": ("pods without a controller", "nothing would make them anew"),
}
EVICTION = "https://kubernetes.io/docs/concepts/scheduling-eviction/api-eviction/"
UNHEALTHY = "https://kubernetes.io/docs/tasks/run-application/configure-pdb/#unhealthy-pod-eviction-policy"
# Where too few are healthy, no eviction is for a pod that is not, unless its budget says so.
UNREADY = (
    "see why it is not Ready; or let it go: set unhealthyPodEvictionPolicy: AlwaysAllow in the budget, "
    "or delete the pod, which passes the budget by"
)
MORE = "add an instance, loosen the budget for the time being, or go ahead with --wait-for-budgets"
BUDGETS = "https://kubernetes.io/docs/tasks/run-application/configure-pdb/"


SHOWN = 3  # workloads named


def findings(preview: Preview, *, waits: bool = False) -> list[Finding]:
    """All that is to be said beside the table, what forbids the drain first.

    waits: budgets that can never be met as they are do not forbid it.
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
    """Pods that the flags do not allow to touch, those of a kind in one."""
    alike: dict[tuple[str, str], list[str]] = defaultdict(list)
    for verdict in preview.refused:
        alike[verdict.why, verdict.flag].append(f"pod/{verdict.pod}")
    for (why, flag), pods in alike.items():
        subject, because = REFUSALS[why]
        yield Finding(
            Severity.VIOLATION,
            f"refused-{why.lower().replace(' ', '-')}",
            subject,
            f"{because}, so {flag} must say that this is meant",
            f"{len(pods)} on node {preview.node}",
            f"add {flag}" if flag != FORCE else f"add {flag}, or give them a controller",
            objects=tuple(pods),
        )


def blocked_budgets(preview: Preview, severity: Severity) -> Iterator[Finding]:
    """Budgets that can never be met, each once with the pods that it holds."""
    alike: dict[Ruling, list[str]] = defaultdict(list)
    for (namespace, name), ruling in preview.blocked.items():
        alike[ruling].append(f"pod/{namespace}/{name}")
    for ruling, pods in alike.items():
        names = ", ".join(str(budget) for budget in ruling.budgets)
        if ruling.leave is Leave.SEVERAL:
            yield Finding(
                severity,
                "several-budgets",
                f"disruption budgets {names}",
                "the eviction API refuses a pod that more than one budget counts",
                "both select these pods",
                "delete or narrow one of them",
                EVICTION,
                tuple(pods),
            )
        else:
            yield Finding(
                severity,
                "budget-never-met",
                f"disruption budget {names}",
                "an eviction needs a budget that can spare a pod",
                ruling.why,
                UNREADY if ruling.unready else MORE,
                BUDGETS,
                tuple(pods),
            )


def stayed(node: str, pods: Sequence[Pod]) -> Finding:
    """Pods that came during a drain and are still there: the node is not empty."""
    return Finding(
        Severity.VIOLATION,
        "came-meanwhile",
        f"pods on node {node}",
        "a node that is drained has none of these pods",
        "they came after the cordon, past it or before the scheduler saw it, and were left alone",
        "see who puts them there, then run the drain again",
        objects=tuple(f"pod/{pod}" for pod in pods),
    )


def silence(preview: Preview) -> Iterator[Finding]:
    """A node that does not say that it is well: its pods do not end, since nobody ends them."""
    if not preview.facts.node.ready and preview.leaving:
        yield Finding(
            Severity.WARNING,
            "node-not-ready",
            f"node {preview.node}",
            "a pod is gone when the kubelet of its node says so",
            "the node is not Ready: pods may stay Terminating for good",
            "see why it is not, or do not wait for them with --skip-wait-for-delete-timeout",
            objects=(f"node/{preview.node}",),
        )


def delays(preview: Preview) -> Iterator[Finding]:
    """Budgets that do not allow an eviction right now, but can come to."""
    alike: dict[Ruling, list[str]] = defaultdict(list)
    for (namespace, name), ruling in preview.rulings.items():
        if ruling.leave is Leave.WAIT:
            alike[ruling].append(f"pod/{namespace}/{name}")
    for ruling, pods in alike.items():
        yield Finding(
            Severity.WARNING,
            "budget-not-yet",
            f"disruption budget {', '.join(str(budget) for budget in ruling.budgets)}",
            "an eviction waits until the budget can spare a pod",
            ruling.why,
            UNREADY if ruling.unready else "",
            UNHEALTHY if ruling.unready else "",
            objects=tuple(pods),
        )


def primaries(preview: Preview) -> Iterator[Finding]:
    """Databases on the node: what becomes of their primaries, and those that have no second instance."""
    left = {verdict.pod.key for verdict in preview.leaving}
    for group in preview.groups:
        pods = tuple(f"pod/{'/'.join(member.pod)}" for member in group.here if member.pod in left)
        if not pods:
            continue
        name = f"{group.operator.name} {group.cluster}"
        if group.alone:
            yield Finding(
                Severity.WARNING,
                "database-alone",
                name,
                "a database stays reachable while another instance can take over",
                "no other instance that is ready runs on another node: it will be down",
                "give it a second instance first",
                objects=pods,
            )
        elif group.primary:
            how = {
                Move.CORDON: "its operator moves it once the node is cordoned, which is waited for",
                Move.WEBHOOK: "its operator moves it when its eviction is asked for",
                Move.EVICTION: "another instance takes over when it is told to end",
            }[group.operator.move]
            yield Finding(
                Severity.NOTE,
                "primary",
                name,
                "clients of a database are cut off while its primary moves",
                f"{group.primary.pod[1]} is the primary: {how}",
                objects=pods,
            )
        if group.operator.between:
            yield Finding(
                Severity.NOTE,
                "before-the-next-node",
                name,
                "its data is safe only while enough of it is up",
                f"before another node is drained, wait {group.operator.between}",
                objects=pods,
            )


def singletons(preview: Preview) -> Iterator[Finding]:
    """Work that stops while its pods are moved."""
    if not preview.down:
        return
    pods = [f"pod/{pod}" for pods in preview.down.values() for pod in pods]
    yield Finding(
        Severity.WARNING,
        "down-meanwhile",
        ", ".join(list(preview.down)[:SHOWN]) + (" and others" if len(preview.down) > SHOWN else ""),
        "what has a ready pod on another node stays up",
        "no pod on another node is ready: down until one is",
        "scale up first, and give it a disruption budget",
        objects=tuple(pods),
    )


def nowhere(preview: Preview) -> Iterator[Finding]:
    """Pods that will be Pending."""
    alike: dict[str, list[str]] = defaultdict(list)
    for (namespace, name), why in preview.pending.items():
        alike[why].append(f"pod/{namespace}/{name}")
    for why, pods in alike.items():
        yield Finding(
            Severity.WARNING,
            "nowhere-to-go",
            "pods that nothing else can take" if len(pods) > 1 else "a pod that nothing else can take",
            "a pod that leaves needs another node",
            f"{why}; it stays Pending until this node is back or there is room",
            objects=tuple(pods),
        )


def losses(preview: Preview) -> Iterator[Finding]:
    """What goes for good, now that the flags allow it."""
    alike: dict[str, list[str]] = defaultdict(list)
    for verdict in preview.leaving:
        for loss in verdict.losses:
            alike[loss].append(f"pod/{verdict.pod}")
    for loss, pods in alike.items():
        yield Finding(
            Severity.NOTE,
            "lost",
            "pods that lose something for good",
            "the flags given allow it",
            loss,
            objects=tuple(pods),
        )


def gaps(preview: Preview) -> Iterator[Finding]:
    """What could not be looked at, so that silence is not taken for safety."""
    return (gap.finding() for gap in preview.facts.gaps)
