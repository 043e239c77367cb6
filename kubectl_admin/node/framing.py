"""What a stream of packed pieces looks like, and how it is proven. Pure.

Every piece comes behind a line «piece NUMBER LENGTH SHA256»; behind the last stands «end NUMBER».
Written by scripts/pack.sh.
"""

import hashlib
from collections.abc import Iterator

from kubectl_admin.cluster.errors import BrokenStream

PIECE = 4 << 20  # bytes of the file in a piece
SURPLUS = 1 << 16  # bytes that packing may add to a piece of noise
LINE = 128  # bytes of an announcement


class Framing:
    """Takes what comes, and gives the pieces in it, from the one numbered `first` on.

    number: of the piece that is awaited. complete: whether the end has been announced.
    """

    def __init__(self, first: int, source: str) -> None:
        self.number = first
        self.complete = False
        self._source = source
        self._came = bytearray()
        self._length: int | None = None
        self._digest = ""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The pieces that are whole with this; raises BrokenStream for what is not as it was announced."""
        self._came += data
        while not self.complete and self._is_announced():
            if self._length is None or len(self._came) < self._length:
                return
            piece = bytes(memoryview(self._came)[: self._length])
            del self._came[: self._length]
            if hashlib.sha256(piece).hexdigest() != self._digest:
                raise BrokenStream(f"{self._source}: piece {self.number} is not what was sent")
            self.number += 1
            self._length = None
            yield piece

    def _is_announced(self) -> bool:
        """Whether length and SHA-256 of the next piece are known; takes them from its line."""
        if self._length is not None:
            return True
        place = self._came.find(b"\n", 0, LINE)
        if place < 0:
            if len(self._came) >= LINE:
                raise self._confused()
            return False
        words = self._came[:place].decode("ascii", "replace").split()
        del self._came[: place + 1]
        match words:
            case ["end", number] if number == str(self.number):
                self.complete = True
            case ["piece", number, length, digest] if number == str(self.number) and length.isdecimal():
                self._length, self._digest = int(length), digest
                if self._length > PIECE + SURPLUS:
                    raise self._confused()
            case _:
                raise self._confused()
        return True

    def _confused(self) -> BrokenStream:
        return BrokenStream(f"{self._source}: what should announce piece {self.number} does not")
