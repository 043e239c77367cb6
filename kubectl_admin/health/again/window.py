"""The window between two looks, by which rates are judged. Pure.

`--sample` looks twice at once; `--watch` remembers what it has seen, and judges rates after a minute.
"""

from collections import deque
from dataclasses import replace
from datetime import datetime

from kubectl_admin.health.facts import Facts, Metrics, NoReply
from kubectl_admin.health.rules import WINDOW

Place = tuple[str, str]  # a node, a component


class Window:
    """The metrics of earlier looks, as far back as a window needs."""

    def __init__(self, length: float = WINDOW) -> None:
        self._length = length
        self._past: deque[tuple[datetime, dict[Place, Metrics]]] = deque()

    def widen(self, facts: Facts) -> Facts:
        """The facts with the metrics of the latest look that is long enough ago; keeps theirs for later."""
        while len(self._past) > 1 and self._age(facts, 1) >= self._length:
            self._past.popleft()
        wide = facts
        if self._past and self._age(facts, 0) >= self._length:
            wide = _with_earlier(facts, self._past[0][1], self._age(facts, 0))
        self._past.append((facts.at, _metrics(facts)))
        return wide

    def _age(self, facts: Facts, number: int) -> float:
        return (facts.at - self._past[number][0]).total_seconds()


def _metrics(facts: Facts) -> dict[Place, Metrics]:
    return {
        (node.name, process.component): process.metrics
        for node in facts.nodes
        for process in node.processes
        if process.metrics is not None and not isinstance(process.metrics, NoReply)
    }


def _with_earlier(facts: Facts, earlier: dict[Place, Metrics], window: float) -> Facts:
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
    return replace(facts, nodes=nodes, window=window)
