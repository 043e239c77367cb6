"""Interrupts something at each of its moments: it is run again and again, until all of them were seen."""

import dis
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from kubectl_admin import signals

# Where Python looks for signals: at the beginning of a function, when a generator goes on, after a call of C.
MOMENTS = ("call", "c_return")
SOURCE = "kubectl_admin"
RESUME = dis.opmap["RESUME"]


def at_every_moment(monkeypatch: pytest.MonkeyPatch, run: Callable[[], object]) -> int:
    """Runs it with a Ctrl-C at each moment of code of ours or of contextlib; how many moments there were.

    A signal that is put off comes again at the next moment. run: checks by itself what it leaves behind.
    """
    number = 0
    while _interrupt(monkeypatch, run, number):
        number += 1
    return number


def _interrupt(monkeypatch: pytest.MonkeyPatch, run: Callable[[], object], number: int) -> bool:
    """Whether it came as far as to the moment of that number."""
    monkeypatch.setattr(signals, "_ending", ending := signals._Ending())
    left, due = number, False

    def come_again(_number: int) -> None:
        nonlocal due
        due = True

    def profile(frame: FrameType, event: str, _: Any) -> None:
        nonlocal left, due
        if event not in MOMENTS or not _is_watched(frame) or ending.raised or ending.waiting:
            return
        # A generator that something is thrown into does not look for signals.
        if event == "call" and frame.f_code.co_code[frame.f_lasti] != RESUME:
            return
        left -= 1
        if due or left == -1:
            due = False
            ending.come(signal.SIGINT, frame)

    monkeypatch.setattr(signals, "_come_again", come_again)
    sys.setprofile(profile)
    try:
        run()
    except KeyboardInterrupt:
        pass
    finally:
        sys.setprofile(None)
    return left < 0


def _is_watched(frame: FrameType) -> bool:
    path = frame.f_code.co_filename
    # Not the handler itself: no signal comes while it runs.
    return (SOURCE in path or path in signals.BETWEEN_FILES) and frame.f_code.co_name not in (
        "come",
        "end",
        "is_between",
    )
