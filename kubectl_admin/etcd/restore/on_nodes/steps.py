"""The table by which control-plane nodes agree on a restore while no API server runs. Pure.

Each node's worker (scripts/restore-worker.sh) reads the same file, scripts/restore-steps.txt, and takes the
first row that matches. The tests walk through every state that the rows can lead to.

The nodes agree through etcd itself. A node runs either its old etcd or the restored one, so both can't have
a majority at once, and what is written to one of them was written by a majority of it. The columns, as a
node sees them:

- SIDE: `old` or `new`, by the directories on the node
- COMMITTED: this node's journal says that it stays with the restored data (`committed`, `following`)
- CLOSED: its journal says that it never goes over again by itself
- WENT: it was on the new side before
- OWN: whether its own etcd answers a linearizable read: that etcd has a majority
- GO: `key`: the key `go` or some node's `going/NODE` is in the old etcd, or was (`told` in the journal);
  `hand`: a file on the node says it; `later`: it will be such a file, by the node's plan; `no`: none of these
- DECISION: `commit` once it is in the restored etcd
- ACKS, BACKS: whether `ack/NODE` of a majority is in the restored etcd, `back/NODE` of a majority in the
  old one; at the own endpoint, else at those of the other nodes. The only node of a restore is back once it
  is closed, with or without that key
- SAID: whether the key is in by which this node says how far it is (new: `here`, then `ack`; old: `going`,
  or `back` once closed)
- ENOUGH: whether the others were waited for (old: all have said `going`, or a few seconds are over; new:
  all have said `here`, or a majority has and the grace is over)
- LATE: whether the time of this state is over

Why it is safe: no API server serves restored data while a majority of nodes is on the old side, nor later.
An API server starts when a majority has acknowledged. A node acknowledges after its journal says
`committed`, and from then on goes back only when a majority has said `back`. A node says `back` only when
its journal says `closed`, and from then on goes over only when a majority has acknowledged. The first of
both majorities therefore excludes the other: a node of one would have to be in the other as well. All that
a row of consequence asks for (journal, ACKS, BACKS, DECISION) never becomes untrue, so a worker that was
slow or killed between look and step does no harm. Upstream: etcd answers a linearizable read, and accepts a
write, only with a quorum (https://etcd.io/docs/v3.6/learning/api_guarantees/).
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from importlib.resources import files

ANY = "*"
# What stands in each column.
WORDS: Mapping[str, tuple[str, ...]] = {
    "side": ("old", "new"),
    "committed": ("no", "yes"),
    "closed": ("no", "yes"),
    "went": ("no", "yes"),
    "own": ("answers", "silent"),
    "go": ("no", "later", "key", "hand"),
    "decision": ("none", "commit"),
    "acks": ("few", "most"),
    "backs": ("few", "most"),
    "said": ("no", "yes"),
    "enough": ("no", "yes"),
    "late": ("no", "yes"),
}


@dataclass(frozen=True, slots=True)
class Seen:
    """What a node sees, in the words of WORDS."""

    side: str
    committed: str = "no"
    closed: str = "no"
    went: str = "no"
    own: str = "silent"
    go: str = "no"
    decision: str = "none"
    acks: str = "few"
    backs: str = "few"
    said: str = "no"
    enough: str = "no"
    late: str = "no"


@dataclass(frozen=True, slots=True)
class Row:
    """A step, and when it may be taken. wanted: a column's name, and the word that has to stand there."""

    step: str
    wanted: tuple[tuple[str, str], ...]

    def is_for(self, seen: Seen) -> bool:
        """Whether a node that sees this may take the step."""
        return all(getattr(seen, column) == word for column, word in self.wanted)


@dataclass(frozen=True, slots=True)
class Table:
    """All rows, in the order of the file."""

    rows: tuple[Row, ...]

    def matching(self, seen: Seen) -> list[str]:
        """Every step that a node may take that sees this, first the one that it takes; without repetition."""
        return list(dict.fromkeys(row.step for row in self.rows if row.is_for(seen)))

    def first(self, seen: Seen) -> str | None:
        """The step that it takes. None: it waits."""
        return next((row.step for row in self.rows if row.is_for(seen)), None)


def steps() -> Table:
    """The table that the workers read."""
    return read_table(text())


def text() -> str:
    """The table as the file has it."""
    return files("kubectl_admin").joinpath("etcd", "scripts", "restore-steps.txt").read_text(encoding="utf-8")


def read_table(table: str) -> Table:
    """The table in a text of this form. Raises ValueError, which names the line that is not of it."""
    return Table(
        tuple(_row(line) for line in table.splitlines() if line.strip() and not line.startswith("#"))
    )


def _row(line: str) -> Row:
    step, *words = line.split()
    columns = [field.name for field in fields(Seen)]
    if len(words) != len(columns):
        raise ValueError(f"not a word for each column: {line}")
    wanted = [(column, word) for column, word in zip(columns, words, strict=True) if word != ANY]
    if unknown := [word for column, word in wanted if word not in WORDS[column]]:
        raise ValueError(f"unknown in its column: {unknown[0]}: {line}")
    return Row(step, tuple(wanted))
