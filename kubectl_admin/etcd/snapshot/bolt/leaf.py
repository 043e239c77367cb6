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


@dataclass(frozen=True, slots=True)
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
        data = self.data
        if isinstance(data, Stored):
            return Stored(data.source, data.offset + start, end - start)
        return data[start:end]


def read(source: Source, page: int, offset: int, length: int) -> Leaf:
    """The leaf page that spans these bytes of the file; raises Damaged."""
    data = source.read(offset, length) if length <= IN_MEMORY else Stored(source, offset, length)
    return parsed(data, page, offset)


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
    at = HEADER.size
    for flags, pos, key, value in LEAF_ELEMENT.iter_unpack(data[at:first]):
        start = at + pos
        if start < first or start + key + value > len(data):
            place = f"bytes {start} to {start + key + value} of {len(data)}"
            raise Damaged(Damage(page, offset + at, f"element {len(elements)} is at {place} of its page"))
        elements.append((flags, start, start + key, start + key + value))
        total += key + value
        at += ELEMENT
    if total > len(data):
        raise Damaged(Damage(page, offset, f"its elements overlap: {total} bytes in {len(data)}"))
    return Leaf(page, offset, data, elements)
