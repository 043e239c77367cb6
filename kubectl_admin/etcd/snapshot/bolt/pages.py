"""Which pages are in use: each is claimed once, with the header that the sweep has collected of it.

Of the file itself, branch pages alone are read. The inside of leaf pages is checked elsewhere (check.py).
"""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass

from kubectl_admin.etcd.snapshot.bolt import leaf
from kubectl_admin.etcd.snapshot.bolt.damage import Damages
from kubectl_admin.etcd.snapshot.bolt.format import BRANCH, CHILD, ELEMENT, HEADER, LEAF, NAMES
from kubectl_admin.etcd.snapshot.bolt.leaf import Stored
from kubectl_admin.etcd.snapshot.bolt.meta import Meta
from kubectl_admin.etcd.snapshot.bolt.source import Source
from kubectl_admin.etcd.snapshot.bolt.sweep import Swept

FREE, USED = 0, 1
# Of a header as the sweep keeps it: kind in the lowest 16 bits, count in the next, overflow above.
KIND_AND_OVERFLOW = 0xFFFF_FFFF_0000_FFFF


@dataclass(frozen=True, slots=True)
class Extent:
    """The extent of the tree below a root: entries by the headers of its leaves, and pages."""

    entries: int
    pages: int


class Pages:
    """The pages of a database.

    used: of each page 1 once it is claimed, else 0.
    """

    def __init__(self, source: Source, meta: Meta, swept: Swept, damages: Damages) -> None:
        self.source = source
        self.meta = meta
        self.damages = damages
        self.used = bytearray(meta.pages)
        self.used[:2] = bytes((USED, USED))
        self._headers = swept.headers
        self._own = swept.own

    def follow(self, root: int, parent: str) -> Extent:
        """Claims every page below a root and notes what is wrong on the way.

        parent: who points to the root, for the words of a damage.
        """
        headers, own, used, size = self._headers, self._own, self.used, self.meta.pages
        fitting = (self.meta.page_size - HEADER.size) // ELEMENT
        entries = pages = 0
        if not (spanned := self.claim(root, parent)):
            return Extent(0, 0)
        pages += spanned
        if self.kind(root) == LEAF:
            return Extent(self.count(root), pages)
        branches = array("Q", (root,))
        while branches:
            number = branches.pop()
            for (child,) in CHILD.iter_unpack(self.elements(number)):
                header = headers[child] if child < size else 0
                # Nearly all are a leaf of one page, sound and new: those are settled here.
                plain = header & KIND_AND_OVERFLOW == LEAF and header >> 16 <= fitting
                if plain and own[child] and not used[child]:
                    used[child] = USED
                    entries += header >> 16
                    pages += 1
                    continue
                if not (spanned := self.claim(child, f"page {number}")):
                    continue
                pages += spanned
                if header & 0xFFFF == LEAF:
                    entries += header >> 16 & 0xFFFF
                else:
                    branches.append(child)
        return Extent(entries, pages)

    def claim(self, number: int, parent: str, kinds: tuple[int, ...] = (BRANCH, LEAF)) -> int:
        """How many pages it spans, which are noted as in use; 0 where it is damaged, which is noted.

        It must be in the database, be what its header says, and, with all that it spans, be nobody else's.
        """
        size, page_size = self.meta.pages, self.meta.page_size
        if not 2 <= number < size:
            what = f"{parent} points to page {number}; there are pages 2 to {size - 1}"
            self.damages.add(None, None, what)
            return 0
        kind, count, spanned = self.kind(number), self.count(number), self.span(number)
        wrong = ""
        if self.used[number]:
            wrong = f"{parent} points here, and it is in use already"
        elif not self._own[number]:
            wrong = f"{parent} points here, and its header is not that of page {number}"
        elif kind not in kinds:
            wrong = f"{parent} points here, and it is {NAMES.get(kind, f'of the unknown kind {kind:#06x}')}"
        elif number + spanned > size:
            wrong = f"it spans {spanned} pages, past the end of the database"
        elif kind in (BRANCH, LEAF) and count * ELEMENT + HEADER.size > spanned * page_size:
            wrong = f"it has room for fewer than {count} elements"
        elif kind == BRANCH and not count:
            wrong = "a branch page that leads nowhere"
        elif (taken := self.used.find(USED, number, number + spanned)) >= 0:
            wrong = f"it spans {spanned} pages, and page {taken} is in use already"
        if wrong:
            self.damages.add(number, number * page_size, wrong)
            return 0
        self.used[number : number + spanned] = bytes((USED,)) * spanned
        return spanned

    def kind(self, number: int) -> int:
        """Branch, leaf, …: what the header says that the page is."""
        return self._headers[number] & 0xFFFF

    def count(self, number: int) -> int:
        """How many elements the header says that the page has."""
        return self._headers[number] >> 16 & 0xFFFF

    def span(self, number: int) -> int:
        """How many pages it takes up, itself counted."""
        return (self._headers[number] >> 32) + 1

    def offset(self, number: int) -> int:
        """Bytes from the beginning of the file."""
        return number * self.meta.page_size

    def length(self, number: int) -> int:
        """Bytes that it takes up."""
        return self.span(number) * self.meta.page_size

    def elements(self, number: int) -> bytes:
        """The elements of a claimed page, without the keys: 1 MiB at most."""
        return self.source.read(self.offset(number) + HEADER.size, self.count(number) * ELEMENT)

    def leaf(self, number: int) -> leaf.Leaf:
        """A claimed leaf page with its entries; raises Damaged."""
        return leaf.read(self.source, number, self.offset(number), self.length(number))

    def data(self, number: int) -> bytes | Stored:
        """The same page as bytes, of which nothing is held against anything."""
        return leaf.unparsed(self.source, self.offset(number), self.length(number))

    def leaves(self, root: int) -> Iterator[int]:
        """The leaf pages below a root that was followed without a damage, in the order of their keys."""
        stack = array("Q", (root,))
        while stack:
            number = stack.pop()
            if self.kind(number) == LEAF:
                yield number
            else:
                children = [child for (child,) in CHILD.iter_unpack(self.elements(number))]
                stack.extend(reversed(children))

    def last_leaf(self, root: int) -> int:
        """The last of them."""
        number = root
        while self.kind(number) == BRANCH:
            (number,) = CHILD.unpack(self.elements(number)[-ELEMENT:])
        return number
