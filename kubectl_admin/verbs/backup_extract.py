"""`kubectl admin backup extract`."""

from pathlib import Path

import click

from kubectl_admin.errors import UsageError
from kubectl_admin.frame.archive_options import KeyOptions, archive_keys
from kubectl_admin.frame.environment import Environment
from kubectl_admin.frame.options import output
from kubectl_admin.frame.verb import Verb
from kubectl_admin.report import Report


@click.command("extract", cls=Verb)
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("wanted", metavar="[PATH]", default="")
@click.option(
    "--to",
    "directory",
    type=click.Path(path_type=Path),
    required=True,
    metavar="DIRECTORY",
    help="Where it is written; it is made where it does not exist.",
)
@archive_keys
@output("table", "json", "yaml", "name")
@click.pass_obj
def command(env: Environment, file: Path, wanted: str, directory: Path, keys: KeyOptions) -> Report:
    """Write what is in a backup below a directory, for you alone to read.

    PATH is that of a file or directory in the archive, and begins with a piece's name without its endings:
    etcd.db, objects, files-cp-1/etc/kubernetes/pki. Nothing is written outside of the directory, through a
    link or over a file, and no link is made. The archive is read to its end first: of one that is damaged
    nothing is written.

    \b
    Examples:
      # All of it
      kubectl admin backup extract backup.tar --to restored --identity key.txt
      # The snapshot
      kubectl admin backup extract backup.tar etcd.db --to . --identity key.txt
      # A control plane's keys
      kubectl admin backup extract backup.tar files-cp-1/etc/kubernetes/pki --to pki -i key.txt
    """
    from kubectl_admin.backup import opened_report, opening
    from kubectl_admin.backup.archive.extract import extract
    from kubectl_admin.backup.archive.read import Reading
    from kubectl_admin.backup.archive.source import opened
    from kubectl_admin.report.text import printable

    with opened(file) as source:
        reading = Reading(source, str(file))
        # A passphrase is asked for where it is the only way.
        is_closed = opening.is_encrypted(reading) and not opening.has_passphrase(reading)
        if is_closed and not keys.identities:
            raise UsageError(
                f"{file} is encrypted, and no key is given",
                "name the file of a secret key: --identity key.txt",
            )
        ask = opening.asking(keys.passphrase_file)
        identities = opening.identities_of(reading, keys.identities, ask)
        with env.moving(f"reading {printable(file.name)}") as moving:
            done = extract(reading, identities, wanted, directory, moving)
    shown = opened_report.extracted(done)
    env.show(shown)
    return shown
