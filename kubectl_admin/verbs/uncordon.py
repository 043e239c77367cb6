"""`kubectl admin uncordon`."""

import math

import click

from kubectl_admin.frame import candidates
from kubectl_admin.frame.environment import Environment
from kubectl_admin.frame.options import DURATION, output
from kubectl_admin.frame.verb import Verb
from kubectl_admin.report import Report


@click.command("uncordon", cls=Verb)
@click.argument("node", shell_complete=candidates.nodes)
@click.option("--dry-run", is_flag=True, help="Show the plan, and change nothing.")
@click.option("-y", "--yes", is_flag=True, expose_value=False, help="Changes nothing: it never asks.")
@click.option(
    "--timeout",
    type=DURATION,
    default="5m",
    show_default=True,
    metavar="DURATION",
    help="Time for the node to be Ready, and again for moved workloads; 0: no limit.",
)
@click.option("--no-wait", is_flag=True, help="Do not wait until moved workloads are healthy.")
@output("table", "json", "yaml", "name")
@click.pass_obj
def command(env: Environment, node: str, *, dry_run: bool, timeout: float, no_wait: bool) -> Report:
    """Make a drained node schedulable again, and wait until moved workloads are healthy.

    The node is uncordoned once it is Ready. Then the command waits until the workloads that a drain has moved
    have all their pods ready. It does not ask for
    confirmation.

    Exit code 3: some of these workloads are not healthy in time; the node is uncordoned all the same.

    \b
    Examples:
      # After the work on it
      kubectl admin uncordon w1
      # What would be waited for?
      kubectl admin uncordon w1 --dry-run
      # Only the node itself
      kubectl admin uncordon w1 --no-wait
    """
    from kubectl_admin.cluster.access import explained
    from kubectl_admin.drain import recovery
    from kubectl_admin.drain.outcome import recovered, uncordoning
    from kubectl_admin.drain.progress import DrainLines
    from kubectl_admin.drain.rights import uncordon_rights

    cluster = env.cluster_for_work()
    with explained(cluster, uncordon_rights(dry_run=dry_run, wait=not no_wait)):
        if dry_run:
            report = uncordoning(node, recovery.look(cluster, node), wait=not no_wait)
        else:
            with env.live() as live:
                progress, limit = DrainLines(live.line, live.block), timeout or math.inf
                back = recovery.recover(cluster, node, progress, timeout=limit, wait_for_moved=not no_wait)
            report = recovered(back)
    env.show(report)
    return report
