"""A file that gets its name whole, or not at all: it grows beside it under another, for its owner alone.

The file is held by its descriptor from the first byte to the last: a name can be given to another file
at any moment, by another run on a file system without locks, or by a user who may write to the directory.
"""

import errno
import os
import secrets
import stat
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from kubectl_admin.errors import AdminError, UsageError
from kubectl_admin.locks import Lock, is_named, lock, machine
from kubectl_admin.report.text import mib, mib_needed

BLOCK = 1 << 20  # bytes
ENDING = ".part"
# Answers where a file system can't put a directory itself on the disk, or a user may only write to it.
UNSETTLED = {errno.EINVAL, errno.ENOTSUP, errno.EACCES, errno.EPERM}
Result = TypeVar("Result")


class Draft:
    """Content that is written until it is whole; gone at the end of its `with` block. Errors are AdminErrors.

    title: its name in errors. directory: on whose file system it grows.
    """

    def __init__(self, title: str, directory: Path) -> None:
        self.title = title
        self.directory = directory
        self._descriptor = -1

    def __enter__(self) -> Self:
        try:
            self._descriptor = self._open()
        except OSError as error:
            raise UsageError(f"{self.title} can't be written: {error.strerror}") from error
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    @property
    def content(self) -> Path:
        """Where the content can be read: the open file itself, whatever becomes of its name."""
        return Path("/dev/fd", str(self._descriptor))

    def write(self, data: bytes | bytearray) -> None:
        """Writes all of it; raises AdminError where the disk is full."""
        self._try(lambda: write(self._descriptor, data))

    def write_at(self, offset: int, data: bytes) -> None:
        """Writes all of it over what is there, and leaves the place of `write` where it is."""
        self._try(lambda: write(self._descriptor, data, offset))

    def read_at(self, offset: int, length: int) -> bytes:
        """So many bytes of what was written; fewer only where it ends."""
        return self._try(lambda: os.pread(self._descriptor, length, offset), "read")

    def settle(self) -> None:
        """Everything that was written is on the disk."""
        self._try(lambda: os.fsync(self._descriptor))

    def room(self, size: int) -> None:
        """Raises AdminError where the file system has no room for so many bytes."""
        system = os.fstatvfs(self._descriptor)
        free = system.f_bavail * system.f_frsize
        if free < size:
            raise AdminError(
                f"{self.directory}: {mib(free)} MiB are free, and the file will have {mib_needed(size)} MiB",
                self._elsewhere,
            )

    def copy_to(self, descriptor: int, name: str) -> None:
        """Writes the whole content to an open file. name: of the file, in errors."""
        offset = 0
        while block := self.read_at(offset, BLOCK):
            try:
                write(descriptor, block)
            except OSError as error:
                raise AdminError(
                    f"{name} can't be written: {error.strerror}", "the output is not complete"
                ) from error
            offset += len(block)

    def _open(self) -> int:
        raise NotImplementedError

    @property
    def _elsewhere(self) -> str:
        return "free some space, or name another directory"

    def _try(self, act: Callable[[], Result], done: str = "written") -> Result:
        try:
            return act()
        except OSError as error:
            raise AdminError(f"{self.title} can't be {done}: {error.strerror}", "nothing was kept") from error


class Spool(Draft):
    """A draft without a name: no end of a program leaves anything of it.

    directory: on whose file system it is; where temporary files are if not given.
    """

    def __init__(self, directory: Path | None = None) -> None:
        self._is_given = directory is not None
        try:
            directory = directory or Path(tempfile.gettempdir())
        except OSError as error:
            raise UsageError(f"no directory for temporary files can be written: {error.strerror}") from error
        super().__init__(str(directory), directory)

    def _open(self) -> int:
        with tempfile.TemporaryFile(buffering=0, dir=self.directory) as file:
            return os.dup(file.fileno())

    @property
    def _elsewhere(self) -> str:
        return (
            super()._elsewhere if self._is_given else "free some space, or name another directory in TMPDIR"
        )


class PartFile(Draft):
    """A draft that lies beside its target as TARGET.RANDOM.part and gets its name by `publish`.

    A part that an earlier run on this machine has left is removed; while another run here writes the same
    target, this one is refused. Runs on other machines have parts of their own: the first gets the name.
    Where the target is a link, the link stays and the file behind it is replaced, as with cp. Wrong places,
    and a target that is there already (but with `force`), are UsageErrors.

    path: of the part.
    """

    def __init__(self, target: Path, *, force: bool = False) -> None:
        self.target = behind_link(target)
        super().__init__(str(self.target), self.target.parent)
        self.path = self.target
        self._force = force

    def __enter__(self) -> Self:
        self._refuse_existing()
        return super().__enter__()

    def __exit__(self, *ending: object) -> None:
        if self._descriptor >= 0 and is_named(self._descriptor, self.path):
            with suppress(OSError):  # a disk that can't be written any more: the error is raised already
                self.path.unlink()
        super().__exit__(None, None, None)

    def take_after(self, other: os.stat_result) -> None:
        """Gives it the mode of another file and, where that is permitted, its owner and its group."""
        mode = stat.S_IMODE(other.st_mode)
        with suppress(OSError):
            os.fchown(self._descriptor, other.st_uid, -1)
        try:
            os.fchown(self._descriptor, -1, other.st_gid)
        except OSError:
            mode &= ~stat.S_IRWXG  # it was meant for another group than the one that it has now
        self._try(lambda: os.fchmod(self._descriptor, mode))

    def publish(self) -> None:
        """Gives the file its name, on the disk as well; AdminError where its part is no longer that file."""
        self.settle()
        self._refuse_existing()
        if not is_named(self._descriptor, self.path):
            raise AdminError(
                f"{self.path} was removed or replaced while it was written, so {self.target} was not created",
                "check whether another run writes there, and who else may write to that directory",
            )
        self._try(self._rename)
        if not is_named(self._descriptor, self.target):
            raise AdminError(
                f"{self.target} is not the file that was written: somebody has just replaced it",
                "do not use it; check who else may write to that directory",
            )
        try:
            settle_directory(self.directory)
        except OSError as error:
            raise AdminError(
                f"{self.target} is whole, but its directory can't be written to the disk: {error.strerror}",
                "it may be lost if this machine loses power",
            ) from error

    def _rename(self) -> None:
        if not self._force:
            # Unlike a rename, a link never takes the place of a file that has come in this very moment.
            try:
                os.link(self.path, self.target, follow_symlinks=False)
            except FileExistsError:
                self._refuse_existing()
                raise
            except OSError:
                pass  # a file system without such links
            else:
                # In a directory that files may only be added to the part keeps its name beside the other.
                with suppress(OSError):
                    self.path.unlink()
                return
        self.path.rename(self.target)

    def _open(self) -> int:
        """A new part, locked where the file system knows locks."""
        beginning = f"{self.target.name}.{machine()}"
        self._remove_dead(beginning)
        while True:
            self.path = self.target.with_name(f"{beginning}{secrets.token_hex(4)}{ENDING}")
            try:
                descriptor = os.open(self.path, os.O_RDWR | os.O_CLOEXEC | os.O_CREAT | os.O_EXCL, 0o600)
            except FileExistsError:
                continue
            # Before it is locked, a run that begins at this moment may take it for a dead one.
            if lock(descriptor) is not Lock.TAKEN and is_named(descriptor, self.path):
                return descriptor
            os.close(descriptor)

    def _remove_dead(self, beginning: str) -> None:
        """Removes the parts of this target that runs of this machine have left; AdminError for one at work.

        beginning: of their names. A part that can't be locked may be in use, and stays.
        """
        try:
            found = [path for path in self.directory.iterdir() if path.name.startswith(beginning)]
        except PermissionError:
            return  # a directory that may only be written to
        for path in found:
            try:
                about = path.lstat()
                # A file of another user under such a name is not ours, and stops nobody.
                if path.suffix != ENDING or not stat.S_ISREG(about.st_mode) or about.st_uid != os.geteuid():
                    continue
                descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
            except OSError:
                continue  # it is gone, or somebody else's
            try:
                held = lock(descriptor)
                if held is Lock.TAKEN:
                    what = f"{self.target} is being written by another run"
                    raise AdminError(what, "wait until that run has ended")
                if held is Lock.OURS and is_named(descriptor, path):
                    path.unlink()
            finally:
                os.close(descriptor)

    def _refuse_existing(self) -> None:
        try:
            mode = self.target.stat().st_mode
        except FileNotFoundError:
            return
        except OSError as error:
            raise UsageError(f"{self.target} can't be written: {error.strerror}") from error
        if stat.S_ISDIR(mode):
            raise UsageError(f"{self.target} is a directory")
        if not stat.S_ISREG(mode):
            raise UsageError(
                f"{self.target} exists and is not a regular file", "name a file, or - for stdout"
            )
        if not self._force:
            raise already_there(self.target, "name another file, or replace it with --force")


def already_there(file: Path, instead: str) -> UsageError:
    """A file that is not to be replaced exists. instead: what to do, as the verb has it."""
    return UsageError(f"{file} already exists", instead)


def behind_link(file: Path) -> Path:
    """The file that is meant where its name is a link; UsageError for a link that leads nowhere."""
    if not os.path.islink(file):  # noqa: PTH114 - Path.is_symlink raises for names that can't be
        return file
    real = Path(os.path.realpath(file))
    if not os.path.exists(file):  # noqa: PTH110 - the same
        raise UsageError(f"{file} is a link to {real}, which does not exist", "name that file itself")
    return real if real.exists() else file  # /dev/stdout leads to «pipe:[4711]»


def write(descriptor: int, data: bytes | bytearray, offset: int | None = None) -> None:
    """Writes all of it: where the last write ended, or at an offset."""
    rest = memoryview(data)
    while rest:
        if offset is None:
            rest = rest[os.write(descriptor, rest) :]
        else:
            done = os.pwrite(descriptor, rest, offset)
            rest, offset = rest[done:], offset + done


def settle_directory(directory: Path) -> None:
    """The directory's names are on the disk, where the file system does such things."""
    try:
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno not in UNSETTLED:
            raise
