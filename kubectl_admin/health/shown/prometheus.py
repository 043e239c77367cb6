"""A cluster's health as metrics. Pure.

An unseen component is neither up nor down: it has a state, and no sample of `kubectl_admin_up`.
"""

from collections.abc import Iterator

from kubectl_admin.control_plane.component import Component
from kubectl_admin.health.components.ages import common_clock
from kubectl_admin.health.components.leaders import node_of_holder
from kubectl_admin.health.components.verdict import State, Verdict
from kubectl_admin.health.look import Look
from kubectl_admin.report.exposition import Labels, gauge

Sample = tuple[Labels, float]


def exposition(look: Look) -> str:
    """All metrics of a look, as text in Prometheus' format."""
    facts, prefix = look.facts, "kubectl_admin_"
    metrics = (
        gauge(f"{prefix}up", "Whether a component is well; none where it was not seen.", up(look)),
        gauge(f"{prefix}state", "The state of a component: always 1.", states(look)),
        gauge(f"{prefix}finding", "A rule that an object breaks: always 1.", findings(look)),
        gauge(
            f"{prefix}ignored_findings",
            "How many findings were set aside.",
            [({}, len(look.parted.ignored))],
        ),
        gauge(
            f"{prefix}clock_offset_seconds", "How far a clock is ahead of the median of all.", offsets(look)
        ),
        gauge(f"{prefix}answer_seconds", "How long a component's slowest answer took.", answers(look)),
        gauge(f"{prefix}leader", "The node of the leader: always 1.", leaders(look)),
        gauge(
            f"{prefix}health_timestamp_seconds",
            "When this was looked at, in seconds since 1970.",
            [({}, facts.at.timestamp())],
        ),
    )
    return "".join(line for metric in metrics for line in metric)


def seen(look: Look) -> Iterator[tuple[Labels, Verdict]]:
    """Each component that the cluster has, on each node."""
    for row in look.rows:
        for component, verdict in row.verdicts.items():
            if verdict.state is not State.ABSENT:
                yield {"node": row.node.name, "component": str(component)}, verdict


def up(look: Look) -> Iterator[Sample]:
    """1 for what is well, 0 for what is not."""
    return ((labels, one.is_well) for labels, one in seen(look) if one.is_well or one.is_bad)


def states(look: Look) -> Iterator[Sample]:
    """The state of each component."""
    return (({**labels, "state": str(one.state)}, 1) for labels, one in seen(look))


def answers(look: Look) -> Iterator[Sample]:
    """The seconds of each component that has answered."""
    return ((labels, one.seconds) for labels, one in seen(look) if one.seconds is not None)


def findings(look: Look) -> Iterator[Sample]:
    """A sample for each object of each finding; its subject for one without objects."""
    for finding in look.findings:
        for subject in finding.objects or (finding.subject,):
            yield {"rule": finding.rule, "severity": str(finding.severity), "object": subject}, 1


def offsets(look: Look) -> Iterator[Sample]:
    """The clocks that were measured."""
    common = common_clock(look.facts)
    for node in look.facts.nodes:
        if node.clock and common:
            yield {"node": node.name}, node.clock.offset - common.offset


def leaders(look: Look) -> Iterator[Sample]:
    """Who leads: by its own word for etcd, by the Lease for others."""
    if etcd := look.leaders.get(Component.ETCD):
        yield {"component": str(Component.ETCD), "node": etcd}, 1
    for name, lease in look.facts.leaders.items():
        if node := node_of_holder(lease.holder):
            yield {"component": name, "node": node}, 1
