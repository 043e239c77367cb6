"""Waits until operators have moved their primaries off a cordoned node."""

import time
from collections.abc import Collection, Mapping
from typing import Any

from kubectl_admin.cluster.watched import WatchedObjects
from kubectl_admin.drain.board import Waiting
from kubectl_admin.drain.evict import DrainError, listed
from kubectl_admin.drain.facts import Name, Pod
from kubectl_admin.drain.node_watch import NodeWatch
from kubectl_admin.drain.progress import DrainProgress
from kubectl_admin.drain.stateful import Group, Operator, leaders_named
from kubectl_admin.errors import AdminError
from kubectl_admin.report.text import duration

REPORT_INTERVAL = 1.0  # seconds between two reports of the primaries that are waited for, at most


def await_moved(
    watch: NodeWatch, groups: Collection[Group], progress: DrainProgress, timeout: float, deadline: float
) -> None:
    """Returns when no primary of these databases is on the node any more.

    groups: those whose operator moves the primary at the cordon. timeout: seconds that operators are given.
    deadline: of time.monotonic, for the whole drain. Raises DrainError where a primary is still there then.
    """
    begun = time.monotonic()
    end = min(begun + timeout, deadline)
    objects = {
        operator: watch.add(operator.resource, lambda item: item)
        for operator in {group.operator for group in groups}
        if operator.resource
    }
    for group in groups:
        if group.primary:
            primary = group.primary.pod[1]
            progress.note(f"{name_of(group)}: its operator is given time to move the primary {primary}")
    waiting = {name_of(group): group for group in groups}
    while True:
        pods, now = watch.pods, time.monotonic()
        named = leaders(objects)
        for name, group in list(waiting.items()):
            if pods is not None and is_moved(group, pods, named):
                del waiting[name]
                progress.note(f"{name}: the primary has moved, in {duration(now - begun)}")
        if not waiting:
            return
        left = [held(group, pods, now - begun) for group in waiting.values()]
        if now >= end:
            hint = "look at what its operator says; --primary-timeout 0 evicts it all the same"
            raise DrainError(f"the primary of {listed(left)}", hint, left)
        progress.waiting(left)
        watch.wait(min(REPORT_INTERVAL, end - now))


def leaders(objects: Mapping[Operator, WatchedObjects[Any]]) -> dict[tuple[str, str], str]:
    """The leader's pod that operators' own objects name; where those can't be seen, labels alone count."""
    named: dict[tuple[str, str], str] = {}
    for operator, followed in objects.items():
        try:
            named |= leaders_named(operator, (followed.facts or {}).values())
        except AdminError:
            continue
    return named


def is_moved(group: Group, pods: Mapping[Name, Pod], named: Mapping[tuple[str, str], str]) -> bool:
    """Whether the former primary is none any more, by its labels and by the operator's word."""
    if group.primary is None:
        return True
    pod = pods.get(group.primary.pod)
    if pod is None:
        return True
    leader = named.get((group.operator.name, group.cluster), "")
    return not group.operator.leads(pod.labels) and leader != pod.name


def held(group: Group, pods: Mapping[Name, Pod] | None, seconds: float) -> Waiting:
    """The primary that is still there."""
    key = group.primary.pod if group.primary else ("", "")
    pod = (pods or {}).get(key) or Pod(*key, uid="")
    return Waiting(pod, f"primary of {name_of(group)}, which its operator is to move", seconds)


def name_of(group: Group) -> str:
    """A database's name: its kind, namespace and name."""
    return f"{group.operator.name} {group.cluster}"
