"""Reads the content of a database out of its buckets."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from kubectl_admin.etcd.snapshot import contents
from kubectl_admin.etcd.snapshot.bolt.buckets import Bucket
from kubectl_admin.etcd.snapshot.bolt.damage import Damage, Damaged
from kubectl_admin.etcd.snapshot.bolt.pages import Pages
from kubectl_admin.etcd.snapshot.contents import Alarm, Member, Raft
from kubectl_admin.etcd.snapshot.protobuf import Undecodable

SMALL = (b"alarm", b"auth", b"cluster", b"members", b"members_removed", b"meta")
NEEDED = (b"key", b"meta")  # etcd fails without
MANY = 10_000  # entries of a bucket that holds some dozens at most
LONG = 4 << 20  # bytes of all entries of such a bucket; etcd keeps some KiB there

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Contents:
    """The content of a database of etcd; None for what was not written, or can't be read.

    revision: the last one; 0 in a database without keys.
    compacted: the revision up to which older ones were dropped.
    consistent_index, term: of raft, at the last change.
    members: those of bucket «members»; removed: ids of former ones.
    raft: who takes part in raft; etcd 3.5 and newer.
    storage_version: «3.6.0», by etcd 3.6 and newer. cluster_version: «3.6.0», of the oldest member.
    auth: whether etcd asks its clients for a user.
    """

    revision: int | None
    compacted: int | None
    consistent_index: int | None
    term: int | None
    members: tuple[Member, ...]
    removed: tuple[str, ...]
    raft: Raft | None
    alarms: tuple[Alarm, ...]
    storage_version: str | None
    cluster_version: str | None
    auth: bool

    @property
    def cluster_id(self) -> str | None:
        """The cluster's id in hex; None where it can't be computed. See contents.cluster_id."""
        return contents.cluster_id(self.members, self.removed)


NOTHING = Contents(None, None, None, None, (), (), None, (), None, None, auth=False)


@dataclass(frozen=True, slots=True)
class Entry:
    """A key and its value, and where it is: page, bytes from the beginning of the file."""

    key: bytes
    value: bytes
    page: int
    offset: int


def read(pages: Pages, buckets: Mapping[bytes, Bucket]) -> Contents:
    """The content of the buckets; anything that can't be read or decoded is noted as a damage and left out.

    Cost: the pages of the small buckets, and one page of bucket «key».
    """

    for name in NEEDED if buckets else ():
        if name not in buckets:
            pages.damages.add(None, None, f"bucket {name.decode()} is missing")
    small = {name: list(_entries(pages, buckets.get(name))) for name in SMALL}

    def every(name: bytes, decode: Callable[[Entry], T]) -> tuple[T, ...]:
        return tuple(_decoded(pages, name, decode, small[name]))

    def one(name: bytes, key: bytes, decode: Callable[[bytes], T]) -> T | None:
        found = [entry for entry in small[name] if entry.key == key]
        return next(_decoded(pages, name, lambda entry: decode(entry.value), found), None)

    return Contents(
        revision=_last(pages, buckets.get(b"key")),
        compacted=one(b"meta", b"finishedCompactRev", contents.revision),
        consistent_index=one(b"meta", b"consistent_index", contents.number),
        term=one(b"meta", b"term", contents.number),
        members=every(b"members", lambda entry: contents.member(entry.key, entry.value)),
        removed=every(b"members_removed", lambda entry: contents.member_id(entry.key)),
        raft=one(b"meta", b"confState", contents.raft),
        alarms=every(b"alarm", lambda entry: contents.alarm(entry.key)),
        storage_version=one(b"meta", b"storageVersion", contents.text),
        cluster_version=one(b"cluster", b"clusterVersion", contents.text),
        auth=one(b"auth", b"authEnabled", bytes) == b"\x01",
    )


def _entries(pages: Pages, bucket: Bucket | None) -> Iterator[Entry]:
    """The entries of a small bucket; none of one that is not there, or not sound."""
    number = length = 0
    try:
        for leaf in bucket.leaves(pages) if bucket else ():
            for _, start, middle, end in leaf.elements:
                number += 1
                length += end - start
                if number > MANY or length > LONG:
                    what = "more than etcd keeps in this bucket"
                    raise Damaged(Damage(leaf.page, leaf.offset + start, what))
                yield Entry(leaf.data[start:middle], leaf.data[middle:end], leaf.page, leaf.offset + start)
    except Damaged as error:
        pages.damages.note(error.damage)


def _decoded(
    pages: Pages, name: bytes, decode: Callable[[Entry], T], entries: Iterable[Entry]
) -> Iterator[T]:
    for entry in entries:
        try:
            yield decode(entry)
        except Undecodable as error:
            pages.damages.add(entry.page, entry.offset, f"in bucket {name.decode()}: {error}")


def _last(pages: Pages, bucket: Bucket | None) -> int | None:
    """The revision of the last entry of bucket «key»; 0 if it has none, None if it can't be read."""
    if bucket is None or not bucket.sound:
        return None
    try:
        leaf = bucket.last_leaf(pages)
    except Damaged as error:
        pages.damages.note(error.damage)
        return None
    if leaf is None or not leaf.elements:
        return 0
    _, start, middle, _ = leaf.elements[-1]
    key = leaf.data[start : min(middle, start + contents.REVISION + 2)]
    entry = Entry(key, b"", leaf.page, leaf.offset + start)
    return next(_decoded(pages, b"key", lambda entry: contents.revision(entry.key), [entry]), None)
