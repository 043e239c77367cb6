"""A restore on this host as shown: before, as a plan; afterwards, as an outcome. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from kubectl_admin.etcd.restore.local.look import Looked
from kubectl_admin.etcd.restore.on_nodes import node_report
from kubectl_admin.etcd.restore.on_nodes.status import NodeState
from kubectl_admin.report import Cell, Column, Report, Table
from kubectl_admin.report.text import size

CONTEXT = "this host"


def plan(looked: Looked, *, rehearsed: bool) -> Report:
    """What a restore would do here."""
    settings = looked.settings
    members = settings.members if settings else ()
    lost = settings.lost if settings else ()
    rows: list[list[Cell | str]] = [[one.name, one.peer, "restored"] for one in members]
    rows += [[one.name, one.peer, "left out"] for one in lost]
    return Report(
        kind="EtcdRestoreLocalPlan",
        items=lambda: [
            *({"member": one.name, "peerURL": one.peer, "leftOut": False} for one in members),
            *({"member": one.name, "peerURL": one.peer, "leftOut": True} for one in lost),
        ],
        names=lambda: (f"node/{one.name}" for one in members),
        tables=[Table([Column("MEMBER"), Column("PEER-URL"), Column("BECOMES")], rows)] if rows else [],
        paragraphs=["\n".join(told(looked, rehearsed=rehearsed))],
        findings=looked.findings,
        fields={
            "node": looked.host["node"],
            "operation": settings.id if settings else None,
            "bumpRevision": settings.bump if settings else None,
            "majority": looked.host.get("quorum") == "yes",
            "rehearsed": rehearsed,
        },
    )


def told(looked: Looked, *, rehearsed: bool) -> Iterator[str]:
    """The plan in sentences."""
    settings, node = looked.settings, looked.host["node"]
    if looked.file and looked.file.snapshot:
        yield f"the snapshot: {size(looked.file.snapshot.size)}, revision {looked.file.revision or 0:,}"
    elif settings:
        yield f"the data of node {node} as they are now"
    if settings is None:
        return
    yield f"operation {settings.id}, revisions raised by {settings.bump}: both must be the same on each node"
    if looked.host.get("quorum") == "yes":
        yield "etcd has a majority just now: what was written since the snapshot is lost"
    if settings.lost:
        names = ", ".join(one.name for one in settings.lost)
        yield f"left out: {names}; they must never run with their data of now again"
    yield (
        "restored aside here, and removed again" if rehearsed else f"the former data are kept on node {node}"
    )


def outcome(state: NodeState) -> Report:
    """What became of it here."""
    return replace(node_report.status({state.node: state}, CONTEXT), kind="EtcdRestoreLocal")


def status(state: NodeState, log: Sequence[str]) -> Report:
    """How far this node is, and what its worker said last."""
    shown = node_report.status({state.node: state}, CONTEXT)
    fields = {**shown.fields, "log": list(log)}
    return replace(shown, paragraphs=["\n".join(log)] if log else [], fields=fields)
