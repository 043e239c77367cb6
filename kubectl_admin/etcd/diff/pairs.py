"""Which keys of two databases are in one of them alone, and which have another last entry. Pure."""

from array import array
from dataclasses import dataclass

from kubectl_admin.etcd.snapshot.latest import Latest

ALONE, SHARED = 1, 2  # marks of entries: of a key that one database has, and of one that both have


@dataclass(frozen=True, slots=True)
class Pairs:
    """Differences of two databases, A and B.

    marks_a, marks_b: of each entry of bucket «key» ALONE, SHARED, or 0 for neither.
    order_a, order_b: which pair of shared entries comes when those of A, of B are read in their order.
    """

    marks_a: bytearray
    marks_b: bytearray
    order_a: "array[int]"
    order_b: "array[int]"


def pair(a: Latest, b: Latest) -> Pairs:
    """Compares both, shard by shard; equal are two entries with the same bytes, their revisions included.

    a, b: read side by side (`latest.read`), or one database twice.
    Memory: a byte an entry, and 32 a pair.
    """
    marks_a, marks_b = bytearray(a.entries), bytearray(b.entries)
    pairs_a, pairs_b = array("Q"), array("Q")
    for ours, theirs in zip(a.shards, b.shards, strict=True):
        left = theirs.places()
        identities, entries = theirs.identities, theirs.entries
        for hashed, identity, entry in zip(ours.hashes, ours.identities, ours.entries, strict=True):
            at = left.pop(hashed, None)
            if at is None:
                marks_a[entry] = ALONE
            elif identities[at] != identity:
                marks_a[entry] = marks_b[entries[at]] = SHARED
                pairs_a.append(entry)
                pairs_b.append(entries[at])
        for at in left.values():
            marks_b[entries[at]] = ALONE
    return Pairs(marks_a, marks_b, _order(pairs_a), _order(pairs_b))


def _order(entries: "array[int]") -> "array[int]":
    return array("Q", sorted(range(len(entries)), key=entries.__getitem__))
