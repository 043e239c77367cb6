"""What is known of a backup, as plain data: an archive, its manifest, and the pieces in it.

Nothing here is secret, and nothing secret may come to be here: a manifest is read without a key.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Kind(StrEnum):
    """What a piece of an archive holds."""

    ETCD = "etcd"  # a snapshot
    FILES = "files"  # of one node
    OBJECTS = "objects"  # of the API: what a new cluster is made by, and volumes
    KEY = "key"  # the archive's own key, under a passphrase


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of an archive as it is stored.

    node: whose it is; "" for no node's. size, sha256: of the stored bytes. unpacked: bytes that come out of
    it when it is decrypted and unpacked, neither more nor fewer. recipients: to whom it is encrypted; ()
    where it is not.
    """

    name: str
    kind: Kind
    size: int
    sha256: str
    unpacked: int
    node: str = ""
    recipients: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SavedNode:
    """A node of the cluster.

    versions: of its packages and of what runs there, by their names. why: its files are not in the archive,
    where they should be; "" where they are, or where none are wanted of it.
    """

    name: str
    control_plane: bool
    versions: Mapping[str, str] = field(default_factory=dict)
    why: str = ""


@dataclass(frozen=True, slots=True)
class Database:
    """The snapshot in an archive. node: whose member gave it. version: of its storage, "" before etcd 3.6."""

    node: str
    revision: int
    keys: int
    version: str = ""


@dataclass(frozen=True, slots=True)
class Volume:
    """A volume whose data is not in the archive. claim: «NAMESPACE/NAME», "" for none."""

    name: str
    driver: str
    handle: str
    claim: str = ""


@dataclass(frozen=True, slots=True)
class Lost:
    """Something that an archive can't bring back. node: where it is; "" for the whole cluster."""

    what: str
    why: str
    node: str = ""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an archive says of itself.

    tool: what made it, with its version. taken: when the cluster began to be copied; nothing in it is older.
    verified: when the same run had read back all that it wrote, and the snapshot was sound; None: it had not.
    cluster: a name for a person. uid: of the cluster's namespace kube-system, which proves whose it is.
    server: version of the API server. keys: of encryption at rest, by resource, «secrets aescbc key1».
    """

    tool: str
    taken: datetime
    verified: datetime | None
    cluster: str
    uid: str
    server: str
    nodes: tuple[SavedNode, ...]
    pieces: tuple[Piece, ...]
    database: Database | None = None
    keys: tuple[str, ...] = ()
    volumes: tuple[Volume, ...] = ()
    lost: tuple[Lost, ...] = ()

    @property
    def kinds(self) -> frozenset[Kind]:
        """What is in it; a key is nothing by itself."""
        return frozenset(piece.kind for piece in self.pieces) - {Kind.KEY}


@dataclass(frozen=True, slots=True)
class Archive:
    """An archive in a store. size: bytes there. whole: bytes that it has by its own manifest."""

    name: str
    size: int
    whole: int
    manifest: Manifest

    @property
    def is_verified(self) -> bool:
        """Whether it was found right when it was made, and is as long as it was then."""
        return self.manifest.verified is not None and self.size == self.whole
