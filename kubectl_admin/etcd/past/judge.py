"""Whether a snapshot can be opened on a machine, and which machine is the best. Pure."""

from collections.abc import Iterator, Sequence

from kubectl_admin.etcd.past import rules
from kubectl_admin.etcd.past.facts import Past, Place
from kubectl_admin.etcd.restore.judge.versions import VERSION
from kubectl_admin.finding import Finding, Severity
from kubectl_admin.report.text import mib, mib_needed, printable

# Bytes that etcd and kube-apiserver take without any object.
PROGRAMS = 400 << 20
# Bytes on disk of etcd's log (two files of 64 MiB, of which one is prepared), of what the database grows by
# (64 MiB), and of the programs' words (8 MB each).
LOGS = 224 << 20
BINARIES = 256 << 20  # bytes of the programs, which are copied to where the snapshot is


SPARE_ROOM = 256 << 20  # bytes on disk that stay free for all else
SPARE_MEMORY = 512 << 20  # bytes of memory that stay available for all else, at least
SPARE_PART = 10  # or one part of so many of all memory, where that is more


def needed_memory(size: int) -> int:
    """Bytes of memory for a snapshot of so many bytes: etcd maps the file, the API server decodes it."""
    return 2 * size + PROGRAMS


def needed_room(size: int, copies: int) -> int:
    """Bytes that must be free on disk: for the database, so many copies of the file, and all else there."""
    return (1 + copies) * size + LOGS + SPARE_ROOM + (BINARIES if copies else 0)


def spare_memory(total: int | None) -> int:
    """Bytes that stay available for all else on a machine with so many bytes of memory."""
    return max(SPARE_MEMORY, (total or 0) // SPARE_PART)


def judge(past: Past, place: Place) -> list[Finding]:
    """Violations forbid it; all else is to be known."""
    return [*_versions(past, place), *_memory(past, place), *_room(past, place)]


def best(past: Past, places: Sequence[Place]) -> Place | None:
    """The place with the most memory of those where nothing forbids it; None where there is none."""
    able = [
        place for place in places if not any(one.severity is Severity.VIOLATION for one in judge(past, place))
    ]
    return max(able, key=lambda place: place.memory or 0, default=None)


def other_cluster(past: Past, uid: str) -> list[Finding]:
    """Whether it is of another cluster than the one whose namespace kube-system has this UID.

    uid: "" where it could not be read.
    """
    if uid and past.cluster == uid:
        return []
    if not past.cluster:
        seen = "it is not known whether it is of another cluster: it does not tell the UID of kube-system"
    elif not uid:
        seen = "it is not known whether it is of another cluster: that of the node does not tell its UID"
    else:
        seen = f"it is of another cluster: its namespace kube-system has UID {printable(past.cluster)}"
    return [rules.OPEN_CLUSTER.note(subject="the snapshot", evidence=seen)]


def _versions(past: Past, place: Place) -> Iterator[Finding]:
    made, there = minor(past.etcd), minor(place.etcd)
    if made and there and made > there:
        yield rules.OPEN_ETCD.violation(
            subject="the snapshot",
            evidence=f"etcd {_text(made)} made it, and that of {place.name} is {place.etcd}",
            fix=f"open it where etcd is {_text(made)} or newer, or with --local",
        )
    was, runs = minor(past.kubernetes), minor(place.kubernetes)
    if was and runs and was != runs:
        yield rules.OPEN_KUBERNETES.note(
            subject="the snapshot",
            evidence=f"the cluster was {printable(past.kubernetes)}, and kube-apiserver of {place.name} is "
            f"{place.kubernetes}: it adds its own default objects, and hides kinds that it does not serve",
        )


def _memory(past: Past, place: Place) -> Iterator[Finding]:
    spare = spare_memory(place.total)
    needed = needed_memory(past.size) + spare
    if place.memory is not None and place.memory < needed:
        yield rules.OPEN_MEMORY.violation(
            subject=place.name,
            evidence=f"{mib(place.memory)} MiB of memory are available on {place.name}, and "
            f"{mib_needed(needed)} MiB are needed, of which {mib(spare)} MiB stay free for all else",
            fix="open it on another node (--node), or on this machine (--local)",
        )


def _room(past: Past, place: Place) -> Iterator[Finding]:
    needed = needed_room(past.size, place.copies)
    if place.room < needed:
        yield rules.OPEN_ROOM.violation(
            subject=place.name,
            evidence=f"{mib(place.room)} MiB are free on {place.name}, and {mib_needed(needed)} MiB needed",
            fix="free some space there, or open it elsewhere (--node, --local)",
        )


def minor(version: str) -> tuple[int, int] | None:
    """Major and minor of a version; None for other text."""
    found = VERSION.fullmatch(version)
    return (int(found[1]), int(found[2])) if found else None


def _text(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"
