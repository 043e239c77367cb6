"""`kubectl admin certs`: the listing by itself; what changes something is a subcommand of its own."""

import click

from kubectl_admin.environment import Environment
from kubectl_admin.errors import AdminError
from kubectl_admin.options import VerbGroup, debug_pod_flags, output

SUBCOMMANDS = {
    "csr": ("certs_csr:command", "Judge requests for certificates, and approve those that are right."),
    "renew": ("certs_renew:renew", "Renew certificates node by node, and see the new ones being served."),
    "rollback": ("certs_renew:rollback", "Bring back the certificates from before a renewal."),
}


@click.command("certs", cls=VerbGroup, subcommands=SUBCOMMANDS)
@debug_pod_flags
@output("table", "wide", "json", "yaml", "name")
@click.pass_obj
def command(_env: Environment, /, **_options: object) -> None:
    """Show every certificate of the cluster, on disk and as served, and what ends first.

    \b
    Examples:
      # Every certificate of the current context's cluster
      kubectl admin certs
    """
    raise AdminError("the listing of certificates is not there yet")
