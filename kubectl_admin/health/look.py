"""One look at a cluster, judged: every form of the report is made from it. Pure."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from kubectl_admin.control_plane.component import Component
from kubectl_admin.finding import Finding, Severity
from kubectl_admin.health.asking import judged_metrics as metrics
from kubectl_admin.health.components.leaders import leads
from kubectl_admin.health.components.series import label, samples
from kubectl_admin.health.components.states import verdict_of
from kubectl_admin.health.components.verdict import BEHIND, State, Verdict
from kubectl_admin.health.facts import Facts, Node, Reply
from kubectl_admin.health.shown.ignore import Exemption, Parted, part

# In the order of the table, which follows a request from the outside in.
COMPONENTS = (
    Component.APISERVER,
    Component.ETCD,
    Component.KUBELET,
    Component.KUBE_PROXY,
    Component.CONTROLLER_MANAGER,
    Component.SCHEDULER,
)
VERSION = re.compile(r"[0-9][0-9A-Za-z.+~-]{0,60}")
UNSEEN = (*BEHIND, State.LEFT_OUT, State.DENIED, State.BOUND, State.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Row:
    """A node, the state of each component on it, and those that lead."""

    node: Node
    verdicts: Mapping[Component, Verdict]
    leading: frozenset[Component] = frozenset()

    @property
    def is_ready(self) -> bool | None:
        """Its condition Ready; None where it has none."""
        ready = self.node.condition("Ready")
        return None if ready is None else ready.status == "True"

    @property
    def is_well(self) -> bool:
        """Whether the node is Ready and schedulable, and all of it that was asked is well."""
        seen = all(one.is_well or one.state is State.ABSENT for one in self.verdicts.values())
        return seen and self.is_ready is True and not self.node.unschedulable

    @property
    def is_left_out(self) -> bool:
        """Whether it was not in the sample, and there is nothing else to say of it."""
        states = {one.state for one in self.verdicts.values()} - {State.ABSENT}
        return states == {State.LEFT_OUT} and self.is_ready is True and not self.node.unschedulable

    def restarts(self, component: Component) -> int | None:
        """How often the containers of a component's pod were restarted; None without a pod."""
        process = self.node.process(component)
        if process is None or process.pod is None:
            return None
        return sum(container.restarts for container in process.pod.containers)

    def version(self, component: Component) -> str:
        """The version of a component, by its own word and without a «v»; "" where it has not said."""
        process = self.node.process(component)
        if component is Component.KUBELET or process is None:
            said = self.node.kubelet if component is Component.KUBELET else ""
        elif component is Component.ETCD:
            said = label(process, metrics.MEMBER_VERSION, "server_version")
        else:
            said = label(process, metrics.BUILD, "git_version")
        version = VERSION.fullmatch(said.removeprefix("v"))
        return version[0] if version else ""

    @property
    def seconds(self) -> float | None:
        """That its slowest answer took."""
        return max((one.seconds for one in self.verdicts.values() if one.seconds is not None), default=None)


@dataclass(frozen=True, slots=True)
class Look:
    """Facts, the rows of their matrix, and the findings, those that count in the order of their severity."""

    facts: Facts
    rows: tuple[Row, ...]
    parted: Parted

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The findings that count, the worst first."""
        return self.parted.counting

    @property
    def counts(self) -> "Counts":
        """How many components were seen well, not well, and not at all."""
        verdicts = [one for row in self.rows for one in row.verdicts.values()]
        return Counts(
            sum(one.is_well for one in verdicts),
            sum(one.is_bad for one in verdicts),
            sum(one.state in UNSEEN for one in verdicts),
        )

    @property
    def leaders(self) -> dict[Component, str]:
        """The node of each leader, as far as it is known."""
        return {component: row.node.name for row in self.rows for component in row.leading}


@dataclass(frozen=True, slots=True)
class Counts:
    """Components that are well, that are not, and that could not be seen."""

    well: int
    bad: int
    unseen: int

    @property
    def all(self) -> int:
        """All components that the cluster has."""
        return self.well + self.bad + self.unseen

    def __str__(self) -> str:
        """«20 of 22 components well, 1 not well, 1 not seen»."""
        bad = f", {self.bad:,} not well" if self.bad else ""
        unseen = f", {self.unseen:,} not seen" if self.unseen else ""
        return f"{self.well:,} of {self.all:,} components well{bad}{unseen}"


def look(facts: Facts, findings: Iterable[Finding], exemptions: Sequence[Exemption] = ()) -> Look:
    """The facts with their findings, parted by whether they count."""
    parted = part(sorted_by_severity(findings), exemptions)
    return Look(facts, tuple(rows(facts)), parted)


def rows(facts: Facts) -> Iterator[Row]:
    """A row for each node, in the order of the cluster's listing."""
    for node in facts.nodes:
        verdicts = {component: verdict_of(facts, node, component) for component in COMPONENTS}
        yield Row(node, verdicts, frozenset(leading(facts, node)))


def leading(facts: Facts, node: Node) -> Iterator[Component]:
    """The components of a node that lead: by a Lease, or by etcd's own word."""
    for process in node.processes:
        if process.component is not Component.ETCD:
            if leads(facts, process):
                yield process.component
        elif any(sample.value == 1 for sample in samples(process, metrics.IS_LEADER)):
            yield process.component


def sorted_by_severity(findings: Iterable[Finding]) -> list[Finding]:
    """The worst first, else as they were."""
    order = list(Severity)
    return sorted(findings, key=lambda finding: order.index(finding.severity))


def counted(findings: Iterable[Finding]) -> str:
    """«2 violations, 1 note»; "" for none."""
    count = Counter(finding.severity for finding in findings)
    said = [f"{count[one]} {one}{'s' if count[one] > 1 else ''}" for one in Severity if count[one]]
    return ", ".join(said)


def has_answered(look: Look) -> bool:
    """Whether any component at all has answered, be it that it is not well."""
    return any(
        isinstance(reply, Reply)
        for node in look.facts.nodes
        for process in node.processes
        for reply in process.replies.values()
    )
