"""Two snapshot files compared: what each is, and the objects in which they differ."""

from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from kubectl_admin.etcd.diff.collection import Collection
from kubectl_admin.etcd.diff.entries import collect
from kubectl_admin.etcd.diff.facts import Comparison, File, Wanted
from kubectl_admin.etcd.snapshot.bolt.source import Progress
from kubectl_admin.etcd.snapshot.facts import Verdict
from kubectl_admin.etcd.snapshot.latest import Latest
from kubectl_admin.etcd.snapshot.verify import Database, indexed_together, opened_database, quiet
from kubectl_admin.etcd.stored.kinds import PREFIX, root_of
from kubectl_admin.etcd.stored.objects import cluster
from kubectl_admin.report.text import printable

EVERYTHING = Wanted()
LONG_LABEL = 24  # characters; tables have no room for more


@dataclass(frozen=True, slots=True)
class Options:
    """How two snapshots are compared.

    prefix: below which the API server stores objects.
    wanted: the objects that are compared.
    limit: how many differences of each state are kept; None for all.
    noise: whether those that tell nothing are kept as well.
    uids: whether values are looked at of objects that one snapshot alone has; of others they always are.
    """

    prefix: str = PREFIX
    wanted: Wanted = EVERYTHING
    limit: int | None = None
    noise: bool = True
    uids: bool = True


def compare(a: Path, b: Path, options: Options, progress: Progress = quiet) -> Comparison:
    """The objects in which two snapshot files differ.

    Where a file is damaged, or not a snapshot, nothing is compared, and its verdict says why.
    progress: called from time to time with the bytes done and those to be done in all.
    Raises as `verify.verify` does.

    Cost: each file is read as `verify` reads it; then every entry of bucket «key», as `verify` does with
    `full`, both files side by side; then the pages that hold a difference. Memory: that of `verify`, some 25
    bytes for each key of both files, and some 50 for each difference that is kept.
    """
    sizes = _size(a), _size(b)
    half, whole = sum(sizes), 2 * sum(sizes)
    collection = Collection(options.limit, noise=options.noise)
    compared = has_namespace = False
    with ExitStack() as stack:
        first = stack.enter_context(opened_database(a, progress=_part(progress, 0, whole)))
        second = stack.enter_context(opened_database(b, progress=_part(progress, sizes[0], whole)))
        files = [File(label, each.verdict) for label, each in zip(labels(a, b), (first, second), strict=True)]
        if first.verdict.sound and second.verdict.sound:
            each = [first] if _has_same_bytes(first, second) else [first, second]
            read = indexed_together(each, _part(progress, half, whole))
            read = [read[0], read[-1]]
            files = [_known(file, index, options.prefix) for file, index in zip(files, read, strict=True)]
            match read:
                case Latest() as index_a, Latest() as index_b:
                    compared = True
                    has_namespace = any(_has_namespace(each, options) for each in (index_a, index_b))
                    collect(index_a, index_b, options.prefix, options.wanted, collection, uids=options.uids)
        return Comparison(
            files[0],
            files[1],
            wanted=options.wanted,
            compared=compared,
            same_file=_is_same(a, b),
            has_namespace=has_namespace,
            rows=collection.rows(),
            differences=collection,
        )


def labels(a: Path, b: Path) -> tuple[str, str]:
    """How the files are called when shown: by their names; as A and B where those are long, or equal."""
    names = printable(a.name), printable(b.name)
    return ("A", "B") if names[0] == names[1] or max(map(len, names)) > LONG_LABEL else names


def _known(file: File, read: Latest | Verdict, prefix: str) -> File:
    """The file with what its keys tell: how many there are, and of which cluster."""
    if isinstance(read, Verdict):
        return replace(file, verdict=read)
    uid, why = cluster(read, prefix)
    return replace(file, objects=read.count, cluster=uid, why=why)


def _has_namespace(index: Latest, options: Options) -> bool:
    """Whether the namespace that is asked for is there."""
    return index.find(f"{root_of(options.prefix)}namespaces/{options.wanted.namespace}".encode()) is not None


def _has_same_bytes(a: Database, b: Database) -> bool:
    """Whether the two files are the same, byte for byte."""
    return (a.verdict.snapshot and a.verdict.snapshot.sha256) == (
        b.verdict.snapshot and b.verdict.snapshot.sha256
    )


def _is_same(a: Path, b: Path) -> bool:
    try:
        return a.samefile(b)
    except OSError:  # one is gone in the meantime
        return False


def _size(path: Path) -> int:
    """Bytes of the file, for the progress alone; 0 where nothing is to be had, which is said later."""
    try:
        return path.stat().st_size
    except (OSError, ValueError):
        return 0


def _part(progress: Progress, before: int, whole: int) -> Progress:
    """The progress of a part of the work, as that of the whole."""
    return lambda done, _all: progress(before + done, whole)
