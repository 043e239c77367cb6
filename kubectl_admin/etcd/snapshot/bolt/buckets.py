"""The buckets of a database: where each begins, and how much it holds."""

from collections.abc import Iterator
from dataclasses import dataclass

from kubectl_admin.etcd.snapshot.bolt import freelist, leaf
from kubectl_admin.etcd.snapshot.bolt.damage import Damage, Damaged
from kubectl_admin.etcd.snapshot.bolt.format import BUCKET, IN_BUCKET
from kubectl_admin.etcd.snapshot.bolt.pages import Pages

MANY = 1000  # etcd has ten
LONG_NAME = 64  # bytes; etcd's longest has 15


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket of the bucket of buckets.

    root: the page where it begins; None where all of it is inline.
    inline: the page that is inline; None for all others.
    entries: how many it holds.
    pages: how many pages it takes up.
    sound: whether all of it was reached without a damage, so that it can be read.
    """

    name: bytes
    root: int | None
    inline: leaf.Leaf | None
    entries: int
    pages: int
    sound: bool

    def leaves(self, pages: Pages) -> Iterator[leaf.Leaf]:
        """Its leaf pages in the order of their keys, if it is sound; raises Damaged."""
        if self.inline:
            yield self.inline
        elif self.root is not None and self.sound:
            yield from (pages.leaf(number) for number in pages.leaves(self.root))

    def last_leaf(self, pages: Pages) -> leaf.Leaf | None:
        """The last of them, if there is one."""
        if self.root is not None and self.sound:
            return pages.leaf(pages.last_leaf(self.root))
        return self.inline


def found(pages: Pages) -> list[Bucket]:
    """All buckets, in the order of their names; claims every page that is in use, and notes all damages.

    Cost: a look at the collected header of each page, a read of each branch page, one in a hundred or so.
    """
    before = pages.damages.total
    if freelist.claim(pages):
        pages.follow(pages.meta.root, "the meta page")
    if pages.damages.total > before:
        return []  # without the first page the purpose of others is unknown
    buckets: list[Bucket] = []
    try:
        for page in pages.leaves(pages.meta.root):
            buckets.extend(_buckets(pages, pages.leaf(page), MANY - len(buckets)))
    except Damaged as error:
        pages.damages.note(error.damage)
    if pages.damages.total == before:
        freelist.settle(pages)
    return buckets


def _buckets(pages: Pages, where: leaf.Leaf, room: int) -> Iterator[Bucket]:
    for number, (flags, start, middle, end) in enumerate(where.elements):
        if number >= room:
            raise Damaged(Damage(where.page, where.offset + start, f"more than {MANY} buckets"))
        if not flags & BUCKET:
            what = f"entry {number} of the bucket of buckets is not a bucket"
            pages.damages.add(where.page, where.offset + start, what)
            continue
        if middle - start > LONG_NAME:
            what = f"a bucket with a name of {middle - start} bytes"
            pages.damages.add(where.page, where.offset + start, what)
            continue
        try:
            yield _bucket(pages, where, start, middle, end)
        except Damaged as error:
            pages.damages.note(error.damage)


def _bucket(pages: Pages, where: leaf.Leaf, start: int, middle: int, end: int) -> Bucket:
    name = where.data[start:middle]
    behind = middle + IN_BUCKET.size
    title = f"bucket {name.decode('ascii', 'backslashreplace')}"
    if behind > end:
        raise Damaged(Damage(where.page, where.offset + middle, f"{title} has no root"))
    root, _ = IN_BUCKET.unpack(where.data[middle:behind])
    if root == 0:
        if end - behind > pages.meta.page_size:  # bbolt puts up to a quarter of one there
            what = f"{title} is inline, and longer than a page"
            raise Damaged(Damage(where.page, where.offset + behind, what))
        inline = leaf.parsed(where.data[behind:end], where.page, where.offset + behind)
        return Bucket(name, None, inline, len(inline.elements), 0, sound=True)
    before = pages.damages.total
    extent = pages.follow(root, title)
    return Bucket(name, root, None, extent.entries, extent.pages, sound=pages.damages.total == before)
