"""`kubectl admin drain`."""

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from kubectl_admin.frame import candidates
from kubectl_admin.frame.change import ChangeOptions, Proposal, change
from kubectl_admin.frame.environment import Environment
from kubectl_admin.frame.options import change_options, drain_options, output
from kubectl_admin.frame.verb import Verb
from kubectl_admin.report import Report

if TYPE_CHECKING:
    from kubectl_admin.drain.drain import Options


@click.command("drain", cls=Verb)
@click.argument("node", shell_complete=candidates.nodes)
@change_options
@click.option("--ignore-daemonsets", is_flag=True, help="Leave pods of DaemonSets where they are.")
@drain_options
@click.option("--pod-selector", metavar="SELECTOR", default="", help="Only pods with these labels.")
@click.option(
    "--grace-period",
    type=int,
    default=-1,
    show_default=True,
    metavar="SECONDS",
    help="Time for each pod to end; a negative number leaves it to the pod.",
)
@click.option(
    "--skip-wait-for-delete-timeout",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    metavar="SECONDS",
    help="Do not wait for pods whose deletion is older than this; 0 waits for all.",
)
@click.option("--keep-cordon", is_flag=True, help="Leave the node cordoned even if the drain fails.")
@output("table", "wide", "json", "yaml", "name")
@click.pass_obj
def command(  # noqa: PLR0913 - its options
    env: Environment,
    node: str,
    *,
    ignore_daemonsets: bool,
    draining: "Options",
    pod_selector: str,
    grace_period: int,
    skip_wait_for_delete_timeout: int,
    keep_cordon: bool,
    how: ChangeOptions,
) -> Report:
    """Empty a node: cordon it, let databases move, and evict its pods.

    The plan shows what will happen to every pod of the node and why, and what forbids the drain. If the drain
    fails or is interrupted, the node is uncordoned again, unless it was cordoned before.

    Exit code 3: the drain is forbidden and nothing was changed, or pods that came during the drain are still
    there.

    \b
    Examples:
      # What would happen?
      kubectl admin drain w1 --ignore-daemonsets --dry-run
      # Do it, for at most ten minutes
      kubectl admin drain w1 --ignore-daemonsets --delete-emptydir-data --timeout 10m
      # In a script
      kubectl admin drain w1 --ignore-daemonsets --yes
    """
    from kubectl_admin.cluster.access import explained
    from kubectl_admin.drain import drain
    from kubectl_admin.drain.outcome import drained
    from kubectl_admin.drain.progress import DrainLines
    from kubectl_admin.drain.report import report
    from kubectl_admin.drain.rights import drain_rights

    flags = replace(
        draining.flags,
        ignore_daemonsets=ignore_daemonsets,
        grace_period=grace_period if grace_period >= 0 else None,
        skip_wait_for_delete_timeout=skip_wait_for_delete_timeout,
    )
    options = replace(draining, flags=flags, pod_selector=pod_selector, keep_cordon=keep_cordon)
    cluster = env.cluster_for_work()
    with explained(cluster, drain_rights(flags, dry_run=how.dry_run)):
        seen = drain.look(cluster, node, options)
        run = drain.Run(seen)

        def so_far() -> Report:
            return drained(seen, run.so_far)

        def act() -> Report:
            with env.live() as live:
                drain.drain(cluster, seen, options, DrainLines(live.line, live.block), run)
            return so_far()

        plan = report(seen, wide=env.output == "wide", waits=options.wait_for_budgets)
        question = f"drain node {node} of context {cluster.target.context}"
        proposal = Proposal(plan, question, drain.is_possible(seen, options))
        return change(env, how, proposal, act, so_far=so_far)
