"""The judgement on the state of a cluster's etcd: the state in, findings out. Pure.

Reading order: cluster (quorum, leader, versions), members (each with its pod and node), data (hashes, sizes).
"""

from collections.abc import Iterator
from dataclasses import replace

from kubectl_admin.etcd.members.facts import State
from kubectl_admin.etcd.members.judge import cluster, data, members
from kubectl_admin.finding import Finding, Gap, Severity


def judge(state: State) -> list[Finding]:
    """All findings on a cluster's etcd, the violations first, then in the order of the checks."""
    found = [finding for check in CHECKS for finding in check(state)]
    return sorted(found, key=lambda finding: list(Severity).index(finding.severity))


def external(state: State) -> Iterator[Finding]:
    """Where no member can be seen: which etcd the API servers use."""
    if state.etcd.members:
        return
    if state.etcd.external:
        outside = Gap(
            "external etcd",
            "it runs outside of the cluster; only a host that has its certificates can ask it",
        )
        fix = "run etcdctl on one of these control-plane nodes, with the files that the API server names"
        yield replace(outside.finding(), fix=fix)
    else:
        neither = "neither etcd nor an API server runs as a static pod: a managed control plane?"
        yield Gap("etcd", neither).finding()


CHECKS = (
    cluster.split,
    cluster.unanswered,
    cluster.tolerance,
    cluster.leaderless,
    members.down,
    data.alarms,
    data.hashes,
    members.unlisted,
    members.silent,
    members.learners,
    cluster.versions,
    members.places,
    data.room,
    data.lag,
    cluster.elsewhere,
    members.impostors,
    external,
)
