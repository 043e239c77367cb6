"""`kubectl admin backup verify`."""

from datetime import UTC, datetime
from pathlib import Path

import click

from kubectl_admin.frame.archive_options import KeyOptions, archive_keys
from kubectl_admin.frame.environment import Environment
from kubectl_admin.frame.options import output
from kubectl_admin.frame.verb import Verb
from kubectl_admin.report import Report


@click.command("verify", cls=Verb)
@click.argument("file", type=click.Path(path_type=Path))
@archive_keys
@output("table", "wide", "json", "yaml", "name")
@click.pass_obj
def command(env: Environment, file: Path, keys: KeyOptions) -> Report:
    """Verify a backup on this machine: whether it is whole and, with its key, what it brings back.

    It asks no cluster. Without a key it checks that every piece is what was written. With one it reads every
    piece to its end, verifies the snapshot, compares the control planes' keys and certificates with each
    other and with the snapshot, and decrypts a Secret of each way of encryption at rest with the archive's
    own configuration. What an archive can't bring back is always listed. Exit code 3: something is missing or
    does not fit.

    \b
    Examples:
      # Is it whole?
      kubectl admin backup verify backup.tar
      # Does it bring the cluster back?
      kubectl admin backup verify backup.tar --identity key.txt
      # One that was made with a passphrase
      kubectl admin backup verify backup.tar --passphrase
    """
    from kubectl_admin.backup import opened_report, opening
    from kubectl_admin.backup.archive.read import Reading
    from kubectl_admin.backup.archive.source import opened
    from kubectl_admin.backup.archive.verify import verify
    from kubectl_admin.report.text import printable

    with opened(file) as source:
        reading = Reading(source, str(file))
        ask = opening.asking(keys.passphrase_file)
        is_open = keys.are_given or not opening.is_encrypted(reading)
        identities = opening.identities_of(reading, keys.identities, ask) if is_open else None
        with env.moving(f"reading {printable(file.name)}") as moving:
            done = verify(reading, identities, datetime.now(UTC), moved=moving, looked=moving)
    shown = opened_report.verified(done)
    env.show(shown)
    return shown
