"""`kubectl admin etcd-undelete`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from kubectl_admin.errors import UsageError
from kubectl_admin.frame.change import ChangeOptions
from kubectl_admin.frame.environment import Environment
from kubectl_admin.frame.options import output
from kubectl_admin.frame.past_options import opening_options
from kubectl_admin.frame.undelete_options import undelete_options
from kubectl_admin.frame.verb import Verb
from kubectl_admin.report import Report

if TYPE_CHECKING:
    from kubectl_admin.frame.past_options import Opening
    from kubectl_admin.frame.undelete_options import Wish


@click.command("etcd-undelete", cls=Verb)
@click.argument("snapshot", required=False, type=click.Path(path_type=Path))
@click.argument("words", metavar="[KIND[/NAME]…]", nargs=-1)
@undelete_options
@click.option(
    "--undo",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="JOURNAL",
    help="Take back what a run has changed, by its journal.",
)
@opening_options
@output("table", "wide", "json", "yaml", "name")
@click.pass_obj
def command(
    env: Environment,
    snapshot: Path | None,
    *,
    wish: "Wish",
    undo: Path | None,
    opening: "Opening",
    how: ChangeOptions,
) -> Report:
    """Bring single objects back out of a snapshot of etcd.

    The snapshot is opened as a cluster, as by etcd-open, and compared with the live one. Objects that are
    missing are made again as a person has written them; controllers do the rest. The plan is shown first, and
    the API server has tried every object before the first is made. A journal notes every change, for --undo.
    A run that was cut off is resumed by the same command.

    Exit code 3: something that was asked for is not back.

    \b
    Examples:
      # A namespace was deleted: what would come back?
      kubectl admin etcd-undelete snapshot.db -n shop --dry-run
      # Bring it back
      kubectl admin etcd-undelete snapshot.db -n shop
      # A single object; all Deployments and Services with a label
      kubectl admin etcd-undelete snapshot.db -n shop configmap/cart
      kubectl admin etcd-undelete snapshot.db -n shop deploy,svc -l app=web
      # Objects that have changed since: in which fields? Put them back, too
      kubectl admin etcd-undelete snapshot.db -n shop --changed --diff
      kubectl admin etcd-undelete snapshot.db -n shop --changed
      # As manifests, for git
      kubectl admin etcd-undelete snapshot.db -n shop -o yaml > shop.yaml
      # Take all of it back
      kubectl admin etcd-undelete --undo snapshot.db.undelete-20261130T165900Z.jsonl
    """
    from kubectl_admin.verbs import etcd_undelete_undo, etcd_undelete_work

    if undo:
        if snapshot:
            raise UsageError("--undo takes its journal, and no snapshot")
        return etcd_undelete_undo.undo(env, undo, how, changed=wish.changed)
    if snapshot is None:
        raise UsageError("name a snapshot", "kubectl admin etcd-undelete SNAPSHOT -n NAMESPACE")
    return etcd_undelete_work.undelete(env, snapshot, wish, opening, how)
