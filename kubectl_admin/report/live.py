"""Progress just now: lines that stay, and below them a few that are written over as things change."""

import shutil
import time
from collections.abc import Sequence
from typing import TextIO

from kubectl_admin.clock import Clock
from kubectl_admin.report.text import printable

CLEAR_TO_END = "\x1b[J"
# Seconds after which the present lines are said again where nothing can be written over.
REMINDER_INTERVAL = 30.0


class Live:
    """A view on a stream.

    steers: whether the stream is a terminal on which lines can be written over. Elsewhere the present lines
    appear from time to time among the others, so that a log shows what a run waits for.
    """

    def __init__(self, stream: TextIO, *, steers: bool, clock: Clock = time) -> None:
        self._stream, self._steers, self._clock = stream, steers, clock
        self._shown: list[str] = []
        self._said = clock.monotonic()

    def line(self, text: str) -> None:
        """A line that stays."""
        shown = self._shown
        self._erase()
        self._stream.write(f"{printable(text)}\n")
        self._said = self._clock.monotonic()
        self._draw(shown)
        self._stream.flush()

    def block(self, lines: Sequence[str]) -> None:
        """The lines that hold at present, in the place of those before."""
        if self._steers:
            if list(lines) != self._shown:
                self._erase()
                self._draw(list(lines))
                self._stream.flush()
        elif lines and self._clock.monotonic() - self._said >= REMINDER_INTERVAL:
            for text in lines:
                self._stream.write(f"{printable(text)}\n")
            self._stream.flush()
            self._said = self._clock.monotonic()

    def close(self) -> None:
        """Takes the present lines away, so that the next output stands alone."""
        self._erase()
        self._stream.flush()

    def _erase(self) -> None:
        if self._steers and self._shown:
            self._stream.write(f"\r\x1b[{len(self._shown)}A{CLEAR_TO_END}")
        self._shown = []

    def _draw(self, lines: list[str]) -> None:
        if not self._steers:
            return
        # A line that wraps would take two, and leave one behind when it is written over.
        width = shutil.get_terminal_size().columns - 1
        for text in lines:
            self._stream.write(f"{printable(text)[:width]}\n")
        self._shown = lines
