"""The parts of `etcd-restore` that restore: a new one, or one that was begun before."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from kubectl_admin.frame.change import ChangeOptions, Proposal, change
from kubectl_admin.frame.environment import Environment
from kubectl_admin.report import Report

if TYPE_CHECKING:
    from kubectl_admin.etcd.restore.look.look import Looked, Options
    from kubectl_admin.etcd.restore.restore import Runner
    from kubectl_admin.etcd.restore.resume import Begun
    from kubectl_admin.node.debug_pod import Options as PodOptions
    from kubectl_admin.node.hosts import Hosts


def restore(
    env: Environment, file: Path, options: "Options", pods: "PodOptions", how: ChangeOptions
) -> Report:
    """Looks, shows the plan, asks, and restores; or finishes a restore of this file that was begun."""
    from kubectl_admin.etcd.restore import before
    from kubectl_admin.etcd.restore.look.look import look
    from kubectl_admin.etcd.restore.restore import Runner
    from kubectl_admin.etcd.restore.resume import earlier

    hosts = hosts_of(env, pods, resuming=before.latest(file) is not None)
    runner = Runner(hosts, env.cluster(), env.note, env.moving)
    if begun := earlier(hosts, file):
        return finish(env, runner, begun, how)
    with env.progress("looking at nodes") as progress:
        looked = look(hosts, file, options, watch=env.moving, answered=progress.step)
    return begin(env, runner, (file, options.etcdutl), looked, how)


def begin(
    env: Environment, runner: "Runner", files: tuple[Path, Path | None], looked: "Looked", how: ChangeOptions
) -> Report:
    """Shows the plan of a restore, asks, and restores. files: the snapshot, and a person's own etcdutl."""
    from kubectl_admin.etcd.restore import report
    from kubectl_admin.etcd.restore.restore import Restored

    file, etcdutl = files
    rehearse = how.dry_run and looked.is_possible
    prepared = runner.rehearse(file, looked, etcdutl) if rehearse else {}
    so_far, nodes = Restored(runner.hosts.operation.id), list(looked.plans)

    def outcome() -> Report:
        return report.outcome(so_far, nodes)

    def act() -> Report:
        runner.run(file, looked, etcdutl, so_far)
        return outcome()

    where = f"etcd of context {looked.live.state.context}"
    question = f"restore {where} from {file}, and lose what was written since"
    planned = report.plan(looked, datetime.now(UTC), prepared)
    proposal = Proposal(planned, question, looked.is_possible, unasked=report.in_short(planned, looked))
    return change(env, how, proposal, act, so_far=outcome)


def finish(env: Environment, runner: "Runner", begun: "Begun", how: ChangeOptions) -> Report:
    """Does what is left of a restore that was begun before."""
    from kubectl_admin.etcd.restore import report
    from kubectl_admin.etcd.restore.restore import resumed

    record = begun.before.record
    so_far, nodes = resumed(begun), list(record.nodes)

    def outcome() -> Report:
        return report.outcome(so_far, nodes)

    def act() -> Report:
        runner.finish(so_far, nodes)
        return outcome()

    env.note(f"restore {record.id} of this snapshot was begun before; this run finishes it")
    return change(env, how, Proposal(outcome(), f"finish restore {record.id}", True), act, so_far=outcome)


def hosts_of(env: Environment, pods: "PodOptions", *, resuming: bool = False) -> "Hosts":
    """The hosts of the cluster's nodes, for an operation of their own.

    resuming: whether a restore may have taken the API away just now.
    """
    from kubectl_admin.node.hosts import Hosts
    from kubectl_admin.node.operation import Operation

    return Hosts(env.cluster_for_work(resuming=resuming), Operation.begin(), pods, env.note)
