"""The judgement on the leaders among controller-managers and schedulers, by their Leases. Pure.

A Lease is written by its holder's clock, which is corrected by what was measured; without a measurement
nothing is said of its age.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from kubectl_admin.control_plane.component import Component
from kubectl_admin.control_plane.flags import is_true
from kubectl_admin.finding import Finding, Severity
from kubectl_admin.health import rules
from kubectl_admin.health.asking import judged_metrics as metrics
from kubectl_admin.health.components.ages import Age, age
from kubectl_admin.health.components.leaders import holding_node
from kubectl_admin.health.components.series import samples
from kubectl_admin.health.facts import Facts, Lease, Node
from kubectl_admin.health.judge.states import Standing, standings
from kubectl_admin.report.text import span

ELECTED = (Component.CONTROLLER_MANAGER, Component.SCHEDULER)
DURATION = 15.0  # seconds; a Lease that was given up has 1
# A leader that is so young may have been elected while the instances were asked.
ELECTION_GRACE = 60.0  # seconds


@dataclass(frozen=True, slots=True)
class Elected:
    """A component of which one instance leads, with its Lease."""

    component: Component
    lease: Lease
    holder: Node | None
    age: Age | None
    instances: tuple[Standing, ...]

    @property
    def limit(self) -> float:
        """Seconds after which the others should have taken over."""
        return max(self.lease.duration or DURATION, DURATION) + rules.LEASE_LATE

    @property
    def is_late(self) -> bool:
        """Whether it was renewed too long ago, whatever the error of the clocks."""
        return self.age is not None and self.age.error is not None and self.age.is_above(self.limit)

    @property
    def standing(self) -> Standing | None:
        """The instance on the holder's node."""
        holder = self.holder
        return next((one for one in self.instances if holder and one.node.name == holder.name), None)

    @property
    def masters(self) -> tuple[Standing, ...]:
        """The instances that take themselves for the leader."""
        return tuple(one for one in self.instances if _is_master(one) is True)

    @property
    def all_have_said(self) -> bool:
        """Whether each instance has said whether it leads."""
        return bool(self.instances) and all(_is_master(one) is not None for one in self.instances)


def elected(facts: Facts) -> Iterator[Elected]:
    """The components that elect a leader, where their Lease could be read.

    One that does not take part (--leader-elect=false) leaves a Lease of old times behind.
    """
    for component in ELECTED:
        instances = tuple(standings(facts, component))
        lease = facts.leaders.get(component)
        if lease is None or any(not _is_electing(one) for one in instances):
            continue
        holder = holding_node(facts, lease.holder)
        name = holder.name if holder else ""
        renewed = age(facts, name, lease.renewed, lease.read) if lease.renewed else None
        yield Elected(component, lease, holder, renewed, instances)


def leaders(facts: Facts) -> Iterator[Finding]:
    """Leases that nobody renews, though an instance could; and those held from outside of the cluster."""
    for one in elected(facts):
        if one.lease.holder and _is_ghost(one):
            yield rules.LEADER_GHOST.violation(
                subject=f"leader of {one.component}",
                evidence=f"Lease kube-system/{one.component} is held by {one.lease.holder}"
                f"{_renewed(one)}; no instance of this cluster leads",
                fix="find out what runs there with a kubeconfig of this cluster; delete a Lease that nobody "
                f"renews: kubectl -n kube-system delete lease {one.component}",
            )
        elif one.is_late and not _is_follow_up(one):
            unmeasured = one.holder is None or one.holder.clock is None
            # A clock that was not measured may be what makes it look old.
            severity = Severity.WARNING if unmeasured else Severity.VIOLATION
            doubt = "; the clock of its node could not be measured" if unmeasured else ""
            yield rules.LEADER_LOST.finding(
                severity,
                subject=f"leader of {one.component}",
                evidence=f"Lease kube-system/{one.component}{_held(one)}{_renewed(one)}"
                f"{_instance(one)}{doubt}",
                fix=f"look at the log of {one.component} on the nodes where it runs, and at its API servers",
                objects=one.standing.objects if one.standing else (),
                since=one.lease.renewed,
            )


def holders(facts: Facts) -> Iterator[Finding]:
    """Components of which none or several instances take themselves for the leader, by their metrics."""
    for one in elected(facts):
        masters = one.masters
        if len(masters) > 1:
            yield rules.TWO_LEADERS.warning(
                subject=f"leader of {one.component}",
                evidence="several instances take themselves for it: "
                + ", ".join(f"node {each.node.name}" for each in masters),
                fix="run it again: an election may have been under way",
                objects=tuple(name for each in masters for name in each.objects),
            )
        elif one.holder and not masters and one.all_have_said and _is_settled(facts, one):
            yield rules.TWO_LEADERS.violation(
                subject=f"leader of {one.component}",
                evidence=f"no instance takes itself for it; its Lease is held by {one.lease.holder}"
                f"{_renewed(one)}",
                fix=f"look at the log of {one.component} on node {one.holder.name}",
                objects=(f"node/{one.holder.name}",),
            )


def changes(facts: Facts) -> Iterator[Finding]:
    """Leaders that change again and again, between two looks or while a watch looks on."""
    seconds = facts.flaps.seconds if facts.flaps else facts.window
    if seconds is None:
        return
    for one in elected(facts):
        changed = _changes(facts, one)
        if changed >= rules.FLAPPING * max(1.0, seconds / rules.FLAPPING_WINDOW):
            yield rules.LEADER_FLAPPING.warning(
                subject=f"leader of {one.component}",
                evidence=f"it changed {changed} times in {seconds:.0f} s",
                fix="a leader that can't renew gives up: look at the API servers and at etcd's speed",
            )


def unheeded(facts: Facts) -> Iterator[Finding]:
    """Leaders that are not the one that was chosen, at both of two looks."""
    if facts.window is None or facts.window < rules.WINDOW:
        return
    for one in elected(facts):
        before, wanted = facts.earlier_leaders.get(one.component), one.lease.preferred
        if (
            before
            and wanted not in ("", one.lease.holder)
            and (before.preferred, before.holder) == (wanted, one.lease.holder)
        ):
            yield rules.LEADER_LOST.warning(
                subject=f"leader of {one.component}",
                evidence=f"{one.lease.holder} holds the Lease, and {wanted} has been chosen for more than "
                f"{facts.window:.0f} s",
                fix=f"look at the log of {one.component} on the node of {wanted}",
            )


def _changes(facts: Facts, one: Elected) -> int:
    """How often a Lease has got another holder, as far as that was seen."""
    if facts.flaps:
        return facts.flaps.leaders.get(one.component, 0)
    before = facts.earlier_leaders.get(one.component)
    return one.lease.transitions - before.transitions if before else 0


def _is_ghost(one: Elected) -> bool:
    """Whether it is sure that no instance of this cluster holds the Lease.

    A host's name need not be its node's, so the instances must all have said that they do not lead.
    """
    return one.holder is None and one.all_have_said and not one.masters


def _is_follow_up(one: Elected) -> bool:
    """Whether another finding is the cause: the leader is not well, and no other instance could take over."""
    if one.masters and all(each.verdict.is_well for each in one.masters):
        return True  # it says that it leads, and is well: a clock is wrong, or it was renewed just now
    holder = one.standing
    others = [each for each in one.instances if each is not holder]
    return bool(holder and holder.verdict.is_told) and not any(each.verdict.is_well for each in others)


def _is_settled(facts: Facts, one: Elected) -> bool:
    """Whether the holder has been elected a while ago, and its Lease is not late."""
    if one.is_late or one.lease.acquired is None or one.holder is None:
        return False
    return age(facts, one.holder.name, one.lease.acquired, one.lease.read).is_above(ELECTION_GRACE)


def _is_electing(one: Standing) -> bool:
    """Whether an instance takes part in elections, as all do that are not told otherwise."""
    return is_true(one.process.flags.get("leader-elect", "true"))


def _is_master(one: Standing) -> bool | None:
    """Whether an instance takes itself for the leader; None where it has not said."""
    found = [
        sample.value
        for sample in samples(one.process, metrics.LEADER)
        if sample.labels.get("name", one.process.component) == one.process.component
    ]
    return any(found) if found else None


def _held(one: Elected) -> str:
    return f" is held by {one.lease.holder}," if one.lease.holder else " is held by nobody,"


def _renewed(one: Elected) -> str:
    return f" and was renewed {span(one.age.seconds)} ago" if one.age else ""


def _instance(one: Elected) -> str:
    if one.standing is None:
        return ""
    return f"; {one.component} there: {one.standing.verdict.evidence}"
