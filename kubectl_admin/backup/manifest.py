"""An archive's manifest as JSON: written, and read from whoever made it. Pure.

It stands first in the archive, before anything is known of the pieces behind it. So room is kept for the
longest that it can become, and what is left of it is filled with spaces, which JSON passes over.

Whatever a manifest holds, it is read as `Manifest` or refused in a sentence. Fields that are not known are
passed over: a later version may add some. What it must not pass over raises FORMAT.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, NoReturn, TypeVar

from kubectl_admin.backup.facts import Database, Kind, Lost, Manifest, Piece, SavedNode, Volume
from kubectl_admin.errors import AdminError

NAME = "manifest.json"
KIND = "BackupManifest"
FORMAT = 1
HASH = "sha256"
LIMIT = 8 << 20  # bytes of a manifest: 20,000 volumes have 5 MiB
MANY = 100_000  # entries of a list
TEXT = 1024  # characters of a text
LARGEST = (1 << 50) - 1  # bytes, or anything else that is counted
ROUND = 4096  # bytes to which a manifest is filled up
PIECE_NAME = re.compile(r"[a-z][A-Za-z0-9.~-]{0,99}")
SHA256 = re.compile(r"[0-9a-f]{64}")
UID = re.compile(r"[0-9A-Za-z-]{1,64}")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)
WRITTEN = "%Y-%m-%dT%H:%M:%SZ"
Item = TypeVar("Item")


def write(manifest: Manifest, room: int) -> bytes:
    """The manifest in exactly so many bytes, those of `room_for`. Raises AdminError where it has more."""
    text = as_text(document(manifest))
    if len(text) > room:
        raise AdminError(f"the manifest has {len(text)} bytes, and {room} were kept for it")
    return text.ljust(room)


def room_for(manifest: Manifest) -> int:
    """Bytes to keep for it while nothing is known of its pieces but their names, and of its database.

    Raises AdminError where it becomes longer than any that is read.
    """
    widest = replace(
        manifest,
        verified=manifest.taken,
        pieces=tuple(
            replace(piece, size=LARGEST, sha256="0" * 64, unpacked=LARGEST) for piece in manifest.pieces
        ),
        database=manifest.database and replace(manifest.database, revision=LARGEST, keys=LARGEST),
    )
    room = -(-len(as_text(document(widest))) // ROUND) * ROUND
    if room > LIMIT:
        raise AdminError(f"the manifest would have {room} bytes, and one of {LIMIT} is the longest")
    return room


def read(text: bytes, title: str) -> Manifest:
    """The manifest of an archive. title: the archive's name in errors. Raises AdminError."""
    about = f"{title}: its manifest"
    if len(text) > LIMIT:
        raise AdminError(f"{about} is longer than {LIMIT} bytes")
    try:
        # As bytes it might be UTF-16 as well.
        document = json.loads(text.decode(), object_pairs_hook=_once, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        why = str(error) if isinstance(error, _RefusedError) else "it is not JSON"
        raise AdminError(f"{about} can't be read: {why}") from None
    try:
        found = _manifest(_Fields(document, "it"))
        if not _is_as_written(document):
            raise _RefusedError("it is not as it was written: its own sha256 is another")
        return found
    except _NewerError as error:
        raise AdminError(
            f"{about} has format {error}, and this program reads {FORMAT} at most",
            "use a newer version of kubectl-admin",
        ) from None
    except _RefusedError as error:
        raise AdminError(f"{about} can't be read: {error}", "was it made by kubectl admin backup?") from None


class _RefusedError(ValueError):
    """A document is no manifest; says why, in words that are safe to show."""


class _NewerError(_RefusedError):
    """A manifest of a later format, which it names."""


class _Fields:
    """An object of JSON, read field by field. where: its place, in complaints."""

    def __init__(self, said: object, where: str) -> None:
        if not isinstance(said, dict):
            raise _RefusedError(f"{where} is no object")
        self._said = said
        self._where = where

    def text(self, name: str, pattern: re.Pattern[str] | None = None, *, need: bool = False) -> str:
        """A text; "" where it is not there and not needed. pattern: of the whole of it."""
        said = self._said.get(name, "")
        if not isinstance(said, str) or len(said) > TEXT or any("\ud800" <= one <= "\udfff" for one in said):
            self._refuse(name, f"a text of at most {TEXT} characters")
        if (need or pattern) and not said:
            self._refuse(name, "there")
        if pattern and not pattern.fullmatch(said):
            self._refuse(name, "as it should be written")
        return said

    def number(self, name: str) -> int:
        """A whole number from 0 to LARGEST."""
        said = self._said.get(name)
        if type(said) is not int or not 0 <= said <= LARGEST:
            self._refuse(name, "a number that can be")
        return said

    def is_true(self, name: str) -> bool:
        """A switch; off where it is not there."""
        said = self._said.get(name, False)
        if not isinstance(said, bool):
            self._refuse(name, "true or false")
        return said

    def moment(self, name: str) -> datetime:
        """A time in UTC, to the second."""
        try:
            return datetime.strptime(self.text(name, MOMENT), WRITTEN).replace(tzinfo=UTC)
        except ValueError as error:
            if isinstance(error, _RefusedError):
                raise
            self._refuse(name, "a time that can be")

    def has(self, name: str) -> bool:
        """Whether the field is there and not null."""
        return self._said.get(name) is not None

    def inner(self, name: str) -> "_Fields":
        """The object in a field."""
        return _Fields(self._said.get(name), f"{name} of {self._where}")

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts."""
        return tuple(
            _Fields({name: one}, f"an entry in {self._where}").text(name, need=True)
            for one in self._list(name)
        )

    def table(self, name: str) -> dict[str, str]:
        """An object of texts by texts."""
        said = self._said.get(name, {})
        if not isinstance(said, dict) or len(said) > MANY:
            self._refuse(name, "an object")
        inner = _Fields(said, f"{name} of {self._where}")
        return {key: inner.text(key) for key in said}

    def items(self, name: str, item: Callable[["_Fields"], Item]) -> tuple[Item, ...]:
        """A list of objects, each made into an item."""
        said = self._list(name)
        return tuple(item(_Fields(one, f"{name}[{number}]")) for number, one in enumerate(said))

    def _list(self, name: str) -> Sequence[object]:
        said = self._said.get(name, [])
        if not isinstance(said, list) or len(said) > MANY:
            self._refuse(name, f"a list of at most {MANY:,} entries")
        return said

    def _refuse(self, name: str, wanted: str) -> NoReturn:
        # A name may be anything where it is the key of a table.
        raise _RefusedError(f"{name[:40]!r} of {self._where} is not {wanted}")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose names are each there once: of two, this program and another may read different ones."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _RefusedError("an object in it has a field twice")
    return found


def _no_number(_said: str) -> NoReturn:
    raise _RefusedError("a number in it is none")


def _manifest(said: _Fields) -> Manifest:
    if said.text("kind") != KIND:
        raise _RefusedError(f"its kind is not {KIND}")
    if (number := said.number("format")) > FORMAT:
        raise _NewerError(str(number))
    cluster = said.inner("cluster")
    found = Manifest(
        tool=said.text("tool"),
        taken=said.moment("taken"),
        verified=said.moment("verified") if said.has("verified") else None,
        cluster=cluster.text("name"),
        uid=cluster.text("uid", UID),
        server=cluster.text("server"),
        nodes=said.items("nodes", _node),
        pieces=said.items("pieces", _piece),
        database=_database(said.inner("database")) if said.has("database") else None,
        keys=said.texts("keys"),
        volumes=said.items("volumes", _volume),
        lost=said.items("lost", _lost),
    )
    for why in _contradictions(found):
        raise _RefusedError(why)
    return found


def _contradictions(manifest: Manifest) -> Iterator[str]:
    names = [piece.name for piece in manifest.pieces]
    if len({*names, NAME}) != len(names) + 1:
        yield "two of its pieces have one name"
    nodes = [node.name for node in manifest.nodes]
    if len({*nodes}) != len(nodes):
        yield "two of its nodes have one name"
    if any(piece.node and piece.node not in nodes for piece in manifest.pieces):
        yield "a piece is of a node that is not in it"
    of_nodes = [(piece.kind, piece.node) for piece in manifest.pieces]
    if len({*of_nodes}) != len(of_nodes) or sum(kind is Kind.ETCD for kind, _ in of_nodes) > 1:
        yield "two of its pieces are of one kind and one node"
    if (manifest.database is not None) != (Kind.ETCD in manifest.kinds):
        yield "it tells of a database that is not in it, or does not tell of the one that is"


def _node(said: _Fields) -> SavedNode:
    return SavedNode(
        said.text("name", need=True), said.is_true("controlPlane"), said.table("versions"), said.text("why")
    )


def _piece(said: _Fields) -> Piece:
    kind = said.text("kind", need=True)
    if kind not in tuple(Kind):
        raise _RefusedError("a piece in it is of an unknown kind")
    return Piece(
        name=said.text("name", PIECE_NAME),
        kind=Kind(kind),
        size=said.number("size"),
        sha256=said.text("sha256", SHA256),
        unpacked=said.number("unpacked"),
        node=said.text("node"),
        recipients=said.texts("recipients"),
    )


def _database(said: _Fields) -> Database:
    return Database(said.text("node"), said.number("revision"), said.number("keys"), said.text("version"))


def _volume(said: _Fields) -> Volume:
    return Volume(said.text("name", need=True), said.text("driver"), said.text("handle"), said.text("claim"))


def _lost(said: _Fields) -> Lost:
    return Lost(said.text("what", need=True), said.text("why"), said.text("node"))


def as_text(said: dict[str, object]) -> bytes:
    """A document as JSON, in plain ASCII, with its own hash as its last field."""
    return _dumped({**said, HASH: sha256(_dumped(said)).hexdigest()})


def _is_as_written(said: dict[str, object]) -> bool:
    """Whether its own hash is that of all other fields: a date that has changed is a date as well."""
    others = {name: value for name, value in said.items() if name != HASH}
    try:
        return said.get(HASH) == sha256(_dumped(others)).hexdigest()
    except RecursionError:  # a field that is not known, and deeper than any that is written
        return False


def _dumped(said: dict[str, object]) -> bytes:
    return (json.dumps(said, indent=1) + "\n").encode("ascii")


def document(manifest: Manifest) -> dict[str, object]:
    """The manifest as plain data for json and yaml."""
    verified = manifest.verified
    return {
        "kind": KIND,
        "format": FORMAT,
        "tool": manifest.tool,
        "taken": manifest.taken.astimezone(UTC).strftime(WRITTEN),
        "verified": verified.astimezone(UTC).strftime(WRITTEN) if verified else None,
        "cluster": {"name": manifest.cluster, "uid": manifest.uid, "server": manifest.server},
        "nodes": [
            {
                "name": node.name,
                "controlPlane": node.control_plane,
                "versions": dict(node.versions),
                "why": node.why,
            }
            for node in manifest.nodes
        ],
        "pieces": [{**asdict(piece), "kind": str(piece.kind)} for piece in manifest.pieces],
        "database": asdict(manifest.database) if manifest.database else None,
        "keys": list(manifest.keys),
        "volumes": [asdict(volume) for volume in manifest.volumes],
        "lost": [asdict(lost) for lost in manifest.lost],
    }
