"""How a node's upgrade is shown: its steps, what forbids it, and how long it took. Pure."""

from collections.abc import Collection, Mapping

from kubectl_admin.drain import report as drain_report
from kubectl_admin.drain.rules import MOVED_UNHEALTHY
from kubectl_admin.finding import Finding, Severity
from kubectl_admin.plan import Step
from kubectl_admin.report import Column, Report, Table
from kubectl_admin.report.text import duration
from kubectl_admin.upgrade import addons, plan, preflight
from kubectl_admin.upgrade.apply import Upgraded
from kubectl_admin.upgrade.inspection import Inspection
from kubectl_admin.upgrade.plan import PAID

REFUSED = "the upgrade can't begin: fix the violations above first"


def planned(seen: Inspection, *, waits: bool = False, wide: bool = False) -> Report:
    """The plan. waits: as in the drain's report. wide: names are shown whole."""
    drained = drain_report.report(seen.preview, wide=wide, waits=waits) if seen.preview else None
    steps = Table(
        [Column("STEP"), Column("STATE"), Column("WHAT")],
        [[step.name, plan.state(step), step.title] for step in seen.steps],
    )
    findings = sorted(
        [*seen.findings, *(drained.findings if drained else ())],
        key=lambda each: list(Severity).index(each.severity),
    )
    violated = any(each.severity is Severity.VIOLATION for each in findings)
    return Report(
        kind="NodeUpgradePlan",
        items=lambda: [document(seen)],
        names=lambda: [f"node/{seen.facts.node}"],
        tables=[steps, *(drained.tables if drained else ())],
        paragraphs=[summary(seen), *(drained.paragraphs if drained else ())],
        findings=findings,
        closing=REFUSED if violated and not seen.is_over else "",
    )


def summary(seen: Inspection) -> str:
    """The node, its role, its version and the target."""
    here = seen.facts.kubelet or "?"
    # Which control plane was the first one is known only while that matters.
    role = "control plane" if seen.is_over and seen.role.control_plane else seen.role
    what = f"node {seen.facts.node} ({role}): {here} to {seen.target.version}"
    return f"{what}: nothing is left to do" if seen.is_over else what


def document(seen: Inspection, carried_out: Collection[str] = ()) -> dict[str, object]:
    """The plan as plain data. carried_out: the steps that were since."""

    def as_data(step: Step) -> dict[str, object]:
        state = plan.DONE if step.name in carried_out else plan.state(step)
        return {"name": step.name, "title": step.title, "done": state == plan.DONE, "state": state}

    return {
        "node": seen.facts.node,
        "context": seen.facts.versions.context,
        "role": str(seen.role),
        "kubelet": str(seen.facts.kubelet) if seen.facts.kubelet else None,
        "target": str(seen.target.version),
        "package": seen.target.package or None,
        "steps": [as_data(step) for step in seen.steps],
    }


def upgraded(done: Upgraded) -> Report:
    """The outcome, also of a part, and how long each step has taken."""
    steps = Table(
        [Column("STEP"), Column("TOOK"), Column("WHAT")],
        [[step.name, took(done.seconds, step), step.title] for step in done.inspection.steps],
    )
    return Report(
        kind="NodeUpgrade",
        items=lambda: [
            {
                **document(done.inspection, done.seconds),
                "seconds": {name: round(seconds, 1) for name, seconds in done.seconds.items()},
                "cordonedSeconds": round(done.paid, 1) if done.paid is not None else None,
                "snapshot": str(done.snapshot) if done.snapshot else None,
                "staysCordoned": done.cordoned,
            }
        ],
        names=lambda: [f"node/{done.inspection.facts.node}"],
        tables=[steps],
        paragraphs=[said(done)],
        findings=unwell(done),
    )


def took(seconds: Mapping[str, float], step: Step) -> str:
    """How long a step took; «-» for one that was over before."""
    if step.name in seconds:
        return duration(seconds[step.name])
    return plan.NOT_NEEDED if plan.state(step) == plan.NOT_NEEDED else "-"


def said(done: Upgraded) -> str:
    """How the upgrade has ended, and how long pods were kept away."""
    node, version = done.inspection.facts.node, done.inspection.target.version
    total = duration(sum(done.seconds.values()))
    if done.open_step:
        return (
            f"node {node}: the upgrade to {version} has not come to its end; next step: {done.open_step.name}"
        )
    wrong = any(each.severity is Severity.VIOLATION for each in unwell(done))
    well = "not all is well" if wrong else "well"
    text = f"node {node} is at {version} and {well}, after {total}"
    if done.paid is not None:
        text += f"; {duration(done.paid)} of them from cordon to uncordon"
    elif any(name in done.seconds for name in PAID) and done.cordoned:
        text += "; it was cordoned before, and stays so"
    return text


def unwell(done: Upgraded) -> list[Finding]:
    """Workloads that were moved and are not well yet, old add-ons, and rollouts that are not over."""
    node = done.inspection.facts.node
    found = [*addons.behind_findings(node, done.behind), *addons.rollout_findings(node, done.left)]
    if done.unhealthy:
        found.append(
            MOVED_UNHEALTHY.violation(
                subject="moved workloads",
                evidence=f"not all their pods are ready: {', '.join(done.unhealthy)}",
                fix="see why with kubectl describe",
                objects=(f"node/{node}",),
            )
        )
    return preflight.allow(found, done.allowed)
