"""Differences as they are listed, in little memory, and how many there are of each kind."""

import heapq
import json
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from kubectl_admin.etcd.diff.facts import Difference, Row, Side, State
from kubectl_admin.etcd.diff.judge import is_noise
from kubectl_admin.etcd.stored.facts import Kind, Object

STATES = list(State)
ROWS = 10_000  # that are counted apart; a cluster has some hundreds
OTHERS = "(others)"  # those behind them: namespaces of a kind, and then kinds
RUN = 20_000  # differences that are sorted at a time,
ENOUGH = 20  # times as many as are given of each state, where not all are,
TEXT = 2 << 20  # or so many characters of their names
BLOCK = 500  # of them that are packed together,
BLOCK_TEXT = 1 << 17  # or so many characters

# A difference as plain data, which sorts as it is listed: the number of its state, whether its kind is
# unknown, the kind's title, namespace, name, key, a number that no other has, and the rest.
Record = list[Any]


class Tally:
    """How many objects of a kind in a namespace differ, by how they do.

    order: where they are in the list. counts: shared by all that are not counted apart.
    """

    __slots__ = ("counts", "noisy", "order")

    def __init__(self, kind: Kind | None, namespace: str, counts: Counter[State]) -> None:
        self.order = (kind is None, kind.title if kind else "", namespace)
        self.noisy = is_noise(State.CHANGED, kind)
        self.counts = counts


class Collection:
    """Takes differences in any order, and gives them in theirs: by state, kind, namespace and name.

    limit: how many of each state are given at most; None for all. Counted are all, those of noisy kinds too.
    noise: whether those that tell nothing are given as well.
    Memory: some 50 bytes for each that is kept.
    """

    def __init__(self, limit: int | None, *, noise: bool) -> None:
        self._limit = limit
        self._noise = noise
        self._counts: dict[tuple[Kind | None, str], Counter[State]] = {}
        self._number = 0
        self._fresh: list[Record] = []
        self._text = 0  # characters of those since the last pack
        self._run = RUN if limit is None else min(RUN, ENOUGH * (limit + 1))
        self._runs: list[list[bytes]] = []
        # By state the order and name of the last that is given, where there are as many as are given.
        self._last: dict[State, tuple[tuple[bool, str, str], str]] = {}

    def take(self, differences: Iterable[Difference]) -> None:
        """Takes some more."""
        for difference in differences:
            thing = difference.object
            if self.counts(self.tally(thing.kind, thing.namespace), difference.state, thing.name):
                self.keep(difference)

    def tally(self, kind: Kind | None, namespace: str) -> Tally:
        """Where objects of a kind in a namespace are counted."""
        counts = self._counts.get((kind, namespace))
        if counts is None:
            counts = self._counts.setdefault(self._row(kind, namespace), Counter())
        return Tally(kind, namespace, counts)

    def counts(self, tally: Tally, state: State, name: str) -> bool:
        """Counts a difference, and tells whether it has to be kept: those behind the last are not given."""
        tally.counts[state] += 1
        if not self._noise and (tally.noisy or state is State.REWRITTEN):
            return False
        last = self._last.get(state)
        return last is None or (tally.order, name) <= last

    def keep(self, difference: Difference) -> None:
        """Keeps one that is counted."""
        self._number += 1
        self._fresh.append(record := _record(difference, self._number))
        self._text += _text(record)
        if len(self._fresh) >= self._run or self._text >= TEXT:
            self._pack()

    def rows(self) -> list[Row]:
        """How many there are, by kind and namespace, in the order of both."""
        rows = [Row(kind, namespace, dict(counts)) for (kind, namespace), counts in self._counts.items()]
        return sorted(
            rows, key=lambda row: (row.kind is None, row.kind.title if row.kind else "", row.namespace)
        )

    def __iter__(self) -> Iterator[Difference]:
        """The differences that are kept, in their order; as often as is wanted."""
        ordered: Iterable[Record] = sorted(self._fresh)
        if self._runs:
            ordered = heapq.merge(ordered, *(_unpacked(run) for run in self._runs))
        return (_difference(record) for record in self._first(ordered))

    def _row(self, kind: Kind | None, namespace: str) -> tuple[Kind | None, str]:
        """Where an object is counted that has no row yet."""
        if len(self._counts) < ROWS:
            return kind, namespace
        if (kind, OTHERS) in self._counts or len(self._counts) < 2 * ROWS:
            return kind, OTHERS
        return Kind(OTHERS, "", OTHERS, namespaced=False), ""

    def _pack(self) -> None:
        """Makes room: what was taken is sorted, and packed or cut."""
        self._fresh.sort()
        self._text = 0
        if self._limit is not None:
            self._fresh = list(self._first(self._fresh))
            counts = Counter[int](record[0] for record in self._fresh)
            for record in self._fresh:
                if counts[record[0]] == self._limit:
                    self._last[STATES[record[0]]] = (record[1], record[2], record[3]), record[4]
            return
        blocks = _blocks(self._fresh)
        self._runs.append([zlib.compress(json.dumps(block).encode(), 1) for block in blocks])
        self._fresh = []

    def _first(self, ordered: Iterable[Record]) -> Iterator[Record]:
        """The first few of each state."""
        seen = Counter[int]()
        for record in ordered:
            seen[record[0]] += 1
            if self._limit is None or seen[record[0]] <= self._limit:
                yield record


def _text(record: Record) -> int:
    """How many characters of names it has; an object may have any number of them."""
    return sum(map(len, record[3:6]))


def _blocks(records: Iterable[Record]) -> Iterator[list[Record]]:
    block: list[Record] = []
    text = 0
    for record in records:
        block.append(record)
        text += _text(record)
        if len(block) >= BLOCK or text >= BLOCK_TEXT:
            yield block
            block, text = [], 0
    if block:
        yield block


def _unpacked(run: Iterable[bytes]) -> Iterator[Record]:
    for block in run:
        yield from json.loads(zlib.decompress(block))


def _record(difference: Difference, number: int) -> Record:
    thing, kind = difference.object, difference.object.kind
    sides = [_side_record(side) for side in (difference.a, difference.b)]
    return [
        STATES.index(difference.state),
        kind is None,
        kind.title if kind else "",
        thing.namespace,
        thing.name,
        thing.key,
        number,
        _kind_record(kind) if kind else None,
        *sides,
    ]


def _kind_record(kind: Kind) -> list[Any]:
    return [kind.name, kind.group, kind.resource, kind.namespaced, kind.custom, kind.noisy]


def _side_record(side: Side | None) -> list[Any] | None:
    if side is None:
        return None
    uid = side.uid.hex() if side.uid else None
    return [side.created, side.modified, side.content, side.size, side.encrypted, uid]


def _difference(record: Record) -> Difference:
    state, _, _, namespace, name, key, _, kind, *sides = record
    a, b = (_side(side) for side in sides)
    return Difference(STATES[state], Object(Kind(*kind) if kind else None, namespace, name, key), a, b)


def _side(record: list[Any] | None) -> Side | None:
    if record is None:
        return None
    created, modified, content, size, encrypted, uid = record
    return Side(created, modified, content, size, encrypted, bytes.fromhex(uid) if uid else None)
