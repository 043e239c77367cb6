"""How a drain's preview is shown: a row a pod, what forbids it, and the same as plain data. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping

from kubectl_admin.drain.budgets import Permission, Ruling
from kubectl_admin.drain.facts import Name
from kubectl_admin.drain.filters import Action, Verdict
from kubectl_admin.drain.judge import findings
from kubectl_admin.drain.preview import Preview
from kubectl_admin.report import Cell, Column, Mark, Report, Table

WIDTH = 80
BESIDE = 6 + 14 + 5 + 4 * 2  # columns of ACTION, WHY, SPARE, and the gaps between all
BUDGET_WIDTH = 16
MARKS = {Permission.NEVER: Mark.BAD, Permission.SEVERAL: Mark.BAD, Permission.WAIT: Mark.DOUBT}


def report(seen: Preview, *, wide: bool = False, waits: bool = False) -> Report:
    """All that is to be said before a drain.

    wide: names are shown whole, however long they are.
    waits: budgets that can never be met as they are do not forbid it, since somebody will change them.
    """
    return Report(
        kind="DrainPreview",
        items=lambda: documents(seen),
        names=lambda: (f"pod/{verdict.pod.name}" for verdict in seen.leaving),
        tables=[table(seen, wide=wide)] if seen.verdicts else [],
        paragraphs=[summary(seen)],
        findings=findings(seen, waits=waits),
        fields={
            "context": seen.facts.context,
            "node": seen.node,
            "cordoned": seen.facts.node.unschedulable,
            "databases": [
                {
                    "operator": group.operator.name,
                    "cluster": group.cluster,
                    "primary": group.primary.pod[1] if group.primary else None,
                    "here": [member.pod[1] for member in group.here],
                    "elsewhere": [member.pod[1] for member in group.elsewhere],
                }
                for group in seen.groups
            ],
        },
    )


def table(seen: Preview, *, wide: bool) -> Table:
    """A row a pod, those first for which the drain is refused."""
    primaries = {group.primary.pod for group in seen.groups if group.primary}
    budgets = [budget_cell(seen.rulings.get(verdict.pod.key)) for verdict in seen.verdicts]
    room = WIDTH - BESIDE - min(max(map(len, budgets), default=0), BUDGET_WIDTH)

    def row(verdict: Verdict, budget: str) -> list[Cell | str]:
        ruling = seen.rulings.get(verdict.pod.key)
        why = "primary" if verdict.pod.key in primaries and verdict.leaves else verdict.why
        return [
            Cell(verdict.action, Mark.BAD if verdict.action is Action.REFUSE else None),
            str(verdict.pod) if wide else shortened(str(verdict.pod), room),
            why,
            budget if wide else shortened(budget, BUDGET_WIDTH),
            spare_cell(ruling),
            str(verdict.pod.priority),
            f"{verdict.pod.grace}s",
            verdict.flag,
        ]

    columns = [Column("ACTION"), Column("POD"), Column("WHY"), Column("BUDGET"), Column("SPARE")]
    more = [Column("PRIORITY", wide=True), Column("GRACE", wide=True), Column("ALLOWED-BY", wide=True)]
    rows = [row(verdict, budget) for verdict, budget in zip(seen.verdicts, budgets, strict=True)]
    return Table([*columns, *more], rows)


def budget_cell(ruling: Ruling | None) -> str:
    """The name of the budget that counts a pod, or how many do."""
    if ruling is None or not ruling.budgets:
        return ""
    return ruling.budgets[0].name if len(ruling.budgets) == 1 else f"{len(ruling.budgets)} budgets"


def spare_cell(ruling: Ruling | None) -> Cell | str:
    """How many pods its budget can spare just now, marked where that holds the pod."""
    if ruling is None or len(ruling.budgets) != 1:
        return Cell("-", MARKS.get(ruling.permission)) if ruling else ""
    return Cell(str(ruling.budgets[0].allowed), MARKS.get(ruling.permission))


def shortened(text: str, room: int) -> str:
    """The text with its middle left out where it has not enough room; a pod's suffix tells it from others."""
    if len(text) <= room:
        return text
    end = min(12, room // 2)
    return f"{text[: room - end - 1]}…{text[-end:]}"


def summary(seen: Preview) -> str:
    """How many pods go, stay and are refused, and whether the node is cordoned already."""
    counts = Counter(verdict.action for verdict in seen.verdicts)
    what = f"{counts[Action.EVICT] + counts[Action.DELETE]} of {len(seen.verdicts)} pods leave"
    parts = [what, f"{counts[Action.LEAVE]} stay"]
    parts += [f"{counts[Action.REFUSE]} refused"] if counts[Action.REFUSE] else []
    where = f"node {seen.node}" + (f" of context {seen.facts.context}" if seen.facts.context else "")
    since = f", by a drain of {seen.facts.drained_since}" if seen.facts.drained_since else ""
    cordoned = f"; it is cordoned already{since}, and stays so" if seen.facts.node.unschedulable else ""
    return f"{where}: {', '.join(parts)}{cordoned}"


def documents(seen: Preview) -> Iterator[dict[str, object]]:
    """Every pod with what becomes of it, as plain data."""
    for verdict in seen.verdicts:
        pod = verdict.pod
        yield {
            "namespace": pod.namespace,
            "name": pod.name,
            "uid": pod.uid,
            "action": str(verdict.action),
            "why": verdict.why,
            "allowedBy": verdict.flag,
            "losses": list(verdict.losses),
            "priority": pod.priority,
            "gracePeriodSeconds": pod.grace,
            "controller": f"{pod.controller.kind}/{pod.controller.name}" if pod.controller else None,
            "budgets": budget_documents(seen.rulings, pod.key),
            "nowhereToGo": seen.pending.get(pod.key, ""),
        }


def budget_documents(rulings: Mapping[Name, Ruling], pod: Name) -> dict[str, object] | None:
    """The ruling on a pod's eviction; None for a pod that stays."""
    ruling = rulings.get(pod)
    if ruling is None:
        return None
    return {
        "says": str(ruling.permission),
        "why": ruling.why,
        "items": [
            {
                "name": budget.name,
                "wants": budget.wants,
                "disruptionsAllowed": budget.allowed,
                "currentHealthy": budget.current,
                "desiredHealthy": budget.desired,
                "expectedPods": budget.expected,
            }
            for budget in ruling.budgets
        ],
    }
