"""A snapshot file of etcd, verified without a cluster and without etcd."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.snapshot import filekind, keys, latest, reading
from kubectl_admin.etcd.snapshot import judge as snapshot_judge
from kubectl_admin.etcd.snapshot.bolt import buckets, meta
from kubectl_admin.etcd.snapshot.bolt.buckets import Bucket
from kubectl_admin.etcd.snapshot.bolt.damage import Damage, Damaged, Damages, Hopeless
from kubectl_admin.etcd.snapshot.bolt.meta import Meta
from kubectl_admin.etcd.snapshot.bolt.pages import USED, Pages
from kubectl_admin.etcd.snapshot.bolt.source import Progress, Source, opened
from kubectl_admin.etcd.snapshot.bolt.sweep import sweep
from kubectl_admin.etcd.snapshot.facts import Full, Snapshot, Verdict
from kubectl_admin.etcd.snapshot.latest import Latest
from kubectl_admin.finding import Finding

START = 4096  # bytes by which a file of another kind is recognised
OF_ETCD = (b"key", b"meta", b"cluster", b"members")


@dataclass(frozen=True, slots=True)
class Database:
    """A file that was looked at and is still open.

    pages, buckets: where to read on; nothing where the verdict has no snapshot.
    """

    verdict: Verdict
    pages: Pages | None = None
    buckets: Sequence[Bucket] = ()


def quiet(_done: int, _all: int) -> None:
    """Shows nothing: the progress that nobody watches."""


def verify(path: Path, *, full: bool = False, progress: Progress = quiet) -> Verdict:
    """Whether the file is a whole snapshot of etcd, and its content.

    By default: the sha256 that etcd appended, both meta pages, that every page is in its place and belongs to
    one bucket or to none, and the content of the database. `full` looks at every entry as well: its
    bounds, the order of all keys, the checksum and the number of live keys as `etcdutl snapshot status` has
    them.

    progress: called from time to time with the bytes done and those to be done in all.

    All that is wrong with the file's content is a finding of the verdict. Raises UsageError where the file
    does not exist or can't be opened, and AdminError where reading fails, the file is written to during the
    reading, or it comes from a machine of the other byte order.

    Cost: the file is read once from its beginning to its end, in about the time of sha256sum, and some pages
    again; `full` reads it twice and takes some microseconds an entry. Memory: some MiB, and 3 MiB for each
    GiB of the file; with `full` also 8 bytes for each revision.
    """
    with opened_database(path, full=full, progress=progress) as database:
        return database.verdict


@contextmanager
def opened_database(path: Path, *, full: bool = False, progress: Progress = quiet) -> Iterator[Database]:
    """The same, for whoever reads on in the file, which stays open. Costs and raises the same.

    That the file was not written to is seen at the end, for all that was read inside as well.
    """
    with opened(path) as source:
        yield _database(source, full=full, progress=progress)
        source.unchanged()


def indexed(database: Database, progress: Progress) -> Latest | Verdict:
    """The keys of a database that is sound as far as it was looked at, or its fault after all.

    progress: called from time to time with the bytes done and those to be done in all.
    """
    return indexed_together((database,), progress)[0]


def indexed_together(databases: Sequence[Database], progress: Progress) -> list[Latest | Verdict]:
    """The same for one database, or two that are compared."""
    found = [_unread(database, second=at > 0) for at, database in enumerate(databases)]
    whole = sum(database.pages.source.size for database in databases if database.pages)
    if unread := [each for each in found if isinstance(each, Latest)]:
        latest.read(unread, lambda done: progress(done, whole))
    return [
        _damaged(database.verdict, each.damage) if isinstance(each, Latest) and each.damage else each
        for database, each in zip(databases, found, strict=True)
    ]


def _unread(database: Database, *, second: bool) -> Latest | Verdict:
    bucket = next((bucket for bucket in database.buckets if bucket.name == b"key"), None)
    if database.pages is None or bucket is None:
        return database.verdict
    return Latest(database.pages, bucket, second=second)


def _damaged(verdict: Verdict, damage: Damage) -> Verdict:
    """The verdict once an entry was found damaged."""
    right = verdict.snapshot.hash_right if verdict.snapshot else None
    findings = *verdict.findings, *snapshot_judge.of_damages([damage], 1, right)
    return replace(verdict, findings=findings, damages=(damage,), damaged=1)


def _database(source: Source, *, full: bool, progress: Progress) -> Database:
    start = source.read(0, min(START, source.size))
    if meta.has_big_endian_magic(start):
        raise AdminError(
            f"{source.path} is a database in big-endian byte order, as etcd writes it on s390x, and "
            "this program reads only little-endian ones",
            "verify it with «etcdutl snapshot status» on a machine of that kind",
        )
    damages = Damages()
    chosen = meta.chosen(source, damages)
    if chosen is None:
        if not meta.has_magic(start):
            what, hint = filekind.described(start, source.size)
            return Database(Verdict(source.path, None, (snapshot_judge.not_a_snapshot(what, hint),)))
        damages.add(0, 0, "neither of the two meta pages can be used, so nothing else can be found")
    if chosen is None or chosen.size > source.size:
        length = snapshot_judge.of_length(source.size, chosen.size) if chosen else ()
        return Database(_concluded(source, None, damages, length))
    return _of_database(source, chosen, damages, full=full, progress=progress)


def _of_database(
    source: Source, chosen: Meta, damages: Damages, *, full: bool, progress: Progress
) -> Database:
    hashed = source.size - snapshot_judge.HASH if snapshot_judge.has_hash(source.size) else source.size
    total = source.size * (2 if full else 1)
    swept = sweep(source, chosen, hashed, lambda done: progress(done, total))
    right = None if hashed == source.size else swept.digest == source.read(hashed, snapshot_judge.HASH)
    pages = Pages(source, chosen, swept, damages)
    found: list[Bucket] = []
    contents = reading.NOTHING
    entries: Full | None = None
    try:
        found = buckets.found(pages)
        if found and not any(bucket.name in OF_ETCD for bucket in found):
            listed = ", ".join(bucket.name.decode("ascii", "backslashreplace") for bucket in found[:5])
            what = f"a bolt database of another program: its buckets are {listed}"
            another = snapshot_judge.not_a_snapshot(what, filekind.DEFAULT_HINT)
            return Database(Verdict(source.path, None, (another,)))
        contents = reading.read(pages, {bucket.name: bucket for bucket in found})
        if full and not damages.total:  # where pages are damaged, their entries can't be gone through
            entries = Full(*keys.look(pages, found, lambda done: progress(source.size + done, total)))
    except Damaged as error:
        damages.note(error.damage)
    except Hopeless:
        pass  # what is known by then is reported
    snapshot = Snapshot(
        path=source.path,
        size=source.size,
        sha256=swept.whole.hex(),
        hash_right=right,
        database_size=chosen.size,
        in_use=pages.used.count(USED) * chosen.page_size,
        page_size=chosen.page_size,
        entries=sum(bucket.entries for bucket in found),
        revisions=sum(bucket.entries for bucket in found if bucket.name == b"key"),
        contents=contents,
        full=entries,
    )
    length = snapshot_judge.of_length(source.size, chosen.size)
    return Database(_concluded(source, snapshot, damages, length), pages, found)


def _concluded(
    source: Source, snapshot: Snapshot | None, damages: Damages, length: Iterable[Finding]
) -> Verdict:
    right = snapshot.hash_right if snapshot else None
    findings = [
        *length,
        *snapshot_judge.of_hash(right),
        *snapshot_judge.of_damages(damages.kept, damages.total, right),
        *(snapshot_judge.of_contents(snapshot.contents) if snapshot else ()),
    ]
    return Verdict(source.path, snapshot, tuple(findings), tuple(damages.kept), damages.total)
