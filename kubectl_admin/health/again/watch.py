"""A cluster looked at again and again: on a terminal as one picture, elsewhere as lines of changes.

`Seen` knows the last look and the changes; the pictures are in `picture`.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Never

from kubectl_admin.clock import Clock
from kubectl_admin.cluster.errors import Unreachable, in_short
from kubectl_admin.cluster.retry import is_transient
from kubectl_admin.errors import AdminError
from kubectl_admin.health.again.changes import Change, Line, told
from kubectl_admin.health.again.record import Record, differences, record
from kubectl_admin.health.look import Look, counted
from kubectl_admin.health.shown.matrix import STATUS, TITLES, Place
from kubectl_admin.report.screen import Screen
from kubectl_admin.report.terminal import headline

WATCH_INTERVAL = 5.0  # seconds from the end of a look to the next one
MARK_TIME = 60.0  # seconds for which a cell that has changed is marked
HISTORY = 500  # changes that are kept
KEY_INTERVAL = 0.2  # seconds in which a key, or another size of the terminal, is noticed
QUIT = ("q", "Q")
AWAY = "the API server does not answer"
FAILED = "the cluster can't be looked at"
AGAIN = "the API server answers again"

Take = Callable[[], Look]


@dataclass(frozen=True, slots=True)
class Event:
    """A line on what has changed. is_bad: whether somebody should look."""

    when: datetime
    text: str
    is_bad: bool


@dataclass
class Seen:
    """All that a watch has seen.

    last: the last look; None before it. problem: why the present look failed, "" if it did not; outage: what
    that means, in a few words; since: when the first of the looks failed that have failed in a row.
    events: the latest last. marks: the cells that have changed, and when.
    """

    last: Look | None = None
    problem: str = ""
    outage: str = ""
    since: datetime | None = None
    events: deque[Event] = field(default_factory=lambda: deque(maxlen=HISTORY))
    marks: dict[Place, datetime] = field(default_factory=dict)
    _record: Record | None = None

    def take_in(self, look: Look, now: datetime) -> list[str]:
        """A further look; returns the lines on what has changed since the last one."""
        new = record(look)
        changes = differences(self._record, new) if self._record else []
        self.last, self._record = look, new
        self.marks |= {place: now for change in changes if (place := place_of(change))}
        lines = [Line(AGAIN, is_bad=False)] if self.problem else []
        lines += told(changes)
        self.problem, self.outage, self.since = "", "", None
        # The last one is shown on top, and the worst line comes first.
        self.events.extend(Event(now, line.text, line.is_bad) for line in reversed(lines))
        return [line.text for line in lines]

    def fail(self, error: AdminError, now: datetime) -> list[str]:
        """A look that failed; returns the line on it, if it is another one than before."""
        problem = in_short(error)
        self.outage = AWAY if isinstance(error, Unreachable) else FAILED
        self.since = self.since or now
        if problem == self.problem:
            return []
        self.problem = problem
        line = f"{AWAY}: {problem}" if isinstance(error, Unreachable) else problem
        self.events.append(Event(now, line, is_bad=True))
        return [line]

    def changed(self, now: datetime) -> set[Place]:
        """The cells that have changed lately."""
        return {place for place, when in self.marks.items() if (now - when).total_seconds() < MARK_TIME}


def place_of(change: Change) -> Place | None:
    """The cell of the matrix that a change is about."""
    titles = {str(component): title for component, title in TITLES.items()}
    title = STATUS if change.what == "node" else titles.get(change.what)
    return (change.where.removeprefix("node/"), title) if title and change.where else None


def in_lines(
    take: Take,
    write: Callable[[str], None],
    *,
    now: Callable[[], datetime],
    clock: Clock = time,
) -> Never:
    """Looks for ever, and writes a line for each change; first how it is now, in a line for each finding."""
    seen = Seen()
    while True:
        first = seen.last is None
        try:
            look = take()
            lines = seen.take_in(look, now())
            if first:
                lines += summary(look)
        except AdminError as error:
            if first or not is_transient(error):
                raise
            lines = seen.fail(error, now())
        for line in lines:
            write(f"{now():%Y-%m-%dT%H:%M:%S} {line}\n")
        clock.sleep(WATCH_INTERVAL)


def summary(look: Look) -> list[str]:
    """How it is, in lines."""
    found = [f"{finding.severity}: {headline(finding, look.facts.now)}" for finding in look.findings]
    return [f"{look.counts}; {counted(look.findings) or 'no findings'}", *found]


class Looking:
    """A look that goes on in a thread of its own, so that keys are heard meanwhile; begun at once."""

    def __init__(self, take: Take) -> None:
        self._take = take
        self.outcome: Look | BaseException | None = None
        # A daemon, so that whoever quits does not wait for it.
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        try:
            self.outcome = self._take()
        except BaseException as error:  # noqa: BLE001 - handed to the thread that draws
            self.outcome = error

    @property
    def is_done(self) -> bool:
        """Whether there is an outcome."""
        return self.outcome is not None


Picture = Callable[[Seen, str, tuple[int, int], datetime], list[str]]


def on_screen(
    take: Take,
    screen: Screen,
    picture: Picture,
    *,
    now: Callable[[], datetime],
    clock: Clock = time,
) -> Look | None:
    """Looks and draws until somebody quits; returns the last look.

    picture: makes the lines of the looks, the present work, and the size of the terminal.
    Raises AdminError where the first look fails, or fails in a way that no further look mends.
    """
    seen, drawn = Seen(), [""]
    looking: Looking | None = Looking(take)
    due = 0.0
    while True:
        if looking and looking.outcome is not None:
            absorb(seen, looking.outcome, now())
            looking, due = None, clock.monotonic() + WATCH_INTERVAL
        elif looking is None and clock.monotonic() >= due:
            looking = Looking(take)
        doing = "looking" if looking else f"next look in {max(due - clock.monotonic(), 0):.0f} s"
        size = screen.size
        lines = picture(seen, doing, (size.columns, size.lines), now())
        if lines != drawn or screen.is_stale:
            screen.draw(lines)
            drawn = lines
        if any(key in QUIT for key in screen.key(KEY_INTERVAL)):
            return seen.last


def absorb(seen: Seen, outcome: Look | BaseException, now: datetime) -> None:
    """Takes in what came of a look; raises what is not to be put up with."""
    if isinstance(outcome, Look):
        seen.take_in(outcome, now)
    elif isinstance(outcome, AdminError) and seen.last is not None and is_transient(outcome):
        seen.fail(outcome, now)
    else:
        raise outcome
