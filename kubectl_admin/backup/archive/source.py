"""Where an archive is read from: a file here, or whatever else gives bytes by their place."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from kubectl_admin.errors import AdminError, UsageError


class Source(Protocol):
    """An archive's bytes. size: how many there are."""

    @property
    def size(self) -> int: ...

    def read_at(self, offset: int, length: int) -> bytes:
        """So many bytes; fewer only where the archive ends. Raises AdminError."""
        ...


class FileSource:
    """A file that is open."""

    def __init__(self, descriptor: int, title: str) -> None:
        self.size = os.fstat(descriptor).st_size
        self._descriptor = descriptor
        self._title = title

    def read_at(self, offset: int, length: int) -> bytes:
        """As Source has it."""
        try:
            return os.pread(self._descriptor, length, offset)
        except OSError as error:
            raise AdminError(f"{self._title} can't be read: {error.strerror}") from error


@contextmanager
def opened(path: Path) -> Iterator[FileSource]:
    """The file, open for reading; UsageError where it does not exist, can't be opened, or is no file."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no name of a file"
        raise UsageError(f"{path} can't be opened: {why}") from error
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise UsageError(f"{path} is not a regular file")
        yield FileSource(descriptor, str(path))
    finally:
        os.close(descriptor)
