"""A piece packed by zstd, and unpacked without trust: there is a limit to what comes out, and to the memory.

Source: RFC 8878 (frames behind each other are one stream; «Window_Size»).
"""

import sys
from collections.abc import Callable

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

LEVEL = 3
WINDOW = 23  # the logarithm of the bytes that unpacking looks back at most, and so of its memory
FRAMES = 10_000  # of a piece; what is written here has one
BLOCK = 1 << 20  # bytes that are handed on at once
FEED = 64 << 10  # packed bytes that are taken at once

Sink = Callable[[bytes], object]


class PackingError(ValueError):
    """What is unpacked is not what was announced; says how, as what follows a name in a sentence."""


class Packed:
    """Packs what is written to it, for a sink. `close` writes the end."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        option = zstd.CompressionParameter
        # The window that the level has by itself is 2 MiB.
        self._packing = zstd.ZstdCompressor(
            options={option.compression_level: LEVEL, option.checksum_flag: 1}
        )

    def write(self, data: bytes | bytearray) -> None:
        """Takes more."""
        if packed := self._packing.compress(data):
            self._sink(packed)

    def close(self) -> None:
        """There is no more."""
        self._sink(self._packing.flush())


class Unpacked:
    """Unpacks what is written to it, for a sink, and refuses to hand on more than `limit` bytes.

    size: bytes that came out. `write` and `close` raise PackingError, and whatever the sink raises.
    """

    def __init__(self, sink: Sink, limit: int) -> None:
        self.size = 0
        self._sink = sink
        self._limit = limit
        self._frames = 0
        self._frame: zstd.ZstdDecompressor | None = None

    def write(self, data: bytes) -> None:
        """Takes more of what was packed."""
        for offset in range(0, len(data), FEED):
            self._feed(data[offset : offset + FEED])

    def close(self) -> None:
        """Raises PackingError where the end is missing, or bytes that were announced."""
        if self._frame is not None or not self._frames:
            raise PackingError("ends before what it holds does")
        if self.size != self._limit:
            raise PackingError(f"holds {self.size} bytes, and announces {self._limit}")

    def _feed(self, packed: bytes) -> None:
        while packed:
            frame = self._frame = self._frame or self._begin()
            try:
                self._hand_on(frame.decompress(packed, self._next))
                while not frame.eof and not frame.needs_input:
                    self._hand_on(frame.decompress(b"", self._next))
            except zstd.ZstdError:
                raise PackingError("is not packed as kubectl admin packs") from None
            packed = b""
            if frame.eof:
                packed, self._frame = frame.unused_data, None

    def _begin(self) -> zstd.ZstdDecompressor:
        self._frames += 1
        if self._frames > FRAMES:
            raise PackingError("is not packed as kubectl admin packs: it has too many parts")
        return zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: WINDOW})

    @property
    def _next(self) -> int:
        """Bytes to ask for: with one more than there may be, a surplus shows."""
        return min(BLOCK, self._limit - self.size + 1)

    def _hand_on(self, data: bytes) -> None:
        self.size += len(data)
        if self.size > self._limit:
            raise PackingError(f"holds more than the {self._limit} bytes that it announces")
        if data:
            self._sink(data)
