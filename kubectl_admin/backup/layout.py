"""Where everything in an archive is, by its beginning alone: the manifest is first, and tells the rest. Pure.

So a store is listed by a few thousand bytes of each archive, and an archive that is cut off, or that holds
something which its manifest does not name, is known as such before any piece of it is read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from kubectl_admin.backup import manifest, ustar
from kubectl_admin.backup.facts import Archive, Kind, Manifest, Piece
from kubectl_admin.backup.ustar import BLOCK, END, Entry, Type, Unreadable, padded
from kubectl_admin.errors import AdminError

BEGINNING = 64 << 10  # bytes in which most manifests have room
NODE = 60  # characters of a node's name in that of its piece
DIGITS = 8  # of the name's hash behind them, where it is longer


@dataclass(frozen=True, slots=True)
class Place:
    """Where a piece is. header, content: bytes from the archive's beginning."""

    piece: Piece
    header: int
    content: int


def head(kind: Kind, node: str = "", recipients: Sequence[str] = ()) -> Piece:
    """A piece before anything of it is written, by its name: files-cp-1.tar.zst.age.

    node: whose files they are, or whose member gave the snapshot. recipients: as their keys are written; none
    for a piece that is not encrypted, and for a key, which is stored as it is given.
    """
    match kind:
        case Kind.ETCD:
            name = "etcd.db.zst"
        case Kind.FILES:
            name = f"files-{_shortened(node)}.tar.zst"
        case Kind.OBJECTS:
            name = "objects.tar.zst"
        case Kind.KEY:
            name = "key"
    ending = ".age" if recipients or kind is Kind.KEY else ""
    return Piece(name + ending, kind, 0, "", 0, node, tuple(recipients))


def places(room: int, pieces: Sequence[Piece]) -> tuple[tuple[Place, ...], int]:
    """Where each piece is, and how many bytes the archive has. room: bytes of the manifest."""
    found, offset = [], BLOCK + padded(room)
    for piece in pieces:
        found.append(Place(piece, offset, offset + BLOCK))
        offset += BLOCK + padded(piece.size)
    return tuple(found), offset + len(END)


def needed(beginning: bytes, title: str) -> int:
    """Bytes from the beginning on that hold the manifest. beginning: one block at least.

    title: the archive's name in errors. Raises AdminError for what is no archive of ours.
    """
    return BLOCK + _room(beginning, title)


def archive(name: str, size: int, beginning: bytes) -> Archive:
    """An archive by as many of its first bytes as `needed` says, or more. size: bytes in the store.

    Raises AdminError for what is no archive of ours.
    """
    room = _room(beginning, name)
    if len(beginning) < BLOCK + room:
        raise _none(name, "it is cut off in its manifest")
    read = manifest.read(beginning[BLOCK : BLOCK + room], name)
    return Archive(name, size, places(room, read.pieces)[1], read)


def refuse_other(block: bytes, place: Place, title: str) -> None:
    """Raises AdminError where a header is not that of the piece which has its place there."""
    piece = place.piece
    try:
        found = ustar.read(block)
    except Unreadable as error:
        raise AdminError(f"{title}: {error}, where {piece.name} should be", "take another archive") from None
    if found is None or (found.name, found.size, found.type) != (piece.name, piece.size, Type.FILE):
        raise AdminError(
            f"{title}: it does not hold {piece.name} where its manifest says", "take another archive"
        )


def entry(name: str, size: int, made: Manifest) -> Entry:
    """The entry of the manifest, or of a piece: for its owner alone, and as old as the archive."""
    return Entry(name, size, 0o600, changed=max(0, int(made.taken.timestamp())))


def _room(beginning: bytes, title: str) -> int:
    try:
        first = ustar.read(beginning[:BLOCK])
    except Unreadable as error:
        raise _none(title, str(error)) from None
    if first is None or first.name != manifest.NAME or first.type is not Type.FILE:
        raise _none(title, f"it does not begin with {manifest.NAME}")
    if first.size > manifest.LIMIT:
        raise _none(title, "its manifest is too long")
    return first.size


def _shortened(node: str) -> str:
    if len(node) <= NODE:
        return node
    return f"{node[:NODE]}~{sha256(node.encode()).hexdigest()[:DIGITS]}"


def _none(title: str, why: str) -> AdminError:
    return AdminError(f"{title} is not a backup: {why}")
