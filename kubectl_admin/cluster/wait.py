"""Waiting for something that comes by itself: the one loop with a deadline.

`wait_until` is for a condition whose absence is an error; `looks` for a loop that decides for itself. A loop
has its own deadline only where it holds a connection meanwhile (a stream's silence, an answer's bytes), where
an outage moves the deadline (a debug pod's start), or where several deadlines are weighed (a drain's board).
"""

import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from kubectl_admin.clock import Clock, Deadline
from kubectl_admin.errors import AdminError

Result = TypeVar("Result")


class NotYetError(AdminError):
    """Raised by a condition to say why it does not hold yet."""


class TooLateError(AdminError):
    """A wait has not succeeded within its time."""


def looks(
    timeout: float,
    interval: float,
    *,
    clock: Clock = time,
    sleep: Callable[[float], object] | None = None,
) -> Iterator[bool]:
    """A look now, one after every `interval`, and one when `timeout` has passed: True for that last one.

    timeout, interval: seconds. sleep: pauses for so many seconds at most, in the clock's place; if it ends
    earlier, the look is earlier.
    """
    sleep = sleep or clock.sleep
    end = Deadline.after(timeout, clock)
    while True:
        late = end.left <= 0
        yield late
        if late:
            return
        sleep(min(interval, max(end.left, 0.001)))


def wait_until(
    condition: Callable[[], Result | None],
    what: str,
    hint: str | None = None,
    *,
    timeout: float,
    interval: float,
    clock: Clock = time,
) -> Result:
    """Returns what the condition returns as soon as that is true.

    condition: an AdminError of it is put up with until the time has passed, and is the reason then.
    what: the sentence of the TooLateError («node w1: etcd's member is not well»); the reason follows it.
    """
    why = ""
    for _ in looks(timeout, interval, clock=clock):
        try:
            if result := condition():
                return result
            why = ""
        except AdminError as error:
            why = f": {error.what}"
    raise TooLateError(f"{what}{why}", hint)
