"""`kubectl admin certs renew` and `kubectl admin certs rollback`."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import click

from kubectl_admin.errors import UsageError
from kubectl_admin.frame import candidates
from kubectl_admin.frame.environment import Environment
from kubectl_admin.frame.options import DURATION, debug_pod, output, skip_host
from kubectl_admin.frame.verb import Verb
from kubectl_admin.report import Report

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from kubectl_admin.certificates.renewal.facts import Facts
    from kubectl_admin.certificates.renewal.plan import Plan
    from kubectl_admin.certificates.renewal.work import Done, Work
    from kubectl_admin.node.debug_pod import Options
    from kubectl_admin.node.host import Host

    Gather = Callable[..., Facts]

nodes = click.option(
    "--node",
    "nodes",
    multiple=True,
    metavar="NODE",
    shell_complete=candidates.nodes,
    help="Only on this node; may be repeated.",
)
dry_run_ = click.option("--dry-run", is_flag=True, help="Show what would be done, and change nothing.")
yes_ = click.option("-y", "--yes", is_flag=True, help="Do not ask before the first change.")


def renewable(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    """What can be renewed."""
    from kubectl_admin.certificates.renewable import KNOWN

    return candidates.beginning(incomplete, ((name, "") for name in KNOWN))


@click.command("renew", cls=Verb)
@click.argument("names", nargs=-1, metavar="[NAME]…", shell_complete=renewable)
@click.option("--all", "everything", is_flag=True, help="Renew all certificates that kubeadm renews.")
@click.option("--ca", "authorities", is_flag=True, help="Say how to replace an authority.")
@nodes
@dry_run_
@yes_
@skip_host
@debug_pod
@output("table", "wide", "json", "yaml", "name")
@click.pass_obj
def renew(  # noqa: PLR0913 - its options
    env: Environment,
    *,
    names: tuple[str, ...],
    everything: bool,
    authorities: bool,
    nodes: tuple[str, ...],
    dry_run: bool,
    yes: bool,
    skipped: tuple[str, ...],
    pods: "Options",
) -> Report:
    """Renew certificates with each node's own kubeadm or kubelet, and verify that the new ones are used.

    On one control-plane node after the other, the present files are backed up, kubeadm renews, and every new
    certificate must be served before the next node. Components that reload their certificates keep running;
    the others are restarted. If interrupted, run the command again to resume. NAME is kubeadm's name
    (apiserver, etcd-server, admin.conf, …).

    Kubelets rotate their own certificates, on every node; name kubelet-client or kubelet-serving to have them
    rotated now.

    \b
    Examples:
      # Show what would be done
      kubectl admin certs renew --all --dry-run
      # All of kubeadm's, on all control-plane nodes
      kubectl admin certs renew --all
      # Two of them, on one node
      kubectl admin certs renew apiserver front-proxy-client --node cp-1
      # The certificate that a worker's kubelet shows to API servers
      kubectl admin certs renew kubelet-client --node worker-1
    """
    from kubectl_admin.certificates.renewable import ROTATED, authority, known

    if authorities:
        raise authority("ca")
    if bool(names) == everything:
        raise UsageError("name one or more certificates, or use --all, but not both")
    wanted = known(names)
    change = rotation(wanted) if wanted and wanted[0] in ROTATED else renewal(wanted)
    return carry_out(env, change, nodes, pods, dry_run=dry_run, yes=yes, skipped=skipped)


@click.command("rollback", cls=Verb)
@click.option("--to", metavar="BACKUP", help="Restore this backup (default: each node's newest).")
@click.option(
    "--critical",
    type=DURATION,
    default="7d",
    show_default=True,
    metavar="DURATION",
    help="Refuse a backup with a certificate that has less time left than this.",
)
@click.option("--allow-expired", is_flag=True, help="Restore the backup of --to even if it has expired.")
@nodes
@dry_run_
@yes_
@skip_host
@debug_pod
@output("table", "wide", "json", "yaml", "name")
@click.pass_obj
def rollback(  # noqa: PLR0913 - its options
    env: Environment,
    *,
    to: str | None,
    critical: float,
    allow_expired: bool,
    nodes: tuple[str, ...],
    dry_run: bool,
    yes: bool,
    skipped: tuple[str, ...],
    pods: "Options",
) -> Report:
    """Restore the certificates that a renewal has backed up, and verify that they are used.

    It works on one control-plane node after the other, as a renewal does; the replaced files are backed up,
    too. A backup is refused if an authority has been replaced since then, or if its certificates have expired
    or are about to. The plan shows which certificates will be there afterwards.

    \b
    Examples:
      # List the backups
      kubectl admin certs rollback --dry-run -o json
      # Restore the newest backup of each node
      kubectl admin certs rollback
      # Restore a certain backup of one node
      kubectl admin certs rollback --node cp-1 --to 20261125T165000Z
    """
    from kubectl_admin.certificates.renewal.kubeadm import rollback as plan
    from kubectl_admin.certificates.renewal.kubeadm.gather import gather
    from kubectl_admin.certificates.renewal.kubeadm.work import apply

    if allow_expired and not to:
        raise UsageError("--allow-expired needs a named backup: --to BACKUP")

    def make(facts: "Facts") -> "Plan":
        limit = timedelta(seconds=critical)
        return plan.rollback(facts, to, now=datetime.now(UTC), critical=limit, allow_expired=allow_expired)

    what = f"restore the certificates of backup {to}" if to else "restore the newest backup of certificates"
    change = Change(what, "restores certificates", partial(gather, inside=True), make, apply)
    return carry_out(env, change, nodes, pods, dry_run=dry_run, yes=yes, skipped=skipped)


class Change(NamedTuple):
    """A change of certificates.

    what: is it, in words. about: the same for others. gather: finds out what there is. make: the plan, by
    that. work: changes one node. renews: whether your own kubeconfig is kept up with it.
    """

    what: str
    about: str
    gather: "Gather"
    make: "Callable[[Facts], Plan]"
    work: "Work"
    renews: bool = False


def renewal(names: tuple[str, ...]) -> Change:
    """What kubeadm renews. names: all of it where there are none."""
    from kubectl_admin.certificates.renewal.kubeadm import plan
    from kubectl_admin.certificates.renewal.kubeadm.gather import gather
    from kubectl_admin.certificates.renewal.kubeadm.work import apply

    what = f"renew {', '.join(names) or 'all certificates'}"
    return Change(
        what,
        "renews certificates",
        gather,
        lambda facts: plan.renewal(facts, names or None),
        apply,
        renews=True,
    )


def rotation(names: tuple[str, ...]) -> Change:
    """What kubelets rotate."""
    from kubectl_admin.certificates.renewal.kubelet import plan
    from kubectl_admin.certificates.renewal.kubelet.gather import gather
    from kubectl_admin.certificates.renewal.kubelet.work import rotate

    what = f"rotate {' and '.join(names)}"
    about = f"rotates {' and '.join(names)}"
    return Change(what, about, gather, lambda facts: plan.rotation(facts, names, datetime.now(UTC)), rotate)


def carry_out(  # noqa: PLR0913 - what the options say
    env: Environment,
    change: Change,
    nodes: tuple[str, ...],
    pods: "Options",
    *,
    dry_run: bool,
    yes: bool,
    skipped: tuple[str, ...],
) -> Report:
    """Looks, shows the plan, asks, and carries it out."""
    from kubectl_admin.certificates.inventory import expired
    from kubectl_admin.certificates.renewal import report
    from kubectl_admin.certificates.renewal.kubeconfig import AdminKubeconfig
    from kubectl_admin.certificates.renewal.work import Runner
    from kubectl_admin.cluster import kubeconfig_files
    from kubectl_admin.cluster.errors import Unauthorized, Unreachable
    from kubectl_admin.node.hosts import Hosts
    from kubectl_admin.node.operation import Operation

    cluster = env.cluster_for_work()
    hosts = Hosts(cluster, Operation.begin(), pods, env.note)
    try:
        with env.progress("looking at nodes") as progress:
            planned = change.make(change.gather(hosts, nodes, progress.step))
    except (Unauthorized, Unreachable) as error:
        raise expired.explained(cluster, error, datetime.now(UTC)) from error
    preview = report.plan(planned)
    if dry_run or not planned.possible:
        env.show(preview)
        return preview
    if not yes:
        env.show(preview, env.stderr)
    where = ", ".join(step.node.node for step in planned.steps)
    env.confirm(f"{change.what} on {where} of context {cluster.target.context}", yes=yes)
    files = kubeconfig_files.paths(env.flags.get("kubeconfig"), env.environ)
    own = AdminKubeconfig(cluster.target, files, env.note)

    def finished(there: "Host", done: "Done") -> None:
        env.note(report.summary(done))
        if change.renews:
            own.keep_up(there, done)

    done = Runner(hosts, change.work, change.about, finished, skipped).run(planned)
    shown = report.result(planned.context, done)
    env.show(shown)
    return shown
