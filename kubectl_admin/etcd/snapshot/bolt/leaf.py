"""Leaf pages with their entries: each held against the bounds of its page."""

from collections.abc import Sequence
from dataclasses import dataclass

from kubectl_admin.etcd.snapshot.bolt.damage import Damage, Damaged
from kubectl_admin.etcd.snapshot.bolt.format import ELEMENT, HEADER, LEAF, LEAF_ELEMENT
from kubectl_admin.etcd.snapshot.bolt.source import Source

IN_MEMORY = 4 << 20  # bytes; pages that are larger stay in the file


@dataclass(frozen=True, slots=True)
class Stored:
    """A long page that is read in slices, so that no page, however long, is held in memory."""

    source: Source
    offset: int
    length: int

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, part: slice) -> bytes:
        start, end, _ = part.indices(self.length)
        return self.source.read(self.offset + start, max(end - start, 0))


@dataclass(slots=True)  # not frozen, which takes three times as long; there are hundreds of thousands
class Leaf:
    """A leaf page, or the page of an inline bucket.

    page: its number, for an inline bucket that of the page that contains it.
    offset: bytes from the beginning of the file to its header.
    data: its bytes, the header first.
    elements: of each entry its flags, and where in `data` the key begins, the value begins, and that
    ends; all are within `data`, and together they are not longer than it.
    """

    page: int
    offset: int
    data: bytes | Stored
    elements: Sequence[tuple[int, int, int, int]]

    def part(self, start: int, end: int) -> bytes | Stored:
        """The bytes between two places of `data`, still in the file where all of it is."""
        return part(self.data, start, end)


def part(data: bytes | Stored, start: int, end: int) -> bytes | Stored:
    """The bytes between two places of a page, still in the file where all of it is."""
    if isinstance(data, Stored):
        return Stored(data.source, data.offset + start, max(min(end, data.length) - start, 0))
    return data[start:end]


def read(source: Source, page: int, offset: int, length: int) -> Leaf:
    """The leaf page that spans these bytes of the file; raises Damaged."""
    return parsed(unparsed(source, offset, length), page, offset)


def unparsed(source: Source, offset: int, length: int) -> bytes | Stored:
    """These bytes of the file, still there where they are many."""
    return source.read(offset, length) if length <= IN_MEMORY else Stored(source, offset, length)


def parsed(data: bytes | Stored, page: int, offset: int) -> Leaf:
    """The leaf page in these bytes; raises Damaged for the first thing wrong with it."""
    if len(data) < HEADER.size:
        raise Damaged(Damage(page, offset, f"an inline bucket of {len(data)} bytes has no header"))
    _, kind, count, _ = HEADER.unpack(data[: HEADER.size])
    first = HEADER.size + count * ELEMENT  # where the first key can begin
    if kind != LEAF or first > len(data):
        raise Damaged(Damage(page, offset, f"a leaf of kind {kind:#06x} with {count} elements"))
    elements: list[tuple[int, int, int, int]] = []
    total = first
    at, size = HEADER.size, len(data)
    for flags, pos, key, value in LEAF_ELEMENT.iter_unpack(data[at:first]):
        start = at + pos
        middle = start + key
        end = middle + value
        if start < first or end > size:
            place = f"bytes {start} to {end} of {size}"
            raise Damaged(Damage(page, offset + at, f"element {len(elements)} is at {place} of its page"))
        elements.append((flags, start, middle, end))
        total += end - start
        at += ELEMENT
    if total > size:
        raise Damaged(Damage(page, offset, f"its elements overlap: {total} bytes in {size}"))
    return Leaf(page, offset, data, elements)


def is_leaf(data: bytes | Stored, count: int) -> bool:
    """Whether it still is a leaf page with so many entries, as it was when it was parsed."""
    _, kind, now, _ = HEADER.unpack(data[: HEADER.size])
    return (kind, now) == (LEAF, count)


def value(data: bytes | Stored, index: int) -> bytes | Stored:
    """The value of one entry of such a page, of which nothing else is parsed again.

    Of bytes that are others by now it is anything that is in the page, or less.
    """
    at = HEADER.size + index * ELEMENT
    _, pos, key, length = LEAF_ELEMENT.unpack(data[at : at + ELEMENT])
    start = at + pos + key
    return part(data, start, start + length)
