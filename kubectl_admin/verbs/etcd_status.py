"""`kubectl admin etcd-status`."""

import click

from kubectl_admin.frame.environment import Environment
from kubectl_admin.frame.options import output
from kubectl_admin.frame.verb import Verb
from kubectl_admin.report import Report


@click.command("etcd-status", cls=Verb)
@click.option(
    "--hash/--no-hash",
    "compare",
    default=None,
    help="Compare the members' data, however large it is, or never; else only where it takes a moment.",
)
@output("table", "wide", "json", "yaml", "name")
@click.pass_obj
def command(env: Environment, compare: bool | None) -> Report:
    """Show the members of etcd, who leads, how full they are, and whether their data agrees.

    Each member is asked in its own pod; if that does not answer, other members ask it. Nothing is changed.
    RAFT-LAG is how many entries a member is behind the newest, and how many it has not applied. Exit code 3:
    something is wrong, such as a member that is down, an alarm, data that differs. Exit code 1: no member has
    answered.

    \b
    Examples:
      # The members of the current context's cluster
      kubectl admin etcd-status
      # With ids, quota, terms, indexes and addresses
      kubectl admin etcd-status -o wide
      # Compare the data even of large databases, which delays writes for a moment
      kubectl admin etcd-status --hash
    """
    from kubectl_admin.etcd.members import gather
    from kubectl_admin.etcd.members.judge import judge
    from kubectl_admin.etcd.members.report import report

    with env.progress("asking members") as progress:
        state = gather.gather(env.cluster(), compare=compare, answered=progress.step)
    shown = report(state, judge(state))
    env.show(shown)
    gather.require_answer(state)
    return shown
