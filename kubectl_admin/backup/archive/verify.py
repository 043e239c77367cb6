"""Verifies an archive without a cluster: as it is stored without a key, and with one all that it holds."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from kubectl_admin.backup import judge_contents
from kubectl_admin.backup.archive.entries import entries
from kubectl_admin.backup.archive.extract import stem
from kubectl_admin.backup.archive.read import Reading
from kubectl_admin.backup.contents import Contents, NodeContents, prefix_of
from kubectl_admin.backup.facts import Archive, Kind
from kubectl_admin.backup.judge_contents import Judged
from kubectl_admin.backup.layout import Place
from kubectl_admin.backup.paths import Placing
from kubectl_admin.backup.seal.keys import Identity
from kubectl_admin.backup.ustar import Type
from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.restore.look.facts import SnapshotFacts
from kubectl_admin.etcd.restore.look.snapshot import of_file
from kubectl_admin.etcd.snapshot.verify import quiet
from kubectl_admin.etcd.stored.encryption import unsealing
from kubectl_admin.part_file import Spool
from kubectl_admin.report.text import mib

FILES = 64 << 20  # bytes of a control plane's files, which are kept in memory; 16 MiB are ever saved

# How many bytes of how many are done.
Moved = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Verified:
    """An archive that is as it was written. judged: what it holds; None where it was not opened."""

    archive: Archive
    judged: Judged | None


def verify(
    reading: Reading,
    identities: Sequence[Identity] | None,
    now: datetime,
    *,
    moved: Moved = quiet,
    looked: Moved = quiet,
) -> Verified:
    """Verifies it. identities: None for a look at what is stored alone; () opens what is not encrypted.

    moved: is told how far pieces are read, and `looked` how far the snapshot in them is.
    Raises AdminError for an archive that is not what was written, that none of the identities opens, or that
    holds something else than it announces. All else is a finding.
    """
    reading.refuse_damaged_frame()
    total = sum(place.piece.size for place in reading.places)
    before = 0

    def told(done: int) -> None:
        moved(before + done, total)

    if identities is None:
        for place in reading.places:
            reading.check(place, told)
            before += place.piece.size
        return Verified(reading.archive, None)
    nodes: list[NodeContents] = []
    snapshot: Spool | None = None
    with ExitStack() as stack:
        for place in reading.places:
            if place.piece.kind is Kind.KEY:
                reading.check(place, told)
            else:
                spool = Spool()
                stack.enter_context(spool)
                spool.room(place.piece.unpacked)
                reading.unpack(place, identities, spool.write, told)
                if place.piece.kind is Kind.ETCD:
                    snapshot = spool
                else:
                    node = _node(reading, place, spool)
                    nodes += [node] if place.piece.kind is Kind.FILES else []
            before += place.piece.size
        facts = _snapshot(snapshot.content, nodes, looked) if snapshot else None
    contents = Contents(reading.archive.manifest, tuple(nodes), facts)
    return Verified(reading.archive, judge_contents.judge(contents, now))


def _node(reading: Reading, place: Place, spool: Spool) -> NodeContents:
    """The files in a piece; of one that is no node's, only that they are whole."""
    piece = place.piece
    title = f"{reading.title}: {piece.name}"
    placing = Placing(reading.title, piece.unpacked)
    files: dict[str, bytes] = {}
    room = FILES
    for one in entries(spool.read_at, piece.unpacked, title):
        placing.place(one.entry)
        if one.entry.type is Type.FILE and piece.kind is Kind.FILES:
            room -= one.entry.size
            if room < 0:
                raise AdminError(
                    f"{title}: its files have more than {mib(FILES)} MiB", "who made this archive?"
                )
            files[f"/{one.entry.name}"] = spool.read_at(one.content, one.entry.size)
    links = {f"/{link.name}": link.target for link in placing.links}
    return NodeContents(piece.node or stem(piece), files, links)


def _snapshot(path: Path, nodes: Sequence[NodeContents], looked: Moved) -> SnapshotFacts:
    known = [keys.encryption for one in nodes if (keys := one.saved({}).keys) and keys.encryption]
    return of_file(path, prefix=prefix_of(nodes), unseal=unsealing(known), progress=looked)
