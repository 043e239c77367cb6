"""The judgement on the members' data: whether it agrees, how much there is, how far each has come. Pure.

Thresholds of size are those of etcd's own alerts (contrib/mixin/alerts/alerts.libsonnet) where it has any.
"""

from collections.abc import Iterator

from kubectl_admin.etcd.members.facts import LAG, State, objects_of
from kubectl_admin.etcd.members.rules import BEHIND, FRAGMENTED, HASHES_DIFFER, NEAR_QUOTA
from kubectl_admin.etcd.rules import ALARM_UNKNOWN, ALARMS
from kubectl_admin.finding import NOT_SEEN, Finding, Severity
from kubectl_admin.report.text import size

QUOTA_WARNING = 0.80  # of the quota: time to look
QUOTA_VIOLATION = 0.95  # of the quota: writes are about to be refused
IN_USE_AT_LEAST = 0.5  # of the file
FRAGMENTED_FROM = 100 << 20  # bytes of file below which free space does not matter
MAKE_ROOM = "find out what fills it, or raise --quota-backend-bytes, at most to 8 GiB"
ALARM_FIXES = {
    "NOSPACE": "find out what fills it, compact, defragment one member after another (etcdctl defrag), then "
    "etcdctl alarm disarm; or raise --quota-backend-bytes, at most to 8 GiB",
    "CORRUPT": "save a snapshot of a sound member; then remove the corrupt one, delete its data, and add it "
    "again",
}


def alarms(state: State) -> Iterator[Finding]:
    """Alarms that members have raised, including those of members that are in no list any more."""
    titles = {member.id: member.title for member in state.members}
    for kind in sorted({alarm.kind for alarm in state.alarms}):
        raised = [alarm.member_id for alarm in state.alarms if alarm.kind == kind]
        who = ", ".join(
            "a member that is not named"
            if one is None
            else titles.get(one) or f"{one:x}, which is not a member"
            for one in raised
        )
        yield ALARMS.get(kind, ALARM_UNKNOWN).violation(
            subject=f"alarm {kind}",
            evidence=f"raised by {who}",
            fix=ALARM_FIXES.get(kind, "see etcd's log"),
            objects=objects_of(
                [member for member in state.members if member.id is not None and member.id in raised]
            ),
        )


def hashes(state: State) -> Iterator[Finding]:
    """Members whose data differs, and whether that could be looked at."""
    if state.differing:
        members = [member for member in state.members if member.pod in state.differing]
        shown = ", ".join(
            f"{member.title} {member.hash.value:08x}" for member in state.members if member.hash
        )
        yield HASHES_DIFFER.violation(
            subject="etcd's data",
            evidence=f"at revision {state.hashed}: {shown}",
            fix="save a snapshot of a member of the majority; then remove the members that differ, delete "
            "their data, and add them again",
            objects=objects_of(members),
        )
    elif state.unhashed:
        yield NOT_SEEN.note(
            subject="whether the members' data agrees",
            evidence=state.unhashed,
        )


def room(state: State) -> Iterator[Finding]:
    """Databases that are near their quota, or mostly empty."""
    for member in state.members:
        status = member.status
        if not status:
            continue
        wasteful = status.size > FRAGMENTED_FROM and status.in_use < IN_USE_AT_LEAST * status.size
        if member.quota and status.size >= QUOTA_WARNING * member.quota:
            used = f"{size(status.size)} of {size(member.quota)}, {status.size / member.quota:.0%}"
            severity = (
                Severity.VIOLATION if status.size >= QUOTA_VIOLATION * member.quota else Severity.WARNING
            )
            yield NEAR_QUOTA.finding(
                severity,
                subject=f"etcd member {member.title}",
                evidence=f"its file has {used}; {size(status.in_use)} are in use",
                fix=("defragment it (etcdctl defrag), one member after another" if wasteful else MAKE_ROOM),
                objects=member.objects,
            )
        elif wasteful:
            yield FRAGMENTED.warning(
                subject=f"etcd member {member.title}",
                evidence=f"of {size(status.size)} only {size(status.in_use)} are in use",
                fix="etcdctl defrag, one member after another, the leader last; a member does not answer "
                "while it is defragmented",
                objects=member.objects,
            )


def lag(state: State) -> Iterator[Finding]:
    """Members that are behind the others, or with applying what they have."""
    for member in state.members:
        status = member.status
        if not status or member.learner:
            continue
        behind, unapplied = state.index - status.index, status.index - status.applied
        if max(behind, unapplied) > LAG:
            yield BEHIND.warning(
                subject=f"etcd member {member.title}",
                evidence=f"{behind} entries behind the newest, {unapplied} not applied",
                fix="look at its disk and its network; etcd's log names what takes too long",
                objects=member.objects,
            )
