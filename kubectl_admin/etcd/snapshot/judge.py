"""Faults of a snapshot file, and facts to know before it is restored. Pure."""

from collections.abc import Iterator, Sequence
from enum import StrEnum

from kubectl_admin.etcd.rules import ALARM_UNKNOWN, ALARMS
from kubectl_admin.etcd.snapshot.bolt.damage import ENOUGH, Damage
from kubectl_admin.etcd.snapshot.contents import Member
from kubectl_admin.etcd.snapshot.reading import Contents
from kubectl_admin.etcd.snapshot.rules import (
    DAMAGED,
    LEARNER,
    LENGTH,
    NO_HASH,
    NOT_A_SNAPSHOT,
    RESTORED,
    SHA256,
    TRUNCATED,
    UNPROMOTED_LEARNER,
    ZOMBIE_MEMBER,
)
from kubectl_admin.finding import Finding

HASH = 32  # bytes of sha256 that etcd appends to a snapshot
SECTOR = 512  # bytes; etcd takes a file for a snapshot if its length is a multiple of this and HASH

SAFE_35 = "3.5.26"  # the first 3.5 that writes its true members to the database before an upgrade
ANOTHER = "copy it again from its source; if the copy is the same, use another snapshot"
# The meaning of an alarm in a snapshot, and what to do, by its kind.
ALARMS_IN_A_SNAPSHOT = {
    "NOSPACE": (
        "an alarm is part of the database: a restored etcd takes no writes until it is disarmed",
        "after a restore: compact, etcdctl defrag, then etcdctl alarm disarm",
    ),
    "CORRUPT": (
        "etcd raises it where the data of members differ, and answers nothing until it is disarmed",
        "before a restore, compare the members: etcdctl endpoint hashkv --cluster",
    ),
}
ANY_ALARM = (
    "an alarm is part of the database, and in force again after a restore",
    "after a restore: etcdctl alarm list, and once its cause is gone etcdctl alarm disarm",
)


def has_hash(size: int) -> bool:
    """Whether a file of so many bytes has an appended sha256, as etcd decides it.

    Source: etcd-io/etcd etcdutl/snapshot/v3_snapshot.go, hasChecksum.
    """
    return size % SECTOR == HASH


def not_a_snapshot(what: str, fix: str) -> Finding:
    """The file is something else."""
    return NOT_A_SNAPSHOT.violation(
        subject="the file",
        evidence=f"it is {what}",
        fix=fix,
    )


def of_length(size: int, database: int) -> Iterator[Finding]:
    """The file's length against that of the database that it should contain, both in bytes."""
    behind = size - database
    if behind < 0:
        lacking = f"{-behind + HASH:,} of {database + HASH:,} bytes are missing at its end"
        yield TRUNCATED.violation(
            subject="the file",
            evidence=lacking,
            fix=ANOTHER,
        )
    elif 0 < behind < HASH:
        lacking = f"{HASH - behind} of the 32 bytes of its sha256 are missing"
        yield TRUNCATED.violation(
            subject="the file",
            evidence=lacking,
            fix=ANOTHER,
        )
    elif has_hash(size):
        return
    elif size % SECTOR:
        evidence = f"{behind:,} bytes follow the database"
        yield LENGTH.violation(
            subject="the file",
            evidence=evidence,
            fix=ANOTHER,
        )
    else:
        yield NO_HASH.warning(
            subject="the file",
            evidence="it has no sha256: it is a member's own file (member/snap/db), or a snapshot without "
            "its last 32 bytes; nothing shows that it is whole",
            fix="prefer a snapshot; «etcdutl snapshot restore» takes this one with --skip-hash-check",
        )


def of_hash(right: bool | None) -> Iterator[Finding]:
    """The appended sha256 is not that of the rest."""
    if right is False:
        yield SHA256.violation(
            subject="the file",
            evidence="its sha256 is wrong: it was changed or damaged after etcd sent it",
            fix=ANOTHER,
        )


def of_damages(kept: Sequence[Damage], total: int, hash_right: bool | None) -> Iterator[Finding]:
    """Places that are damaged. Where the sha256 is right, they were so in the member's own database."""
    if not kept:
        return
    fix = ANOTHER
    if hash_right:
        fix = (
            "the sha256 is right, so the member's own database was damaged: take a snapshot from another "
            "member, and replace this one"
        )
    more = " or more" if total >= ENOUGH else ""
    places = str(kept[0]) if total == 1 else f"{total:,} places{more}, first {kept[0]}"
    yield DAMAGED.violation(
        subject="the database",
        evidence=places,
        fix=fix,
    )


def of_contents(contents: Contents) -> Iterator[Finding]:
    """Warnings on the content of the database: what matters for a restore, or for the next upgrade."""
    yield from _alarms(contents)
    yield from _members(contents)


def _alarms(contents: Contents) -> Iterator[Finding]:
    names = {member.id: member.name for member in contents.members}
    for alarm in contents.alarms:
        by = f"{names.get(alarm.member) or 'a member'} ({alarm.member})"
        says, fix = ALARMS_IN_A_SNAPSHOT.get(alarm.kind, ANY_ALARM)
        yield ALARMS.get(alarm.kind, ALARM_UNKNOWN).warning(
            subject=f"alarm {alarm.kind}", says=says, evidence=f"raised by {by}, not disarmed", fix=fix
        )


class Standing(StrEnum):
    """How raft has a member of the list, in the words that are shown."""

    VOTER = "voter"
    LEARNER = "learner"
    UNPROMOTED = "learner and voter"  # a learner by the list, promoted in raft
    ZOMBIE = "not in raft"


def standing(member: Member, contents: Contents) -> Standing:
    """How raft has the member; as the list has it where raft is missing, or that of another cluster."""
    raft = contents.raft
    if raft and not restored(contents):
        if member.id not in raft.voters | raft.learners:
            return Standing.ZOMBIE
        if member.learner and member.id in raft.voters:
            return Standing.UNPROMOTED
    return Standing.LEARNER if member.learner else Standing.VOTER


def restored(contents: Contents) -> bool:
    """Whether the database was restored, and its members have not changed since.

    `etcdutl snapshot restore` writes a new list of members. Raft's stays as it was: etcd writes it with each
    change of members, however long it has run. Source: etcd-io/etcd server/storage/hooks.go, SetConfState,
    which only applyConfChange of server/etcdserver/server.go calls.
    """
    listed = {member.id for member in contents.members}
    return contents.raft is not None and not contents.raft.voters | contents.raft.learners <= listed


def _members(contents: Contents) -> Iterator[Finding]:
    if contents.members and restored(contents):
        yield RESTORED.note(
            subject="the database",
            evidence="raft has members that the list lacks: it was restored, and its members have not "
            "changed since",
        )
    old = contents.storage_version is None  # 3.5 or older, where raft and the list of members may differ
    upgrade = f"upgrade every member to {SAFE_35} or later before any step to 3.6"
    for member in contents.members:
        match standing(member, contents):
            case Standing.ZOMBIE:
                yield ZOMBIE_MEMBER.warning(
                    subject=f"member {_named(member)}",
                    evidence="it is in the list of members and not in raft: it was removed long ago",
                    fix=(upgrade if old else "remove it: etcdctl member remove"),
                )
            case Standing.UNPROMOTED:
                yield UNPROMOTED_LEARNER.warning(
                    subject=f"member {_named(member)}",
                    evidence="it votes in raft, and the list of members has it as a learner",
                    fix=(upgrade if old else "compare with the list of the members: etcdctl member list"),
                )
            case Standing.LEARNER:
                yield LEARNER.warning(
                    subject=f"member {_named(member)}",
                    evidence="it was a learner when the snapshot was taken",
                    fix="see whether it was promoted since: etcdctl member list",
                )


def _named(member: Member) -> str:
    return f"{member.name} ({member.id})" if member.name else f"{member.id}, never started"
