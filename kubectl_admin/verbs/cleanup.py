"""`kubectl admin cleanup`."""

from typing import TYPE_CHECKING

import click

from kubectl_admin.frame import candidates
from kubectl_admin.frame.change import ChangeOptions, Proposal, change
from kubectl_admin.frame.environment import Environment
from kubectl_admin.frame.options import change_options, debug_pod, output
from kubectl_admin.frame.verb import Verb
from kubectl_admin.report import Report

if TYPE_CHECKING:
    from kubectl_admin.node.debug_pod import Options


@click.command("cleanup", cls=Verb)
@click.argument("nodes", nargs=-1, metavar="[NODE]…", shell_complete=candidates.nodes)
@change_options
@click.option("--force", is_flag=True, help="Remove also what is in use or half-way, and end running jobs.")
@debug_pod
@output("table", "wide", "json", "yaml", "name")
@click.pass_obj
def command(
    env: Environment, *, nodes: tuple[str, ...], force: bool, pods: "Options", how: ChangeOptions
) -> Report:
    """Remove debug pods, directories and jobs left behind by killed runs.

    Nothing else is ever removed. Things in use, and those that a half-way upgrade needs, stay unless --force
    is given. A restore of etcd always stays. If you name nodes, only their hosts are looked at.

    Exit code 3: something could not be removed.

    \b
    Examples:
      # What is there?
      kubectl admin cleanup --dry-run
      # Remove it
      kubectl admin cleanup
    """
    from kubectl_admin.etcd.members import pods as etcd
    from kubectl_admin.node import cleanup
    from kubectl_admin.node.hosts import Hosts
    from kubectl_admin.node.operation import Operation

    cluster = env.cluster_for_work()
    with env.progress("looking at nodes") as progress:
        hosts = Hosts(cluster, Operation.begin(), pods, env.note)
        left, blind = cleanup.find(hosts, nodes, progress.step, lambda there: etcd.find(there).data)
    chosen = cleanup.removable(left, force=force)

    outcomes: dict[str, str] = {}

    def so_far() -> Report:
        return cleanup.outcome(cleanup.so_far(chosen, outcomes), left, blind)

    def act() -> Report:
        cleanup.remove(cluster, chosen, pods, env.note, outcomes)
        return so_far()

    question = cleanup.question(chosen, cluster.target.context or cluster.server)
    proposal = Proposal(cleanup.report(left, blind), question, bool(chosen))
    return change(env, how, proposal, act, so_far=so_far)
