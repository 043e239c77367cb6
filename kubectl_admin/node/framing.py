"""The format of a stream of packed pieces, and how it is verified. Pure.

Every piece comes behind a line «piece NUMBER BYTES LENGTH SHA256»: LENGTH bytes follow, which unpacked are
BYTES of the file. After the last comes «end NUMBER SIZE». Written by scripts/pack.sh.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from kubectl_admin.cluster.errors import BrokenStream

PIECE = 8 << 20  # bytes of the file in a piece
SURPLUS = 1 << 16  # bytes that packing may add to a piece of noise
LINE = 128  # bytes of an announcement


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a file. packed: as it came. bytes: so many of the file are in it."""

    packed: bytes | bytearray
    bytes: int


class Framing:
    """Takes what comes, and gives the pieces in it, from the one numbered `first` on.

    number: of the piece that is awaited. size: of the file, when its end has been announced; None before.
    """

    def __init__(self, first: int, source: str) -> None:
        self.number = first
        self.size: int | None = None
        self._source = source
        self._came = bytearray()
        self._announced: tuple[int, int, str] | None = None  # bytes of the file, length, SHA-256

    def feed(self, data: bytes) -> Iterator[Piece]:
        """The pieces that are whole with this; raises BrokenStream for what is not as it was announced."""
        self._came += data
        while announced := self._announced or self._announcement():
            content, length, digest = announced
            self._announced = announced
            if len(self._came) < length:
                return
            # Not copied: pieces are the largest that this program holds in memory.
            packed, self._came = self._came, self._came[length:]
            del packed[length:]
            if hashlib.sha256(packed).hexdigest() != digest:
                raise BrokenStream(f"{self._source}: piece {self.number} is not what was sent")
            self.number += 1
            self._announced = None
            yield Piece(packed, content)

    def _announcement(self) -> tuple[int, int, str] | None:
        """The next line's announcement; None where it is not here yet, or announces the end."""
        place = self._came.find(b"\n", 0, LINE)
        if place < 0 or self.size is not None:
            if len(self._came) >= LINE:
                raise self._confused()
            return None
        words = self._came[:place].decode("ascii", "replace").split()
        del self._came[: place + 1]
        match words:
            case ["end", number, size] if number == str(self.number) and is_number(size):
                self.size = int(size)
                return None
            case ["piece", number, content, length, digest] if number == str(self.number):
                if is_number(content, PIECE) and is_number(length, PIECE + SURPLUS):
                    return int(content), int(length), digest
        raise self._confused()

    def _confused(self) -> BrokenStream:
        return BrokenStream(f"{self._source}: the announcement of piece {self.number} is malformed")


def is_number(text: str, limit: int = 1 << 62) -> bool:
    """Whether the text is a whole number up to the limit."""
    return text.isascii() and text.isdecimal() and int(text) <= limit
