"""The list of free pages, where a database has one: etcd writes none (NoFreelistSync), other writers do."""

from struct import Struct

from kubectl_admin.etcd.snapshot.bolt.format import FREELIST, HEADER
from kubectl_admin.etcd.snapshot.bolt.pages import USED, Pages

COUNT = Struct("<Q")
IN_FIRST = 0xFFFF  # a count of so many is in the first id's place
READ = 1 << 17  # ids at a time: 1 MiB


def claim(pages: Pages) -> bool:
    """Claims the pages of the list; whether that went well, or there is none."""
    number = pages.meta.freelist
    return number is None or bool(pages.claim(number, "the meta page's list of free pages", (FREELIST,)))


def settle(pages: Pages) -> None:
    """Notes every page that is free and in use, free twice, or neither, once all in use are claimed."""
    number = pages.meta.freelist
    if number is None:
        return
    offset = pages.offset(number) + HEADER.size
    count, room = pages.count(number), pages.length(number) - HEADER.size
    if count == IN_FIRST:
        (count,) = COUNT.unpack(pages.source.read(offset, COUNT.size))
        offset, room = offset + COUNT.size, room - COUNT.size
    if count * 8 > room:
        pages.damages.add(number, offset, f"a list of {count} free pages has no room in {room} bytes")
        return
    free = bytearray(pages.meta.pages)
    for first in range(0, count, READ):
        data = pages.source.read(offset + first * 8, min(READ, count - first) * 8)
        for index, (page,) in enumerate(COUNT.iter_unpack(data), first):
            at = offset + index * 8
            if not 2 <= page < pages.meta.pages:
                pages.damages.add(number, at, f"lists page {page} as free, which does not exist")
            elif pages.used[page]:
                pages.damages.add(page, at, "listed as free, and in use")
            elif free[page]:
                pages.damages.add(page, at, "listed as free twice")
            else:
                free[page] = USED
    lost = pages.meta.pages - pages.used.count(USED) - free.count(USED)
    if lost:
        first = _first_lost(pages.used, free)
        what = f"neither in use nor listed as free, as are {lost} pages in all"
        pages.damages.add(first, pages.offset(first), what)


def _first_lost(used: bytearray, free: bytearray) -> int:
    return next(number for number, (one, other) in enumerate(zip(used, free, strict=True)) if not one | other)
