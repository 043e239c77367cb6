"""A drained node taken back: Ready, uncordoned, and what was moved healthy again."""

import queue
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.retry import is_transient
from kubectl_admin.cluster.watched import WatchedObjects
from kubectl_admin.drain import read
from kubectl_admin.drain.cordon import Cordon, uncordon
from kubectl_admin.drain.facts import Node, Scale
from kubectl_admin.drain.gather import SCALES, workloads
from kubectl_admin.drain.progress import DrainProgress
from kubectl_admin.errors import AdminError

LOOK = 2.0  # seconds between two looks at workloads: a listing, as no watch is as light as the server's Table


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
        """What a node (of the API) says."""
        return cls(read.node(item), Cordon.of(item))


def recover(
    cluster: Cluster,
    node: str,
    progress: DrainProgress,
    *,
    timeout: float,
    wait_for_moved: bool = True,
    uncordoned: Callable[[], None] = lambda: None,
) -> Recovered:
    """Waits until the node is Ready, uncordons it, and waits until what drains have moved is healthy.

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
    changes = queue.SimpleQueue[None]()
    query = [("fieldSelector", f"metadata.name={node}")]
    followed = WatchedObjects(cluster, "/api/v1/nodes", query, Seen.of, lambda: changes.put(None))
    end, told = time.monotonic() + timeout, False
    try:
        while True:
            facts = followed.facts
            if facts is not None and ("", node) not in facts:
                raise AdminError(f"there is no node {node}", "kubectl get nodes lists them")
            seen = facts[("", node)] if facts else None
            if seen and seen.node.ready:
                return seen
            if time.monotonic() > end:
                why = followed.problem or "its kubelet does not say that it is"
                raise AdminError(
                    f"node {node} is not Ready after {timeout:.0f}s: {why}",
                    f"it was left as it is; see kubectl describe node {node}",
                )
            if seen and not told:
                progress.note(f"waiting until node {node} is Ready")
                told = True
            try:
                changes.get(timeout=max(min(1.0, end - time.monotonic()), 0.001))
            except queue.Empty:
                continue
    finally:
        followed.close()


def await_healthy(
    cluster: Cluster, moved: Collection[str], progress: DrainProgress, timeout: float
) -> dict[str, Scale]:
    """Waits until these workloads («Kind/namespace/name») have all the pods ready that they want.

    Returns those that have not after `timeout` seconds. One that is no longer there counts as healthy.
    """
    end = time.monotonic() + timeout
    told: set[str] = set()
    while moved:
        try:
            left = unhealthy(cluster, moved)
        except AdminError as error:
            if not is_transient(error) or time.monotonic() > end:
                raise
        else:
            if not left or time.monotonic() > end:
                return left
            new = left.keys() - told
            if new and not told:
                progress.note(f"waiting until what was moved is healthy: {', '.join(sorted(left))}")
            told |= new
        time.sleep(LOOK)
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
