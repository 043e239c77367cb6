"""Sees, right before the word to begin, that the control plane is the one that was planned for.

A person may take hours to agree, and kubeadm knows no lock of this program's. A member that has joined since
would keep the former data: with others like it, it could be a majority of them beside the restored one.
Another restore since has raised revisions beyond those that were planned: watchers would have seen later
ones.
"""

from collections.abc import Callable, Mapping

from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.members import gather as members
from kubectl_admin.etcd.members.facts import State
from kubectl_admin.etcd.restore.on_nodes.plan import NodePlan
from kubectl_admin.report.text import some_of

AGAIN = "nothing was changed; run the command again, once no other node joins or leaves"


def refuse_changed(
    cluster: Cluster,
    plans: Mapping[str, NodePlan],
    *,
    known: State,
    gather: Callable[..., State] = members.gather,
) -> None:
    """Raises AdminError unless the control plane has exactly the planned nodes, and etcd exactly the planned
    members, by a list that was read just now, and it is the same etcd: a restore makes another cluster id.

    known: as it was looked at. gather: as members.gather.
    """
    state = gather(cluster, compare=False)
    nodes = {node.name for node in state.etcd.nodes}
    if nodes != set(plans):
        raise AdminError(
            f"the control plane has changed since it was looked at: it is {some_of(sorted(nodes))} now", AGAIN
        )
    if not state.listed:
        raise AdminError("the list of members of etcd could not be read right before the restore", AGAIN)
    planned = {(name, (url,)) for name, url in next(iter(plans.values())).members.items()}
    listed = [(one.listed.name, one.listed.peer_urls) for one in state.members if one.listed]
    if len(listed) != len(planned) or set(listed) != planned:
        there = some_of(sorted(f"{name or '(not started)'} {' '.join(urls)}" for name, urls in listed))
        raise AdminError(f"the members of etcd have changed since they were looked at: {there}", AGAIN)
    if not (now := cluster_ids(state)):
        raise AdminError("which etcd answers is not known right before the restore", AGAIN)
    if not now <= cluster_ids(known):
        raise AdminError("etcd has been restored by somebody else since it was looked at", AGAIN)


def cluster_ids(state: State) -> set[int]:
    """The ids that members tell of the etcd that they are part of."""
    return {member.status.cluster_id for member in state.members if member.status}
