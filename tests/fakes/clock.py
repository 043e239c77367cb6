"""A clock that costs no time."""

from collections.abc import Callable


class Clock:
    """The time, which passes only while somebody sleeps.

    slept: how long, each time. meanwhile: what else happens then; is given the seconds.
    """

    def __init__(self, now: float = 1000.0, meanwhile: Callable[[float], None] = lambda _: None) -> None:
        self.now = now
        self.slept: list[float] = []
        self.meanwhile = meanwhile

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        self.meanwhile(seconds)
