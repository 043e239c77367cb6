"""How far something has come: a line that is written over on a terminal, nothing elsewhere."""

import threading
from typing import TextIO

CLEAR_LINE = "\r\x1b[K"


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
        """Takes the line away, so that what follows stands alone."""
        if self._stream and self._done:
            self._stream.write(CLEAR_LINE)
            self._stream.flush()
