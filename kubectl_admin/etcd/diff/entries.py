"""Entries of two databases read again where they differ, and made into objects."""

from collections.abc import Iterator
from struct import Struct

from kubectl_admin.etcd.diff import judge
from kubectl_admin.etcd.diff.facts import Difference, Side, Wanted
from kubectl_admin.etcd.diff.pairs import SHARED, pair
from kubectl_admin.etcd.snapshot.key_value import KeyValue
from kubectl_admin.etcd.snapshot.latest import Latest, fingerprint
from kubectl_admin.etcd.stored import values
from kubectl_admin.etcd.stored.kinds import Kinds
from kubectl_admin.etcd.stored.objects import content, definitions

NO_UID = bytes(16)


def differences(a: Latest, b: Latest, prefix: str, wanted: Wanted, *, uids: bool) -> Iterator[Difference]:
    """The wanted objects that differ: in the order of revisions, those of A alone first.

    uids: whether values are looked at of objects that one database alone has; of the others they always are.
    Raises AdminError where a file is not any more what it was.
    """
    found = pair(a, b)
    kinds_a, kinds_b = (Kinds(prefix, definitions(prefix, own, other)) for own, other in ((a, b), (b, a)))
    sides = Sides(len(found.order_a))
    places = iter(found.order_a)
    for mark, entry in a.wanted(found.marks_a):
        if mark == SHARED:
            sides.keep(next(places), side(entry))
        elif wanted.takes(thing := kinds_a.object(entry.key)):
            own = side(entry) if uids else bare_side(entry)
            yield Difference(judge.state(own, None), thing, own, None)
    places = iter(found.order_b)
    for mark, entry in b.wanted(found.marks_b):
        other = sides.kept(next(places)) if mark == SHARED else None
        if wanted.takes(thing := kinds_b.object(entry.key)):
            own = side(entry) if uids or other else bare_side(entry)
            yield Difference(judge.state(other, own), thing, other, own)


def side(entry: KeyValue) -> Side:
    """An object as an entry has it."""
    value = content(entry)
    return Side(
        entry.created,
        entry.modified,
        fingerprint(entry.value),
        len(entry.value),
        values.is_encrypted(value),
        values.uid(value),
    )


def bare_side(entry: KeyValue) -> Side:
    """The same without a look at the whole value; for what is compared with nothing."""
    encrypted = values.is_encrypted(entry.value[: len(values.ENCRYPTED)])
    return Side(entry.created, entry.modified, 0, len(entry.value), encrypted, uid=None)


class Sides:
    """The sides of one database, by numbers, until those of the other are read: 57 bytes each."""

    LAYOUT = Struct("<QQqQ?16s")

    def __init__(self, count: int) -> None:
        self._data = bytearray(self.LAYOUT.size * count)

    def keep(self, place: int, side: Side) -> None:
        """Keeps one."""
        values = (side.created, side.modified, side.content, side.size, side.encrypted, side.uid or NO_UID)
        self.LAYOUT.pack_into(self._data, place * self.LAYOUT.size, *values)

    def kept(self, place: int) -> Side:
        """Gives it back."""
        *known, uid = self.LAYOUT.unpack_from(self._data, place * self.LAYOUT.size)
        created, modified, content, size, encrypted = known
        return Side(created, modified, content, size, encrypted, None if uid == NO_UID else uid)
