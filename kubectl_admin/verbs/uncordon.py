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
@click.option(
    "--timeout",
    type=DURATION,
    default="5m",
    show_default=True,
    metavar="DURATION",
    help="Time for the node to be Ready, and as much for what was moved; 0 is no limit.",
)
@click.option("--no-wait", is_flag=True, help="Do not wait for what was moved to be healthy.")
@output("table", "json", "yaml", "name")
@click.pass_obj
def command(env: Environment, node: str, timeout: float, no_wait: bool) -> Report:
    """Take a drained node back: once it is Ready, let pods come to it again.

    Then wait until the workloads that a drain has moved have all their pods ready. Exit code 3 says that some
    have not; the node is uncordoned all the same.

    \b
    Examples:
      # After the work on it
      kubectl admin uncordon w1
      # Only the node itself
      kubectl admin uncordon w1 --no-wait
    """
    from kubectl_admin.drain import recovery
    from kubectl_admin.drain.progress import DrainLines
    from kubectl_admin.drain.report import recovered

    with env.live() as live:
        progress = DrainLines(live.line, live.block)
        cluster, limit = env.cluster_for_work(), timeout or math.inf
        back = recovery.recover(cluster, node, progress, timeout=limit, wait_for_moved=not no_wait)
    report = recovered(back)
    env.show(report)
    return report
