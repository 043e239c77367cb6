"""`kubectl admin certs`: the listing by itself; each change is a subcommand of its own."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from kubectl_admin.frame.environment import Environment
from kubectl_admin.frame.options import DURATION, debug_pod, output
from kubectl_admin.frame.verb import VerbGroup

if TYPE_CHECKING:
    from kubectl_admin.node.debug_pod import Options
    from kubectl_admin.report import Report

SUBCOMMANDS = {
    "csr": (
        "certs_csr:command",
        "Judge kubelets' certificate signing requests, and approve valid ones.",
    ),
    "renew": (
        "certs_renew:command",
        "Renew certificates node by node, and verify that the new ones are used.",
    ),
    "rollback": ("certs_rollback:command", "Restore the certificates from before a renewal."),
}


@click.command("certs", cls=VerbGroup, subcommands=SUBCOMMANDS)
@click.option(
    "--warn",
    type=DURATION,
    default="30d",
    show_default=True,
    metavar="DURATION",
    help="Warn of a certificate that expires within this time.",
)
@click.option(
    "--critical",
    type=DURATION,
    default="7d",
    show_default=True,
    metavar="DURATION",
    help="Exit with code 3 if a certificate expires within this time.",
)
@click.option(
    "--no-host", is_flag=True, help="Don't look at the nodes' disks, for which it takes debug pods."
)
@debug_pod
@output("table", "wide", "json", "yaml", "name", "prometheus")
@click.pass_obj
def command(env: Environment, *, warn: float, critical: float, no_host: bool, pods: "Options") -> "Report":
    """List every certificate of the cluster, on disk and as served; the first to expire is on top.

    It lists kubeadm's certificates on every control plane, those in kubeconfig files, kubelets', authorities,
    those of webhooks and aggregated APIs, and your own; and those that ports 6443, 2379, 2380, 10250, 10257
    and 10259 serve. Nothing is changed, and no key leaves its node. Rows that are alike on several nodes are
    one; -o wide shows each. Exit code 3: a certificate has expired, expires within --critical, or was renewed
    but not loaded.

    \b
    Examples:
      # Every certificate of the current context's cluster
      kubectl admin certs
      # Without debug pods
      kubectl admin certs --no-host
      # Warn earlier
      kubectl admin certs --warn 120d --critical 90d
      # Signers, keys, serial numbers, subject alternative names, paths
      kubectl admin certs -o wide
      # For the textfile collector of Prometheus' node_exporter; not «&&»: exit code 3 has output, too
      cd /var/lib/node_exporter && kubectl admin certs -o prometheus > certs.tmp;
        [ -s certs.tmp ] && mv certs.tmp certs.prom
    """
    from kubectl_admin.certificates.inventory import gather, report
    from kubectl_admin.certificates.judge import judge
    from kubectl_admin.certificates.judge.expiry import Thresholds
    from kubectl_admin.node.hosts import Hosts
    from kubectl_admin.node.operation import Operation

    thresholds = Thresholds(timedelta(seconds=warn), timedelta(seconds=critical))
    with env.progress("looking at certificates") as progress:
        cluster = env.cluster()
        hosts = None if no_host else Hosts(cluster, Operation.begin(), pods, env.note)
        facts = gather.gather(cluster, hosts, answered=progress.step)
    now = datetime.now(UTC)
    shown = report.report(facts, judge(facts, now, thresholds), now, thresholds, wide=env.output == "wide")
    env.show(shown)
    return shown
