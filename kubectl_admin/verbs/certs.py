"""`kubectl admin certs`: the listing by itself; what changes something is a subcommand of its own."""

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
    "csr": ("certs_csr:command", "Judge requests for certificates, and approve those that are right."),
    "renew": ("certs_renew:renew", "Renew certificates node by node, and see the new ones being served."),
    "rollback": ("certs_renew:rollback", "Bring back the certificates from before a renewal."),
}


@click.command("certs", cls=VerbGroup, subcommands=SUBCOMMANDS)
@click.option(
    "--warn",
    type=DURATION,
    default="30d",
    show_default=True,
    metavar="DURATION",
    help="Time left below which a certificate is worth a warning.",
)
@click.option(
    "--critical",
    type=DURATION,
    default="7d",
    show_default=True,
    metavar="DURATION",
    help="Time left below which the exit code is 3.",
)
@click.option(
    "--no-host", is_flag=True, help="Look at no node's disk: only at what can be seen without a debug pod."
)
@debug_pod
@output("table", "wide", "json", "yaml", "name", "prometheus")
@click.pass_obj
def command(env: Environment, *, warn: float, critical: float, no_host: bool, pods: "Options") -> "Report":
    """Show every certificate of the cluster, on disk and as served, and what ends first.

    Kubeadm's on every control plane, those in kubeconfig files, the kubelets', authorities, those of webhooks
    and aggregated APIs, and your own; beside them what is really served on 6443, 2379, 2380, 10250, 10257
    and 10259. Nothing is changed, and no key leaves its node. Rows that are alike on several nodes are one;
    -o wide shows each. Exit code 3 says that something has ended, is about to, or was renewed and not loaded.

    \b
    Examples:
      # Every certificate of the current context's cluster
      kubectl admin certs
      # Without debug pods
      kubectl admin certs --no-host
      # Be told a quarter before
      kubectl admin certs --warn 120d --critical 90d
      # Signers, keys, serial numbers, subject alternative names, paths
      kubectl admin certs -o wide
      # For the textfile collector of Prometheus' node_exporter
      kubectl admin certs -o prometheus > /var/lib/node_exporter/certs.prom
    """
    from kubectl_admin.certificates.inventory import gather, report
    from kubectl_admin.certificates.judge import judge
    from kubectl_admin.certificates.judge.expiry import Thresholds

    thresholds = Thresholds(timedelta(seconds=warn), timedelta(seconds=critical))
    with env.progress("looking at certificates") as progress:
        facts = gather.gather(env.cluster(), None if no_host else pods, env.note, progress.step)
    now = datetime.now(UTC)
    shown = report.report(facts, judge(facts, now, thresholds), now, thresholds, wide=env.output == "wide")
    env.show(shown)
    return shown
