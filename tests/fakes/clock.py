"""A clock that costs no time."""


class Clock:
    """The time, which passes only while somebody sleeps. slept: how long, each time."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
