"""The judgement on volumes, their snapshots and attachments. Pure."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from kubectl_admin.etcd.restore.consequences import rules
from kubectl_admin.etcd.restore.consequences.facts import Attachment, Content, Side, Volume
from kubectl_admin.finding import Finding, Severity
from kubectl_admin.report.text import some_of


@dataclass(frozen=True, slots=True)
class Strays:
    """Storage and objects that do not belong together once the snapshot's objects are back.

    orphans: volumes and contents of now whose storage has no object then. dangling: those of the snapshot
    whose storage has no object now, so that it may be gone. stale: attachments of the snapshot that are none.
    """

    orphans: tuple[Volume | Content, ...] = ()
    dangling: tuple[Volume | Content, ...] = ()
    stale: tuple[Attachment, ...] = ()


def strays(old: Side, new: Side) -> Strays:
    """The three lists. old: the snapshot's objects. new: those from before the restore."""

    def without(some: Side, others: Side) -> tuple[Volume | Content, ...]:
        volumes = {one.storage for one in others.volumes}
        contents = {one.storage for one in others.contents}
        return (
            *(one for one in some.volumes if one.storage not in volumes),
            *(one for one in some.contents if one.storage and one.storage not in contents),
        )

    ties = {one.tie for one in new.attachments}
    return Strays(
        orphans=without(new, old),
        dangling=without(old, new),
        stale=tuple(one for one in old.attachments if one.tie not in ties),
    )


def judge(old: Side, new: Side, *, forced: bool = False) -> Iterator[Finding]:
    """The findings on volumes. forced: whether a person has accepted that storage changes hands."""
    if pairs := handed_over(old, new):
        yield rules.STORAGE_OF_ANOTHER_CLAIM.finding(
            Severity.WARNING if forced else Severity.VIOLATION,
            subject=f"storage of another claim: {some_of([before.name for before, _ in pairs])}",
            evidence=some_of([change(before, now) for before, now in pairs], separator="; "),
            fix="--force-volumes restores all the same; save the data first, or give it another place",
            objects=dict.fromkeys(f"persistentvolume/{before.name}" for before, _ in pairs),
        )
    yield from named(strays(old, new))


def handed_over(old: Side, new: Side) -> list[tuple[Volume, Volume]]:
    """Volumes of the snapshot with those of now that are the same storage, and of a claim of another name.

    Local and hostPath volumes are the same storage if their paths are, on a node that both may be on.
    """
    by_storage: dict[str, list[Volume]] = defaultdict(list)
    by_path: dict[str, list[Volume]] = defaultdict(list)
    for one in new.volumes:
        if one.claim:
            (by_path[one.path] if one.path else by_storage[one.storage]).append(one)
    return [
        (before, now)
        for before in old.volumes
        if before.claim
        for now in (by_path[before.path] if before.path else by_storage[before.storage])
        if now.claim != before.claim and meet(before, now)
    ]


def meet(one: Volume, other: Volume) -> bool:
    """Whether two volumes of the same path may be on the same node."""
    return one.nodes is None or other.nodes is None or bool(one.nodes & other.nodes)


def change(before: Volume, now: Volume) -> str:
    """How storage would change hands."""
    return f"{now.storage} is of claim {words(now)} now, and would be of {words(before)}"


def words(volume: Volume) -> str:
    """A volume's claim, «namespace/name»."""
    return "/".join(volume.claim) if volume.claim else "none"


def named(found: Strays, file: str = "FILE.before/volumes.json") -> Iterator[Finding]:
    """The findings that name them, before a restore and after it. file: has the objects of before."""
    if found.orphans:
        yield rules.STORAGE_ORPHANED.warning(
            subject=f"storage without an object after the restore: {some_of(titles(found.orphans))}",
            evidence=some_of([one.storage for one in found.orphans], separator="; "),
            fix=f"{file} has their objects: create those that are needed again, with their"
            " claimRef and without their uid; have the others' storage deleted where it is kept",
            objects=titles(found.orphans),
        )
    if found.dangling:
        yield rules.VOLUME_DANGLING.warning(
            subject=f"objects whose storage may be gone: {some_of(titles(found.dangling))}",
            evidence=some_of([one.storage for one in found.dangling], separator="; "),
            fix="look for each where storage is kept; delete the objects of what is gone: kubectl delete",
            objects=titles(found.dangling),
        )
    if found.stale:
        yield rules.ATTACHMENT_STALE.warning(
            subject=f"attachments of the past: {some_of([one.name for one in found.stale])}",
            evidence=some_of([tie(one) for one in found.stale], separator="; "),
            fix="most are detached by themselves; where one stays, and no pod on its node uses the volume:"
            " kubectl delete volumeattachment",
            objects=[f"volumeattachment/{one.name}" for one in found.stale],
        )


def titles(found: Iterable[Volume | Content]) -> Sequence[str]:
    """As findings name them."""
    kind: Callable[[Volume | Content], str] = lambda one: (  # noqa: E731 - two words
        "persistentvolume" if isinstance(one, Volume) else "volumesnapshotcontent"
    )
    return [f"{kind(one)}/{one.name}" for one in found]


def tie(attachment: Attachment) -> str:
    """What is attached to what."""
    return f"{attachment.volume or 'a volume in a pod'} to node {attachment.node}"
