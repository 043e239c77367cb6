"""What has come of bringing objects back, and of taking that back again, as reports. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from kubectl_admin.etcd.undelete import rules, undo
from kubectl_admin.etcd.undelete.apply import Run
from kubectl_admin.etcd.undelete.ends import Became, Outcome
from kubectl_admin.etcd.undelete.entries import Entry, Head
from kubectl_admin.etcd.undelete.facts import Item, Plan
from kubectl_admin.etcd.undelete.rehearse import Rehearsed
from kubectl_admin.finding import Finding, Severity
from kubectl_admin.report import Cell, Column, Mark, Report, Table
from kubectl_admin.report.text import printable

COLUMNS = (Column("NAMESPACE"), Column("KIND"), Column("NAME"), Column("OUTCOME"), Column("WHY"))
NOT_DONE = (Became.REFUSED, Became.LEFT_OUT, Became.UNKNOWN)
WELL = (Became.MADE, Became.PUT_BACK, Became.COMPLETED, Became.THERE)


def outcome(run: Run) -> Report:
    """The outcome of a run, as far as it has come; with what the plan says can't come back."""
    journal = run.journal.path if run.journal and run.journal.entries else None
    known = [one for one in run.plan.findings if one.severity is Severity.VIOLATION]
    shown = [run.outcomes[item.key] for item in run.plan.items if item.key in run.outcomes]
    done = sum(one.became in WELL for one in shown)
    return Report(
        kind="EtcdUndelete",
        items=lambda: map(document, shown),
        names=lambda: (name_of(one.item) for one in shown if one.became in WELL),
        tables=[Table(COLUMNS, [row(one) for one in shown])] if shown else [],
        findings=[*of_run(run, shown), *known],
        closing=closing(done, journal),
        fields={"journal": str(journal) if journal else None},
    )


def closing(done: int, journal: Path | None) -> str:
    """The last line."""
    said = f"{done} {'object is' if done == 1 else 'objects are'} back"
    if journal is None or not done:
        return said
    return f"{said}; to take that back: kubectl admin etcd-undelete --undo {printable(str(journal))}"


def of_rehearsal(plan: Plan, rehearsed: Rehearsed, *, keep_going: bool) -> list[Finding]:
    """What the API server says before anything is made. keep_going: whether those refused are left out."""
    found: list[Finding] = []
    for item in plan.todo:
        title, objects = printable(item.title), [name_of(item)]
        if why := rehearsed.refused.get(item.key):
            fix = "" if keep_going else "put that right, or bring the others back: --keep-going"
            found.append(
                rules.REFUSED.violation(subject=title, evidence=printable(why), fix=fix, objects=objects)
            )
        if left := rehearsed.left.get(item.key):
            evidence = f"{', '.join(map(printable, left))}: others have that now, so it gets another"
            found.append(rules.TAKEN.warning(subject=title, evidence=evidence, objects=objects))
        if why := rehearsed.unsupported.get(item.key):
            found.append(rules.UNTRIED.warning(subject=title, evidence=printable(why), objects=objects))
    if rehearsed.untried:
        late = rehearsed.untried
        found.append(
            rules.UNTRIED.note(
                subject=f"{len(late)} {'object' if len(late) == 1 else 'objects'}",
                evidence="tried as soon as the namespace or the kind is there, before any of them is made",
                objects=map(name_of, late),
            )
        )
    return found


def of_run(run: Run, shown: Sequence[Outcome]) -> Iterator[Finding]:
    """What is left to do, and what is not as it was."""
    for one in shown:
        title = printable(one.item.title)
        if one.became in NOT_DONE:
            rule = rules.REFUSED if one.became is Became.REFUSED else rules.NOT_MADE
            yield rule.violation(
                subject=title,
                evidence=printable(one.why),
                fix=fix_of(one),
                objects=[name_of(one.item)],
            )
        elif one.became is Became.TAKEN_BACK:
            yield rules.NOT_MADE.violation(
                subject=title,
                evidence="it was made, and taken back, since another one is refused",
                fix="make it without those that are refused: --keep-going",
                objects=[name_of(one.item)],
            )
        if one.left and one.became in WELL:
            yield rules.TAKEN.warning(
                subject=title,
                evidence=f"it has others than {', '.join(map(printable, one.left))}, which others have now",
                objects=[name_of(one.item)],
            )
    for note in run.notes:
        is_left = note.rule is rules.REFERENCE
        yield note.rule.finding(
            Severity.VIOLATION if is_left else Severity.WARNING,
            subject=printable(note.item.title),
            evidence=printable(note.why),
            fix="run the same again: it takes up what is left",
            objects=[name_of(note.item)],
        )
    for undone in undo.left(run.undone):
        yield still_there(undone)


def fix_of(one: Outcome) -> str:
    """What to do about an object that is not back."""
    if one.became is Became.UNKNOWN:
        return "run the same again: it takes up what is left"
    return "put that right, and run the same again" if one.became is Became.REFUSED else ""


def undone(entries: Sequence[undo.Undone], head: Head) -> Report:
    """The outcome of `--undo`."""
    return Report(
        kind="EtcdUndeleteUndo",
        items=lambda: (
            {**about(one.entry), "outcome": str(one.became), "why": one.why or None} for one in entries
        ),
        names=lambda: (entry_name(one.entry) for one in entries if one.became is not undo.Became.LEFT),
        tables=[Table(COLUMNS, [undo_row(one) for one in entries])] if entries else [],
        findings=[still_there(one) for one in undo.left(entries)],
        closing="" if entries else "nothing is left to take back",
        fields={"operation": head.operation},
    )


def undo_plan(entries: Sequence[Entry], head: Head, findings: Sequence[Finding] = ()) -> Report:
    """What `--undo` is about to take back."""
    titles = {"create": "deleted", "replace": "put back as it was", "free": "its former claim is noted again"}
    rows = [
        (entry.namespace or "-", entry.resource.kind, printable(entry.name), titles[entry.deed], "")
        for entry in entries
    ]
    return Report(
        kind="EtcdUndeleteUndo",
        items=lambda: ({**about(entry), "outcome": None, "why": None} for entry in entries),
        names=lambda: map(entry_name, entries),
        tables=[Table(COLUMNS, rows)] if rows else [],
        findings=findings,
        closing="" if rows else "nothing is left to take back",
        fields={"operation": head.operation},
    )


def still_there(one: undo.Undone) -> Finding:
    """A change that was not taken back."""
    return rules.NOT_UNDONE.violation(
        subject=printable(one.entry.title),
        evidence=printable(one.why),
        fix="take it back nevertheless: --changed" if one.is_changed else "see to it by hand",
        objects=[entry_name(one.entry)],
    )


def document(one: Outcome) -> Mapping[str, object]:
    """An object for programs."""
    item = one.item
    return {
        "kind": item.resource.kind,
        "apiVersion": item.resource.api_version,
        "namespace": item.key.namespace or None,
        "name": item.key.name,
        "outcome": str(one.became),
        "why": one.why or None,
        "lost": list(one.left),
    }


def row(one: Outcome) -> Sequence[Cell | str]:
    item, why = one.item, printable(one.why)
    mark = Mark.BAD if one.became in NOT_DONE else Mark.DOUBT if one.became not in WELL else None
    if one.left and not why:
        why = f"without {', '.join(map(printable, one.left))}"
    return (
        item.key.namespace or "-",
        item.resource.kind,
        printable(item.key.name),
        Cell(str(one.became), mark),
        why,
    )


def undo_row(one: undo.Undone) -> Sequence[Cell | str]:
    entry = one.entry
    mark = Mark.BAD if one.became is undo.Became.LEFT else None
    return (
        entry.namespace or "-",
        entry.resource.kind,
        printable(entry.name),
        Cell(str(one.became), mark),
        printable(one.why),
    )


def about(entry: Entry) -> Mapping[str, object]:
    return {
        "kind": entry.resource.kind,
        "apiVersion": entry.resource.api_version,
        "namespace": entry.namespace or None,
        "name": entry.name,
    }


def name_of(item: Item) -> str:
    """«deployment.apps/web»."""
    return f"{item.resource.kind.lower()}.{item.resource.group}".rstrip(".") + f"/{item.key.name}"


def entry_name(entry: Entry) -> str:
    return f"{entry.resource.kind.lower()}.{entry.resource.group}".rstrip(".") + f"/{entry.name}"
