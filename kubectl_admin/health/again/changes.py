"""Changes since before, as data and in words. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from kubectl_admin.finding import Severity
from kubectl_admin.report.text import some_of


class Kind(StrEnum):
    """How it is another way, the worst first."""

    WORSE = "worse"
    NEW = "new"
    UNSEEN = "not seen now"  # a finding or a node of before; nobody knows whether it is still there
    CHANGED = "changed"
    BETTER = "better"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Change:
    """A change of one thing.

    what: «etcd», «violation slow-disk». where: the object («node/cp-1»), "" for the cluster.
    before, after: in words; "" of what has come or gone. severity: of a finding.
    """

    kind: Kind
    what: str
    where: str = ""
    before: str = ""
    after: str = ""
    severity: Severity | None = None

    @property
    def is_bad(self) -> bool:
        """Whether somebody should look: it is worse, or a finding that is more than a note is new."""
        new = self.kind is Kind.NEW and self.severity in (Severity.VIOLATION, Severity.WARNING)
        return new or self.kind is Kind.WORSE

    @property
    def turn(self) -> str:
        """«well -> hanging»; "" for what has come or gone."""
        return f"{self.before} -> {self.after}" if self.before or self.after else ""

    def __str__(self) -> str:
        """«worse: etcd on node/cp-1: well -> hanging»."""
        return text(self, (self.where,) if self.where else ())

    def document(self) -> dict[str, object]:
        """The change as plain data."""
        return {
            "kind": str(self.kind),
            "what": self.what,
            "object": self.where or None,
            "before": self.before or None,
            "after": self.after or None,
            "severity": str(self.severity) if self.severity else None,
        }


@dataclass(frozen=True, slots=True)
class Line:
    """Changes that are alike on several objects, as one line."""

    text: str
    is_bad: bool


def text(change: Change, objects: tuple[str, ...]) -> str:
    """The change of several objects alike, in a line."""
    where = f" on {some_of(objects)}" if objects else ""
    return f"{change.kind}: {change.what}{where}{f': {change.turn}' if change.turn else ''}"


def told(changes: Iterable[Change]) -> Iterator[Line]:
    """The changes in lines, the worst first; those that are alike on several objects in one."""
    alike: dict[tuple[object, ...], list[Change]] = {}
    for change in changes:
        key = (change.kind, change.what, change.before, change.after)
        alike.setdefault(key, []).append(change)
    order = list(Kind)
    for group in sorted(alike.values(), key=lambda group: order.index(group[0].kind)):
        where = tuple(change.where for change in group if change.where)
        yield Line(text(group[0], where), any(change.is_bad for change in group))
