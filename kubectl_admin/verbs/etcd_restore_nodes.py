"""The parts of `etcd-restore` about nodes: how far each is, and the removal of what it has kept."""

from typing import TYPE_CHECKING

from kubectl_admin.frame.change import ChangeOptions, Proposal, change
from kubectl_admin.frame.environment import Environment
from kubectl_admin.report import Report
from kubectl_admin.verbs.etcd_restore_work import hosts_of

if TYPE_CHECKING:
    from kubectl_admin.errors import AdminError
    from kubectl_admin.etcd.restore.on_nodes.status import NodeState
    from kubectl_admin.node.debug_pod import Options as PodOptions
    from kubectl_admin.node.hosts import Hosts


def show_status(env: Environment, pods: "PodOptions") -> Report:
    """How far each control-plane node is."""
    from kubectl_admin.etcd.restore.on_nodes import node_report

    hosts, found = look_at_nodes(env, pods, resuming=True)
    shown = node_report.status(found, hosts.cluster.target.context)
    env.show(shown)
    return shown


def prune(env: Environment, pods: "PodOptions", how: ChangeOptions) -> Report:
    """Removes the former data, and all else that restores which are over have left."""
    from kubectl_admin.etcd.restore.afterwards import webhooks
    from kubectl_admin.etcd.restore.on_nodes import node_report
    from kubectl_admin.etcd.restore.on_nodes import prune as pruning

    hosts, found = look_at_nodes(env, pods)
    context, nodes = hosts.cluster.target.context, pruning.removable(found)
    freed: dict[str, int | AdminError] = {}
    refusing: dict[str, AdminError | None] = {}
    left, unseen = webhooks.left_over(hosts.cluster) if pruning.are_over(found) else ([], [])

    def outcome() -> Report:
        return node_report.pruned(freed, context, refusing)

    def act() -> Report:
        if left:
            refusing.update(webhooks.put_back_now(hosts.cluster, left))
        if nodes:
            freed.update(pruning.prune(hosts_of(env, pods), nodes))
        return outcome()

    names = [one.name for one in left]
    question = (
        f"remove the former data of etcd on {', '.join(nodes)} of context {context}"
        if nodes
        else f"have {', '.join(names)} of context {context} refuse again"
    )
    planned = node_report.pruning(found, nodes, context, webhooks=names, unseen=unseen)
    proposal = Proposal(planned, question, bool(nodes or left))
    return change(env, how, proposal, act, so_far=outcome)


def look_at_nodes(
    env: Environment, pods: "PodOptions", *, resuming: bool = False
) -> "tuple[Hosts, dict[str, NodeState | AdminError]]":
    """The state of a restore on each control-plane node. resuming: as `hosts_of` has it."""
    from kubectl_admin.etcd.restore.on_nodes.status import status_of_all

    hosts = hosts_of(env, pods, resuming=resuming)
    with env.progress("looking at nodes") as progress:
        return hosts, status_of_all(hosts, answered=progress.step)
