"""A drained node taken back: Ready, uncordoned, and its moved workloads healthy again."""

from collections.abc import Callable, Collection
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.nodes import unknown_node
from kubectl_admin.cluster.retry import is_transient
from kubectl_admin.cluster.wait import looks
from kubectl_admin.cluster.watched import Changes, WatchedObjects
from kubectl_admin.drain import read
from kubectl_admin.drain.cordon import Cordon, uncordon
from kubectl_admin.drain.facts import Node, Scale
from kubectl_admin.drain.gather import SCALES, workloads
from kubectl_admin.drain.progress import DrainProgress
from kubectl_admin.errors import AdminError
from kubectl_admin.report.text import duration

READY_INTERVAL = 1.0  # seconds between two looks at the node, if nothing changes
POLL_INTERVAL = (
    2.0  # seconds between two looks at workloads: a listing, as no watch is as light as the server's Table
)


@dataclass(frozen=True, slots=True)
class Recovered:
    """How a node came back.

    cordoned: whether it was cordoned until now. moved: the workloads that drains had moved.
    unhealthy: those of them that were not healthy again in time, with their numbers.
    """

    node: str
    cordoned: bool
    moved: tuple[str, ...]
    unhealthy: tuple[tuple[str, Scale], ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """A node as it is looked at here, with the mark of a drain, if it has one."""

    node: Node
    mark: Cordon | None

    @classmethod
    def of(cls, item: Any) -> "Seen":
        """Read from a node of the API."""
        return cls(read.node(item), Cordon.of(item))


def look(cluster: Cluster, node: str) -> Seen:
    """The node as it is; nothing is changed. Raises AdminError where there is none.

    It is listed, as `recover` does it, so that a dry run needs no right that the run itself does not.
    """
    items = cluster.get("/api/v1/nodes", query_of(node)).get("items") or ()
    if not items:
        raise unknown_node(node)
    return Seen.of(items[0])


def recover(
    cluster: Cluster,
    node: str,
    progress: DrainProgress,
    *,
    timeout: float,
    wait_for_moved: bool = True,
    uncordoned: Callable[[], None] = lambda: None,
) -> Recovered:
    """Waits until the node is Ready, uncordons it, and waits until moved workloads are healthy.

    timeout: seconds for each of the two. Raises AdminError if the node is not Ready by then, and leaves it
    as it is; workloads that take longer are only told. uncordoned: called when the node takes pods again.
    """
    seen = await_ready(cluster, node, progress, timeout)
    uncordon(cluster, node)
    uncordoned()
    moved = seen.mark.moved if seen.mark and wait_for_moved else ()
    unhealthy = await_healthy(cluster, moved, progress, timeout)
    return Recovered(node, seen.node.unschedulable, moved, tuple(unhealthy.items()))


def await_ready(cluster: Cluster, node: str, progress: DrainProgress, timeout: float) -> Seen:
    """The node as it is once it is Ready. Raises AdminError if it is not within `timeout` seconds."""
    changes, told = Changes(), False
    watched = WatchedObjects(cluster, "/api/v1/nodes", query_of(node), Seen.of, changes)
    with closing(watched):
        for _ in looks(timeout, READY_INTERVAL, sleep=changes.wait):
            facts = watched.facts
            if facts is not None and ("", node) not in facts:
                raise unknown_node(node)
            seen = facts[("", node)] if facts else None
            if seen and seen.node.ready:
                return seen
            if seen and not told:
                progress.note(f"waiting until node {node} is Ready")
                told = True
        why = watched.problem or "its kubelet does not say that it is"
        raise AdminError(
            f"node {node} is not Ready after {duration(timeout)}: {why}",
            f"it was left as it is; see kubectl describe node {node}",
        )


def query_of(node: str) -> list[tuple[str, str]]:
    """Lists this node alone."""
    return [("fieldSelector", f"metadata.name={node}")]


def await_healthy(
    cluster: Cluster, moved: Collection[str], progress: DrainProgress, timeout: float
) -> dict[str, Scale]:
    """Waits until these workloads («Kind/namespace/name») have all the pods ready that they want.

    Returns those that have not after `timeout` seconds. One that is no longer there counts as healthy.
    """
    told: set[str] = set()
    for last in looks(timeout, POLL_INTERVAL, clock=cluster.clock) if moved else ():
        try:
            left = unhealthy(cluster, moved)
        except AdminError as error:
            if last or not is_transient(error):
                raise
        else:
            if last or not left:
                return left
            new = left.keys() - told
            if new and not told:
                progress.note(f"waiting until moved workloads are healthy: {', '.join(sorted(left))}")
            told |= new
    return {}


def unhealthy(cluster: Cluster, moved: Collection[str]) -> dict[str, Scale]:
    """Those of the workloads that have fewer pods ready than they want, one listing a kind."""
    kinds = {name.partition("/")[0] for name in moved}
    return {
        name: scale
        for kind in sorted(kinds & SCALES.keys())
        for metadata, scale in workloads(cluster, kind)
        if (name := f"{kind}/{metadata['namespace']}/{metadata['name']}") in moved
        and scale.ready < scale.desired
    }
