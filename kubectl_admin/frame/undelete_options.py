"""The options of etcd-undelete that say which objects come back, and how."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from kubectl_admin.frame.change import ChangeOptions
from kubectl_admin.frame.environment import Environment
from kubectl_admin.frame.options import in_order

FILE = click.Path(path_type=Path, dir_okay=False)
OPTIONS = (
    click.option(
        "-A",
        "--all-namespaces",
        "everywhere",
        is_flag=True,
        help="All namespaces, and objects that are in none.",
    ),
    click.option("-l", "--selector", default="", metavar="SELECTOR", help="Only objects with these labels."),
    click.option(
        "--changed",
        is_flag=True,
        help="Put objects that have changed back to what they were, too. With --undo: take back objects that "
        "have changed since, too.",
    ),
    click.option(
        "--dry-run",
        is_flag=False,
        flag_value="server",
        default="none",
        type=click.Choice(["none", "client", "server"]),
        metavar="[=client]",
        help="Show the plan, and change nothing. The API server tries every object, unless it is =client.",
    ),
    click.option(
        "--diff", is_flag=True, help="Show what would change, as kubectl diff does, and change nothing."
    ),
    click.option("--keep-going", is_flag=True, help="Bring the others back if some are refused."),
    click.option(
        "--empty-volumes", is_flag=True, help="Bring claims back whose data is lost, with empty volumes."
    ),
    click.option(
        "--force-other-cluster", "other_cluster", is_flag=True, help="Take a snapshot of another cluster."
    ),
    click.option(
        "--journal",
        type=FILE,
        metavar="FILE",
        help="Where all changes are noted; beside the snapshot if not given.",
    ),
    click.option("-y", "--yes", is_flag=True, help="Do not ask for confirmation."),
)


@dataclass(frozen=True, slots=True)
class Wish:
    """A person's choices. words: kinds and objects. journal: None for the usual place.

    tries: whether the API server tries every object. diff: whether differences are all that is shown.
    """

    words: tuple[str, ...]
    everywhere: bool
    selector: str
    changed: bool
    diff: bool
    tries: bool
    keep_going: bool
    empty_volumes: bool
    other_cluster: bool
    journal: Path | None


def undelete_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The decorator for all of them and `words`, handed over as `wish`, and as `how`, a ChangeOptions."""

    @functools.wraps(function)
    def decided(  # noqa: PLR0913 - the options
        *arguments: Any,
        words: tuple[str, ...],
        everywhere: bool,
        selector: str,
        changed: bool,
        dry_run: str,
        diff: bool,
        keep_going: bool,
        empty_volumes: bool,
        other_cluster: bool,
        journal: Path | None,
        yes: bool,
        **others: Any,
    ) -> Any:
        # Manifests and differences are for other programs, and for a look.
        shows = diff or click.get_current_context().ensure_object(Environment).output == "yaml"
        wish = Wish(
            words,
            everywhere,
            selector,
            changed,
            diff,
            dry_run != "client" and not shows,
            keep_going,
            empty_volumes,
            other_cluster,
            journal,
        )
        how = ChangeOptions(dry_run=dry_run != "none" or (shows and not others.get("undo")), yes=yes)
        return function(*arguments, wish=wish, how=how, **others)

    return in_order(OPTIONS, decided)
