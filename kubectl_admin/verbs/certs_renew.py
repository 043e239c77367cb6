"""`kubectl admin certs renew` and `kubectl admin certs rollback`."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from kubectl_admin import candidates
from kubectl_admin.command import Verb
from kubectl_admin.environment import Environment
from kubectl_admin.errors import UsageError
from kubectl_admin.options import debug_pod, output
from kubectl_admin.report import Report

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from kubectl_admin.certificates.renewal.facts import Facts
    from kubectl_admin.certificates.renewal.plan import Plan
    from kubectl_admin.certificates.renewal.work import Done
    from kubectl_admin.node.debug_pod import Options
    from kubectl_admin.node.host import Host

nodes = click.option(
    "--node",
    "nodes",
    multiple=True,
    metavar="NODE",
    shell_complete=candidates.nodes,
    help="Only on this control-plane node; may be repeated.",
)
dry_run_ = click.option("--dry-run", is_flag=True, help="Show what would be done, and change nothing.")
yes_ = click.option("-y", "--yes", is_flag=True, help="Do not ask before the first change.")


def renewable(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    """What kubeadm renews."""
    from kubectl_admin.certificates.renewable import RENEWABLE

    return candidates.beginning(incomplete, ((name, "") for name in RENEWABLE))


@click.command("renew", cls=Verb)
@click.argument("names", nargs=-1, metavar="[NAME]…", shell_complete=renewable)
@click.option("--all", "everything", is_flag=True, help="All that kubeadm renews, instead of those named.")
@nodes
@dry_run_
@yes_
@debug_pod
@output("table", "wide", "json", "yaml", "name")
@click.pass_obj
def renew(  # noqa: PLR0913 - its options
    env: Environment,
    *,
    names: tuple[str, ...],
    everything: bool,
    nodes: tuple[str, ...],
    dry_run: bool,
    yes: bool,
    pods: "Options",
) -> Report:
    """Renew certificates with each node's own kubeadm, and see the new ones in use.

    One control-plane node after the other: what is there is kept, kubeadm renews, and every new certificate
    is seen being served before the next node. What reads its files again is left running; what does not is
    started anew. NAME is kubeadm's (apiserver, etcd-server, admin.conf, …). Run again, it goes on.

    \b
    Examples:
      # What would be done?
      kubectl admin certs renew --all --dry-run
      # Everything, on all control-plane nodes
      kubectl admin certs renew --all
      # Two of them, on one node
      kubectl admin certs renew apiserver front-proxy-client --node cp-1
    """
    from kubectl_admin.certificates.renewable import known
    from kubectl_admin.certificates.renewal import plan

    if bool(names) == everything:
        raise UsageError("name certificates, or say --all, one of the two")
    wanted = None if everything else known(names)
    what = "all certificates" if everything else ", ".join(wanted or ())

    def make(facts: "Facts") -> "Plan":
        return plan.renewal(facts, wanted)

    return changed(env, make, nodes, pods, f"renew {what}", renews=True, dry_run=dry_run, yes=yes)


@click.command("rollback", cls=Verb)
@click.option("--to", metavar="BACKUP", help="This one, instead of each node's newest.")
@nodes
@dry_run_
@yes_
@debug_pod
@output("table", "wide", "json", "yaml", "name")
@click.pass_obj
def rollback(
    env: Environment,
    *,
    to: str | None,
    nodes: tuple[str, ...],
    dry_run: bool,
    yes: bool,
    pods: "Options",
) -> Report:
    """Bring back the certificates that a renewal has kept, and see them in use.

    One control-plane node after the other, as in a renewal; what is replaced is kept, too. It is refused
    where an authority has been replaced since: what the old one signed is of no use then.

    \b
    Examples:
      # Which backups are there?
      kubectl admin certs rollback --dry-run -o json
      # The newest of each node
      kubectl admin certs rollback
      # A certain one of one node
      kubectl admin certs rollback --node cp-1 --to 20261125T165000Z
    """
    from kubectl_admin.certificates.renewal import plan

    def make(facts: "Facts") -> "Plan":
        return plan.rollback(facts, to)

    what = f"bring back the certificates of backup {to}" if to else "bring back the certificates kept last"
    return changed(env, make, nodes, pods, what, renews=False, dry_run=dry_run, yes=yes)


def changed(  # noqa: PLR0913 - whose, what, where, how
    env: Environment,
    make: "Callable[[Facts], Plan]",
    nodes: tuple[str, ...],
    pods: "Options",
    what: str,
    *,
    renews: bool,
    dry_run: bool,
    yes: bool,
) -> Report:
    """Looks, shows the plan, asks, and carries it out."""
    from kubectl_admin.certificates.renewal import report, work
    from kubectl_admin.certificates.renewal.look import look
    from kubectl_admin.certificates.renewal.own import Own
    from kubectl_admin.cluster import kubeconfig_files
    from kubectl_admin.node.operation import Operation

    cluster, operation = env.cluster(), Operation.begin()
    with env.progress("looking at nodes") as progress:
        planned = make(look(cluster, nodes, operation, pods, env.note, progress.step))
    preview = report.plan(planned)
    if dry_run or not planned.possible:
        env.show(preview)
        return preview
    if not yes:
        env.show(preview, env.stderr)
    where = ", ".join(step.node.node for step in planned.steps)
    env.confirm(f"{what} on {where} of context {cluster.target.context}", yes=yes)
    own = Own(cluster.target, kubeconfig_files.paths(env.flags.get("kubeconfig"), env.environ), env.note)

    def finished(there: "Host", done: "Done") -> None:
        env.note(report.summary(done))
        if renews:
            own.keep_up(there, done)

    done = work.carry_out(cluster, planned, operation, pods, env.note, finished)
    shown = report.result(planned.context, done)
    env.show(shown)
    return shown
