"""Reads an archive that may come from anybody, and may have suffered on its way.

Nothing of a piece may be used before `unpack` or `check` has returned: only then has its end been seen, and
its hash.
"""

from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256

from kubectl_admin.backup import layout
from kubectl_admin.backup.archive.source import Source
from kubectl_admin.backup.facts import Archive, Kind, Piece
from kubectl_admin.backup.layout import Place
from kubectl_admin.backup.recipients import shown
from kubectl_admin.backup.seal import keys
from kubectl_admin.backup.seal.keys import Ask, Identity
from kubectl_admin.backup.seal.packing import PackingError, Unpacked
from kubectl_admin.backup.seal.pipe import NoKeyError, SealError, opened
from kubectl_admin.backup.ustar import BLOCK
from kubectl_admin.errors import AdminError

PART = 1 << 20  # bytes that are read at once
KEY_LIMIT = 64 << 10  # bytes of an archive's own key
ANOTHER = "take another archive"

Sink = Callable[[bytes], object]
Moved = Callable[[int], object]


class Reading:
    """An archive that is read. title: its name in errors. Raises AdminError for what is no archive of ours.

    archive: what it says of itself, and how long it is. places: of its pieces.
    """

    def __init__(self, source: Source, title: str) -> None:
        beginning = source.read_at(0, layout.BEGINNING)
        if (missing := layout.needed(beginning, title) - len(beginning)) > 0:
            beginning += source.read_at(len(beginning), missing)
        self.title = title
        self.archive: Archive = layout.archive(title, source.size, beginning)
        room = layout.needed(beginning, title) - BLOCK
        self.places, _ = layout.places(room, self.archive.manifest.pieces)
        self._source = source
        self._room = room

    def refuse_damaged_frame(self) -> None:
        """Raises AdminError where the archive is longer or shorter than it was, or a header is damaged.

        What pieces hold is not looked at.
        """
        found, whole = self.archive.size, self.archive.whole
        if found < whole:
            what = f"{self.title}: it has {found} bytes, and {whole} were written"
            raise AdminError(what, "was it copied whole?")
        if found > whole:
            raise self._unnamed()
        between = [BLOCK + self._room]
        for place in self.places:
            layout.refuse_other(self._source.read_at(place.header, BLOCK), place, self.title)
            between.append(place.content + place.piece.size)
        for start, end in zip(between, [*(place.header for place in self.places), whole], strict=True):
            # What fills up the last block of a piece, and behind the last one the end.
            if self._source.read_at(start, end - start) != bytes(end - start):
                raise self._unnamed()

    def check(self, place: Place, moved: Moved = lambda _done: None) -> None:
        """Reads a piece as it is stored; AdminError where it is not what was written.

        moved: is given from time to time how many bytes of the piece were read.
        """
        stored = _Stored(self._source, place, self.title, moved)
        while stored.read(PART):
            pass
        stored.finish()

    def unpack(
        self, place: Place, identities: Sequence[Identity], sink: Sink, moved: Moved = lambda _done: None
    ) -> None:
        """Hands the content of a piece to `sink`, as it was before it was packed and encrypted.

        Raises AdminError for a piece that is not what was written, that none of the identities opens, or that
        holds more or less than it announces; and whatever the sink raises.
        """
        piece = place.piece
        stored = _Stored(self._source, place, self.title, moved)
        unpacked = Unpacked(sink, piece.unpacked)
        try:
            if piece.recipients:
                opened(stored.read, unpacked.write, identities)
            else:
                for part in iter(lambda: stored.read(PART), b""):
                    unpacked.write(part)
            unpacked.close()
        except (NoKeyError, SealError, PackingError) as error:
            stored.finish()  # what was changed on its way is the better reason
            raise self._not_opened(piece, error) from None
        stored.finish()

    def own_identities(self, ask: Ask) -> list[Identity]:
        """Those in the archive's own key; none where it has none. ask: is asked for its passphrase.

        Raises AdminError for a key that is damaged, and for a passphrase that is not its.
        """
        for place in self.places:
            if place.piece.kind is Kind.KEY:
                if place.piece.size > KEY_LIMIT:
                    raise AdminError(f"{self.title}: its {place.piece.name} is too long for a key", ANOTHER)
                self.check(place)
                stored = self._source.read_at(place.content, place.piece.size)
                return keys.of_archive(stored, self.title, ask)
        return []

    def _not_opened(self, piece: Piece, error: Exception) -> AdminError:
        match error:
            case NoKeyError():
                to = ", ".join(_recipients(piece))
                return AdminError(
                    f"{self.title}: none of these keys opens {piece.name}",
                    f"it is encrypted to {to}; name the file of its secret key with --identity",
                )
            case PackingError():
                return AdminError(
                    f"{self.title}: {piece.name} {error}", "do not use this archive; who made it?"
                )
            case _:
                return AdminError(f"{self.title}: {piece.name} is not whole as it was encrypted", ANOTHER)

    def _unnamed(self) -> AdminError:
        return AdminError(f"{self.title}: it holds something that its manifest does not name", ANOTHER)


class _Stored:
    """The bytes of a piece as they are stored, hashed while they pass."""

    def __init__(self, source: Source, place: Place, title: str, moved: Moved) -> None:
        self._source = source
        self._place = place
        self._title = title
        self._moved = moved
        self._done = 0
        self._hash = sha256()
        self._part = memoryview(b"")

    def read(self, length: int) -> bytes:
        """At most so many bytes; none at the end."""
        if not self._part:
            self._part = memoryview(self._next())
        data = bytes(self._part[:length])
        self._part = self._part[length:]
        return data

    def finish(self) -> None:
        """Reads what is left, and raises AdminError where the whole is not what was written."""
        while self._next():
            pass
        if self._hash.hexdigest() != self._place.piece.sha256:
            name = self._place.piece.name
            raise AdminError(f"{self._title}: {name} is not what was written: its sha256 is another", ANOTHER)

    def _next(self) -> bytes:
        piece = self._place.piece
        wanted = min(PART, piece.size - self._done)
        part = self._source.read_at(self._place.content + self._done, wanted) if wanted else b""
        if wanted and not part:
            raise AdminError(f"{self._title}: it ends in {piece.name}", "was it copied whole?")
        self._done += len(part)
        self._hash.update(part)
        self._moved(self._done)
        return part


def _recipients(piece: Piece) -> Iterator[str]:
    for text in piece.recipients[:3]:
        yield shown(text)
    if len(piece.recipients) > 3:
        yield f"{len(piece.recipients) - 3} others"
