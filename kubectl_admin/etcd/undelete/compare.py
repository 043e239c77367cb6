"""In which fields an object of the snapshot and the live one differ, as a person wrote both. Pure.

Elements of a list that each have a name (containers, volumes, variables) are compared by it, whatever their
order; that is one change of its own. Owners are no part of it: they are of one life of an object.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kubectl_admin.etcd.undelete.facts import ABSENT, Change, Item
from kubectl_admin.etcd.undelete.written import as_written

ADDRESSES = ("spec.clusterIP", "spec.ports", "spec.healthCheckNodePort")  # of a Service
DEPTH = 64  # below which a part is compared as a whole: nothing that a person writes is nested as deep


def changes(then: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[Change, ...]:
    """The fields that differ, by their paths. then, now: as the API gave them, with their kinds."""
    sides = [as_written(one) for one in (then, now)]
    for side in sides:
        side["metadata"].pop("ownerReferences", None)
        side.pop("apiVersion", None)  # the same object in another version, which both were asked for
        side.pop("kind", None)
    return tuple(sorted(_changes("", sides[0], sides[1], DEPTH), key=lambda change: change.path))


def altered(item: Item, made: Mapping[str, Any], left: Sequence[str]) -> tuple[Change, ...]:
    """The fields in which an object that comes back is another than it was, by the server's answer.

    A webhook may have changed it, or a newer server adds a default. made: that answer. left: fields of a
    Service that others have taken, which are told as such.
    """
    found = changes(item.then, made)
    return tuple(one for one in found if not left or not one.path.startswith(ADDRESSES))


def _changes(path: str, then: Any, now: Any, depth: int) -> Iterator[Change]:
    if then is now:
        return
    if isinstance(then, dict) and isinstance(now, dict) and depth:
        for field in {**then, **now}:
            below = then.get(field, ABSENT), now.get(field, ABSENT)
            yield from _changes(f"{path}{_word(field, path)}", *below, depth - 1)
        return
    if isinstance(then, list) and isinstance(now, list) and depth:
        old, new = by_name(then), by_name(now)
        if old is not None and new is not None:
            for name in {**old, **new}:
                below = old.get(name, ABSENT), new.get(name, ABSENT)
                yield from _changes(f"{path}[name={name}]", *below, depth - 1)
            orders = [[name for name in one if name in old and name in new] for one in (old, new)]
            if orders[0] != orders[1]:
                yield Change(f"{path} (order)", *orders)
            return
    if not is_same(then, now):
        yield Change(path, then, now)


def _word(field: str, path: str) -> str:
    """A field as it follows a path; one that has dots of its own, in brackets."""
    if "." in field or "/" in field or "[" in field:
        return f"[{field}]"
    return f".{field}" if path else field


def by_name(items: list[Any]) -> dict[str, Any] | None:
    """The elements of a list by their names; None where one has none, or shares it."""
    named = {one["name"]: one for one in items if isinstance(one, dict) and isinstance(one.get("name"), str)}
    return named if len(named) == len(items) else None


def is_same(one: Any, other: Any) -> bool:
    """Whether two values of JSON are equal, however deep they are. true is not 1."""
    pairs = [(one, other)]
    while pairs:
        left, right = pairs.pop()
        if left is right:
            continue
        if isinstance(left, dict) and isinstance(right, dict):
            if left.keys() != right.keys():
                return False
            pairs += [(left[field], right[field]) for field in left]
        elif isinstance(left, list) and isinstance(right, list):
            if len(left) != len(right):
                return False
            pairs += zip(left, right, strict=True)
        elif isinstance(left, bool) != isinstance(right, bool) or left != right:
            return False
    return True
