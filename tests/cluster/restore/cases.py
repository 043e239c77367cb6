"""Every way in which a restore on three control planes is broken, and the ends that are allowed.

Restored is the end wherever a majority comes together in time; either end, where nodes may miss each other
for longer than DECIDE, or the word to begin may not have been given yet.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from tests.cluster.restore import breaks
from tests.cluster.restore.breaks import Run
from tests.cluster.restore.watch import AS_BEFORE, RESTORED
from tests.lab.nodes.lab import Lab

NODES = ("cp-1", "cp-2", "cp-3")
# The words of the journal, in order. «armed» is right before the word to begin is given, once all nodes are.
ARMED, TOLD, GOING, COMMITTED, SERVING = WORDS = ("armed", "told", "going", "committed", "serving")
DECIDE = 90  # seconds: --decide-within
SHORT = 30  # seconds until it is mended: well below DECIDE, with the time that nodes take to boot
LONG = 130  # seconds: well above it
EITHER = (RESTORED, AS_BEFORE)
LINKS = tuple(combinations(NODES, 2))
ALL_CUT = "all control planes cut from each other"


@dataclass(frozen=True)
class Case:
    """A way to break a restore, at a moment.

    at: the word that the journal of `node` has come to; ARMED waits for all nodes. lasts: seconds until it is
    mended, or less where the restore is over on all nodes before. ends: those that are allowed. options: of
    the program. around: what the lab is made like beforehand.
    """

    name: str
    broken: Callable[[Run], AbstractContextManager[None]]
    at: str
    lasts: float = SHORT
    node: str = "cp-2"
    ends: tuple[str, ...] = (RESTORED,)
    options: tuple[str, ...] = ()
    around: Callable[[Lab], AbstractContextManager[object]] = nullcontext

    @property
    def title(self) -> str:
        """What is broken, at which moment."""
        return f"{self.name}, at {self.at}"


def by(way: Callable[..., AbstractContextManager[Any]], *given: Any) -> Callable[..., Any]:
    """A way to break with what it takes beside the restore, or the lab."""
    return lambda what: way(what, *given)


def power() -> Iterator[Case]:
    """The power of one, two and all nodes is cut at each word."""
    for at in WORDS:
        either = EITHER if at == ARMED else (RESTORED,)
        yield Case("power of one cut", by(breaks.off, "cp-2"), at, ends=either)
        # Between these words, the one that is left may have gone over before the others know of it.
        two = EITHER if at in (ARMED, TOLD, GOING) else (RESTORED,)
        yield Case("power of two cut", by(breaks.off, "cp-2", "cp-3"), at, ends=two)
        yield Case(
            *("power of all cut", by(breaks.off, *NODES), at),
            lasts=3,
            ends=either,
        )


def cuts() -> Iterator[Case]:
    """One link, two and all of the three are cut at each word, which are all ways but for names."""
    for at in WORDS:
        either = EITHER if at == ARMED else (RESTORED,)
        yield Case("cp-1 and cp-2 cut from each other", by(breaks.cut, LINKS[0]), at, ends=either)
        yield Case(
            *("one control plane cut from two", by(breaks.cut, ("cp-2", "cp-1"), ("cp-2", "cp-3")), at),
            ends=either,
        )
        yield Case(ALL_CUT, by(breaks.cut, *LINKS), at, ends=either)


def disks() -> Iterator[Case]:
    """A disk of a node is full when it has just been told to begin."""
    for what, path in (("etcd's data", "/var/lib/etcd"), ("the journal", "/var/lib/kubectl-admin")):
        yield Case(
            *(f"the disk of {what} full on one", by(breaks.disk_full, "cp-2", path), TOLD),
            lasts=60,
            around=by(breaks.small_disk, "cp-2", path),
        )


CASES = [
    Case("nothing", breaks.nothing, TOLD, lasts=0),
    *power(),
    *cuts(),
    Case("power of two cut for long", by(breaks.off, "cp-2", "cp-3"), GOING, lasts=LONG, ends=EITHER),
    Case(f"{ALL_CUT} for long", by(breaks.cut, *LINKS), GOING, lasts=LONG, ends=EITHER),
    Case(
        *("power of one cut for long, --all-or-nothing", by(breaks.off, "cp-2"), GOING),
        lasts=LONG,
        ends=(AS_BEFORE,),
        options=("--all-or-nothing",),
    ),
    *(
        Case(f"workers killed at random ({number})", breaks.workers_killed, TOLD, lasts=60)
        for number in (1, 2, 3)
    ),
    # Nodes disarm themselves after ten minutes without the word.
    Case("the program killed", breaks.client_killed, ARMED, lasts=0, ends=EITHER),
    Case("the program killed", breaks.client_killed, TOLD, lasts=0),
    *disks(),
]
