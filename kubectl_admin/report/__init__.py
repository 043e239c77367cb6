"""The answer of a verb as plain data: tables, findings, and the same as a document for programs.

How it looks is decided in the modules beside this one; nothing here knows a terminal.

Read in this order:
this module: a report and its parts
text: quantities and lists as text; pages: of the documentation, by their paths
terminal, document: a report for a person, and for programs
progress, live: lines that are written over
screen: a whole terminal that is drawn again and again
exposition: numbers for Prometheus
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from kubectl_admin.finding import Finding, Severity

API_VERSION = "kubectl-admin/v1"


class Mark(StrEnum):
    """How a cell stands out. The sign is part of the text, so that it is seen without colour."""

    BAD = "!"
    DOUBT = "?"


@dataclass(frozen=True, slots=True)
class Cell:
    """A table's cell: its text, why it stands out, if it does, and whether it has just changed."""

    text: str
    mark: Mark | None = None
    changed: bool = False


@dataclass(frozen=True, slots=True)
class Column:
    """A table's column; a wide one is shown by `-o wide` alone."""

    name: str
    wide: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells under their columns; a plain string is a cell without a mark."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell | str]]


@dataclass(frozen=True, slots=True)
class Report:
    """All that a verb answers.

    kind: the document's kind in json and yaml.
    items: makes the document's items; called only where a document is asked for.
    names: makes the `-o name` lines, «node/w1».
    tables, paragraphs: for a person, the tables first; a paragraph is a line or several.
    findings: rules broken; one that is as bad as `fail_on` makes the command end with exit code 3; none does
    where that is None.
    at: the moment at which all of it was seen, which the findings' own times are told by.
    closing: the last line for a person, below the findings, or "".
    fields: further top-level fields of the document.
    texts: makes the whole text of further formats, by their names.
    """

    kind: str
    items: Callable[[], Iterable[Mapping[str, object]]]
    names: Callable[[], Iterable[str]]
    tables: Sequence[Table] = ()
    paragraphs: Sequence[str] = ()
    findings: Sequence[Finding] = ()
    closing: str = ""
    fields: Mapping[str, object] = field(default_factory=dict)
    texts: Mapping[str, Callable[[], str]] = field(default_factory=dict)
    fail_on: Severity | None = Severity.VIOLATION
    at: datetime | None = None

    @property
    def failed(self) -> bool:
        """Whether any finding is as bad as `fail_on`, or worse."""
        order = list(Severity)
        limit = order.index(self.fail_on) if self.fail_on else -1
        return any(order.index(finding.severity) <= limit for finding in self.findings)

    @property
    def violated(self) -> bool:
        """Whether any finding is a violation."""
        return any(finding.severity is Severity.VIOLATION for finding in self.findings)
