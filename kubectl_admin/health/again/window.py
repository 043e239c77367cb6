"""The window between two looks, by which rates are judged. Pure.

`--sample` looks twice at once; `--watch` remembers what it has seen, and judges rates after a minute, and
things that change again and again by the last 15.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from kubectl_admin.health.again.flapping import Flapping
from kubectl_admin.health.facts import Facts, Lease, Metrics, NoReply
from kubectl_admin.health.rules import WINDOW

Place = tuple[str, str]  # a node, a component


class Window:
    """The metrics and leaders of earlier looks, as far back as a window needs, and what has changed since."""

    def __init__(self, length: float = WINDOW) -> None:
        self._length = length
        self._past: deque[tuple[datetime, dict[Place, Metrics], Mapping[str, Lease]]] = deque()
        self._flapping = Flapping()

    def widen(self, facts: Facts) -> Facts:
        """The facts with those of the latest look that is long enough ago; keeps them for later."""
        while len(self._past) > 1 and self._age(facts, 1) >= self._length:
            self._past.popleft()
        wide = facts
        if self._past and self._age(facts, 0) >= self._length:
            _, metrics, leaders = self._past[0]
            wide = _with_earlier(facts, metrics, leaders, self._age(facts, 0))
        self._past.append((facts.at, _metrics(facts), facts.leaders))
        return replace(wide, flaps=self._flapping.count(facts))

    def _age(self, facts: Facts, number: int) -> float:
        return (facts.at - self._past[number][0]).total_seconds()


def _metrics(facts: Facts) -> dict[Place, Metrics]:
    return {
        (node.name, process.component): process.metrics
        for node in facts.nodes
        for process in node.processes
        if process.metrics is not None and not isinstance(process.metrics, NoReply)
    }


def _with_earlier(
    facts: Facts, earlier: dict[Place, Metrics], leaders: Mapping[str, Lease], window: float
) -> Facts:
    nodes = tuple(
        replace(
            node,
            processes=tuple(
                replace(process, earlier=earlier.get((node.name, process.component)))
                for process in node.processes
            ),
        )
        for node in facts.nodes
    )
    return replace(facts, nodes=nodes, window=window, earlier_leaders=leaders)
