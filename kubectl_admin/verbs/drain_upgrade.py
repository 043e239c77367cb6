"""`kubectl admin drain-upgrade`."""

from contextlib import nullcontext
from typing import TYPE_CHECKING

import click

from kubectl_admin.errors import UsageError
from kubectl_admin.frame import candidates
from kubectl_admin.frame.change import ChangeOptions, Proposal, change
from kubectl_admin.frame.environment import Environment
from kubectl_admin.frame.options import change_options, output
from kubectl_admin.frame.upgrade_options import upgrade_options
from kubectl_admin.frame.verb import Verb
from kubectl_admin.report import Report

if TYPE_CHECKING:
    from kubectl_admin.upgrade.inspection import Options


@click.command("drain-upgrade", cls=Verb)
@click.argument("node", shell_complete=candidates.nodes)
@change_options
@click.option("--status", is_flag=True, help="Show how far the upgrade of this node is.")
@click.option("--logs", is_flag=True, help="Show the output of an unfinished upgrade of this node.")
@click.option("--take-over", is_flag=True, help="Take over from another run that upgrades this node.")
@upgrade_options
@output("table", "wide", "json", "yaml", "name")
@click.pass_obj
def command(  # noqa: PLR0913 - its options
    env: Environment,
    node: str,
    *,
    status: bool,
    logs: bool,
    take_over: bool,
    options: "Options",
    how: ChangeOptions,
) -> Report | None:
    """Upgrade one node: packages, kubeadm, then drain it and upgrade its kubelet.

    The slow steps come first, while the node still works; only the kubelet's restart is between cordon and
    uncordon. The work runs on the node and survives a cut connection: run the same command again to resume.

    Exit code 3: the upgrade is forbidden and nothing was changed, or the node is upgraded and not all is
    well.

    \b
    Examples:
      # To the version that the cluster has
      kubectl admin drain-upgrade node-1
      # The first control-plane node, to the newest 1.37 that the packages offer
      kubectl admin drain-upgrade cp-1 --to 1.37 --dry-run
      # How far is it?
      kubectl admin drain-upgrade cp-1 --status
    """
    from kubectl_admin.cluster.retry import LOOK_TIMEOUT
    from kubectl_admin.node.hosts import Hosts
    from kubectl_admin.node.operation import Operation
    from kubectl_admin.upgrade import apply, host_jobs, inspection, report
    from kubectl_admin.upgrade import status as state
    from kubectl_admin.upgrade.live import LiveNode
    from kubectl_admin.upgrade.progress import UpgradeLines

    if sum((how.dry_run, status, logs)) > 1:
        raise UsageError("--dry-run, --status and --logs exclude each other")
    # Whatever is asked here, an upgrade of this node may be at work, and restart the only API server.
    doing = not (how.dry_run or status or logs)
    cluster = env.cluster_for_work(patience=options.pods.patience if doing else LOOK_TIMEOUT, resuming=True)
    hosts = Hosts(cluster, Operation.begin(), options.pods, env.note)
    with apply.open_host(hosts, node, skipped=options.skipped, doing=doing) as there:
        if logs:
            state.show_logs(there, env.write, env.note)
            return None
        if status:
            shown = state.report(state.status(cluster, there))
            env.show(shown)
            return shown
        holding = apply.hold_lease(hosts, node, options, take_over=take_over)
        with nullcontext() if how.dry_run else holding as held:
            if not how.dry_run:
                with env.live() as live:
                    host_jobs.wait_for_running_jobs(there, UpgradeLines(live.line, live.block))
            source = inspection.Source.of(cluster, there, options)
            seen = apply.inspect_when_reachable(source, options, env.note)
            run = apply.Run(seen, options)

            def so_far() -> Report:
                return report.upgraded(run.so_far)

            def act() -> Report:
                with env.live() as live:
                    progress = UpgradeLines(live.line, live.block, whole=env.verbosity > 0)
                    check = held.check if held else lambda: None
                    live_node = LiveNode(cluster, there, seen, options, progress, env.moving)
                    apply.upgrade(live_node, check=check, run=run)
                return so_far()

            waits = options.draining is not None and options.draining.wait_for_budgets
            plan = report.planned(seen, waits=waits, wide=env.output == "wide")
            question = f"upgrade node {node} of context {cluster.target.context}"
            is_ready = not seen.is_over and inspection.is_possible(seen, options)
            return change(env, how, Proposal(plan, question, is_ready, seen.is_over), act, so_far=so_far)
