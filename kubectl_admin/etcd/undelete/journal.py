"""A journal of what was changed: it is told before and after each change, so that it can be undone.

A file of JSON lines for its owner alone. The first is about the run. An intent is on the disk before the
change is sent, what has become of it afterwards; an intent with nothing behind it is one whose answer was
never seen. A last line that is cut off, as a full disk leaves it, counts as not written.
"""

import os
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from kubectl_admin.errors import AdminError, UsageError
from kubectl_admin.etcd.undelete.entries import (
    Chain,
    Entry,
    Head,
    Intent,
    head_line,
    intent_line,
    outcome_line,
    read,
)
from kubectl_admin.etcd.undelete.facts import Json
from kubectl_admin.part_file import settle_directory

MOST = 1000  # journals beside one snapshot in one second


@dataclass
class Journal:
    """An open journal; safe to use from many threads. Errors are AdminErrors: nothing is changed unnoted."""

    path: Path
    head: Head
    entries: dict[int, Entry] = field(default_factory=dict)
    _descriptor: int = -1
    _is_new: bool = False
    _chain: Chain = field(default_factory=Chain)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def begin(cls, path: Path, head: Head) -> Self:
        """A new one. Raises UsageError where the file is there already, or can't be made."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        try:
            journal = cls(path, head, {}, os.open(path, flags, 0o600), _is_new=True)
        except FileExistsError:
            raise UsageError(f"the journal {path} is there already", "name another file: --journal") from None
        except OSError as error:
            raise UsageError(
                f"the journal {path} can't be written: {error.strerror}", "name another file: --journal"
            ) from error
        journal._write([head_line(head)])
        try:
            settle_directory(path.parent)
        except OSError as error:
            raise AdminError(f"{path.parent} can't be written: {error.strerror}") from error
        return journal

    @classmethod
    def resume(cls, path: Path) -> Self:
        """One that is there, to be undone. Raises UsageError where it is none, or can't be read."""
        chain = Chain()
        head, entries = read(path, chain)
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
            journal = cls(path, head, entries, descriptor, _chain=chain)
            size = os.fstat(journal._descriptor).st_size
            if size and os.pread(journal._descriptor, 1, size - 1) != b"\n":
                os.write(journal._descriptor, b"\n")
        except OSError as error:
            raise UsageError(f"the journal {path} can't be written: {error.strerror}") from error
        return journal

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file; that of a run that has changed nothing goes."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)
            if self._is_new and not self.entries:
                self.path.unlink(missing_ok=True)

    def intend(self, intents: Sequence[Intent]) -> list[Entry]:
        """Notes changes that are about to be made; they are on the disk when this returns."""
        now = datetime.now(UTC)
        with self._lock:
            first = max(self.entries, default=0) + 1
            made = [
                Entry(
                    first + place,
                    one.deed,
                    one.resource,
                    one.namespace,
                    one.name,
                    now,
                    before=one.before,
                    claim=one.claim,
                )
                for place, one in enumerate(intents)
            ]
            self._write(intent_line(entry) for entry in made)
            self.entries.update({entry.number: entry for entry in made})
        return made

    def note(self, entries: Iterable[Entry]) -> None:
        """Notes what has become of changes that were begun; it is on the disk when this returns."""
        with self._lock:
            noted = list(entries)
            self._write(map(outcome_line, noted))
            self.entries.update({entry.number: entry for entry in noted})

    def _write(self, lines: Iterable[Json]) -> None:
        data = b"".join(map(self._chain.written, lines))
        if not data:
            return
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(self._descriptor, view) :]
            os.fsync(self._descriptor)
        except OSError as error:
            raise AdminError(
                f"the journal {self.path} can't be written: {error.strerror}",
                "make room, and run the same again; --undo takes back what was made",
            ) from error


def refuse_existing(path: Path) -> None:
    """Raises UsageError where there is a file of this name already: no journal is overwritten."""
    if os.path.lexists(path):
        raise UsageError(f"the journal {path} is there already", "name another file: --journal")


def beside(snapshot: Path, began: datetime) -> Path:
    """The name of a new journal beside its snapshot: «snapshot.db.undelete-20261130T165900Z.jsonl»."""
    stem = f"{snapshot.name}.undelete-{began.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    names = (f"{stem}.jsonl", *(f"{stem}-{number}.jsonl" for number in range(2, MOST)))
    return next(path for name in names if not (path := snapshot.with_name(name)).exists())
