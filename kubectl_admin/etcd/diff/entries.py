"""Entries of two databases read again where they differ, and made into objects."""

from collections import Counter
from struct import Struct
from typing import Final

from kubectl_admin.etcd.diff import judge
from kubectl_admin.etcd.diff.collection import Collection, Tally
from kubectl_admin.etcd.diff.facts import Difference, Side, State, Wanted
from kubectl_admin.etcd.diff.pairs import SHARED, pair
from kubectl_admin.etcd.snapshot.key_value import KeyValue
from kubectl_admin.etcd.snapshot.latest import Latest, fingerprint
from kubectl_admin.etcd.stored import values
from kubectl_admin.etcd.stored.facts import Object
from kubectl_admin.etcd.stored.kinds import KEPT, LONG, Kinds
from kubectl_admin.etcd.stored.objects import content, definitions

NO_UID = bytes(16)
UNSEEN: Final = Tally(None, "", Counter())  # of a directory of which no object was counted yet


def collect(a: Latest, b: Latest, prefix: str, wanted: Wanted, collection: Collection, *, uids: bool) -> None:
    """Collects the wanted objects that differ: in the order of revisions, those of A alone first.

    a, b: read side by side, or one twice.
    uids: whether values are looked at of objects that one database alone has; of the others they always are.
    Raises AdminError where a file is not any more what it was.
    """
    found = pair(a, b)
    alone = side if uids else bare_side
    counters = [
        Counting(Kinds(prefix, definitions(prefix, own, other)), wanted, collection)
        for own, other in ((a, b), (b, a))
    ]
    sides = Sides(len(found.order_a))
    places = iter(found.order_a)
    count = counters[0].count
    for mark, message in a.messages(found.marks_a):
        if mark == SHARED:
            sides.keep(next(places), side(a.decoded(message)))
        elif thing := count(State.ONLY_IN_A, a.key(message)):
            collection.keep(Difference(State.ONLY_IN_A, thing, alone(a.decoded(message)), None))
    places = iter(found.order_b)
    count = counters[1].count
    for mark, message in b.messages(found.marks_b):
        if mark == SHARED:
            entry = b.decoded(message)
            other, own = sides.kept(next(places)), side(entry)
            state = judge.state(other, own)
            if thing := count(state, entry.key):
                collection.keep(Difference(state, thing, other, own))
        elif thing := count(State.ONLY_IN_B, b.key(message)):
            collection.keep(Difference(State.ONLY_IN_B, thing, None, alone(b.decoded(message))))


class Counting:
    """Counts differences of one database by their keys, and tells which are to be listed."""

    def __init__(self, kinds: Kinds, wanted: Wanted, collection: Collection) -> None:
        self._kinds, self._wanted, self._collection = kinds, wanted, collection
        self._counts = collection.counts
        # Of directories with objects where these are counted, or None if they are not wanted.
        self._known: dict[bytes, Tally | None] = {}

    def count(self, state: State, key: bytes) -> Object | None:
        """Counts a difference. The object, if it has to be kept; None for most, which are not made at all."""
        directory, _, name = key.rpartition(b"/")
        tally = self._known.get(directory, UNSEEN)
        if tally is UNSEEN or len(key) > LONG or not name or not key.isascii():
            return self._count_any(state, key, directory)
        if tally is None or not self._counts(tally, state, name.decode()):
            return None
        return self._kinds.object(key)

    def _count_any(self, state: State, key: bytes, directory: bytes) -> Object | None:
        """The same for any key, of which no more is known."""
        thing = self._kinds.object(key)
        takes = self._wanted.takes(thing)
        tally = self._collection.tally(thing.kind, thing.namespace) if takes else None
        if thing.kind and directory:  # all right below it are of this kind
            if len(self._known) >= KEPT:
                self._known.clear()
            self._known[directory] = tally
        return thing if tally and self._counts(tally, state, thing.name) else None


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
