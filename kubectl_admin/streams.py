"""The standard streams: results must arrive, words for a person must never be in the way of the work."""

import io
import os
import sys
from typing import TextIO

from kubectl_admin.errors import AdminError


class ReaderGone(Exception):  # noqa: N818 - not an error: the reader of the results has seen enough
    """Nobody reads standard output any more, as in `| head`."""


def _unwritten(error: OSError) -> Exception:
    """The error where standard output does not take what it is given."""
    if isinstance(error, BrokenPipeError):
        return ReaderGone()
    return AdminError(f"the output can't be written: {error.strerror}")


class Results(io.TextIOWrapper):
    """Standard output. A failed write raises AdminError, or ReaderGone where its pipe has no reader.

    closed_by_shell: whether it was closed when the program began (`>&-`); output goes nowhere then.
    """

    closed_by_shell = False

    def write(self, text: str) -> int:
        try:
            return super().write(text)
        except OSError as error:
            raise _unwritten(error) from error

    def flush(self) -> None:
        try:
            super().flush()
        except OSError as error:
            raise _unwritten(error) from error


class Diagnostics(io.TextIOWrapper):
    """Standard error. Writing to it never raises: a full disk or a terminal that is gone ends no transfer.

    lost: whether something could not be written; all that follows is dropped.
    """

    lost = False

    def write(self, text: str) -> int:
        if not self.lost:
            try:
                super().write(text)
            except (OSError, ValueError):  # ValueError: it was closed
                self.lost = True
        return len(text)

    def flush(self) -> None:
        if not self.lost:
            try:
                super().flush()
            except (OSError, ValueError):
                self.lost = True


def open_standard() -> tuple[TextIO, TextIO, TextIO]:
    """Standard input, output and error, which take the places in `sys` as well.

    A stream that the shell has closed is /dev/null from now on. Otherwise the next file that is opened, a
    snapshot for one, would become standard error for every program that is started here.
    """
    closed = set()
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            closed.add(os.open(os.devnull, os.O_RDWR))  # the lowest number that is free, which is this one
    for number in (1, 2):
        os.set_blocking(number, True)  # another process on our terminal or pipe may have set it otherwise
    if sys.stdin is None:
        sys.stdin = open(0, closefd=False)  # noqa: SIM115 - it stays open
    # A character that the locale does not have is shown as an escape, as Python itself does on stderr.
    sys.stdout = _wrapped(Results, sys.stdout, 1)
    if isinstance(sys.stdout, Results):
        sys.stdout.closed_by_shell = 1 in closed
    sys.stderr = _wrapped(Diagnostics, sys.stderr, 2)
    return sys.stdin, sys.stdout, sys.stderr


def _wrapped(kind: type[io.TextIOWrapper], stream: TextIO | None, number: int) -> TextIO:
    """A stream of our own around what Python has opened, or around a number where it found that closed."""
    if stream is None:
        raw = open(number, "wb", closefd=False)  # noqa: SIM115 - it stays open
        return kind(raw, encoding="utf-8", errors="backslashreplace", line_buffering=number == 2)
    if not isinstance(stream, io.TextIOWrapper):
        return stream
    return kind(
        stream.buffer,
        encoding=stream.encoding,
        errors="backslashreplace",
        line_buffering=stream.line_buffering,
    )
