"""The judgement on the cluster as a whole: one cluster, its quorum, its leader, its versions. Pure."""

from collections.abc import Iterator

from kubectl_admin.etcd.members.facts import Member, State, objects_of, titles_of
from kubectl_admin.etcd.members.flags import parts
from kubectl_admin.etcd.members.rules import (
    APISERVER_USES_ANOTHER_ETCD,
    CLUSTER_NO_ANSWER,
    CLUSTERS_DIFFER,
    ETCD_DOWNGRADE,
    LEADERS_DIFFER,
    NO_LEADER,
    NO_SPARE_MEMBER,
    QUORUM_LOST,
    VERSIONS_DIFFER,
)
from kubectl_admin.finding import Finding, Severity


def split(state: State) -> Iterator[Finding]:
    """Members of different clusters, as after a restore that did not name them all."""
    clusters: dict[int, list[Member]] = {}
    for member in state.members:
        if member.status:
            clusters.setdefault(member.status.cluster_id, []).append(member)
    if len(clusters) > 1:
        sides = "; ".join(f"{cluster:x}: {titles_of(members)}" for cluster, members in clusters.items())
        yield CLUSTERS_DIFFER.violation(
            subject="etcd",
            evidence=sides,
            fix="restore all members from one snapshot, each with the same --initial-cluster and token",
            objects=objects_of(state.members),
        )


def unanswered(state: State) -> Iterator[Finding]:
    """Questions about the cluster as a whole that no member could answer: they take a quorum."""
    for gap in state.unanswered:
        yield CLUSTER_NO_ANSWER.violation(
            subject=gap.what,
            evidence=f"no member could answer: {gap.why}",
            fix="bring a majority of the members up, then run it again",
        )


def tolerance(state: State) -> Iterator[Finding]:
    """How many members more may fail."""
    total, needed = len(state.voters), state.quorum
    if not total:
        return
    up = sum(member.up for member in state.voters)
    what = f"{up} of {total} voting members up, {needed} needed"
    if state.spare < 0:
        yield QUORUM_LOST.violation(
            subject="etcd",
            evidence=what,
            fix="bring members up again; only if their data is lost, restore a snapshot",
        )
    elif state.spare == 0:
        severity = Severity.NOTE if total == 1 else Severity.WARNING
        yield NO_SPARE_MEMBER.finding(
            severity,
            subject="etcd",
            evidence=f"{what}: the next failure stops the cluster",
            fix=("bring the others up again" if up < total else "run three control-plane nodes"),
        )


def leaderless(state: State) -> Iterator[Finding]:
    """Members that know no leader, or different ones."""
    answered = [(member, member.status) for member in state.members if member.status]
    without = [member for member, status in answered if not status.leader]
    if without:
        yield NO_LEADER.violation(
            subject="etcd",
            evidence=f"members that know no leader: {titles_of(without)}",
            fix="bring a majority of the members up, and let them reach each other's peer port (2380)",
            objects=objects_of(without),
        )
    leaders = {status.leader for _, status in answered if status.leader}
    if len(leaders) > 1 and len({status.cluster_id for _, status in answered}) == 1:
        yield LEADERS_DIFFER.warning(
            subject="etcd",
            evidence=("they name " + " and ".join(sorted(f"{leader:x}" for leader in leaders))),
            fix="run it again: an election may have been under way",
        )


def versions(state: State) -> Iterator[Finding]:
    """Members of different versions, and a downgrade that is under way."""
    by_version: dict[str, list[Member]] = {}
    for member in state.members:
        if member.status:
            by_version.setdefault(member.status.version, []).append(member)
    if len(by_version) > 1:
        yield VERSIONS_DIFFER.warning(
            subject="etcd",
            evidence="; ".join(
                f"{version}: {titles_of(members)}" for version, members in sorted(by_version.items())
            ),
            fix="upgrade the remaining members",
        )
    targets = {member.status.downgrade_to for member in state.members if member.status}
    for target in sorted(targets - {""}):
        yield ETCD_DOWNGRADE.warning(
            subject="etcd",
            evidence=f"a downgrade to {target} is enabled",
            fix="finish it, or cancel it: etcdctl downgrade cancel",
        )


def elsewhere(state: State) -> Iterator[Finding]:
    """API servers that use none of the members that were found."""
    if not state.etcd.members or any(pod.flags.config_file for pod in state.etcd.members):
        return
    served = {
        parts(url)[1:]
        for pod in state.etcd.members
        for url in (*pod.flags.listen_client_urls, *pod.flags.advertise_client_urls)
    }
    for one in state.etcd.apiservers:
        if one.servers and not any(parts(url)[1:] in served for url in one.servers):
            yield APISERVER_USES_ANOTHER_ETCD.warning(
                subject="kube-apiserver",
                evidence=f"--etcd-servers={','.join(one.servers)} names none of the members that were found",
                fix="look at the API servers' manifests; this report may be about an etcd that nobody uses",
                objects=tuple(f"node/{node}" for node in one.nodes),
            )
