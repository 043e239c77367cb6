"""What a person gives apart from options: the content of a file, and a passphrase."""

from pathlib import Path

from kubectl_admin.errors import UsageError
from kubectl_admin.report.text import printable

PASSPHRASE = 1 << 16  # bytes of a file with one


def content(file: Path, limit: int) -> bytes:
    """What is in a file, or comes through a pipe, as «<(pass show backup)» is one: one byte above the limit
    at most. Raises UsageError.
    """
    try:
        with file.open("rb") as opened:
            return opened.read(limit + 1)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no name of a file"
        raise UsageError(f"{printable(str(file))} can't be read: {why}") from error


def first_line(file: Path) -> str:
    """The passphrase in a file. Raises UsageError."""
    return content(file, PASSPHRASE).decode("utf-8", "replace").partition("\n")[0].rstrip("\r")


def typed(*questions: str) -> list[str]:
    """What a person types at a terminal, unseen, for each question. Raises UsageError without a terminal."""
    import getpass
    import sys

    if not sys.stdin.isatty():
        raise UsageError("there is no terminal to ask for a passphrase", "give it by --passphrase-file FILE")
    return [getpass.getpass(question) for question in questions]
