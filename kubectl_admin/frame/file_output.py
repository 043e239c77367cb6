"""The options of verbs whose answer is a file: -o names it, and --json the form of the report about it."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kubectl_admin.frame.environment import Environment
from kubectl_admin.frame.options import in_order

if TYPE_CHECKING:
    from kubectl_admin.part_file import Draft
    from kubectl_admin.report import Report

FORMATS = ("table", "wide", "json", "yaml", "name")  # of -o with the other verbs


def file_output(function: Callable[..., Any]) -> Callable[..., Any]:
    """The decorator for -o, --force and --json, handed over as `target`, `force` and `as_json`."""
    decorators = [
        click.option(
            "-o",
            "--output",
            "target",
            type=click.Path(allow_dash=True),
            default=".",
            metavar="FILE",
            help="A file, a directory (the file is named by cluster and time), or - for stdout; here if not "
            "given.",
        ),
        click.option("--force", is_flag=True, help="Replace the file if it is there."),
        click.option("--json", "as_json", is_flag=True, help="Print the result as JSON."),
    ]
    return in_order(decorators, function)


def check_target(env: Environment, target: str, what: str) -> None:
    """Raises UsageError where -o was given an output format, or a terminal would get the file.

    what: the file holds, «snapshot».
    """
    from kubectl_admin.errors import UsageError

    if target in FORMATS:
        raise UsageError(
            f"-o names the file of the {what}, not an output format: {target}",
            f"for a report as JSON use --json; for a file of that name, -o ./{target}",
        )
    if target == "-":
        env.require_taker(f"a {what}")


def hand_over(env: Environment, draft: "Draft") -> None:
    """Gives the file its name, or all of it to stdout. Raises AdminError where that can't be done."""
    from kubectl_admin.part_file import PartFile

    if isinstance(draft, PartFile):
        draft.publish()
    else:
        draft.copy_to(env.stdout.fileno(), "stdout")


def show(env: Environment, report: "Report", file: Path | None, *, as_json: bool) -> None:
    """Shows the report about the file. file: None where it went to stdout, which is taken then."""
    env.output = "json" if as_json else "table"
    env.show(report, env.stderr if file is None else env.stdout)
