"""Packed pieces unpacked in a thread of its own, while the next one comes over the wire."""

import queue
import sys
import threading
import zlib
from collections.abc import Callable
from enum import StrEnum
from types import TracebackType
from typing import Self

from kubectl_admin.errors import AdminError
from kubectl_admin.node.framing import Piece

AHEAD = 2  # pieces that wait to be unpacked
GZIP = 16 + zlib.MAX_WBITS  # zlib's way to say that gzip's header is there
# Takes what is packed, and how many bytes of its content are wanted at most.
Unpack = Callable[[bytes, int], bytes]


class Tool(StrEnum):
    """What packs a piece, best first."""

    ZSTD = "zstd"
    GZIP = "gzip"
    NONE = "none"


class Unpacking:
    """Unpacks what it is given, in order, and hands it on; at the end of its `with` block all is done.

    sink: is given what was in each piece. here: is told how many bytes that makes so far. What they raise is
    raised by the next `take`, or at the end.
    """

    def __init__(self, tool: Tool, sink: Callable[[bytes], object], here: Callable[[int], None]) -> None:
        self._unpack = unpacker(tool)
        self._sink = sink
        self._here = here
        self._waiting: queue.Queue[Piece | None] = queue.Queue(AHEAD)
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._work, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._waiting.put(None)
        self._thread.join()
        if kind is None and self._error:
            raise self._error

    def take(self, piece: Piece) -> None:
        """Takes a piece; waits while others are before it."""
        if self._error:
            raise self._error
        self._waiting.put(piece)

    def _work(self) -> None:
        length = 0
        while (piece := self._waiting.get()) is not None:
            if self._error:
                continue  # taken all the same, so that nobody waits for room
            try:
                content = self._unpack(piece.packed, piece.bytes + 1)
                if len(content) != piece.bytes:
                    raise AdminError(
                        "a piece arrived as it was sent, but does not hold what was announced",
                        "something on the node changes the file, or its disk can't be read",
                    )
                self._sink(content)
                length += len(content)
                self._here(length)
            except BaseException as error:  # noqa: BLE001 - handed to the thread that waits
                self._error = error


def unpacker(tool: Tool) -> Unpack:
    """What undoes a tool's packing, up to a number of bytes; AdminError for what that tool did not pack."""
    match tool:
        case Tool.ZSTD:
            if sys.version_info >= (3, 14):
                from compression import zstd
            else:
                from backports import zstd

            return proof_against(
                zstd.ZstdError, lambda packed, most: zstd.ZstdDecompressor().decompress(packed, most)
            )
        case Tool.GZIP:
            return proof_against(
                zlib.error, lambda packed, most: zlib.decompressobj(GZIP).decompress(packed, most)
            )
        case Tool.NONE:
            return lambda packed, _most: packed


def proof_against(kind: type[Exception], unpack: Unpack) -> Unpack:
    """The same, with this kind of error as an AdminError: the piece is as it was sent, no other one helps."""

    def proven(packed: bytes, most: int) -> bytes:
        try:
            return unpack(packed, most)
        except kind as error:
            raise AdminError(f"a piece arrived as it was sent, but can't be unpacked: {error}") from error

    return proven
