"""Signals that end a run: the first one ends it where it stands; no later one cuts its clean-up short.

A terminal that is closed sends two hangups within a third of a millisecond (bash forwards one to its jobs,
the kernel sends another when bash ends), and people press Ctrl-C twice. So only the first signal is raised as
an exception; a later one waits for the clean-up, which must therefore end by itself.

Make things that must be removed again in this form; no signal comes between the work and the clean-up:

    with sheltered() as shelter:
        try:
            with shelter.exposed():
                ...  # make it, and work with it: a signal ends this at once
        finally:
            ...  # remove it

Python looks for signals at the beginning of a function and after each call. So one could also be raised at
the beginning of an __exit__, which would then never run, or at the end of an __enter__, whose __exit__ would
not be called. A signal that comes there comes again a moment later.
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
from typing import Self

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
AGAIN_DELAY = (
    0.05  # seconds until a signal that could not be raised, or whose exception was dropped, comes again
)
MOST_DELAYS = 20  # then it is raised wherever it comes: an __enter__ may wait for a lock
BETWEEN_NAMES = ("__enter__", "__exit__")  # of functions in which a context manager begins or ends


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
    delays: how often a signal came where it could not be raised.
    """

    raised: bool = False
    shelters: int = 0
    waiting: list[int] = field(default_factory=list)
    said: bool = False
    delays: int = 0

    def come(self, number: int, frame: FrameType | None) -> None:
        """The handler of all signals; it runs in the main thread, between two instructions of the frame."""
        if self.raised:
            self.say_so(number)
        elif self.shelters:
            self.waiting.append(number)
        elif frame and is_between(frame) and self.delays < MOST_DELAYS:
            self.delays += 1
            _come_again(number)
        else:
            self.end(number)

    def end_if_waiting(self) -> None:
        """Raises the first of the signals that have waited, once no shelter is open.

        The last shelter may end in another thread, which no signal may end: it comes again in the main one.
        """
        if self.waiting and not self.shelters and not self.raised:
            if threading.current_thread() is threading.main_thread():
                self.end(self.waiting[0])
            else:
                _come_again(self.waiting.pop(0))

    def end(self, number: int) -> None:
        """Raises the signal as an exception, KeyboardInterrupt or Terminated."""
        self.raised = True
        raise KeyboardInterrupt if number == signal.SIGINT else Terminated(number)

    def say_so(self, number: int) -> None:
        """Tells a person who presses Ctrl-C again that a clean-up is under way, once."""
        if number == signal.SIGINT and not self.said and os.isatty(2):
            self.said = True
            os.write(2, b"\ncleaning up, which ends by itself\n")

    def lost(self, number: int) -> None:
        """Raises a signal once more: Python drops exceptions that happen to be raised in a destructor."""
        self.raised = False
        _come_again(number)


_ending = _Ending()


def install() -> None:
    """Has signals end this process in good order; those that it was started to ignore (nohup) stay so."""
    for number in SIGNALS:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _ending.come)
    sys.unraisablehook = _dropped


class Shelter:
    """Inside, signals wait for the end. The work inside must end by itself, but for what is `exposed`.

    Shelters are counted, and need not end in the order in which they began: a clean-up may end a debug pod's
    shelter and begin another one.

    It shelters from what `install` has installed, in the main thread, which alone gets signals.
    """

    def __init__(self) -> None:
        self._is_needed = threading.current_thread() is threading.main_thread()

    def __enter__(self) -> Self:
        if self._is_needed:
            _ending.shelters += 1
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_needed:
            _ending.shelters -= 1
            _ending.end_if_waiting()

    @contextmanager
    def exposed(self) -> Iterator[None]:
        """Inside, signals do what they do around this shelter: end the run, or wait for another one."""
        if not self._is_needed:
            yield
            return
        _ending.shelters -= 1
        try:
            _ending.end_if_waiting()
            yield
        finally:
            _ending.shelters += 1


def sheltered() -> Shelter:
    """A shelter from signals, for a `with` block."""
    return Shelter()


# So do these modules; asked for what compiled code says, which in a bundle is not `__file__`.
BETWEEN_FILES = (contextmanager.__code__.co_filename, sheltered.__code__.co_filename)


def is_between(frame: FrameType) -> bool:
    """Whether this is code in which a context manager begins or ends."""
    code = frame.f_code
    return code.co_name in BETWEEN_NAMES or code.co_filename in BETWEEN_FILES


def _come_again(number: int) -> None:
    """Sends the signal once more, a moment later: the present work has come further then."""
    _thread.start_new_thread(_kill_main_thread, (number,))


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
