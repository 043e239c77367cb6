"""Signals that end a run: the first one ends it where it stands; no later one cuts its clean-up short.

A terminal that is closed sends two hangups within a third of a millisecond (bash forwards one to its jobs,
the kernel sends another when bash ends), and people press Ctrl-C twice. So only the first signal is raised as
an exception; what comes later waits for the clean-up, which must therefore end by itself.
"""

import _thread
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
AGAIN_DELAY = 0.05  # seconds until a signal whose exception was dropped is raised once more


class Terminated(BaseException):
    """A signal other than Ctrl-C, raised where the program stands: every `finally` runs."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


@dataclass
class _Ending:
    """Whether a run is being ended.

    raised: a signal has been raised as an exception. shelters: how many are open, one within another.
    waiting: the signals that came in a shelter. said: a person was told that the clean-up is under way.
    """

    raised: bool = False
    shelters: int = 0
    waiting: list[int] = field(default_factory=list)
    said: bool = False

    def come(self, number: int, _frame: FrameType | None) -> None:
        """The handler of all signals; it runs in the main thread, between two instructions."""
        if self.raised:
            self.say_so(number)
        elif self.shelters:
            self.waiting.append(number)
        else:
            self.end(number)

    def end(self, number: int) -> None:
        """Raises the signal as an exception, KeyboardInterrupt or Terminated."""
        self.raised = True
        raise KeyboardInterrupt if number == signal.SIGINT else Terminated(number)

    def say_so(self, number: int) -> None:
        """Tells whoever presses Ctrl-C again what is being waited for, once."""
        if number == signal.SIGINT and not self.said and os.isatty(2):
            self.said = True
            os.write(2, b"\ncleaning up, which ends by itself\n")

    def lost(self, number: int) -> None:
        """Raises a signal once more: Python drops exceptions that happen to be raised in a destructor."""
        self.raised = False
        # A moment later, since here the exception would be dropped again.
        _thread.start_new_thread(_kill_main_thread, (number,))


_ending = _Ending()


def install() -> None:
    """Has signals end this process in good order. What it was started to ignore (nohup) stays ignored."""
    for number in SIGNALS:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _ending.come)
    sys.unraisablehook = _dropped


@contextmanager
def sheltered() -> Iterator[None]:
    """Inside, signals wait for the end. What stands inside must end by itself.

    It shelters from what `install` has installed, in the main thread, which alone gets signals.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _ending.shelters += 1
    try:
        yield
    finally:
        _ending.shelters -= 1
        if _ending.waiting and not _ending.shelters and not _ending.raised:
            _ending.end(_ending.waiting[0])


def _kill_main_thread(number: int) -> None:
    """Sends the signal after AGAIN_DELAY."""
    time.sleep(AGAIN_DELAY)
    signal.pthread_kill(threading.main_thread().ident or 0, number)


def _dropped(unraisable: "sys.UnraisableHookArgs") -> None:
    """Takes the place of `sys.unraisablehook`."""
    match unraisable.exc_value:
        case KeyboardInterrupt():
            _ending.lost(signal.SIGINT)
        case Terminated(number=number):
            _ending.lost(number)
        case _:
            sys.__unraisablehook__(unraisable)
