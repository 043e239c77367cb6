"""How a drain has ended, how a node will be taken back, and how it was. Pure."""

from collections.abc import Iterator

from kubectl_admin.drain.drain import Drained
from kubectl_admin.drain.judge import stayed
from kubectl_admin.drain.preview import Preview
from kubectl_admin.drain.progress import SHOWN
from kubectl_admin.drain.recovery import Recovered, Seen
from kubectl_admin.drain.rules import MOVED_UNHEALTHY
from kubectl_admin.report import Report
from kubectl_admin.report.text import duration, some_of


def drained(seen: Preview, ended: Drained) -> Report:
    """How a drain has ended, well or half-way: pods that were to leave, and those that came and are there."""
    return Report(
        kind="NodeDrain",
        items=lambda: documents(ended),
        names=lambda: (f"pod/{pod.name}" for pod in ended.moved.gone),
        paragraphs=[done_line(seen.node, ended)],
        findings=[stayed(seen.node, ended.moved.stayed)] if ended.moved.stayed else [],
        fields={
            "context": seen.facts.context,
            "node": seen.node,
            "cordonedBefore": ended.was_cordoned,
            "seconds": round(ended.seconds, 1),
        },
    )


def documents(ended: Drained) -> Iterator[dict[str, object]]:
    """Every pod with what became of it, as plain data."""
    moved = ended.moved
    outcomes = {
        "gone": moved.gone,
        "notWaitedFor": moved.given_up,
        "stillThere": moved.left,
        "stayed": moved.stayed,
    }
    for outcome, pods in outcomes.items():
        for pod in pods:
            yield {"namespace": pod.namespace, "name": pod.name, "uid": pod.uid, "outcome": outcome}


def done_line(node: str, ended: Drained) -> str:
    """How a drain has ended, in a line."""
    moved = ended.moved
    took = duration(ended.seconds)
    state = f"not drained after {took}" if moved.left else f"drained in {took}"
    parts = [f"{len(moved.gone)} pods gone"]
    if moved.given_up:
        parts.append(f"{len(moved.given_up)} not waited for")
    if moved.left:
        parts.append(f"{len(moved.left)} still there")
    came = f"; still there, since they came during the drain: {some_of(moved.stayed, SHOWN)}"
    return f"node/{node} {state}: {', '.join(parts)}" + (came if moved.stayed else "")


def uncordoning(node: str, seen: Seen, *, wait: bool) -> Report:
    """The plan to take a node back. wait: whether for workloads that drains have moved."""
    moved = seen.mark.moved if seen.mark else ()
    will = "is cordoned, and will be uncordoned" if seen.node.unschedulable else "is not cordoned"
    first = "" if seen.node.ready else "; it is not Ready, so uncordon waits for that first"
    then = f"; then uncordon waits until these are healthy: {', '.join(moved)}" if moved and wait else ""
    return Report(
        kind="UncordonPlan",
        items=lambda: [
            {
                "name": node,
                "cordoned": seen.node.unschedulable,
                "ready": seen.node.ready,
                "moved": list(moved),
            }
        ],
        names=lambda: [f"node/{node}"],
        paragraphs=[f"node {node} {will}{first}{then}"],
    )


def recovered(back: Recovered) -> Report:
    """The outcome for a node that was taken back."""
    late = [
        MOVED_UNHEALTHY.violation(
            subject=name,
            evidence=f"{scale.ready} of {scale.desired} pods are ready",
            fix="see why with kubectl describe",
            objects=(name,),
        )
        for name, scale in back.unhealthy
    ]
    moved = len(back.moved)
    healthy = f"; {moved - len(late)} of {moved} workloads that were moved are healthy" if moved else ""
    state = "uncordoned" if back.cordoned else "was not cordoned"
    return Report(
        kind="Uncordoned",
        items=lambda: [{"name": back.node, "cordonedBefore": back.cordoned, "moved": list(back.moved)}],
        names=lambda: [f"node/{back.node}"],
        paragraphs=[f"node {back.node} {state}{healthy}"],
        findings=late,
    )
