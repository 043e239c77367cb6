"""What a restore means, as findings: the violations forbid it, and each can be accepted. Pure."""

from kubectl_admin.etcd.restore.consequences import nodes, volumes, workloads
from kubectl_admin.etcd.restore.consequences.facts import Side
from kubectl_admin.finding import Finding, Severity


def judge(
    old: Side,
    new: Side,
    *,
    force_nodes: bool = False,
    force_volumes: bool = False,
    ignore_webhooks: bool = False,
) -> list[Finding]:
    """All findings, the violations first.

    old: the snapshot's side. new: the live one. force_nodes: whether overlapping ranges of pods' addresses
    are accepted, force_volumes: whether storage may change hands. ignore_webhooks: whether webhooks that have
    nobody behind them refuse nothing meanwhile.
    """
    found = [
        *nodes.judge(old, new, forced=force_nodes),
        *volumes.judge(old, new, forced=force_volumes),
        *workloads.databases(old, new),
        *workloads.webhooks(old, new, ignored=ignore_webhooks),
        *workloads.images(old, new),
        *workloads.addresses(old, new),
        *workloads.unread(old, new),
    ]
    return sorted(found, key=lambda finding: list(Severity).index(finding.severity))
