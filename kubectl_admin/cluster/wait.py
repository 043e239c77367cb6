"""Waiting for something that comes by itself: the one loop with a deadline.

`wait_until` is for a condition whose absence is an error; `looks` for a loop that decides for itself. A loop
has its own deadline only where it holds a connection meanwhile (a stream's silence, an answer's bytes), where
an outage moves the deadline (a debug pod's start), or where several deadlines are weighed (a drain's board).
"""

import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from kubectl_admin.errors import AdminError

Result = TypeVar("Result")
Clock = Callable[[], float]  # seconds, like time.monotonic
Sleep = Callable[[float], object]  # takes seconds, like time.sleep


class NotYetError(AdminError):
    """Raised by a condition to say why it does not hold yet."""


class TooLateError(AdminError):
    """What was waited for has not come within its time."""


def looks(
    timeout: float,
    interval: float,
    *,
    clock: Clock | None = None,
    sleep: Sleep | None = None,
) -> Iterator[bool]:
    """A look now, one after every `interval`, and one when `timeout` has passed: True for that last one.

    timeout, interval: seconds. sleep: pauses for so many seconds at most; what wakes up earlier makes for an
    earlier look.
    """
    clock, sleep = clock or time.monotonic, sleep or time.sleep
    end = clock() + timeout
    while True:
        left = end - clock()
        yield left <= 0
        if left <= 0:
            return
        sleep(min(interval, max(end - clock(), 0.001)))


def wait_until(  # noqa: PLR0913 - the last two only for tests
    condition: Callable[[], Result | None],
    what: str,
    hint: str | None = None,
    *,
    timeout: float,
    interval: float,
    clock: Clock | None = None,
    sleep: Sleep | None = None,
) -> Result:
    """Returns what the condition returns as soon as that is true.

    condition: an AdminError of it is put up with until the time has passed, and is the reason then.
    what: the sentence of the TooLateError («node w1: etcd's member is not well»); the reason follows it.
    """
    why = ""
    for _ in looks(timeout, interval, clock=clock, sleep=sleep):
        try:
            if result := condition():
                return result
            why = ""
        except AdminError as error:
            why = f": {error.what}"
    raise TooLateError(f"{what}{why}", hint)
