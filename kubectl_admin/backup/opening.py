"""With which keys an archive is opened: those that a person names, or its own under a passphrase."""

import os
import stat
from collections.abc import Sequence
from pathlib import Path

from kubectl_admin.backup.archive.read import Reading
from kubectl_admin.backup.facts import Kind
from kubectl_admin.backup.seal import keys
from kubectl_admin.backup.seal.keys import Ask, Identity
from kubectl_admin.errors import UsageError
from kubectl_admin.report.text import printable

PASSPHRASE = 1 << 16  # bytes of a file with one


def identities_of(reading: Reading, files: Sequence[Path], ask: Ask) -> list[Identity]:
    """The keys in these files, and without any the archive's own, which is under a passphrase.

    ask: is asked for the passphrase of whatever it is given the title of. Raises UsageError where files hold
    no keys, and AdminError for another passphrase and for a key that is damaged.
    """
    if files:
        return [one for file in files for one in keys.identities(_content(file, keys.LIMIT), str(file), ask)]
    return reading.own_identities(ask)


def is_encrypted(reading: Reading) -> bool:
    """Whether any piece needs a key."""
    return any(piece.recipients for piece in reading.archive.manifest.pieces)


def has_passphrase(reading: Reading) -> bool:
    """Whether a passphrase opens it."""
    return any(piece.kind is Kind.KEY for piece in reading.archive.manifest.pieces)


def asking(file: Path | None) -> Ask:
    """Asks for a passphrase: the first line of a file, or else whoever sits at the terminal."""

    def ask(title: str) -> str:
        if file:
            return _content(file, PASSPHRASE).decode("utf-8", "replace").partition("\n")[0].rstrip("\r")
        import getpass
        import sys

        if not sys.stdin.isatty():
            raise UsageError(
                "there is no terminal to ask for a passphrase", "give it by --passphrase-file FILE"
            )
        return getpass.getpass(f"Passphrase for {printable(title)}: ")

    return ask


def _content(file: Path, limit: int) -> bytes:
    """What is in a file, or comes through a pipe, as «<(pass show backup)» is one."""
    try:
        with file.open("rb") as opened:
            if stat.S_ISDIR(os.fstat(opened.fileno()).st_mode):
                raise UsageError(f"{file} is a directory")
            return opened.read(limit + 1)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no name of a file"
        raise UsageError(f"{file} can't be read: {why}") from error
