"""The clock that is waited by: an argument, with the module `time` as its default.

A connection has the one of its run (`Cluster.clock`), at hand for all work on a cluster or a host. A
test hands in one that costs no time (tests/fakes/clock.py). Threads and child processes take real time.
"""

import time
from dataclasses import dataclass
from typing import Protocol, Self


class Clock(Protocol):
    """As much of the module `time` as waiting takes."""

    def monotonic(self) -> float:
        """Seconds that only go forward."""
        ...

    def sleep(self, seconds: float, /) -> object:
        """Lets so many seconds pass."""
        ...


@dataclass(frozen=True, slots=True)
class Deadline:
    """The moment when something must be over, in its clock's seconds."""

    moment: float
    clock: Clock = time

    @classmethod
    def after(cls, seconds: float, clock: Clock = time) -> Self:
        """The moment so many seconds from now."""
        return cls(clock.monotonic() + seconds, clock)

    @property
    def left(self) -> float:
        """Seconds until then; none or less once it has come."""
        return self.moment - self.clock.monotonic()
