"""`kubectl admin certs rollback`."""

from datetime import timedelta
from typing import TYPE_CHECKING

import click

from kubectl_admin.errors import UsageError
from kubectl_admin.frame.change import ChangeOptions
from kubectl_admin.frame.environment import Environment
from kubectl_admin.frame.options import DURATION, change_options, debug_pod, only_nodes, output, skip_host
from kubectl_admin.frame.verb import Verb
from kubectl_admin.report import Report
from kubectl_admin.verbs.certs_change import change_certificates

if TYPE_CHECKING:
    from kubectl_admin.node.debug_pod import Options


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
@only_nodes
@change_options
@skip_host
@debug_pod
@output("table", "wide", "json", "yaml", "name")
@click.pass_obj
def command(  # noqa: PLR0913 - its options
    env: Environment,
    *,
    to: str | None,
    critical: float,
    allow_expired: bool,
    nodes: tuple[str, ...],
    skipped: tuple[str, ...],
    pods: "Options",
    how: ChangeOptions,
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
    from kubectl_admin.certificates.renewal.changes import rollback

    if allow_expired and not to:
        raise UsageError("--allow-expired needs a named backup: --to BACKUP")
    wanted = rollback(to, timedelta(seconds=critical), allow_expired=allow_expired)
    return change_certificates(env, wanted, nodes, pods, skipped=skipped, how=how)
