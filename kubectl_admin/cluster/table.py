"""The server's own Table of a resource: what `kubectl get` prints, without the objects.

Of 5,000 nodes this is 1 MB instead of 62. Source: apimachinery meta/v1 types.go, «Table».
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

ACCEPT = "application/json;as=Table;v=v1;g=meta.k8s.io"
UNKNOWN = "<unknown>"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells under named columns.

    objects: what the request asked to have included, one a row: metadata, or {} for nothing.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    objects: tuple[Mapping[str, Any], ...]

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "Table":
        """The Table in an answer."""
        rows = document.get("rows") or ()
        return cls(
            tuple(column["name"] for column in document.get("columnDefinitions") or ()),
            tuple(tuple(row["cells"]) for row in rows),
            tuple(row.get("object") or {} for row in rows),
        )

    def named(self, *names: str) -> Iterator[tuple[str, ...]]:
        """Each row's cells of these columns, as text; «<unknown>» where there is no such column."""
        places = [self.columns.index(name) if name in self.columns else None for name in names]
        for row in self.rows:
            yield tuple([UNKNOWN if place is None else str(row[place]) for place in places])
