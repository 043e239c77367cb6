"""`kubectl admin drain`."""

from dataclasses import replace

import click

from kubectl_admin.frame import candidates
from kubectl_admin.frame.environment import Environment
from kubectl_admin.frame.options import DURATION, drain_flags, output
from kubectl_admin.frame.verb import Verb
from kubectl_admin.report import Report


@click.command("drain", cls=Verb)
@click.argument("node", shell_complete=candidates.nodes)
@click.option("--dry-run", is_flag=True, help="Show what would happen, and touch nothing.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask before the node is cordoned.")
@click.option("--ignore-daemonsets", is_flag=True, help="Leave pods of DaemonSets where they are.")
@drain_flags
@click.option("--pod-selector", metavar="SELECTOR", default="", help="Only pods with these labels.")
@click.option(
    "--grace-period",
    type=int,
    default=-1,
    show_default=True,
    metavar="SECONDS",
    help="Time for each pod to end; negative is what the pod itself says.",
)
@click.option(
    "--timeout",
    type=DURATION,
    default="0",
    show_default=True,
    metavar="DURATION",
    help="Time for all of it (30s, 10m); 0 is no limit.",
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
def command(  # noqa: PLR0913 - kubectl drain's flags, and a few more
    env: Environment,
    node: str,
    *,
    dry_run: bool,
    yes: bool,
    ignore_daemonsets: bool,
    delete_emptydir_data: bool,
    force: bool,
    disable_eviction: bool,
    pod_selector: str,
    grace_period: int,
    timeout: float,
    skip_wait_for_delete_timeout: int,
    primary_timeout: float,
    wait_for_budgets: bool,
    keep_cordon: bool,
) -> Report:
    """Empty a node: cordon it, let databases move, and evict its pods.

    First every pod of the node is shown with what will happen to it and why, and what stands in the way; then
    the question whether to go on. If the drain fails or is interrupted, the node is uncordoned again, unless
    it was cordoned before. Exit code 3 says that the drain would be refused and nothing was touched, or that
    pods that came meanwhile are still there.

    \b
    Examples:
      # What would happen?
      kubectl admin drain w1 --ignore-daemonsets --dry-run
      # Do it, for at most ten minutes
      kubectl admin drain w1 --ignore-daemonsets --delete-emptydir-data --timeout 10m
      # In a script
      kubectl admin drain w1 --ignore-daemonsets --yes
    """
    from kubectl_admin.drain import drain
    from kubectl_admin.drain.filters import Flags
    from kubectl_admin.drain.judge import stayed
    from kubectl_admin.drain.progress import DrainLines
    from kubectl_admin.drain.report import done_line, report

    options = drain.Options(
        flags=Flags(
            ignore_daemonsets=ignore_daemonsets,
            delete_emptydir_data=delete_emptydir_data,
            force=force,
            disable_eviction=disable_eviction,
            grace_period=grace_period if grace_period >= 0 else None,
            skip_wait_for_delete_timeout=skip_wait_for_delete_timeout,
        ),
        pod_selector=pod_selector,
        timeout=timeout,
        primary_timeout=primary_timeout,
        keep_cordon=keep_cordon,
        wait_for_budgets=wait_for_budgets,
    )
    cluster = env.cluster_for_work()
    seen = drain.look(cluster, node, options)
    preview = report(seen, wide=env.output == "wide", waits=wait_for_budgets)
    env.show(preview)
    if dry_run:
        return preview
    if not drain.is_possible(seen, options):
        env.note(f"node {node} was not touched: see what forbids it above")
        return preview
    env.confirm(f"drain node {node} of context {cluster.target.context}", yes=yes)
    with env.live() as live:
        ended = drain.drain(cluster, seen, options, DrainLines(live.line, live.block))
    env.note(done_line(node, ended))
    if ended.stayed:
        said = stayed(node, ended.stayed)
        env.note(f"{said.subject}: {said.evidence}; {said.fix}")
        preview = replace(preview, findings=[said])
    return preview
