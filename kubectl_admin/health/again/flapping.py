"""Counts from look to look how often nodes, Leases and etcd's leader have changed. Pure."""

from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from kubectl_admin.control_plane.component import Component
from kubectl_admin.health.asking.judged_metrics import LEADER_CHANGES
from kubectl_admin.health.components.series import value
from kubectl_admin.health.facts import Facts
from kubectl_admin.health.flaps import Flaps
from kubectl_admin.health.rules import FLAPPING_WINDOW

Counts = Counter[str]
Seen = TypeVar("Seen")


@dataclass
class _Step:
    """The changes from one look to the next."""

    at: datetime
    ready: Counts = field(default_factory=Counter)
    leaders: Counts = field(default_factory=Counter)
    elections: Counts = field(default_factory=Counter)


class Flapping:
    """The changes of the last `length` seconds.

    An object that one look has not seen is compared with the last look that has, unless that is longer ago:
    nobody knows when it has changed then.
    """

    def __init__(self, length: float = FLAPPING_WINDOW) -> None:
        self._length = length
        self._steps: deque[_Step] = deque()
        self._ready: dict[str, tuple[datetime, tuple[str, datetime | None]]] = {}
        self._transitions: dict[str, tuple[datetime, float]] = {}
        self._elections: dict[str, tuple[datetime, float]] = {}

    def count(self, facts: Facts) -> Flaps:
        """All changes so far, with those that this look sees."""
        if self._steps and facts.at < self._steps[-1].at:  # this machine's clock was set back
            self._steps.clear()
        self._steps.append(self._step(facts))
        while self._age(facts) > self._length:
            self._steps.popleft()
        # The first step's changes are older than its look.
        since = list(self._steps)[1:]
        ready, leaders, elections = Counts(), Counts(), Counts()
        for step in since:
            ready += step.ready
            leaders += step.leaders
            elections += step.elections
        return Flaps(self._age(facts), ready, leaders, elections)

    def _age(self, facts: Facts) -> float:
        return (facts.at - self._steps[0].at).total_seconds()

    def _step(self, facts: Facts) -> _Step:
        step = _Step(facts.at)
        ready = {
            node.name: (said.status, said.since) for node in facts.nodes if (said := node.condition("Ready"))
        }
        transitions = {name: float(lease.transitions) for name, lease in facts.leaders.items()}
        step.ready = self._changes(self._ready, ready, facts.at, turns)
        step.leaders = self._changes(self._transitions, transitions, facts.at, rise)
        step.elections = self._changes(self._elections, dict(elections(facts)), facts.at, rise)
        return step

    def _changes(
        self,
        before: dict[str, tuple[datetime, Seen]],
        now: Mapping[str, Seen],
        at: datetime,
        between: Callable[[Seen, Seen], int],
    ) -> Counts:
        """The changes of each object since it was seen last.

        before: when that was, and what was seen; `now` takes its place.
        """
        counts = Counts()
        for name, one in now.items():
            seen, last = before.get(name, (at, one))
            changed = between(last, one) if (at - seen).total_seconds() <= self._length else 0
            if changed > 0:
                counts[name] = changed
            before[name] = at, one
        return counts


def turns(before: tuple[str, datetime | None], now: tuple[str, datetime | None]) -> int:
    """How often a condition has changed at least, by its status and the time of its last change."""
    if before[0] != now[0]:
        return 1
    return 0 if before[1] == now[1] else 2  # there and back between two looks


def rise(before: float, now: float) -> int:
    """By how much a counter has risen.

    One that has fallen has begun anew: nothing is known of what it counted in between.
    """
    return max(int(now - before), 0)


def elections(facts: Facts) -> Iterator[tuple[str, float]]:
    """How many elections each member of etcd has counted since it started."""
    for node in facts.nodes:
        member = node.process(Component.ETCD)
        counted = value(member, LEADER_CHANGES) if member else None
        if counted is not None:
            yield node.name, counted
