"""One pass over the whole file: its sha256, and on the way the header of every page."""

import sys
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from itertools import count
from operator import eq

from kubectl_admin.etcd.snapshot.bolt.meta import Meta
from kubectl_admin.etcd.snapshot.bolt.source import BLOCK, Source


@dataclass(frozen=True, slots=True)
class Swept:
    """The outcome of the pass; 9 bytes of memory a page.

    headers: of each page its kind, count << 16 and overflow << 32, or whatever is there instead of a header.
    own: of each page 1 if the number in its header is its own, else 0.
    digest: sha256 of all bytes but the appended hash, where there is one.
    whole: sha256 of all bytes, as sha256sum prints it.
    """

    headers: "array[int]"
    own: bytearray
    digest: bytes
    whole: bytes


def sweep(source: Source, meta: Meta, hashed: int, progress: Callable[[int], None]) -> Swept:
    """Reads the file once from its beginning to its end.

    hashed: how many bytes the appended hash covers; all of them where none is appended.
    progress: called after every few MiB with the bytes that are done.
    """
    headers, own, digest = array("Q"), bytearray(), sha256()
    words_a_page = meta.page_size // 8
    done = 0
    for block in source.blocks(hashed, max(BLOCK, meta.page_size)):
        digest.update(block)
        pages = min(len(block) // meta.page_size, meta.pages - len(headers))
        if pages > 0:
            words = block[: pages * meta.page_size].cast("Q")
            numbers, rest = array("Q", words[::words_a_page]), array("Q", words[1::words_a_page])
            if sys.byteorder == "big":
                numbers.byteswap()
                rest.byteswap()
            own += bytes(map(eq, numbers, count(len(headers))))
            headers += rest
        done += len(block)
        progress(done)
    whole = digest.copy()
    whole.update(source.read(hashed, source.size - hashed))
    return Swept(headers, own, digest.digest(), whole.digest())
