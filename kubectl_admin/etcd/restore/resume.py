"""Finds the restore of a snapshot that an earlier run has begun, and not finished."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.restore import before
from kubectl_admin.etcd.restore.afterwards import present
from kubectl_admin.etcd.restore.afterwards.after import has_webhooks
from kubectl_admin.etcd.restore.before import Before
from kubectl_admin.etcd.restore.on_nodes.status import NodeState, Stage, status
from kubectl_admin.node.hosts import Hosts
from kubectl_admin.node.operation import Operation


@dataclass(frozen=True, slots=True)
class Begun:
    """A restore that an earlier run has begun. before: the state before it. states: of its nodes now."""

    before: Before
    states: Mapping[str, NodeState | AdminError]


def earlier(hosts: Hosts, snapshot: Path) -> Begun | None:
    """The restore of this snapshot that nodes carry out, or have carried out.

    None where there is none: all of it is done, or the nodes have none of that operation, went back, or were
    never told to begin. Where webhooks of the snapshot may keep every node from being asked, it is enough
    that the API serves data of that restore.
    Raises AdminError where the snapshot can't be read.
    """
    directory = before.latest(snapshot)
    if directory is None:
        return None
    kept = before.load(directory)
    if kept.is_finished or kept.record.sha256 != digest(snapshot):
        return None
    own = replace(hosts, operation=Operation.begin())
    states = own.ask(kept.record.nodes, status)
    found = any(isinstance(one, NodeState) and has_begun(one, kept.record.id) for one in states.values())
    if not found and has_webhooks(kept) and not any(isinstance(one, NodeState) for one in states.values()):
        found = is_served(hosts, kept)
    return Begun(kept, of_operation(states, kept.record.id)) if found else None


def is_served(hosts: Hosts, kept: Before) -> bool:
    """Whether the API is seen to serve the data of this restore, or later ones."""
    try:
        present.refuse_other(hosts.cluster, kept.record)
    except AdminError:
        return False
    return True


def of_operation(
    states: Mapping[str, NodeState | AdminError], operation: str
) -> dict[str, NodeState | AdminError]:
    """The states of the nodes that have this restore, and of those that could not be asked."""
    return {
        node: one
        for node, one in states.items()
        if isinstance(one, AdminError) or one.earlier.id == operation
    }


def has_begun(state: NodeState, operation: str) -> bool:
    """Whether a node takes part in this restore, or has finished it with the restored data."""
    begun = state.earlier.stage is Stage.UNDERWAY or state.earlier.word == "restored"
    return state.earlier.id == operation and begun


def digest(path: Path) -> str:
    """The file's sha256 in hex."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise AdminError(f"{path} can't be read: {error.strerror}") from error
