"""Writes what is in an archive below one directory, whatever the archive says of owners, modes and links.

Everything is read to its end before the first file is written, so that nothing comes of a damaged archive.
Nothing that is there is replaced.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from kubectl_admin.backup.archive.entries import Stored, entries
from kubectl_admin.backup.archive.read import Reading
from kubectl_admin.backup.facts import Kind, Piece
from kubectl_admin.backup.layout import Place
from kubectl_admin.backup.paths import Placed, Placing, is_below, shown
from kubectl_admin.backup.seal.keys import Identity
from kubectl_admin.backup.ustar import Entry, Type
from kubectl_admin.errors import AdminError, UsageError
from kubectl_admin.part_file import Draft, PartFile, Spool, write

PART = 1 << 20  # bytes that are copied at once
DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
ENDINGS = (".age", ".zst", ".tar")
EMPTY = "name a directory that is empty"

Moved = Callable[[int, int], object]


@dataclass(frozen=True, slots=True)
class Extracted:
    """What was written: each file below the directory with its size. links: those that were not made."""

    directory: Path
    files: tuple[tuple[str, int], ...]
    links: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class _Waiting:
    """An entry that is to be written, and where its content is."""

    placed: Placed
    spool: Spool
    content: int


def extract(
    reading: Reading,
    identities: Sequence[Identity],
    wanted: str,
    directory: Path,
    moved: Moved = lambda _done, _total: None,
) -> Extracted:
    """Writes what is wanted of an archive into a directory, which is made where it does not exist.

    wanted: a path in the archive, of a file or of a directory, that begins with the name of a piece without
    its endings: «etcd.db», «files-cp-1/etc/kubernetes/pki»; "" is all. moved: is given how many bytes of how
    many were read.
    Raises UsageError for a path that is not there and for a directory that can't be used, and AdminError for
    an archive that is damaged, that no identity opens, or that is not safe.
    """
    reading.refuse_damaged_frame()
    places = _chosen(reading, wanted)
    total, before = sum(place.piece.size for place in places), 0
    placing = Placing(reading.title, sum(place.piece.unpacked for place in places))
    with ExitStack() as stack, _opened(directory) as root:
        waiting: list[_Waiting] = []
        database: PartFile | None = None
        for place in places:
            draft: Draft
            if place.piece.kind is Kind.ETCD:
                draft = database = PartFile(directory / stem(place.piece))
            else:
                draft = Spool()
            stack.enter_context(draft)
            draft.room(place.piece.unpacked)
            reading.unpack(place, identities, draft.write, partial(_told, moved, before, total))
            before += place.piece.size
            if isinstance(draft, Spool):
                waiting += _waiting(reading.title, place.piece, draft, placing, wanted)
        links = tuple(link for link in placing.links if is_below(tuple(link.name.split("/")), wanted))
        if not waiting and not database and not links:
            raise UsageError(
                f"{reading.title} holds no {shown(wanted)}", "name the whole piece, and look at what it holds"
            )
        for one in waiting:
            _refuse_existing(root, one.placed, directory)
        for one in waiting:
            _write(root, one, directory)
        if database:
            database.publish()
    files = [("/".join(one.placed.parts), one.placed.entry.size) for one in waiting if _is_file(one.placed)]
    files += [(stem(one.piece), one.piece.unpacked) for one in places if one.piece.kind is Kind.ETCD]
    return Extracted(directory, tuple(files), links)


def stem(piece: Piece) -> str:
    """A piece's name without its endings: «etcd.db», «files-cp-1»."""
    name = piece.name
    for ending in ENDINGS:
        name = name.removesuffix(ending)
    return name


def _told(moved: Moved, before: int, total: int, done: int) -> None:
    moved(before + done, total)


def _chosen(reading: Reading, wanted: str) -> list[Place]:
    """The pieces that hold what is wanted."""
    found = [place for place in reading.places if place.piece.kind is not Kind.KEY]
    first = next((part for part in wanted.split("/") if part not in ("", ".")), "")
    chosen = [place for place in found if first in ("", stem(place.piece))]
    if not chosen:
        there = ", ".join(stem(place.piece) for place in found[:10])
        raise UsageError(f"{reading.title} holds no {shown(wanted)}", f"a path in it begins with: {there}")
    return chosen


def _waiting(title: str, piece: Piece, spool: Spool, placing: Placing, wanted: str) -> Iterator[_Waiting]:
    """The entries of a piece that are wanted; all are looked at."""
    above = stem(piece)
    for one in entries(spool.read_at, piece.unpacked, f"{title}: {piece.name}"):
        placed = placing.place(_below(one, above))
        if placed and is_below(placed.parts, wanted):
            yield _Waiting(placed, spool, one.content)


def _below(one: Stored, above: str) -> Entry:
    # A name that begins with «/» is still to be refused.
    entry = one.entry
    if entry.name.startswith("/"):
        return entry
    return replace(entry, name=f"{above}/{entry.name}")


def _is_file(placed: Placed) -> bool:
    return placed.entry.type is Type.FILE


@contextmanager
def _opened(directory: Path) -> Iterator[int]:
    """The directory, open; made for its owner alone where it does not exist."""
    try:
        with suppress(FileExistsError):
            directory.mkdir(0o700)
        descriptor = os.open(directory, DIRECTORY)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no name of a directory"
        hint = "name a directory, and not a link to one"
        raise UsageError(f"{directory} can't be used as a directory: {why}", hint) from error
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _refuse_existing(root: int, placed: Placed, directory: Path) -> None:
    """Raises UsageError where something is in the place of a file, or of a directory above it."""
    above = root
    with ExitStack() as stack:
        for number, part in enumerate(placed.parts):
            path = Path(directory, *placed.parts[: number + 1])
            is_last = number == len(placed.parts) - 1
            try:
                if is_last and _is_file(placed):
                    os.stat(part, dir_fd=above, follow_symlinks=False)
                    raise UsageError(f"{path} already exists", EMPTY)
                above = os.open(part, DIRECTORY, dir_fd=above)
            except FileNotFoundError:
                return
            except OSError as error:
                raise UsageError(f"{path} is there, and is no directory", EMPTY) from error
            stack.callback(os.close, above)


def _write(root: int, one: _Waiting, directory: Path) -> None:
    *parents, name = one.placed.parts
    path = Path(directory, *one.placed.parts)
    try:
        with ExitStack() as stack:
            above = root
            for part in parents if _is_file(one.placed) else one.placed.parts:
                with suppress(FileExistsError):
                    os.mkdir(part, 0o700, dir_fd=above)
                above = os.open(part, DIRECTORY, dir_fd=above)
                stack.callback(os.close, above)
            if _is_file(one.placed):
                _write_file(above, name, one)
    except OSError as error:
        raise AdminError(
            f"{path} can't be written: {error.strerror}", "what was written before it is there"
        ) from error


def _write_file(above: int, name: str, one: _Waiting) -> None:
    descriptor = os.open(name, NEW_FILE, 0o600, dir_fd=above)
    try:
        offset, end = one.content, one.content + one.placed.entry.size
        while offset < end:
            part = one.spool.read_at(offset, min(PART, end - offset))
            write(descriptor, part)
            offset += len(part)
    except BaseException:
        with suppress(OSError):
            os.unlink(name, dir_fd=above)
        raise
    finally:
        os.close(descriptor)
