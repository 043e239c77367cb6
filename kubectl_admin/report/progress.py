"""How far something has come: a line that is written over on a terminal, now and then a line elsewhere."""

import shutil
import threading
import time
from typing import TextIO

from kubectl_admin.clock import Clock
from kubectl_admin.report.text import MIB, mib, mib_needed, printable

CLEAR_LINE = "\r\x1b[K"
TERMINAL_INTERVAL, LOG_INTERVAL = 0.2, 10.0  # seconds between two lines, on a terminal and elsewhere


class Progress:
    """«probing nodes 12/40», kept up from any thread.

    stream: a terminal, or None where nobody watches; then every call is free of effect.
    """

    def __init__(self, stream: TextIO | None, title: str) -> None:
        self._stream = stream
        self._title = title
        self._lock = threading.Lock()
        self._done = 0

    def step(self, total: int) -> None:
        """One more of `total` is done."""
        with self._lock:
            self._done += 1
            if self._stream:
                self._stream.write(f"{CLEAR_LINE}{self._title} {self._done}/{total}")
                self._stream.flush()

    def clear(self) -> None:
        """Takes the line away, so that the next output stands alone."""
        if self._stream and self._done:
            self._stream.write(CLEAR_LINE)
            self._stream.flush()


class Moving:
    """«fetching 512 of 1024 MiB, 45 MiB/s, 0:11 left», kept up by one thread at a time.

    terminal: whether the line can be written over; elsewhere there is a new one every LOG_INTERVAL seconds.
    """

    def __init__(self, stream: TextIO, title: str, *, terminal: bool, clock: Clock = time) -> None:
        self._stream = stream
        self._title = printable(title)
        self._terminal = terminal
        self._clock = clock
        self._began: tuple[float, int] | None = None
        self._next = 0.0
        self._shown = False

    def __call__(self, done: int, total: int) -> None:
        """So many bytes of so many are done."""
        now = self._clock.monotonic()
        if self._began is None:
            self._began = now, done
            self._next = now + (0 if self._terminal else LOG_INTERVAL)
        if now < self._next:
            return
        self._next = now + (TERMINAL_INTERVAL if self._terminal else LOG_INTERVAL)
        text = f"{self._title}: {amounts(done, total, done - self._began[1], now - self._began[0])}"
        if self._terminal:
            # A line that wraps could not be taken away again.
            text = f"{CLEAR_LINE}{text[: shutil.get_terminal_size().columns - 1]}"
        self._stream.write(text if self._terminal else f"{text}\n")
        self._stream.flush()
        self._shown = True

    def clear(self) -> None:
        """Takes the line away, so that the next output stands alone."""
        if self._terminal and self._shown:
            self._stream.write(CLEAR_LINE)
            self._stream.flush()
            self._shown = False


def amounts(done: int, total: int, gained: int, seconds: float) -> str:
    """«512 of 1024 MiB, 45 MiB/s, 0:11 left»; rate and time only where they can be told."""
    said = f"{mib(done)} of {mib_needed(total)} MiB"
    rate = gained / seconds if seconds > 0 else 0
    if rate <= 0:
        return said
    left = round((total - done) / rate)
    return f"{said}, {rate / MIB:.0f} MiB/s, {left // 60}:{left % 60:02d} left"
