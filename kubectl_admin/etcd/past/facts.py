"""The facts by which it is judged whether, and where, a snapshot is opened; plain data."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Sample:
    """An object that is encrypted at rest, and stands for all of its resource with that key.

    by: provider, version and name of the key, «aescbc:v1:key1». resource: «secrets»; "" where its key in etcd
    does not tell which object it is. key: that key.
    """

    by: str
    group: str
    resource: str
    namespace: str
    name: str
    key: str


@dataclass(frozen=True, slots=True)
class Past:
    """A snapshot file that is sound.

    size: bytes. sha256: of the whole file, in hex. has_hash: whether etcd's own checksum is appended.
    etcd: the version whose format it has («3.6.0»), kubernetes: that of kubeadm; "" where they are not told.
    cluster: the UID of namespace kube-system, or "". moment: when the snapshot was taken, within seconds.
    services: the ranges of the Services' addresses, one or two. prefix: below which objects are stored.
    encrypted: what stands for all that is encrypted at rest.
    """

    path: Path
    size: int
    sha256: str
    has_hash: bool
    etcd: str
    kubernetes: str
    cluster: str
    moment: datetime | None
    services: tuple[str, ...]
    prefix: str
    encrypted: tuple[Sample, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """A machine on which a snapshot may be opened.

    name: for a person («node cp-1»). memory: bytes that are available there, total: of all its memory; None
    where that is not told.
    room: bytes that are free where its files will be. copies: how often the file will be there besides the
    database that is made from it. etcd, kubernetes: versions of the programs, «3.6.8» and «1.36.3».
    """

    name: str
    memory: int | None
    total: int | None
    room: int
    copies: int
    etcd: str
    kubernetes: str
