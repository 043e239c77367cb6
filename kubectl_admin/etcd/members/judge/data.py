"""The judgement on the members' data: whether it agrees, how much there is, how far each has come. Pure.

Thresholds of size are those of etcd's own alerts (contrib/mixin/alerts/alerts.libsonnet) where it has any.
"""

from collections.abc import Iterator, Sequence

from kubectl_admin.etcd.members.state import LAG, Member, State
from kubectl_admin.etcd.units import size
from kubectl_admin.finding import Finding, Severity

NEAR_QUOTA = 0.80  # of the quota: time to look
AT_QUOTA = 0.95  # of the quota: writes are about to be refused
WASTED = 0.5  # of the file in use
WORTH_IT = 100 << 20  # bytes of file below which free space is no matter
MAINTENANCE = "https://etcd.io/docs/latest/op-guide/maintenance/"
CORRUPTION = "https://etcd.io/docs/latest/op-guide/data_corruption/"
ALARMS = {
    "NOSPACE": (
        "a database that has reached its quota takes no more writes, in the whole cluster",
        "find out what fills it, compact, defragment one member after another (etcdctl defrag), then "
        "etcdctl alarm disarm; or raise --quota-backend-bytes, at most to 8 GiB",
        f"{MAINTENANCE}#space-quota",
    ),
    "CORRUPT": (
        "all members have the same data",
        "save a snapshot of a sound member; then remove the corrupt one, delete its data, and add it again",
        CORRUPTION,
    ),
}


def alarms(state: State) -> Iterator[Finding]:
    """Alarms that members have raised, and those that such members left which are in no list any more."""
    titles = {member.id: member.title for member in state.members}
    for kind in sorted({alarm.kind for alarm in state.alarms}):
        raised = [alarm.member_id for alarm in state.alarms if alarm.kind == kind]
        says, fix, source = ALARMS.get(kind, ("no alarm is raised", "see etcd's log", MAINTENANCE))
        yield Finding(
            Severity.VIOLATION,
            f"alarm-{kind.lower()}",
            f"alarm {kind}",
            says,
            f"raised by {', '.join(titles.get(one) or f'{one:x}, which is no member' for one in raised)}",
            fix,
            source,
            _objects([member for member in state.members if member.id in raised]),
        )


def hashes(state: State) -> Iterator[Finding]:
    """Members whose data differs, and whether that could be looked at."""
    if state.differing:
        members = [member for member in state.members if member.pod in state.differing]
        shown = ", ".join(
            f"{member.title} {member.hash.value:08x}" for member in state.members if member.hash
        )
        yield Finding(
            Severity.VIOLATION,
            "hashes-differ",
            "etcd's data",
            "all members have the same data at the same revision",
            f"at revision {state.hashed}: {shown}",
            "save a snapshot of a member of the majority; then remove those that differ, delete their data, "
            "and add them again",
            CORRUPTION,
            _objects(members),
        )
    elif state.unhashed:
        yield Finding(
            Severity.NOTE,
            "not-seen",
            "whether the members' data agrees",
            "what can't be seen is not judged",
            state.unhashed,
        )


def room(state: State) -> Iterator[Finding]:
    """Databases that are near their quota, or mostly empty."""
    for member in state.members:
        status = member.status
        if not status:
            continue
        wasteful = status.size > WORTH_IT and status.in_use < WASTED * status.size
        if member.quota and status.size >= NEAR_QUOTA * member.quota:
            used = f"{size(status.size)} of {size(member.quota)}, {status.size / member.quota:.0%}"
            yield Finding(
                Severity.VIOLATION if status.size >= AT_QUOTA * member.quota else Severity.WARNING,
                "near-quota",
                f"etcd member {member.title}",
                "a database that reaches its quota takes no more writes",
                f"its file has {used}; {size(status.in_use)} are in use",
                "defragment it (etcdctl defrag), one member after another"
                if wasteful
                else "find out what fills it, or raise --quota-backend-bytes, at most to 8 GiB",
                f"{MAINTENANCE}#space-quota",
                member.objects,
            )
        elif wasteful:
            yield Finding(
                Severity.WARNING,
                "fragmented",
                f"etcd member {member.title}",
                "space that compaction frees goes back to the disk by defragmentation alone",
                f"of {size(status.size)} only {size(status.in_use)} are in use",
                "etcdctl defrag, one member after another, the leader last: it answers nobody meanwhile",
                f"{MAINTENANCE}#defragmentation",
                member.objects,
            )


def lag(state: State) -> Iterator[Finding]:
    """Members that are behind the others, or with applying what they have."""
    for member in state.members:
        status = member.status
        if not status or member.learner:
            continue
        behind, unapplied = state.index - status.index, status.index - status.applied
        if max(behind, unapplied) > LAG:
            yield Finding(
                Severity.WARNING,
                "behind",
                f"etcd member {member.title}",
                f"members are at most {LAG} raft entries behind",
                f"{behind} entries behind the newest, {unapplied} not applied",
                "look at its disk and its network; etcd's log names what takes too long",
                "https://etcd.io/docs/latest/tuning/",
                member.objects,
            )


def _objects(members: Sequence[Member]) -> tuple[str, ...]:
    return tuple(name for member in members for name in member.objects)
