"""A piece encrypted and decrypted while it passes, as age has it.

The library takes file objects, and tells their errors in words of its own, or not at all: what it writes last
it writes while it cleans up, where an error is lost. So each file object here keeps its own first error, that
one is raised whatever the library says, and the bytes are counted and compared with those that there must be.

Source: pyrage src/lib.rs, encrypt_io and decrypt_io; C2SP age.md, «Payload» (chunks, and what each adds).
"""

import re
import threading
from collections import deque
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

import pyrage

from kubectl_admin.backup.seal.keys import Identity, Public
from kubectl_admin.errors import AdminError

WAITING = 4 << 20  # bytes that wait for the thread
CHUNK = 64 << 10  # bytes that are authenticated together
NONCE, TAG = 16, 16  # bytes before the first chunk, and behind each
HEADER = re.compile(rb"\n--- [A-Za-z0-9+/]{43}\n")
LONGEST = 256 << 10  # bytes of a header; a hundred recipients have 170,000 at most, and reading is quadratic
NO_KEY = "No matching keys"

Sink = Callable[[bytes], object]
Read = Callable[[int], bytes]


class NoKeyError(ValueError):
    """None of the identities opens a piece."""


class SealError(ValueError):
    """A piece is not whole as it was encrypted."""


class Sealed:
    """Encrypts what is written to it, for a sink, which is called in a thread of its own.

    As a context: at its end all of it has come to the sink. Where the block ends by an error, or the sink
    raised one, that error is raised.
    """

    def __init__(self, sink: Sink, recipients: Sequence[Public]) -> None:
        self._out = _Out(sink)
        self._handover = _Handover()
        self._recipients = list(recipients)
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name="encryption", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._handover.fail()
            self._thread.join()
            return
        self._handover.close()
        self._thread.join()
        self._refuse()

    def write(self, data: bytes) -> None:
        """Takes more. Waits while too much of it is waiting."""
        if not self._handover.write(data):
            self._refuse()
            raise AdminError("the encryption has ended before the data")

    def _work(self) -> None:
        try:
            pyrage.encrypt_io(self._handover, self._out, self._recipients)
        except BaseException as error:  # noqa: BLE001 - raised in the thread that writes
            self._error = error
        finally:
            self._handover.end()

    def _refuse(self) -> None:
        """Raises whatever went wrong."""
        if self._out.error:
            raise self._out.error
        if self._error:
            raise AdminError(f"the encryption failed: {self._error}") from self._error
        if self._out.size != self._out.header.length + with_tags(self._handover.size):
            raise AdminError("the encryption has lost a part of the data", "check the disk")


def opened(read: Read, sink: Sink, identities: Sequence[Identity]) -> None:
    """Decrypts all that `read` gives, for a sink.

    Nothing that the sink was given may be used before this has returned. Raises NoKeyError, SealError, and
    whatever `read` and the sink raise.
    """
    source, out = _In(read), _Out(sink)
    try:
        pyrage.decrypt_io(source, out, list(identities))
    except Exception as error:
        _raise_first(source, out)
        if not out.size and NO_KEY in str(error):
            raise NoKeyError from None
        raise SealError from error
    _raise_first(source, out)
    if source.size != source.header.length + with_tags(out.size):
        raise SealError


def with_tags(size: int) -> int:
    """Bytes that so many become behind the header of an encrypted file."""
    return NONCE + size + TAG * max(1, -(-size // CHUNK))


def _raise_first(source: "_In", out: "_Out") -> None:
    for error in (source.error, out.error):
        if error:
            raise error


class _Header:
    """How long the header of an encrypted file is, as its bytes pass. length: 0 until its end has passed.

    is_endless: more has passed than any header has. The library keeps all of it in memory.
    """

    def __init__(self) -> None:
        self.length = 0
        self.is_endless = False
        self._beginning = bytearray()

    def passed(self, data: bytes) -> None:
        if self.length or self.is_endless:
            return
        self._beginning += data
        if found := HEADER.search(self._beginning):
            self.length = found.end()
        self.is_endless = not self.length and len(self._beginning) > LONGEST
        if self.length or self.is_endless:
            self._beginning.clear()


class _Out:
    """The file object that the library writes to."""

    def __init__(self, sink: Sink) -> None:
        self.size = 0
        self.header = _Header()
        self.error: BaseException | None = None
        self._sink = sink

    def write(self, data: bytes) -> int:
        if self.error:
            raise self.error
        try:
            self._sink(data)
        except BaseException as error:
            self.error = error
            raise
        self.size += len(data)
        self.header.passed(data)
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""


class _In:
    """The file object that the library reads from."""

    def __init__(self, read: Read) -> None:
        self.size = 0
        self.header = _Header()
        self.error: BaseException | None = None
        self._read = read

    def read(self, length: int) -> bytes:
        if self.error:
            raise self.error
        try:
            data = self._read(length)
        except BaseException as error:
            self.error = error
            raise
        self.size += len(data)
        self.header.passed(data)
        if self.header.is_endless:
            self.error = SealError()
            raise self.error
        return data


class _Handover:
    """Bytes from the thread that writes to the one that reads: in order, and not too many at a time.

    size: bytes that were taken.
    """

    def __init__(self) -> None:
        self.size = 0
        self._parts: deque[bytes] = deque()
        self._waiting = 0
        self._part = memoryview(b"")
        self._is_closed = self._has_failed = self._has_ended = False
        self._changed = threading.Condition()

    def write(self, data: bytes) -> bool:
        """Hands on more; False where the reader has ended."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting < WAITING or self._has_ended)
            if self._has_ended:
                return False
            if data:
                self._parts.append(data)
                self._waiting += len(data)
                self.size += len(data)
                self._changed.notify_all()
            return True

    def close(self) -> None:
        """There is no more."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def fail(self) -> None:
        """There is no more, and what was written is not the whole: the reader gets an error."""
        with self._changed:
            self._has_failed = True
            self._changed.notify_all()

    def end(self) -> None:
        """Nobody reads any more."""
        with self._changed:
            self._has_ended = True
            self._changed.notify_all()

    def read(self, length: int) -> bytes:
        """At most so many bytes; none at the end."""
        if not self._part:
            with self._changed:
                self._changed.wait_for(lambda: self._parts or self._is_closed or self._has_failed)
                if self._has_failed:
                    raise EOFError("what was written is not the whole")
                if not self._parts:
                    return b""
                part = self._parts.popleft()
                self._waiting -= len(part)
                self._changed.notify_all()
            self._part = memoryview(part)
        data = bytes(self._part[:length])
        self._part = self._part[length:]
        return data
