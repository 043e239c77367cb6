"""`kubectl admin etcd-restore`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from kubectl_admin.errors import UsageError
from kubectl_admin.frame.change import ChangeOptions
from kubectl_admin.frame.environment import Environment
from kubectl_admin.frame.options import debug_pod, output
from kubectl_admin.frame.restore_options import refuse_no_file, restore_options
from kubectl_admin.frame.verb import Verb
from kubectl_admin.report import Report

if TYPE_CHECKING:
    from kubectl_admin.etcd.restore.local.look import ByHand
    from kubectl_admin.etcd.restore.look.look import Options
    from kubectl_admin.node.debug_pod import Options as PodOptions


@click.command("etcd-restore", cls=Verb)
@click.argument("file", metavar="[FILE]", required=False, type=click.Path(path_type=Path))
@click.option("--status", "only_status", is_flag=True, help="Show how far each control-plane node is.")
@click.option("--prune", is_flag=True, help="Remove the former data of a restore that is over.")
@restore_options
@click.option("--dry-run", is_flag=True, help="Restore aside on every node, compare, and remove it again.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask for confirmation.")
@debug_pod
@output("table", "wide", "json", "yaml")
@click.pass_obj
def command(  # noqa: PLR0913 - its options
    env: Environment,
    file: Path | None,
    *,
    only_status: bool,
    prune: bool,
    options: "Options",
    by_hand: "ByHand | None",
    dry_run: bool,
    yes: bool,
    pods: "PodOptions",
) -> Report:
    """Restore etcd of the whole control plane from a snapshot.

    All control-plane nodes restore the snapshot beside the running data, and then change over at once, by
    themselves: the API is down meanwhile. A majority must come up with the restored data before any API
    server serves them; otherwise all go back to the former data. The former data are kept until --prune.
    Everything that was written since the snapshot is lost: the plan shows it first.

    \b
    Examples:
      # What would be lost, and can it be done? Restores aside on every node, and changes nothing
      kubectl admin etcd-restore snapshot.db --dry-run
      # Restore it
      kubectl admin etcd-restore snapshot.db
      # How far is each node?
      kubectl admin etcd-restore --status
      # Remove the former data, once all is well
      kubectl admin etcd-restore --prune
      # The API is dead: print a script, to be run on each control plane as root
      kubectl admin etcd-restore snapshot.db --script > restore.sh
      # The same with this program, on each control plane
      kubectl-admin etcd-restore snapshot.db --local
      # Two of three members are lost for good: on the third, from its own data
      kubectl-admin etcd-restore --local --members cp-1
    """
    from kubectl_admin.verbs import etcd_restore_nodes as nodes
    from kubectl_admin.verbs import etcd_restore_work as work

    how = ChangeOptions(dry_run=dry_run, yes=yes)
    if not only_status and not prune:
        for path in filter(None, (file, options.etcdutl)):
            refuse_no_file(path)
    if by_hand:
        return on_the_node(env, file, options, by_hand, how, only_status=only_status, prune=prune)
    match file, only_status, prune:
        case Path(), False, False:
            return work.restore(env, file, options, pods, how)
        case None, True, False:
            return nodes.show_status(env, pods)
        case None, False, True:
            return nodes.prune(env, pods, how)
    raise UsageError("name a snapshot, or use --status or --prune, one of them")


def on_the_node(  # noqa: PLR0913 - options
    env: Environment,
    file: Path | None,
    options: "Options",
    by_hand: "ByHand",
    how: ChangeOptions,
    *,
    only_status: bool,
    prune: bool,
) -> Report:
    """The same without an API."""
    from kubectl_admin.verbs import etcd_restore_local as local

    if prune or (only_status and (file or by_hand.is_script)):
        raise UsageError(
            "--local and --script restore; --status --local shows this node",
            "the former data go with --prune alone, once the API is there, or with --prune of the script",
        )
    if options.ignore_webhooks:
        raise UsageError("--webhooks is for a restore through the API")
    if only_status:
        return local.show_status(env)
    return local.by_hand(env, file, options, by_hand, how)
