"""The facts on a snapshot file of etcd: its content, and the verdict on it."""

from dataclasses import dataclass
from pathlib import Path

from kubectl_admin.etcd.snapshot.bolt.damage import Damage
from kubectl_admin.etcd.snapshot.reading import Contents
from kubectl_admin.finding import Finding, Severity


@dataclass(frozen=True, slots=True)
class Full:
    """The facts for which every entry is looked at.

    crc32c: over all entries, «hash» of `etcdutl snapshot status`; an id of this file's content.
    live_keys: keys that exist at the last revision, «totalKey» of etcdutl 3.6 and newer.
    """

    crc32c: int
    live_keys: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A snapshot file that could be read.

    size: bytes of the file.
    sha256: of the whole file in hex, as sha256sum prints it.
    hash_right: whether the appended sha256 is that of the rest; None where none is appended.
    database_size: bytes of the database in it, «totalSize» of etcdutl.
    in_use: bytes of it that hold something; the rest is what defragmentation would give back.
    entries: of all buckets, «totalKey» of etcdutl before 3.6; `revisions` are those of bucket «key».
    full: None unless every entry was looked at, and none found damaged.
    """

    path: Path
    size: int
    sha256: str
    hash_right: bool | None
    database_size: int
    in_use: int
    page_size: int
    entries: int
    revisions: int
    contents: Contents
    full: Full | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of a verification.

    snapshot: None where the file is not a snapshot, or so damaged that nothing in it can be read.
    findings: all that is wrong, and what must be known before a restore.
    damages: the first few damaged places; `damaged` is the number of all that were found.
    """

    path: Path
    snapshot: Snapshot | None
    findings: tuple[Finding, ...]
    damages: tuple[Damage, ...] = ()
    damaged: int = 0

    @property
    def sound(self) -> bool:
        """Whether nothing about the file is a violation, so that it can be restored."""
        return not any(finding.severity is Severity.VIOLATION for finding in self.findings)
