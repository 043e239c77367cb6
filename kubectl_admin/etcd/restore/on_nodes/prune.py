"""Removes what restores that are over have kept on the control-plane nodes: the former data above all."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial

from kubectl_admin.control_plane import one_at_a_time
from kubectl_admin.control_plane.one_at_a_time import Alone
from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.members import pods
from kubectl_admin.etcd.members.pods import EtcdPod
from kubectl_admin.etcd.restore.on_nodes import arm
from kubectl_admin.etcd.restore.on_nodes.plan import parked_beside
from kubectl_admin.etcd.restore.on_nodes.status import NodeState, Stage
from kubectl_admin.etcd.restore.on_nodes.survey import survey
from kubectl_admin.node.hosts import Hosts

ABOUT = "removes former data of etcd"


def removable(found: Mapping[str, NodeState | AdminError]) -> list[str]:
    """Nodes that keep something of a restore; none where one is under way anywhere, or may be."""
    if not are_over(found):
        return []
    return [
        node
        for node, one in found.items()
        if isinstance(one, NodeState)
        and (one.earlier.stage is not Stage.NONE or one.old is not None or one.new is not None)
    ]


def are_over(found: Mapping[str, NodeState | AdminError]) -> bool:
    """Whether no restore is under way on any of these nodes, for sure."""
    return not any(isinstance(one, AdminError) or one.is_under_way for one in found.values())


def prune(
    hosts: Hosts,
    nodes: Sequence[str],
    *,
    alone: Callable[..., AbstractContextManager[Alone]] = one_at_a_time.control_plane,
) -> dict[str, int | AdminError]:
    """The bytes that were freed on each of these nodes, or why nothing was.

    Raises AdminError where somebody else changes a control plane: what they prepare looks like what a killed
    run has left. alone: as one_at_a_time.control_plane.
    """
    with alone(hosts, ABOUT, own=(), skipped=(), take_over=None) as held:
        return remove(hosts, nodes, held.held.check)


def remove(hosts: Hosts, nodes: Sequence[str], check: Callable[[], None]) -> dict[str, int | AdminError]:
    """The same for one who is alone. check: called right before each removal."""
    members = {pod.node: pod for pod in pods.find(hosts.cluster).members}

    def on_host(pod: EtcdPod) -> int:
        with hosts.open(pod.node) as host:
            seen = survey(host, pod.container_id, pod.flags.data_dir)
            check()
            return arm.prune(host, pod.flags.data_dir, parked_beside(seen.manifests.path))

    answers: dict[str, int | AdminError] = dict(
        hosts.ask_all({node: partial(on_host, members[node]) for node in nodes if node in members})
    )
    missing = {node: AdminError(f"node {node} shows no static pod of etcd") for node in nodes}
    return {node: answers.get(node, missing[node]) for node in nodes}
