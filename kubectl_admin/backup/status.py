"""How old the backups of a cluster are, by the archives themselves and not by the jobs that make them. Pure.

A job that has ended well says nothing about an archive that can be read. So only the newest verified archive
counts, for each thing that is wanted in it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from kubectl_admin.backup import rules
from kubectl_admin.backup.facts import Archive, Kind
from kubectl_admin.finding import Finding
from kubectl_admin.report.text import printable, relative, span

WANTED = (Kind.ETCD, Kind.FILES)
CLOCKS = timedelta(minutes=5)  # by which two machines' clocks may differ
THINGS = {Kind.ETCD: "etcd", Kind.FILES: "the nodes' files", Kind.OBJECTS: "objects"}


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest verified archive that holds something. archive: None where there is none. age: seconds."""

    kind: Kind
    archive: Archive | None
    age: float


def newest(
    archives: Iterable[Archive], uid: str, now: datetime, wanted: Sequence[Kind] = WANTED
) -> list[Newest]:
    """The newest verified archives of the cluster, one for each thing that is wanted; none of the future.

    uid: of the cluster's namespace kube-system; "" for the archives of any cluster.
    """
    own = [one for one in archives if uid in ("", one.manifest.uid) and not _is_early(one, now)]
    found = []
    for kind in wanted:
        fit = [one for one in own if one.is_verified and kind in one.manifest.kinds]
        best = max(fit, key=lambda one: (one.manifest.taken, one.name), default=None)
        age = max(0.0, (now - best.manifest.taken).total_seconds()) if best else 0.0
        found.append(Newest(kind, best, age))
    return found


def judge(
    archives: Sequence[Archive],
    uid: str,
    now: datetime,
    max_age: float | None,
    wanted: Sequence[Kind] = WANTED,
) -> list[Finding]:
    """All that is wrong with the backups of the cluster.

    max_age: seconds that the newest verified archive may be old; None: any. The rest: as in `newest`.
    """
    found = newest(archives, uid, now, wanted)
    own = [one for one in archives if uid in ("", one.manifest.uid)]
    return [
        *_of_age(found, own, max_age),
        *_of_newer(found, own, now),
        *_of_future(own, now),
        *_of_holes(found),
    ]


def _of_age(found: Sequence[Newest], own: Sequence[Archive], max_age: float | None) -> Iterator[Finding]:
    for one in found:
        what = THINGS[one.kind]
        if one.archive is None:
            seen = f"{len(own):,} archives of the cluster are there, and none of them is verified and has it"
            yield rules.NO_ARCHIVE.violation(
                subject=f"backup of {what}",
                evidence=seen if own else "no archive of the cluster is there",
                fix="kubectl admin backup",
            )
        elif max_age is not None and one.age > max_age:
            yield rules.TOO_OLD.violation(
                subject=f"backup of {what}",
                evidence=f"{printable(one.archive.name)} is {span(one.age)} old, and may be {span(max_age)}",
                fix="see why no newer one was made: kubectl admin backup",
                objects=[f"archive/{one.archive.name}"],
                since=one.archive.manifest.taken + timedelta(seconds=max_age),
            )


def _of_newer(found: Sequence[Newest], own: Sequence[Archive], now: datetime) -> Iterator[Finding]:
    """Archives that are not verified, and newer than those that are: the last runs may all be so."""
    known = [one.archive.manifest.taken for one in found if one.archive]
    limit = min(known, default=None)
    bad = [
        one
        for one in sorted(own, key=lambda one: one.manifest.taken, reverse=True)
        if not one.is_verified and not _is_early(one, now) and (limit is None or one.manifest.taken > limit)
    ]
    for one in bad[:1]:
        short = f"has {one.size:,} bytes, and {one.whole:,} were written"
        yield rules.NOT_VERIFIED.warning(
            subject=f"{len(bad):,} archives" if len(bad) > 1 else "1 archive",
            evidence=(
                f"{printable(one.name)} is newer than any that is verified, and "
                f"{'was not verified' if one.size == one.whole else short}"
            ),
            fix=f"kubectl admin backup verify {printable(one.name)}",
            objects=[f"archive/{each.name}" for each in bad],
        )


def _of_future(own: Sequence[Archive], now: datetime) -> Iterator[Finding]:
    early = [one for one in own if _is_early(one, now)]
    for one in early[:1]:
        yield rules.OF_THE_FUTURE.warning(
            subject=f"{len(early):,} archives" if len(early) > 1 else "1 archive",
            evidence=f"{printable(one.name)} was made {relative(one.manifest.taken, now)}, by its manifest",
            fix="set the clocks of this machine and of those that make backups; such archives do not count",
            objects=[f"archive/{each.name}" for each in early],
        )


def _of_holes(found: Sequence[Newest]) -> Iterator[Finding]:
    files = next((one.archive for one in found if one.kind is Kind.FILES and one.archive), None)
    lacking = [node for node in files.manifest.nodes if node.why] if files else []
    if files and lacking:
        yield rules.INCOMPLETE.warning(
            subject=printable(files.name),
            evidence=(
                f"it lacks the files of {len(lacking)} control planes: {printable(lacking[0].name)}: "
                f"{printable(lacking[0].why)}"
            ),
            fix="make another one when they are well",
            objects=[f"node/{node.name}" for node in lacking],
        )


def _is_early(archive: Archive, now: datetime) -> bool:
    return archive.manifest.taken > now + CLOCKS
