"""`kubectl admin certs csr`."""

from datetime import UTC, datetime

import click

from kubectl_admin.frame.environment import Environment
from kubectl_admin.frame.options import max_duration, output
from kubectl_admin.frame.verb import VerbGroup
from kubectl_admin.report import Report

SUBCOMMANDS = {
    "approve": ("certs_csr_approve:command", "Approve valid requests, and say why the others are refused.")
}


@click.command("csr", cls=VerbGroup, subcommands=SUBCOMMANDS)
@max_duration
@output("table", "wide", "json", "yaml", "name")
@click.pass_obj
def command(env: Environment, /, longest: int) -> Report:
    """Judge the pending certificate signing requests of kubelets.

    Nothing in a cluster approves a kubelet's serving certificate (serverTLSBootstrap) by itself. This command
    compares every request with what a kubelet asks for: its own node's name and addresses, and nothing else.
    Requests to other signers are listed and left alone. Exit code 3: a request is refused.

    \b
    Examples:
      # List pending requests, with a verdict on each
      kubectl admin certs csr
      # With keys, addresses and requesters
      kubectl admin certs csr -o wide
    """
    from kubectl_admin.certificates.requests import gather
    from kubectl_admin.certificates.requests.report import report

    seen = gather.gather(env.cluster())
    shown = report(seen.context, seen.judged(longest), datetime.now(UTC), gaps=seen.nodes.server.gaps)
    env.show(shown)
    return shown
