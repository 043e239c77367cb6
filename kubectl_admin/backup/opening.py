"""With which keys an archive is opened: those that a person names, or its own under a passphrase."""

from collections.abc import Sequence
from pathlib import Path

from kubectl_admin.backup import given
from kubectl_admin.backup.archive.read import Reading
from kubectl_admin.backup.facts import Kind
from kubectl_admin.backup.seal import keys
from kubectl_admin.backup.seal.keys import Ask, Identity
from kubectl_admin.report.text import printable


def identities_of(reading: Reading, files: Sequence[Path], ask: Ask) -> list[Identity]:
    """The keys in these files, and without any the archive's own, which is under a passphrase.

    ask: is asked for the passphrase of whatever it is given the title of. Raises UsageError where files hold
    no keys, and AdminError for another passphrase and for a key that is damaged.
    """
    if files:
        return [
            one for file in files for one in keys.identities(given.content(file, keys.LIMIT), str(file), ask)
        ]
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
            return given.first_line(file)
        (words,) = given.typed(f"Passphrase for {printable(title)}: ")
        return words

    return ask
