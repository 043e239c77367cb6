"""A whole terminal that is drawn again and again, gives its keys, and is left as it was found.

`frame` and `cut` are pure; `Screen` is the terminal.
"""

import os
import re
import select
import signal
import termios
import time
import tty
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

from kubectl_admin.signals import sheltered
from kubectl_admin.streams import ReaderGone

# The alternate screen, which the terminal keeps beside what stood there before; no cursor, no wrapped lines.
ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J"
LEAVE = "\x1b[?7h\x1b[?25h\x1b[?1049l"
HOME, CLEAR_LINE, CLEAR_BELOW, RESET = "\x1b[H", "\x1b[K", "\x1b[J", "\x1b[0m"
COLOUR = re.compile("\x1b\\[[0-9;]*m")
ELSEWHERE = os.terminal_size((80, 24))  # where a terminal does not tell its size


class Screen:
    """A terminal while it is ours; made by `opened`.

    output: its descriptor. keys: that of the terminal on which keys are pressed; None where there is none.
    is_stale: whether it was drawn for another size, or something else stands there by now.
    """

    def __init__(self, output: int, keys: int | None) -> None:
        self._output, self._keys = output, keys
        self._before: list[Any] | None = None
        self._drawn: os.terminal_size | None = None

    @property
    def size(self) -> os.terminal_size:
        """Columns and lines, as they are at present."""
        try:
            size = os.get_terminal_size(self._output)
        except OSError:
            return ELSEWHERE
        return size if size.columns and size.lines else ELSEWHERE

    @property
    def is_stale(self) -> bool:
        """Whether it has to be drawn again, whatever is to be shown."""
        return self.size != self._drawn

    def draw(self, lines: Sequence[str]) -> None:
        """Shows these lines alone, each as far as it fits. Raises ReaderGone without a terminal."""
        size = self.size
        self._drawn = size  # beforehand: where Ctrl-Z comes amid the write, `take` has the last word
        self._write(frame(lines, size.columns, size.lines))

    def key(self, timeout: float) -> str:
        """The key that is pressed within so many seconds, or ""."""
        if self._keys is None:
            time.sleep(timeout)
            return ""
        if not select.select([self._keys], [], [], timeout)[0]:
            return ""
        try:
            pressed = os.read(self._keys, 64)
        except OSError:
            pressed = b""
        if not pressed:  # nobody can press a key any more
            self._keys = None
        return pressed.decode("utf-8", "replace")

    def take(self) -> None:
        """Makes the terminal ours: keys come at once and are not shown; Ctrl-C and Ctrl-Z do what they do."""
        if self._keys is not None:
            self._before = termios.tcgetattr(self._keys)
            tty.setcbreak(self._keys)
        self._write(ENTER)
        self._drawn = None

    def give_back(self) -> None:
        """Leaves the terminal as it was found; keys that nobody has read are dropped."""
        with suppress(ReaderGone):
            self._write(LEAVE)
        if self._keys is not None and self._before is not None:
            with suppress(termios.error):
                termios.tcsetattr(self._keys, termios.TCSAFLUSH, self._before)

    def stopped(self, _number: int, _frame: FrameType | None) -> None:
        """The handler of Ctrl-Z: the shell gets its terminal, and with `fg` it is taken again."""
        self.give_back()
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, self.stopped)
        self.take()

    def _write(self, text: str) -> None:
        """Writes at once, past the stream's buffer: a signal may come in the midst of another write."""
        rest = memoryview(text.encode("utf-8", "backslashreplace"))
        try:
            while rest:
                rest = rest[os.write(self._output, rest) :]
        except OSError as error:
            raise ReaderGone from error


@contextmanager
def opened(output: int, keys: int | None) -> Iterator[Screen]:
    """The terminal as a Screen inside the block; however it ends, all is as before.

    output, keys: descriptors, as Screen has them.
    """
    screen = Screen(output, keys)
    with sheltered() as shelter:
        ignores = signal.getsignal(signal.SIGTSTP)
        try:
            screen.take()
            if ignores != signal.SIG_IGN:
                signal.signal(signal.SIGTSTP, screen.stopped)
            with shelter.exposed():
                yield screen
        finally:
            signal.signal(signal.SIGTSTP, ignores)
            screen.give_back()


def frame(lines: Sequence[str], columns: int, rows: int) -> str:
    """Draws the lines from the upper left corner on, and clears all that stood there before."""
    # Cleared beforehand: behind a line that is as long as the screen is wide, its last character would be.
    shown = "\r\n".join(f"{CLEAR_LINE}{cut(line, columns)}" for line in lines[:rows])
    # On a full screen there is no line below the last one to be cleared.
    return f"{HOME}{shown}" + (f"\r\n{CLEAR_BELOW}" if len(lines) < rows else "")


def cut(line: str, columns: int) -> str:
    """A line as far as it fits into so many columns; its colours take none, and end with it."""
    text, width, at = "", 0, 0
    while at < len(line):
        if colour := COLOUR.match(line, at):
            text, at = text + colour[0], colour.end()
            continue
        width += columns_of(line[at])
        if width > columns:
            return text + RESET if "\x1b" in text else text
        text, at = text + line[at], at + 1
    return text


def columns_of(char: str) -> int:
    """How many columns a terminal gives to a printable character."""
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in ("W", "F") else 1
