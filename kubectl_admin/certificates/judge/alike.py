"""Certificates that are alike, so that a fault of many nodes is said once. Pure."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from kubectl_admin.certificates.facts import Facts, Seen, Source

Item = TypeVar("Item")
Key = TypeVar("Key")


def grouped(items: Iterable[Item], key: Callable[[Item], Key]) -> Iterator[tuple[Key, list[Item]]]:
    """The items that are alike together, in the order in which each kind came first."""
    alike: dict[Key, list[Item]] = {}
    for item in items:
        alike.setdefault(key(item), []).append(item)
    yield from alike.items()


def distinct(facts: Facts) -> Iterator[Seen]:
    """One place for each certificate on a node, files first; authorities once in all."""
    told = set()
    order = list(Source)
    for one in sorted(facts.seen, key=lambda one: order.index(one.source)):
        found = one.certificate
        if found is None:
            continue
        about = (found.fingerprint, one.owner)
        if about not in told:
            told.add(about)
            yield one


def subject(one: Seen) -> str:
    """A finding's subject for it; its objects say whose."""
    return "caBundle" if one.source is Source.OBJECT and one.name == one.owner else one.name


def objects_of(seen: Iterable[Seen]) -> tuple[str, ...]:
    """The objects that certificates belong to: nodes, or the objects that hold them."""
    return tuple(
        dict.fromkeys(
            f"node/{one.node}" if one.node else one.name
            for one in seen
            if one.node or one.source is Source.OBJECT
        )
    )
