"""The parts of `etcd-restore`: a restore, its status, and the removal of what it has kept."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from kubectl_admin.frame.change import ChangeOptions, Proposal, change
from kubectl_admin.frame.environment import Environment
from kubectl_admin.report import Report

if TYPE_CHECKING:
    from kubectl_admin.errors import AdminError
    from kubectl_admin.etcd.restore.before import Before
    from kubectl_admin.etcd.restore.look import Options
    from kubectl_admin.etcd.restore.restore import Runner
    from kubectl_admin.etcd.restore.status import NodeState
    from kubectl_admin.node.debug_pod import Options as PodOptions
    from kubectl_admin.node.hosts import Hosts


def restore(
    env: Environment, file: Path, options: "Options", pods: "PodOptions", how: ChangeOptions
) -> Report:
    """Looks, shows the plan, asks, and restores; or finishes a restore of this file that was begun."""
    from kubectl_admin.etcd.restore import report
    from kubectl_admin.etcd.restore.look import look
    from kubectl_admin.etcd.restore.restore import Restored, Runner
    from kubectl_admin.etcd.restore.resume import earlier

    hosts = hosts_of(env, pods)
    runner = Runner(hosts, env.cluster(), env.note, env.moving)
    if begun := earlier(hosts, file):
        return finish(env, runner, begun, how)
    with env.progress("looking at nodes") as progress:
        looked = look(hosts, file, options, watch=env.moving, answered=progress.step)
    rehearse = how.dry_run and looked.is_possible
    prepared = runner.rehearse(file, looked, options.etcdutl) if rehearse else {}
    so_far, nodes = Restored(hosts.operation.id), list(looked.plans)

    def outcome() -> Report:
        return report.outcome(so_far, nodes)

    def act() -> Report:
        runner.run(file, looked, options.etcdutl, so_far)
        return outcome()

    where = f"etcd of context {hosts.cluster.target.context}"
    question = f"restore {where} from {file}, and lose what was written since"
    planned = report.plan(looked, datetime.now(UTC), prepared)
    return change(env, how, Proposal(planned, question, looked.is_possible), act, so_far=outcome)


def finish(env: Environment, runner: "Runner", begun: "Before", how: ChangeOptions) -> Report:
    """Does what is left of a restore that was begun before."""
    from kubectl_admin.etcd.restore import report
    from kubectl_admin.etcd.restore.restore import Restored

    record = begun.record
    so_far, nodes = Restored(record.id, before=begun, given=True), list(record.nodes)

    def outcome() -> Report:
        return report.outcome(so_far, nodes)

    def act() -> Report:
        runner.finish(so_far, nodes)
        return outcome()

    env.note(f"restore {record.id} of this snapshot was begun before; this run finishes it")
    return change(env, how, Proposal(outcome(), f"finish restore {record.id}", True), act, so_far=outcome)


def show_status(env: Environment, pods: "PodOptions") -> Report:
    """How far each control-plane node is."""
    from kubectl_admin.etcd.restore import node_report

    hosts, found = look_at_nodes(env, pods)
    shown = node_report.status(found, hosts.cluster.target.context)
    env.show(shown)
    return shown


def prune(env: Environment, pods: "PodOptions", how: ChangeOptions) -> Report:
    """Removes the former data, and all else that restores which are over have left on nodes."""
    from kubectl_admin.etcd.restore import node_report
    from kubectl_admin.etcd.restore import prune as pruning

    hosts, found = look_at_nodes(env, pods)
    context, nodes = hosts.cluster.target.context, pruning.removable(found)
    freed: dict[str, int | AdminError] = {}

    def outcome() -> Report:
        return node_report.pruned(freed, context)

    def act() -> Report:
        freed.update(pruning.prune(hosts_of(env, pods), nodes))
        return outcome()

    question = f"remove the former data of etcd on {', '.join(nodes)} of context {context}"
    proposal = Proposal(node_report.pruning(found, nodes, context), question, bool(nodes))
    return change(env, how, proposal, act, so_far=outcome)


def look_at_nodes(env: Environment, pods: "PodOptions") -> "tuple[Hosts, dict[str, NodeState | AdminError]]":
    """The state of a restore on each control-plane node."""
    from kubectl_admin.control_plane.static_pods import control_plane_nodes
    from kubectl_admin.etcd.restore.status import status

    hosts = hosts_of(env, pods)
    with env.progress("looking at nodes") as progress:
        nodes = [node.name for node in control_plane_nodes(hosts.cluster)]
        return hosts, hosts.ask(nodes, status, answered=progress.step)


def hosts_of(env: Environment, pods: "PodOptions") -> "Hosts":
    """The hosts of the cluster's nodes, for an operation of their own."""
    from kubectl_admin.node.hosts import Hosts
    from kubectl_admin.node.operation import Operation

    return Hosts(env.cluster_for_work(), Operation.begin(), pods, env.note)
