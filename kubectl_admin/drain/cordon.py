"""The cordon of a node, and who has put it there.

An annotation beside it names the drain and the workloads that it moved. Any run and any person can see it,
and `uncordon` knows which workloads have to be healthy again.
"""

import json
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from kubectl_admin.cluster.connection import MERGE_PATCH, Cluster
from kubectl_admin.cluster.decode import decode_object
from kubectl_admin.cluster.errors import Conflict, NotFound
from kubectl_admin.cluster.retry import RESTART_TIMEOUT, Retry
from kubectl_admin.errors import AdminError
from kubectl_admin.signals import sheltered

ANNOTATION = "kubectl-admin/drain"
UPGRADE = "kubectl-admin/upgrade"  # of an upgrade; it counts while its cordon is there
TRIES = 20  # against others who write to the same node, as its kubelet does


@dataclass(frozen=True, slots=True)
class Cordon:
    """A drain's mark on a node.

    run: which run put it there. since: when, by the clock of the machine that drained.
    moved: the workloads whose pods it moved, «Kind/namespace/name», those that were healthy then.
    cordoned: whether that run has cordoned the node; False where it was cordoned before.
    """

    run: str
    since: str
    moved: tuple[str, ...] = ()
    cordoned: bool = False

    @classmethod
    def begin(cls, now: datetime, moved: Sequence[str] = ()) -> "Cordon":
        """The mark of a run that begins now."""
        return cls(secrets.token_hex(4), now.isoformat(timespec="seconds"), tuple(moved))

    @classmethod
    def of(cls, node: Any) -> "Cordon | None":
        """The mark on a node (of the API); None where there is none that can be read."""
        try:
            said = decode_object((node["metadata"].get("annotations") or {})[ANNOTATION], ANNOTATION)
            moved = tuple(map(str, said["moved"]))
            return cls(str(said["run"]), str(said["since"]), moved, bool(said["cordoned"]))
        except (KeyError, TypeError, AdminError):
            return None  # the node's own kubelet may write there what it likes

    def text(self) -> str:
        """The annotation's value."""
        return json.dumps(
            {"run": self.run, "since": self.since, "cordoned": self.cordoned, "moved": list(self.moved)}
        )


def cordon(cluster: Cluster, node: str, mark: Cordon) -> Cordon:
    """Cordons a node and leaves the mark; the mark as it is returned says whether it was this run's doing.

    A node that is cordoned already gets only the mark. The change is made against the version of the node
    that was read, so two runs can't both take a cordon for theirs; an answer that got lost is looked for in
    the node. Raises AdminError.
    """
    return Retry(RESTART_TIMEOUT, clock=cluster.clock)(lambda: cordon_as_read(cluster, node, mark))


def cordon_as_read(cluster: Cluster, node: str, mark: Cordon) -> Cordon:
    """The cordon, read and written, also against others who write to the node; it bears being done twice."""
    path, tries = f"/api/v1/nodes/{node}", 0
    while True:
        present = cluster.get(path)
        known = Cordon.of(present)
        if known and known.run == mark.run:
            return known  # the answer to the try before was lost
        put = amended(mark, present)
        try:
            cluster.patch(path, change(present, put), MERGE_PATCH)
        except Conflict:
            tries += 1
            if tries == TRIES:
                raise
        else:
            return put


def amended(mark: Cordon, present: Any) -> Cordon:
    """The mark with additions from this version of the node: its cordon, and workloads moved before."""
    before = bool(present["spec"].get("unschedulable"))
    # Workloads that an earlier drain has moved are still to be seen to when the node comes back.
    earlier = Cordon.of(present) if before else None
    moved = sorted({*mark.moved, *(earlier.moved if earlier else ())})
    return replace(mark, cordoned=not before, moved=tuple(moved))


def change(present: Any, mark: Cordon) -> dict[str, Any]:
    """The patch that cordons this version of a node."""
    return {
        "metadata": {
            "resourceVersion": present["metadata"]["resourceVersion"],
            "annotations": {ANNOTATION: mark.text()},
        },
        "spec": {"unschedulable": True},
    }


def uncordon(cluster: Cluster, node: str, *, patience: float = RESTART_TIMEOUT) -> bool:
    """Makes a node schedulable again and takes all marks away; False where there is no such node any more.

    The change is the same whatever the node is like, so it is tried again until it is through, for up to
    `patience` seconds. Raises AdminError.
    """
    body = {"metadata": {"annotations": {ANNOTATION: None, UPGRADE: None}}, "spec": {"unschedulable": None}}
    try:
        patiently = Retry(patience, clock=cluster.clock)
        patiently(lambda: cluster.patch(f"/api/v1/nodes/{node}", body, MERGE_PATCH))
    except NotFound:
        return False
    return True


@contextmanager
def cordoned(
    cluster: Cluster, node: str, mark: Cordon, *, keep: bool = False, say: Callable[[str], None]
) -> Iterator[Cordon]:
    """Inside, the node is cordoned; it stays so at a good end.

    If the work inside fails or is interrupted, and this run has cordoned the node, it is uncordoned, a second
    Ctrl-C notwithstanding; not with `keep`. say: is told what became of the cordon then.
    """
    put = None
    with sheltered() as shelter:
        try:
            with shelter.exposed():
                put = cordon(cluster, node, mark)
                yield put
        except BaseException:
            say(undo(cluster, node, put, mark, keep=keep))
            raise


def undo(cluster: Cluster, node: str, put: Cordon | None, mark: Cordon, *, keep: bool) -> str:
    """Takes this run's cordon away, and says what became of it.

    put: the mark as it was put there; None where that is not known, since the request was cut off.
    """
    try:
        present = Cordon.of(get_when_reachable(cluster, node))
        if put is None and (present is None or present.run != mark.run):
            return f"node {node} was left as it is"
        put = put or present or mark
        if not put.cordoned:
            return f"node {node} was cordoned before and stays so"
        if keep:
            return f"node {node} stays cordoned"
        if present is None or present.run != put.run:
            return f"node {node} stays as it is: somebody else has drained or uncordoned it during this run"
        uncordon(cluster, node)
    except AdminError as error:
        return f"node {node} may still be cordoned, since it can't be uncordoned: {error.what}"
    return f"node {node} is uncordoned again"


def get_when_reachable(cluster: Cluster, node: str) -> Any:
    """The node, once the API server answers. Raises AdminError if it has not within RESTART_TIMEOUT."""
    return Retry(RESTART_TIMEOUT, clock=cluster.clock)(lambda: cluster.get(f"/api/v1/nodes/{node}"))
