"""The last entry of each key that exists, of a whole database, in some 24 bytes of memory a key.

Bucket «key» is in the order of revisions: a key may have many entries, of which the last counts, and where
that is a tombstone the key does not exist. Of a key a hash is kept, another of its last entry, and the place
of that; key and value are read again when they are wanted.
"""

import re
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator

from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.snapshot import contents
from kubectl_admin.etcd.snapshot.bolt import check
from kubectl_admin.etcd.snapshot.bolt.buckets import Bucket
from kubectl_admin.etcd.snapshot.bolt.damage import Damage, Damaged
from kubectl_admin.etcd.snapshot.bolt.leaf import Leaf, Stored
from kubectl_admin.etcd.snapshot.bolt.pages import Pages
from kubectl_admin.etcd.snapshot.bolt.source import BLOCK
from kubectl_admin.etcd.snapshot.contents import REVISION, TOMBSTONE
from kubectl_admin.etcd.snapshot.key_value import KeyValue, key_value, user_key
from kubectl_admin.etcd.snapshot.protobuf import Undecodable

SHARDS = 256
MARKED = re.compile(rb"[^\0]")  # an entry, among marks
DELETED = -1  # in place of a fingerprint; hash() gives every number but this
ROOM = 1 << 20  # entries that are kept until those that were written over are dropped
PIECE = 1 << 20  # bytes that are hashed at a time


class Shard:
    """Some of the keys: of each a hash, the fingerprint of an entry of it, and that entry's number."""

    __slots__ = ("entries", "fingerprints", "hashes")

    def __init__(self) -> None:
        self.hashes, self.fingerprints, self.entries = array("q"), array("q"), array("Q")

    def places(self) -> dict[int, int]:
        """By hash, where the last entry is in the arrays."""
        return dict(zip(self.hashes, range(len(self.hashes)), strict=True))

    def settle(self) -> None:
        """Drops entries that were written over, and those of keys that do not exist."""
        fingerprints, places = self.fingerprints, self.places()
        if len(places) == len(fingerprints) and DELETED not in fingerprints:
            return
        kept = [at for at in places.values() if fingerprints[at] != DELETED]
        for name in self.__slots__:
            column = getattr(self, name)
            setattr(self, name, array(column.typecode, map(column.__getitem__, kept)))


class Latest:
    """The keys that exist at the last revision of a database, each with its last entry.

    Entries are named by their number: how many of bucket «key» are before them.
    Two of 10 million keys have the same hash in one of 400,000 databases; two entries have the same
    fingerprint by a chance of one in 10^19.
    """

    def __init__(self, pages: Pages, bucket: Bucket, progress: Callable[[int], None]) -> None:
        """Reads every entry of bucket «key», and sees that all are in order.

        progress: called from time to time with the bytes that are done.
        Raises Damaged at the first damaged place.
        """
        self.shards = [Shard() for _ in range(SHARDS)]
        self.entries = 0
        self._appends = self._bound()
        self._pages, self._inline = pages, bucket.inline
        self._leaves, self._firsts = (
            array("Q"),
            array("Q"),
        )  # pages, and the number of the first entry of each
        done = shown = kept = 0
        room = ROOM
        for leaf in check.leaves(pages, bucket):
            self._note(leaf)
            kept += len(leaf.elements)
            if kept > room:
                kept = self._settle()
                room = max(ROOM, 2 * kept)
            done += len(leaf.data)
            if done - shown > BLOCK:
                progress(shown := done)
        self.count = self._settle()

    def _note(self, leaf: Leaf) -> None:
        """Notes the entries of a page."""
        data, number, appends = leaf.data, self.entries, self._appends
        self._leaves.append(leaf.page)
        self._firsts.append(number)
        of_bytes = hash if len(data) <= PIECE else fingerprint  # the same for a part of so few
        for _, start, middle, end in leaf.elements:
            try:
                lives = True
                if middle - start != REVISION or data[start + 8 : start + 9] != b"_":
                    contents.revision(revision := data[start:middle])  # raises for anything else
                    lives = revision[REVISION:] != TOMBSTONE
                message = leaf.part(middle, end)
                if key := user_key(message):  # without one it is a revision that a restore has bumped
                    hashed = hash(key)
                    append_hash, append_fingerprint, append_entry = appends[hashed % SHARDS]
                    append_hash(hashed)
                    append_fingerprint(of_bytes(message) if lives else DELETED)
                    append_entry(number)
            except Undecodable as error:
                raise Damaged(Damage(leaf.page, leaf.offset + start, f"in bucket key: {error}")) from None
            number += 1
        self.entries = number

    def _settle(self) -> int:
        """Drops what does not count any more; returns how many are left."""
        for shard in self.shards:
            shard.settle()
        self._appends = self._bound()
        return sum(len(shard.hashes) for shard in self.shards)

    def _bound(self) -> list[tuple[Callable[[int], None], ...]]:
        """Of each shard what appends to its arrays: looked up once, since it is called millions of times."""
        return [
            (shard.hashes.append, shard.fingerprints.append, shard.entries.append) for shard in self.shards
        ]

    def find(self, key: bytes) -> KeyValue | None:
        """The last entry of a key; None where it does not exist. Raises AdminError as `wanted` does."""
        hashed = hash(key)
        shard = self.shards[hashed % SHARDS]
        try:
            number = shard.entries[shard.hashes.index(hashed)]
        except ValueError:
            return None
        at = self._place(number)
        found = self._entry(self._leaf(at), number - self._firsts[at])
        return found if found.key == key else None

    def living(self) -> Iterator[KeyValue]:
        """The last entry of every key that exists, in the order of revisions. Raises AdminError as `wanted`.

        Memory: a byte for each entry. Cost: each page that has one of them is read again.
        """
        marks = bytearray(self.entries)
        for shard in self.shards:
            for number in shard.entries:
                marks[number] = 1
        return (entry for _, entry in self.wanted(marks))

    def wanted(self, marks: bytearray) -> Iterator[tuple[int, KeyValue]]:
        """The entries that are marked, by a number other than 0 in the place of each, in their order.

        Gives the marks as well. Cost: only pages with a marked entry are read.
        Raises AdminError where the file is not any more what it was.
        """
        leaf, first, end = None, 0, 0
        for marked in MARKED.finditer(marks):
            number = marked.start()
            if leaf is None or number >= end:
                at = self._place(number)
                leaf, first, end = self._leaf(at), self._firsts[at], self._end(at)
            yield marks[number], self._entry(leaf, number - first)

    def _place(self, number: int) -> int:
        """Which of the pages has the entry of this number."""
        return bisect_right(self._firsts, number) - 1

    def _end(self, at: int) -> int:
        """The number of the first entry that is behind a page."""
        return self._firsts[at + 1] if at + 1 < len(self._firsts) else self.entries

    def _leaf(self, at: int) -> Leaf:
        """A page again, with as many entries as before."""
        try:
            leaf = self._inline or self._pages.leaf(self._leaves[at])
        except Damaged:
            raise self._changed() from None
        if len(leaf.elements) != self._end(at) - self._firsts[at]:
            raise self._changed()
        return leaf

    def _entry(self, leaf: Leaf, index: int) -> KeyValue:
        _, _, middle, end = leaf.elements[index]
        try:
            return key_value(leaf.part(middle, end))
        except Undecodable:
            raise self._changed() from None

    def _changed(self) -> AdminError:
        self._pages.source.unchanged()
        return AdminError(f"{self._pages.source.path} gave other bytes when it was read again")


def fingerprint(data: bytes | Stored) -> int:
    """A hash of 64 bits, the same for the same bytes within this process, in memory or in a file."""
    if len(data) <= PIECE:
        return hash(data[:])
    return hash(tuple(hash(data[at : at + PIECE]) for at in range(0, len(data), PIECE)))
