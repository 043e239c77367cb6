"""The tar inside of a piece, read strictly: headers and contents, one behind the other, and nothing else."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from kubectl_admin.backup import ustar
from kubectl_admin.backup.ustar import BLOCK, END, Entry, Unreadable, padded
from kubectl_admin.errors import AdminError

ReadAt = Callable[[int, int], bytes]


@dataclass(frozen=True, slots=True)
class Stored:
    """An entry, and where its content begins."""

    entry: Entry
    content: int


def entries(read_at: ReadAt, size: int, title: str) -> Iterator[Stored]:
    """The entries of a tar. size: its bytes. title: of the archive and the piece, in errors.

    Where they may be put is for `paths` to say. Raises AdminError for what is not written as it is here.
    """
    offset = 0
    while True:
        try:
            found = ustar.read(read_at(offset, BLOCK))
        except Unreadable as error:
            raise AdminError(f"{title}: {error}", "do not use this archive; who made it?") from None
        if found is None:
            break
        yield Stored(found, offset + BLOCK)
        offset += BLOCK + padded(found.size)
        if offset > size:
            raise AdminError(f"{title}: a file in it is longer than what is there")
    if size - offset != len(END) or read_at(offset, len(END)) != END:
        raise AdminError(f"{title}: something is behind its end", "do not use this archive; who made it?")
