"""Packed pieces unpacked in a thread of its own, while the next one comes over the wire."""

import queue
import sys
import threading
import zlib
from collections.abc import Callable, Iterator
from enum import StrEnum
from types import TracebackType
from typing import Self

from kubectl_admin.errors import AdminError
from kubectl_admin.node.framing import Piece

AHEAD = 1  # pieces that wait to be unpacked
BLOCK = 1 << 18  # bytes that are unpacked at once: few enough for a processor's cache
GZIP = 16 + zlib.MAX_WBITS  # zlib's way to say that gzip's header is there
# Takes what is packed, and gives what was in it in blocks.
Unpack = Callable[[bytes | bytearray], Iterator[bytes | bytearray]]


class Tool(StrEnum):
    """Packers of a piece, best first."""

    ZSTD = "zstd"
    GZIP = "gzip"
    NONE = "none"


class Unpacking:
    """Unpacks what it is given, in order, and hands it on; at the end of its `with` block all is done.

    sink: is given what was in each piece. here: is given how many bytes that makes so far. Their errors
    are raised by the next `take`, or at the end.
    """

    def __init__(
        self, tool: Tool, sink: Callable[[bytes | bytearray], object], here: Callable[[int], None]
    ) -> None:
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
                came = 0
                for block in self._unpack(piece.packed):
                    came += len(block)
                    if came > piece.bytes:
                        break
                    self._sink(block)
                if came != piece.bytes:
                    raise AdminError(
                        "a piece arrived as it was sent, but does not hold what was announced",
                        "something on the node changes the file, or its disk can't be read",
                    )
                length += came
                self._here(length)
            except BaseException as error:  # noqa: BLE001 - handed to the thread that waits
                self._error = error


def unpacker(tool: Tool) -> Unpack:
    """Undoes a tool's packing; it raises AdminError for bytes that the tool did not pack."""
    match tool:
        case Tool.ZSTD:
            return unzstd
        case Tool.GZIP:
            return gunzip
        case Tool.NONE:
            return lambda packed: iter((packed,))


def unzstd(packed: bytes | bytearray) -> Iterator[bytes]:
    """Unpacks zstd, in blocks."""
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd

    unpacking = zstd.ZstdDecompressor()
    try:
        yield unpacking.decompress(packed, BLOCK)
        while not unpacking.eof and not unpacking.needs_input:
            yield unpacking.decompress(b"", BLOCK)
    except zstd.ZstdError as error:
        raise not_packed(error) from error


def gunzip(packed: bytes | bytearray) -> Iterator[bytes]:
    """Unpacks gzip, in blocks."""
    unpacking = zlib.decompressobj(GZIP)
    try:
        while packed and not unpacking.eof:
            yield unpacking.decompress(packed, BLOCK)
            packed = unpacking.unconsumed_tail
    except zlib.error as error:
        raise not_packed(error) from error


def not_packed(error: Exception) -> AdminError:
    """It is as it was sent, so that sending it again does not help."""
    return AdminError(f"a piece arrived as it was sent, but can't be unpacked: {error}")
