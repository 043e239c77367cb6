"""The inside of pages: the order of all keys, within a page and between pages."""

from collections.abc import Iterator

from kubectl_admin.etcd.snapshot.bolt.buckets import Bucket
from kubectl_admin.etcd.snapshot.bolt.damage import Damage, Damaged
from kubectl_admin.etcd.snapshot.bolt.format import BRANCH, BRANCH_ELEMENT, ELEMENT, HEADER
from kubectl_admin.etcd.snapshot.bolt.leaf import Leaf
from kubectl_admin.etcd.snapshot.bolt.pages import Pages

DEEP = 64  # levels; a branch page has two children at least, so no database has so many
LONG_BRANCH = 2 << 20  # bytes; bbolt splits branch pages that have more than a few of the longest keys
LONG_KEYS = 16 << 20  # bytes; bbolt splits leaf pages of more than four entries that are longer than a page


def leaves(pages: Pages, bucket: Bucket) -> Iterator[Leaf]:
    """The leaf pages of a sound bucket in order, each with all of its keys in their place.

    Keys must rise within a page, and be between those that the pages above give for it.
    Raises Damaged at the first place where that is not so.

    Source: etcd-io/bbolt tx_check.go, recursivelyCheckPageKeyOrder.
    """
    if bucket.inline:
        _in_order(bucket.inline, None, None)
        yield bucket.inline
    if bucket.root is None:
        return
    # page, level, the least key it may have, the key that all must stay below
    stack: list[tuple[int, int, bytes | None, bytes | None]] = [(bucket.root, 1, None, None)]
    while stack:
        number, level, low, high = stack.pop()
        if pages.kind(number) == BRANCH:
            if level > DEEP:
                raise Damaged(Damage(number, pages.offset(number), f"it is {DEEP} levels deep"))
            keys, children = _branch(pages, number, low, high)
            below = [*zip(children, keys, [*keys[1:], high], strict=True)]
            stack.extend((child, level + 1, first, end) for child, first, end in reversed(below))
        else:
            leaf = pages.leaf(number)
            _in_order(leaf, low, high)
            yield leaf


def _branch(
    pages: Pages, number: int, low: bytes | None, high: bytes | None
) -> tuple[list[bytes], list[int]]:
    """The keys of a branch page, which are in order, and the pages below them."""
    offset, length = pages.offset(number), pages.length(number)
    if length > LONG_BRANCH:
        raise Damaged(Damage(number, offset, f"a branch page of {length} bytes"))
    data = pages.source.read(offset, length)
    count = pages.count(number)
    first = HEADER.size + count * ELEMENT
    keys: list[bytes] = []
    children: list[int] = []
    total = first
    for at, (pos, size, child) in zip(
        range(HEADER.size, first, ELEMENT), BRANCH_ELEMENT.iter_unpack(data[HEADER.size : first]), strict=True
    ):
        start = at + pos
        total += size
        if start < first or start + size > length or total > length:
            where = f"bytes {start} to {start + size} of {length}"
            raise Damaged(Damage(number, offset + at, f"its key {len(keys)} is at {where} of its page"))
        keys.append(data[start : start + size])
        children.append(child)
    _rising(keys, low, high, number, offset)
    return keys, children


def _in_order(leaf: Leaf, low: bytes | None, high: bytes | None) -> None:
    """Raises Damaged where a key of the leaf page is not in its place."""
    data = leaf.data
    long = len(data) > LONG_KEYS
    if long and (length := sum(middle - start for _, start, middle, _ in leaf.elements)) > LONG_KEYS:
        raise Damaged(Damage(leaf.page, leaf.offset, f"keys of {length} bytes in one page"))
    keys = [data[start:middle] for _, start, middle, _ in leaf.elements]
    _rising(keys, low, high, leaf.page, leaf.offset)


def _rising(keys: list[bytes], low: bytes | None, high: bytes | None, page: int, offset: int) -> None:
    wrong = ""
    if keys and low is not None and keys[0] < low:
        wrong = (
            f"its first key {_shown(keys[0])} is less than {_shown(low)}, where it begins by the page above"
        )
    elif keys and high is not None and keys[-1] >= high:
        wrong = f"its last key {_shown(keys[-1])} is not less than {_shown(high)}, where the next page begins"
    elif any(map(bytes.__ge__, keys, keys[1:])):
        index = next(index for index in range(len(keys) - 1) if keys[index] >= keys[index + 1])
        wrong = f"its key {_shown(keys[index + 1])} follows {_shown(keys[index])}, and is not greater"
    if wrong:
        raise Damaged(Damage(page, offset, wrong))


def _shown(key: bytes) -> str:
    return key[:24].hex() + ("…" if len(key) > 24 else "")
