"""`kubectl admin cleanup`."""

from typing import TYPE_CHECKING

import click

from kubectl_admin.frame import candidates
from kubectl_admin.frame.environment import Environment
from kubectl_admin.frame.options import debug_pod, output
from kubectl_admin.frame.verb import Verb

if TYPE_CHECKING:
    from kubectl_admin.node.debug_pod import Options


@click.command("cleanup", cls=Verb)
@click.argument("nodes", nargs=-1, metavar="[NODE]…", shell_complete=candidates.nodes)
@click.option("--dry-run", is_flag=True, help="Show what is left; remove nothing.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("--force", is_flag=True, help="Remove also what is in use, or half way; end jobs that run.")
@debug_pod
@output("table", "wide", "json", "yaml", "name")
@click.pass_obj
def command(
    env: Environment, nodes: tuple[str, ...], dry_run: bool, yes: bool, force: bool, pods: "Options"
) -> None:
    """Remove what runs of this tool that were killed have left in the cluster.

    Those are debug pods, folders on the hosts of nodes, and the jobs in them; nothing else is ever touched.
    What is in use, and what a half-way upgrade needs, stays, unless --force is given. With nodes named, the
    hosts of these alone are looked at.

    \b
    Examples:
      # What is there?
      kubectl admin cleanup --dry-run
      # Away with it
      kubectl admin cleanup
    """
    from kubectl_admin.node import cleanup

    cluster = env.cluster_for_work()
    with env.progress("looking at nodes") as progress:
        left, blind = cleanup.find(cluster, nodes, pods, env.note, progress.step)
    env.show(cleanup.report(left, blind))
    doomed = [each for each in left if force or each.state not in cleanup.KEPT]
    if dry_run or not doomed:
        return
    env.confirm(cleanup.question(doomed, cluster.target.context or cluster.server), yes=yes)
    for name in cleanup.remove(cluster, doomed, pods, env.note):
        env.note(f"{name} removed")
