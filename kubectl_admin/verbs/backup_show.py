"""`kubectl admin backup show`."""

from pathlib import Path

import click

from kubectl_admin.frame.environment import Environment
from kubectl_admin.frame.options import output
from kubectl_admin.frame.verb import Verb
from kubectl_admin.report import Report


@click.command("show", cls=Verb)
@click.argument("file", type=click.Path(path_type=Path))
@output("table", "wide", "json", "yaml", "name")
@click.pass_obj
def command(env: Environment, file: Path) -> Report:
    """Show what a backup says of itself: of which cluster and when, its pieces, what it lacks.

    It needs no key, asks no cluster, and reads the beginning of the file alone. Exit code 3: the file is
    shorter or longer than it was made.

    \b
    Examples:
      # What is it?
      kubectl admin backup show backup.tar
      # For a script
      kubectl admin backup show backup.tar -o json
    """
    from kubectl_admin.backup import opened_report
    from kubectl_admin.backup.archive.read import Reading
    from kubectl_admin.backup.archive.source import opened

    with opened(file) as source:
        shown = opened_report.shown(Reading(source, str(file)).archive)
    env.show(shown)
    return shown
