"""The last entry of each key that exists, of a whole database, in some 24 bytes of memory a key.

Bucket «key» is in the order of revisions: a key may have many entries, of which the last counts, and where
that is a tombstone the key does not exist. Of a key a hash is kept, the identity of its last entry, and the
place of that; key and value are read again when they are wanted.

Two databases are read side by side, so that an entry that both have is met in both at about one time: it is
taken apart once, its bytes are compared, and it gets one identity.
"""

import re
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence

from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.snapshot import contents
from kubectl_admin.etcd.snapshot.bolt import check, leaf
from kubectl_admin.etcd.snapshot.bolt.buckets import Bucket
from kubectl_admin.etcd.snapshot.bolt.damage import Damage, Damaged
from kubectl_admin.etcd.snapshot.bolt.leaf import Leaf, Stored
from kubectl_admin.etcd.snapshot.bolt.pages import Pages
from kubectl_admin.etcd.snapshot.bolt.source import BLOCK
from kubectl_admin.etcd.snapshot.contents import REVISION, TOMBSTONE
from kubectl_admin.etcd.snapshot.key_value import KeyValue, key_value, user_key
from kubectl_admin.etcd.snapshot.protobuf import Undecodable

SHARDS = 256
MIDDLE = ord("_")  # of a revision
MARKED = re.compile(rb"[^\0]")  # an entry, among marks
DELETED = -1  # in place of an identity
ROOM = 1 << 20  # entries that are kept until those that were written over are dropped
PIECE = 1 << 20  # bytes that are hashed at a time

# An entry that was met: its bytes, or their fingerprint where its page is long; the hash of its key, None
# without one; its identity.
Met = tuple[bytes | int, int | None, int]


class Shard:
    """Some of the keys: of each a hash, the identity of an entry of it, and that entry's number."""

    __slots__ = ("entries", "hashes", "identities")

    def __init__(self) -> None:
        self.hashes, self.identities, self.entries = array("q"), array("q"), array("Q")

    def places(self) -> dict[int, int]:
        """By hash, where the last entry is in the arrays."""
        return dict(zip(self.hashes, range(len(self.hashes)), strict=True))

    def settle(self) -> None:
        """Drops entries that were written over, and those of keys that do not exist."""
        identities, places = self.identities, self.places()
        if len(places) == len(identities) and DELETED not in identities:
            return
        kept = [at for at in places.values() if identities[at] != DELETED]
        for name in self.__slots__:
            column = getattr(self, name)
            setattr(self, name, array(column.typecode, map(column.__getitem__, kept)))


class Latest:
    """The keys that exist at the last revision of a database, each with its last entry.

    Entries are named by their number: how many of bucket «key» are before them.
    Two of 10 million keys have the same hash in one of 400,000 databases.

    last: the revision of the last entry that was read, as it is in the bucket.
    met: the entries of the last page that was read, by their revision, but those that the other database has.
    ended: whether all is read, or as much as can be: damage tells why.
    """

    def __init__(self, pages: Pages, bucket: Bucket, *, second: bool = False) -> None:
        """Nothing of it is read yet: see `read`. second: the other of two that are read side by side."""
        self.shards = [Shard() for _ in range(SHARDS)]
        self.entries = self.count = 0
        self.last = b""
        self.met: Mapping[bytes, Met] = {}
        self.ended = False
        self.damage: Damage | None = None
        self._second = second
        self._kept, self._room = 0, ROOM
        self._appends = self._bound()
        self._pages, self._inline = pages, bucket.inline
        # Pages, and the number of the first entry of each.
        self._leaves, self._firsts = array("Q"), array("Q")
        self._unread = check.leaves(pages, bucket)

    def advance(self, theirs: Mapping[bytes, Met]) -> int:
        """Reads the next page, and returns its length in bytes.

        theirs: entries of the other database that this one may have as well.
        """
        try:
            if (page := next(self._unread, None)) is None:
                self.ended = True
                self.count = self._settle()
                return 0
            self._note(page, theirs)
        except Damaged as error:
            self.ended, self.damage = True, error.damage
            return 0
        self._kept += len(page.elements)
        if self._kept > self._room:
            self._kept = self._settle()
            self._room = max(ROOM, 2 * self._kept)
        return len(page.data)

    def _note(self, page: Leaf, theirs: Mapping[bytes, Met]) -> None:
        """Notes the entries of a page."""
        data, number, second, appends = page.data, self.entries, self._second, self._appends
        self._leaves.append(page.page)
        self._firsts.append(number)
        self.met = met = {}
        revision, start = self.last, 0
        try:
            for _, start, middle, end in page.elements:
                revision = data[start:middle]
                message: bytes | Stored
                content: bytes | int
                if isinstance(data, Stored):
                    content = fingerprint(message := page.part(middle, end))
                else:
                    content = message = data[middle:end]
                entry = theirs.get(revision)
                if entry is None or (entry[0] != content and not _is_same(entry[0], content)):
                    if len(revision) != REVISION or revision[8] != MIDDLE or revision[0] | revision[9] > 0x7F:
                        contents.revision(revision)  # that of a tombstone; raises for anything else
                    key = user_key(message)  # without one it is a revision that a restore has bumped
                    lives = revision[REVISION:] != TOMBSTONE
                    identity = number << 1 | second if lives else DELETED
                    met[revision] = entry = content, hash(key) if key else None, identity
                _, hashed, identity = entry
                if hashed is not None:
                    append_hash, append_identity, append_entry = appends[hashed % SHARDS]
                    append_hash(hashed)
                    append_identity(identity)
                    append_entry(number)
                number += 1
        except Undecodable as error:
            raise Damaged(Damage(page.page, page.offset + start, f"in bucket key: {error}")) from None
        self.last = revision
        self.entries = number

    def _settle(self) -> int:
        """Drops what does not count any more; returns how many are left."""
        for shard in self.shards:
            shard.settle()
        self._appends = self._bound()
        return sum(len(shard.hashes) for shard in self.shards)

    def _bound(self) -> list[tuple[Callable[[int], None], ...]]:
        """Of each shard what appends to its arrays: looked up once, since it is called millions of times."""
        return [(shard.hashes.append, shard.identities.append, shard.entries.append) for shard in self.shards]

    def find(self, key: bytes) -> KeyValue | None:
        """The last entry of a key; None where it does not exist. Raises AdminError as `wanted` does."""
        hashed = hash(key)
        shard = self.shards[hashed % SHARDS]
        try:
            number = shard.entries[shard.hashes.index(hashed)]
        except ValueError:
            return None
        at = self._at(number)
        found = self.decoded(leaf.value(self._page(at), number - self._firsts[at]))
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
        return ((mark, self.decoded(message)) for mark, message in self.messages(marks))

    def messages(self, marks: bytearray) -> Iterator[tuple[int, bytes | Stored]]:
        """The same, not taken apart: see `decoded`."""
        data: bytes | Stored = b""
        first = end = 0
        for marked in MARKED.finditer(marks):
            number = marked.start()
            if number >= end:
                at = self._at(number)
                data, first, end = self._page(at), self._firsts[at], self._end(at)
            yield marks[number], leaf.value(data, number - first)

    def key(self, message: bytes | Stored) -> bytes:
        """The key of an entry that was read again; raises as `decoded` does."""
        try:
            return user_key(message)
        except Undecodable:
            raise self._changed() from None

    def decoded(self, message: bytes | Stored) -> KeyValue:
        """An entry that was read again. Raises AdminError where the file is not any more what it was."""
        try:
            return key_value(message)
        except Undecodable:
            raise self._changed() from None

    def _at(self, number: int) -> int:
        """Which of the pages has the entry of this number."""
        return bisect_right(self._firsts, number) - 1

    def _end(self, at: int) -> int:
        """The number of the first entry that is behind a page."""
        return self._firsts[at + 1] if at + 1 < len(self._firsts) else self.entries

    def _page(self, at: int) -> bytes | Stored:
        """A page again, with as many entries as before."""
        data = self._inline.data if self._inline else self._pages.data(self._leaves[at])
        if not leaf.is_leaf(data, self._end(at) - self._firsts[at]):
            raise self._changed()
        return data

    def _changed(self) -> AdminError:
        self._pages.source.unchanged()
        return AdminError(f"{self._pages.source.path} gave other bytes when it was read again")


def read(databases: Sequence[Latest], progress: Callable[[int], None]) -> None:
    """Reads every entry of bucket «key» of one database, or of two side by side; sees that all are in order.

    That one is read on whose last revision is less: so the other does not go on to its next page before all
    entries were met that both can have of this one. Where one is damaged, the other is still read.
    progress: called from time to time with the bytes that are done, of all databases.
    """
    done = shown = 0
    a, b = databases[0], databases[-1]
    while not (a.ended and b.ended):
        own, other = (a, b) if b.ended or (not a.ended and a.last <= b.last) else (b, a)
        done += own.advance(other.met)
        if done - shown > BLOCK:
            progress(shown := done)


def _is_same(one: bytes | int, other: bytes | int) -> bool:
    """Whether one is the fingerprint of the other."""
    if isinstance(one, bytes):
        return isinstance(other, int) and fingerprint(one) == other
    return isinstance(other, bytes) and fingerprint(other) == one


def fingerprint(data: bytes | Stored) -> int:
    """A hash of 64 bits, the same for the same bytes within this process, in memory or in a file."""
    if len(data) <= PIECE:
        return hash(data[:])
    return hash(tuple(hash(data[at : at + PIECE]) for at in range(0, len(data), PIECE)))
