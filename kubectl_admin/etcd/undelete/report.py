"""How the plan is shown: which objects come back, which can't, and in which fields others differ. Pure."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from kubectl_admin.etcd.undelete.facts import ABSENT, Change, Item, State
from kubectl_admin.etcd.undelete.facts import Plan as Facts
from kubectl_admin.etcd.undelete.kinds import SECRETS
from kubectl_admin.etcd.undelete.manifests import HIDDEN, diff, manifests
from kubectl_admin.etcd.undelete.naming import Named
from kubectl_admin.etcd.undelete.unfinished import said
from kubectl_admin.finding import Finding
from kubectl_admin.report import Cell, Column, Mark, Report, Table
from kubectl_admin.report.text import some_of

__all__ = ["diff", "plan"]

COLUMNS = [Column(title) for title in ("NAMESPACE", "KIND", "NAME", "STATE", "WHY")]
FIELDS = [Column(title) for title in ("NAMESPACE", "KIND", "NAME", "FIELD", "THEN", "NOW")]
LONG = 60  # characters of a value in a table
LISTED = 1000  # objects, or fields, in a table
SECRET = ("data", "stringData", "metadata.annotations")  # with the annotation of kubectl apply


def plan(planned: Facts, findings: Iterable[Finding] = ()) -> Report:
    """The plan. findings: further ones, as the API server has said them."""
    items = planned.items
    shown = [one for one in items if one.held or one.lack or planned.takes(one) or one.state is State.CHANGED]
    tables = [Table(COLUMNS, [_row(item, planned) for item in shown[:LISTED]])] if shown else []
    fields = [(item, change) for item in planned.items for change in item.changes] if planned.changed else []
    if fields:
        tables.append(Table(FIELDS, [_field(item, change) for item, change in fields[:LISTED]]))
    more = max(len(shown) - LISTED, 0)
    return Report(
        kind="EtcdUndelete",
        items=lambda: (document(item, planned) for item in planned.items),
        names=lambda: (Named.of(item).name for item in items if planned.takes(item) or item.lack),
        tables=tables,
        paragraphs=[f"not listed: {more:,} more objects (-o json lists them)"] if more else [],
        findings=[*planned.findings, *findings],
        closing=closing(planned),
        texts={"yaml": lambda: manifests(planned)},
    )


def document(item: Item, planned: Facts) -> Mapping[str, object]:
    """An object for programs. Values of Secrets are hidden."""
    action: str | None = "create" if item.state is State.MISSING else "replace"
    if not planned.takes(item):
        action = "complete" if item.lack else None
    return {
        "kind": item.resource.kind,
        "apiVersion": item.resource.api_version,
        "namespace": item.key.namespace or None,
        "name": item.key.name,
        "state": str(item.state),
        "action": action,
        "madeBy": item.made_by or None,
        "why": item.held or (said(item.lack) if item.lack else None),
        "changes": [_change(item, change) for change in item.changes],
    }


def _change(item: Item, change: Change) -> Mapping[str, object]:
    """A field; a side that does not have it is left out."""
    sides = {"then": change.then, "now": change.now}
    return {
        "path": change.path,
        **{side: _shown(item, change, value) for side, value in sides.items() if value is not ABSENT},
    }


def _shown(item: Item, change: Change, value: Any) -> Any:
    """A value, unless it is a Secret's."""
    is_secret = (item.key.group, item.key.plural) == SECRETS
    return HIDDEN if is_secret and change.path.startswith(SECRET) else value


def _row(item: Item, planned: Facts) -> list[Cell | str]:
    mark = Mark.BAD if item.held else None if planned.takes(item) else Mark.DOUBT
    why = item.held
    if item.state is State.CHANGED:
        why = why or some_of([change.path for change in item.changes])
    if item.lack:
        why = f"{why}; {said(item.lack)}".removeprefix("; ")
    return [item.key.namespace, item.resource.word, item.key.name, Cell(str(item.state), mark), why]


def _field(item: Item, change: Change) -> list[Cell | str]:
    values = [_value(item, change, value) for value in (change.then, change.now)]
    return [item.key.namespace, item.resource.word, item.key.name, change.path, *apart(*values)]


def _value(item: Item, change: Change, value: Any) -> str:
    """A value in a cell."""
    if value is ABSENT:
        return ""
    said = _shown(item, change, value)
    try:
        text = said if isinstance(said, str) else json.dumps(said)
    except RecursionError:
        text = "…"
    return text


def apart(one: str, other: str) -> tuple[str, str]:
    """Two values, cut so that the place is seen at which they begin to differ. Pure."""
    if max(len(one), len(other)) <= LONG:
        return one, other
    pairs = enumerate(zip(one, other, strict=False))
    same = next((place for place, (left, right) in pairs if left != right), min(len(one), len(other)))
    start = max(same - LONG // 3, 0) if same > LONG // 2 else 0
    return _cut(one, start), _cut(other, start)


def _cut(text: str, start: int) -> str:
    """LONG characters of a text at most, from one on; with dots where something is left out."""
    shown = f"…{text[start + 1 :]}" if start and text else text
    return shown if len(shown) <= LONG else f"{shown[: LONG - 1]}…"


def closing(planned: Facts) -> str:
    """The last line: how many of all."""
    counts = Counter(dict.fromkeys(_words(planned), 0))
    counts.update(_word(item, planned) for item in planned.items)
    said = [f"{count:,} {word}" for word, count in counts.items() if count]
    return f"objects: {', '.join(said)}" if said else "the snapshot has nothing of what was asked for"


def _words(planned: Facts) -> Iterator[str]:
    yield "missing"
    yield "changed" if planned.changed else "changed (--changed puts them back)"
    yield "held back"
    yield "not completed"
    yield "unchanged"
    yield "left to controllers"


def _word(item: Item, planned: Facts) -> str:
    back, changed, held, unfinished, there, made = _words(planned)
    if item.held:
        return held
    if item.lack and item.state is State.THERE:
        return unfinished
    states = {State.MISSING: back, State.CHANGED: changed, State.THERE: there, State.MADE: made}
    return states.get(item.state, held)
