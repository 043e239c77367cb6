"""Writes an archive in one go: the manifest's room, then piece behind piece; the headers when they are known.

    writing = Writing(draft, manifest)
    for head in manifest.pieces:
        with writing.piece(head) as sink:
            sink.write(…)
    written = writing.finish(replace(manifest, verified=now))

What goes in is neither packed nor encrypted: that is done here. What comes out has no name yet: that is the
draft's business, and an archive whose writing ends by an error is one that never had a name.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from hashlib import sha256

from kubectl_admin.backup import layout, manifest, ustar
from kubectl_admin.backup.facts import Kind, Manifest, Piece
from kubectl_admin.backup.seal.keys import public
from kubectl_admin.backup.seal.packing import Packed
from kubectl_admin.backup.seal.pipe import Sealed
from kubectl_admin.errors import AdminError
from kubectl_admin.part_file import Draft

BLOCK = 1 << 20  # bytes that are read back at once

Moved = Callable[[int, int], object]


class Sink:
    """Where the content of a piece is written to. unpacked: bytes so far."""

    def __init__(self, put: Callable[[bytes | bytearray], object]) -> None:
        self.unpacked = 0
        self._put = put

    def write(self, data: bytes | bytearray) -> None:
        """Takes more; raises AdminError where it can't be written."""
        self.unpacked += len(data)
        self._put(data)


class Writing:
    """An archive while it is written into an empty draft.

    manifest: with the pieces as `layout.head` makes them, in the order in which they will come. What is known
    later may replace its moments and its database; what takes more room than it did must be in it now.
    The recipients of a piece are in its head.
    Raises AdminError for a manifest that becomes too long, and UsageError for a recipient that is none.
    """

    def __init__(self, draft: Draft, begun: Manifest) -> None:
        self._draft = draft
        self._room = manifest.room_for(begun)
        self._heads = begun.pieces
        self._written: list[Piece] = []
        for head in begun.pieces:
            public(head.recipients)
        draft.write(bytes(ustar.BLOCK + self._room))

    @contextmanager
    def piece(self, head: Piece) -> Iterator[Sink]:
        """The sink of the next piece. It is whole when the block ends without an error.

        A key (Kind.KEY) is stored as it is given; all else is packed, and encrypted to its recipients.
        """
        if self._heads[len(self._written) :][:1] != (head,):
            raise ValueError(f"{head.name} is not the next piece")
        recipients = public(head.recipients)
        stored = _Stored(self._draft)
        self._draft.write(bytes(ustar.BLOCK))
        if head.kind is Kind.KEY:
            yield Sink(stored.write)
            done = replace(stored.piece(head), unpacked=head.unpacked)
        else:
            with Sealed(stored.write, recipients) if recipients else nullcontext(stored) as further:
                packed = Packed(further.write)
                sink = Sink(packed.write)
                yield sink
                packed.close()
            done = replace(stored.piece(head), unpacked=sink.unpacked)
        self._draft.write(bytes(ustar.padded(done.size) - done.size))
        self._written.append(done)

    def finish(self, made: Manifest, moved: Moved = lambda _done, _total: None) -> Manifest:
        """Reads all pieces back, and writes what stands before them. Returns the manifest as it is written.

        made: what is known by now; its pieces are those that were written. moved: is given how many bytes of
        how many were read back. Raises AdminError where a piece is not read as it was written.
        """
        if len(self._written) != len(self._heads):
            raise ValueError(f"{self._heads[len(self._written)].name} was not written")
        made = replace(made, pieces=tuple(self._written))
        text = manifest.write(made, self._room)
        self._draft.write(ustar.END)
        places, whole = layout.places(self._room, made.pieces)
        for place in places:
            self._read_back(place, lambda done: moved(done, whole))
            header = ustar.header(layout.entry(place.piece.name, place.piece.size, made))
            self._draft.write_at(place.header, header)
        first = ustar.header(layout.entry(manifest.NAME, self._room, made))
        self._draft.write_at(0, first + text)
        return made

    def _read_back(self, place: layout.Place, moved: Callable[[int], object]) -> None:
        seen, offset, end = sha256(), place.content, place.content + place.piece.size
        while block := self._draft.read_at(offset, min(BLOCK, end - offset)):
            seen.update(block)
            offset += len(block)
            moved(offset)
        if seen.hexdigest() != place.piece.sha256:
            raise AdminError(
                f"{self._draft.title}: {place.piece.name} is not read back as it was written",
                "check the disk; nothing was kept",
            )


class _Stored:
    """The bytes of a piece as they are stored, counted and hashed."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._size = 0
        self._hash = sha256()

    def write(self, data: bytes | bytearray) -> None:
        self._draft.write(data)
        self._size += len(data)
        self._hash.update(data)

    def piece(self, head: Piece) -> Piece:
        """The piece as it is now."""
        return replace(head, size=self._size, sha256=self._hash.hexdigest())
