"""A file that is read from any place, in pieces that are asked for."""

import errno
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kubectl_admin.errors import AdminError, UsageError

BLOCK = 4 << 20  # bytes; more is not faster
Progress = Callable[[int, int], None]  # bytes done, bytes in all


@dataclass(frozen=True, slots=True)
class Source:
    """An open file; `size` is its length in bytes when it was opened."""

    path: Path
    descriptor: int
    size: int
    modified: int  # nanoseconds

    def read(self, offset: int, length: int) -> bytes:
        """Exactly these bytes.

        Raises AdminError where the file has become shorter, or can't be read there (a bad disk).
        """
        try:
            data = os.pread(self.descriptor, length, offset)
            while len(data) < length:
                more = os.pread(self.descriptor, length - len(data), offset + len(data))
                if not more:
                    raise self._changed()
                data += more
        except OSError as error:
            raise self._unreadable(error, offset) from error
        return data

    def blocks(self, end: int, size: int) -> Iterator[memoryview]:
        """The bytes from 0 to `end` in pieces of `size`, in one buffer that is used again and again."""
        buffer = memoryview(bytearray(size))
        done = 0
        while done < end:
            wanted = buffer[: min(size, end - done)]
            filled = 0
            while filled < len(wanted):
                filled += (got := self._preadv(wanted[filled:], done + filled))
                if not got:
                    raise self._changed()
            yield wanted
            done += len(wanted)

    def unchanged(self) -> None:
        """Raises AdminError if the file was written to since it was opened."""
        now = os.fstat(self.descriptor)
        if (now.st_size, now.st_mtime_ns) != (self.size, self.modified):
            raise self._changed()

    def _preadv(self, buffer: memoryview, offset: int) -> int:
        try:
            return os.preadv(self.descriptor, [buffer], offset)
        except OSError as error:
            raise self._unreadable(error, offset) from error

    def _unreadable(self, error: OSError, offset: int) -> AdminError:
        return AdminError(f"{self.path} can't be read at byte {offset}: {error.strerror}")

    def _changed(self) -> AdminError:
        return AdminError(
            f"{self.path} changed while it was read", "wait until the program that writes to it is done"
        )


@contextmanager
def opened(path: Path) -> Iterator[Source]:
    """The file, open for reading.

    Raises UsageError where it does not exist, is not a regular file (a pipe or a device has no end to go
    by), or may not be read.
    """
    try:
        # A named pipe without a writer would keep even open() waiting.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except ValueError as error:  # a NUL byte in the name
        raise UsageError(f"{str(path)!r} is not a file name: {error}") from error
    except OSError as error:
        hint = "run this as a user who may read it" if error.errno == errno.EACCES else None
        raise UsageError(f"{path} can't be opened: {error.strerror}", hint) from error
    try:
        status = os.fstat(descriptor)
        if stat.S_ISDIR(status.st_mode):
            raise UsageError(f"{path} is a directory, not a file")
        if not stat.S_ISREG(status.st_mode):
            raise UsageError(f"{path} is not a regular file", "copy its content into a file first")
        yield Source(path, descriptor, status.st_size, status.st_mtime_ns)
    finally:
        os.close(descriptor)
