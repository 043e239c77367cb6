"""The judgement on etcd: by its members' own judge, as etcd-status; and how quick it is. Pure."""

from collections.abc import Iterator

from kubectl_admin.control_plane.component import Component
from kubectl_admin.etcd.members.facts import State as EtcdState
from kubectl_admin.etcd.members.judge import judge
from kubectl_admin.etcd.members.rules import MEMBER_DOWN, MEMBER_WITHOUT_NODE, NODE_WITHOUT_MEMBER
from kubectl_admin.finding import Finding, Severity
from kubectl_admin.health import rules
from kubectl_admin.health.asking import judged_metrics as metrics
from kubectl_admin.health.components.checks import failed_checks
from kubectl_admin.health.components.containers import is_starting
from kubectl_admin.health.components.etcd_state import ALARM, etcd_state, is_placed, reason_of_health
from kubectl_admin.health.components.series import Observed, observed, rise, value
from kubectl_admin.health.components.verdict import State
from kubectl_admin.health.facts import Facts, Process
from kubectl_admin.health.judge.states import Standing, standings

NO_LEADER = "RAFT NO LEADER"  # server/etcdserver/api/etcdhttp/health.go
READS = {"linearizable_read", "read_index"}
DISK = "give etcd a disk of its own; fio shows how long the disk takes to sync (etcd's documentation: tuning)"


def members(facts: Facts) -> Iterator[Finding]:
    """Members that answer that they are not well, where no other finding tells why."""
    for one in standings(facts, Component.ETCD):
        if one.verdict.state is State.UNHEALTHY and not _is_told(one.process):
            yield rules.ETCD_UNHEALTHY.violation(
                subject=one.subject,
                evidence=one.verdict.evidence,
                fix=_advice(one),
                objects=one.objects,
                since=one.unready_since,
            )


def cluster(facts: Facts) -> Iterator[Finding]:
    """All that etcd-status judges, as far as metrics tell it."""
    if Component.ETCD not in facts.has:
        return
    state = etcd_state(facts)
    for finding in judge(state):
        if state.etcd.members and not _is_told_by_health(facts, state, finding):
            yield finding


def speed(facts: Facts) -> Iterator[Finding]:
    """Disks and networks that are slow, and proposals that fail, between looks a minute apart or more."""
    if facts.window is None or facts.window < rules.WINDOW:
        return
    for one in standings(facts, Component.ETCD):
        yield from _disk(one, facts.window)
        yield from _peers(facts, one, facts.window)
        failed = rise(one.process, metrics.PROPOSALS_FAILED)
        if failed is not None and failed > rules.PROPOSALS_FAILED * facts.window:
            yield rules.PROPOSALS_FAIL.warning(
                subject=one.subject,
                evidence=f"{failed:,.0f} proposals failed in {facts.window:.0f} s",
                fix="look for elections and a lost quorum: kubectl admin etcd-status",
                objects=one.objects,
            )


def elections(facts: Facts) -> Iterator[Finding]:
    """Leaders that change again and again; each member counts, and all see the same elections."""
    seconds = facts.flaps.seconds if facts.flaps else facts.window
    changes = [
        (risen, one)
        for one in standings(facts, Component.ETCD)
        if (risen := _elections(facts, one)) is not None
    ]
    if not changes or seconds is None:
        return
    most, one = max(changes, key=lambda change: change[0])
    if most >= rules.FLAPPING * max(1.0, seconds / rules.FLAPPING_WINDOW):
        yield rules.LEADER_CHANGES.warning(
            subject="etcd",
            evidence=f"the leader changed {most:.0f} times in {seconds:.0f} s, as {one.subject} saw it",
            fix="look at the disks, the network between the members, and the load of their nodes",
        )


def _elections(facts: Facts, one: Standing) -> float | None:
    """How many elections a member has counted between two looks, or while a watch looked on."""
    if facts.flaps:
        return facts.flaps.elections.get(one.node.name)
    return rise(one.process, metrics.LEADER_CHANGES)


def _is_told(process: Process) -> bool:
    """Whether findings of the members' judge say why a member is not well: an alarm, no leader, a learner."""
    reason, failed = reason_of_health(process), set(failed_checks(process, "/readyz"))
    explained = {"data_corruption", "non_learner"}
    if reason == NO_LEADER and value(process, metrics.HAS_LEADER) == 0.0:
        explained |= READS
    elif reason and not reason.startswith(ALARM):
        return False
    if "non_learner" in failed and value(process, metrics.IS_LEARNER) != 1.0:
        return False
    return bool(reason or failed) and failed <= explained


def _is_told_by_health(facts: Facts, state: EtcdState, finding: Finding) -> bool:
    """Whether the states of components tell the same, or metrics can't tell it."""
    if finding.rule == MEMBER_DOWN.id:
        told = {f"node/{one.node.name}" for one in standings(facts, Component.ETCD) if _has_own(facts, one)}
        # A member without a node is one of those whose pods do not answer.
        return bool(told & set(finding.objects)) if finding.objects else bool(told) and not is_placed(state)
    if finding.rule == NODE_WITHOUT_MEMBER.id:
        return True
    return finding.rule == MEMBER_WITHOUT_NODE.id and not is_placed(state)


def _has_own(facts: Facts, one: Standing) -> bool:
    """Whether it has a finding of its own by its state, or need not serve yet."""
    return one.verdict.is_told or is_starting(facts, one.process)


def _advice(one: Standing) -> str:
    failed = {*failed_checks(one.process, "/readyz"), *failed_checks(one.process, "/livez")}
    if "serializable_read" in failed:
        return f"it can't read its own data: look at its disk and its log, kubectl -n kube-system logs \
etcd-{one.node.name}"
    if failed & READS:
        return (
            "it reads its own data, and gets no agreement: bring a majority of the members up, and look at \
the network between them (port 2380)"
        )
    if "data_corruption" in failed:
        return "save a snapshot of a sound member; remove this one, delete its data, and add it again"
    if "non_learner" in failed:
        return "promote it: etcdctl member promote"
    return f"kubectl admin etcd-status; kubectl -n kube-system logs etcd-{one.node.name}"


def _disk(one: Standing, window: float) -> Iterator[Finding]:
    for severity, name, what, limit in (
        (Severity.VIOLATION, metrics.FSYNC_BUCKETS, "writes to its log", rules.DISK_VIOLATION),
        (Severity.WARNING, metrics.FSYNC_BUCKETS, "writes to its log", rules.DISK_WARNING),
        (Severity.WARNING, metrics.COMMIT_BUCKETS, "commits of its database", rules.COMMIT_WARNING),
    ):
        found = observed(one.process, name, limit).get("")
        if found and found.count >= rules.OBSERVATIONS and found.share > rules.SLOWEST:
            yield rules.SLOW_DISK.finding(
                severity,
                subject=one.subject,
                evidence=f"{_slower(found, limit, window)} {what}",
                fix=DISK,
                objects=one.objects,
            )
            return


def _peers(facts: Facts, one: Standing, window: float) -> Iterator[Finding]:
    names = {f"{member.id:x}": member.title for member in etcd_state(facts).members if member.id is not None}
    for peer, found in observed(one.process, metrics.ROUND_TRIP_BUCKETS, rules.PEER_WARNING, "To").items():
        # Members probe each other a few times a minute: a single slow probe says nothing.
        if found.above >= 2 and found.share > rules.SLOWEST:
            yield rules.SLOW_PEER.warning(
                subject=f"{one.subject} and member {names.get(peer, peer)}",
                evidence=f"{_slower(found, rules.PEER_WARNING, window)} round trips",
                fix="look at the network between these two, and at the load of their nodes",
                objects=one.objects,
            )


def _slower(found: Observed, limit: float, window: float) -> str:
    return f"in {window:.0f} s {found.above:,.0f} of {found.count:,.0f} took longer than {limit:g} s:"
