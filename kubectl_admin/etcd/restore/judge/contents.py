"""The file itself, the cluster that it is of, and its size. Pure."""

from collections.abc import Iterator

from kubectl_admin.etcd.restore import rules
from kubectl_admin.etcd.restore.judge.forcing import SUBJECT, unless
from kubectl_admin.etcd.restore.look.facts import Forced, LiveFacts, SnapshotFacts
from kubectl_admin.etcd.snapshot.facts import Snapshot
from kubectl_admin.etcd.snapshot.judge import Standing, standing
from kubectl_admin.etcd.snapshot.rules import NO_HASH
from kubectl_admin.finding import Finding, Severity
from kubectl_admin.report.text import printable, size, some_of

FULL = 0.9  # of the quota, above which the first days after a restore may fill it


def of_file(file: SnapshotFacts) -> Iterator[Finding]:
    """Faults of the file itself. A file without its sha256 may end anywhere: no restore takes it."""
    for finding in file.verdict.findings:
        if finding.severity is Severity.VIOLATION:
            yield finding
        elif finding.rule == NO_HASH.id:
            yield NO_HASH.violation(
                subject=finding.subject,
                evidence=finding.evidence,
                fix="take a file that «kubectl admin etcd-snapshot» or «etcdctl snapshot save» has written",
            )


def of_identity(file: SnapshotFacts, live: LiveFacts, forced: Forced) -> Iterator[Finding]:
    """Whether both are of one cluster. Etcd's own cluster id tells nothing: each restore makes a new one."""
    option = "--force-other-cluster"
    if not file.cluster.text or not live.cluster.text:
        yield rules.CLUSTER_UNKNOWN.finding(
            unless(forced.other_cluster),
            subject=SUBJECT,
            evidence=f"it is not known of which cluster it is: {file.cluster.why or live.cluster.why}",
            fix=f"if you know that it is of this cluster: {option}",
        )
    elif file.cluster.text != live.cluster.text:
        yield rules.OTHER_CLUSTER.finding(
            unless(forced.other_cluster),
            subject=SUBJECT,
            evidence=(
                f"it is of another cluster: kube-system is {printable(file.cluster.text)} in it, and "
                f"{live.cluster.text} here"
            ),
            fix=f"take a snapshot of this cluster; if another's is to come here: {option}",
        )


def of_quota(
    file: SnapshotFacts, live: LiveFacts, forced: Forced, *, defrag: bool | None = None
) -> Iterator[Finding]:
    """The room below the quota, of which the whole file counts, and not what is in use of it.

    Before etcd 3.6 the restored file is as large as the snapshot, and after.
    """
    if file.snapshot is None or not live.quota:
        return
    taken = file.snapshot.in_use if defrag else file.snapshot.database_size
    if taken <= limit_of(live.quota):
        return
    smaller = file.snapshot.in_use <= limit_of(live.quota) and defrag is False
    way = "make it smaller on the way: --defrag" if smaller else "raise etcd's --quota-backend-bytes first"
    used = (
        f"also defragmented it would have {size(taken)}"
        if defrag
        else f"its database is {size(taken)}, of which {size(file.snapshot.in_use)} are in use"
    )
    yield rules.QUOTA.finding(
        unless(forced.quota),
        subject=SUBJECT,
        evidence=f"{used}, and etcd's quota is {size(live.quota)}: above nine tenths",
        fix=f"{way}; if it is to be restored as it is: --force-quota",
    )


def limit_of(quota: int) -> int:
    """Bytes of a quota that a restored database may take."""
    return int(FULL * quota)


def of_members(file: SnapshotFacts) -> Iterator[Finding]:
    """Notes on what a restore changes in the file's small parts."""
    snapshot = file.snapshot
    if snapshot is None:
        return
    for alarm in snapshot.contents.alarms:
        is_corrupt = alarm.kind == "CORRUPT"
        yield rules.ALARM_IN_SNAPSHOT.finding(
            Severity.WARNING if is_corrupt else Severity.NOTE,
            subject=f"alarm {alarm.kind}",
            evidence="it was raised when the snapshot was taken, and is disarmed in the restored etcd",
            fix="the data of a member had differed from the others': look for what is missing"
            if is_corrupt
            else "",
        )
    if odd := _odd_members(snapshot):
        yield rules.MEMBERS_DROPPED.note(
            subject=SUBJECT, evidence=f"its list of members is odd, and is dropped: {some_of(odd)}"
        )


def _odd_members(snapshot: Snapshot) -> list[str]:
    contents = snapshot.contents
    return [
        f"{printable(member.name) or member.id} ({how})"
        for member in contents.members
        if (how := standing(member, contents)) is not Standing.VOTER
    ]
