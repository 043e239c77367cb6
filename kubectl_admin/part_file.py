"""A file that gets its name whole, or not at all: it grows beside it as FILE.part, for its owner alone."""

import fcntl
import os
import shutil
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from kubectl_admin.errors import AdminError, UsageError


class PartFile:
    """FILE.part, open for writing; gone at the end of its `with` block unless it was published.

    path: of the part. A part that an earlier run has left is overwritten; one that another run is writing at
    this moment is not. What goes wrong is raised as AdminError, wrong places as UsageError.
    """

    def __init__(self, target: Path, *, force: bool = False) -> None:
        self.target = target
        self.path = target.with_name(f"{target.name}.part")
        self._force = force
        self._published = False
        self._file: BinaryIO | None = None

    def __enter__(self) -> Self:
        self._refuse_existing()
        try:
            file = os.fdopen(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), "r+b")
        except OSError as error:
            raise UsageError(f"{self.path} can't be written: {error.strerror}") from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            raise AdminError(
                f"{self.path} is being written by another run", "wait until it has ended"
            ) from None
        self._file = file
        os.fchmod(file.fileno(), 0o600)
        file.truncate(0)
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self._file:
            if not self._published:
                self.path.unlink(missing_ok=True)
            self._file.close()

    def write(self, data: bytes) -> None:
        """Writes all of it; raises AdminError where the disk is full."""
        try:
            self._open.write(data)
        except OSError as error:
            raise self._unwritable(error) from error

    def room(self, size: int) -> None:
        """Raises AdminError where the file system has no room for so many bytes."""
        free = shutil.disk_usage(self.path.parent).free
        if free < size:
            raise AdminError(
                f"{self.path.parent}: {free >> 20} MiB are free, and the file will have {size >> 20} MiB",
                "free some space, or name another folder",
            )

    def settle(self) -> None:
        """Everything that was written is on the disk."""
        try:
            self._open.flush()
            os.fsync(self._open.fileno())
        except OSError as error:
            raise self._unwritable(error) from error

    def publish(self) -> None:
        """Gives the file its name, on the disk as well."""
        self.settle()
        self._refuse_existing()
        try:
            self.path.rename(self.target)
            self._published = True
            folder = os.open(self.target.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise self._unwritable(error) from error

    def copy_to(self, stream: BinaryIO) -> None:
        """Writes the whole content to a stream."""
        self.settle()
        with self.path.open("rb") as content:
            shutil.copyfileobj(content, stream, 1 << 20)
            stream.flush()

    @property
    def _open(self) -> BinaryIO:
        if self._file is None:
            raise ValueError(f"{self.path} is not open")
        return self._file

    def _refuse_existing(self) -> None:
        if self.target.is_dir():
            raise UsageError(f"{self.target} is a folder")
        if self.target.exists() and not self._force:
            raise UsageError(
                f"{self.target} is there already", "name another file, or replace it with --force"
            )

    def _unwritable(self, error: OSError) -> AdminError:
        return AdminError(f"{self.path} can't be written: {error.strerror}", "nothing of it was kept")
