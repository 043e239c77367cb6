"""What has come of bringing objects back, and of taking that back again, as reports. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from kubectl_admin.etcd.undelete import rules, undo
from kubectl_admin.etcd.undelete.apply import Run
from kubectl_admin.etcd.undelete.ends import Became, Note, Outcome
from kubectl_admin.etcd.undelete.entries import Entry, Head
from kubectl_admin.etcd.undelete.facts import ABSENT, Change, Plan
from kubectl_admin.etcd.undelete.naming import Named
from kubectl_admin.etcd.undelete.rehearse import Rehearsed
from kubectl_admin.finding import Finding, Severity
from kubectl_admin.report import Cell, Column, Mark, Report, Table
from kubectl_admin.report.text import printable, some_of

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
        names=lambda: (Named.of(one.item).name for one in shown if one.became in WELL),
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


def together(findings: Iterable[Finding]) -> Iterator[Finding]:
    """The findings, each on all objects of which the same is said."""
    groups = defaultdict[Finding, list[Finding]](list)
    for one in findings:
        groups[replace(one, subject="", objects=())].append(one)
    for same, each in groups.items():
        objects = tuple(word for one in each for word in one.objects)
        yield replace(same, subject=some_of([one.subject for one in each]), objects=objects)


def of_rehearsal(plan: Plan, rehearsed: Rehearsed, *, keep_going: bool) -> list[Finding]:
    """What the API server says before anything is made. keep_going: whether those refused are left out."""
    found = list(together(_rehearsed(plan, rehearsed, keep_going=keep_going)))
    if late := rehearsed.untried:
        found.append(
            rules.UNTRIED.note(
                subject=f"{len(late)} {'object' if len(late) == 1 else 'objects'}",
                evidence="tried as soon as the namespace or the kind is there, before any of them is made",
                objects=[Named.of(item).path for item in late],
            )
        )
    return found


def _rehearsed(plan: Plan, rehearsed: Rehearsed, *, keep_going: bool) -> Iterator[Finding]:
    for item in plan.todo:
        subject, objects = Named.of(item).said
        if why := rehearsed.refused.get(item.key):
            fix = "" if keep_going else "put that right, or bring the others back: --keep-going"
            yield rules.REFUSED.violation(subject=subject, evidence=printable(why), fix=fix, objects=objects)
        if left := rehearsed.left.get(item.key):
            evidence = f"{', '.join(map(printable, left))}: others have that now, so it gets another"
            yield rules.TAKEN.warning(subject=subject, evidence=evidence, objects=objects)
        if why := rehearsed.unsupported.get(item.key):
            yield rules.UNTRIED.warning(subject=subject, evidence=printable(why), objects=objects)
        if altered := rehearsed.altered.get(item.key):
            yield _altered(subject, objects, altered)


def of_run(run: Run, shown: Sequence[Outcome]) -> Iterator[Finding]:
    """What is left to do, and what is not as it was."""
    yield from together([*_ended(shown), *map(_noted, run.notes), *map(_left, undo.left(run.undone))])


def _ended(shown: Sequence[Outcome]) -> Iterator[Finding]:
    for one in shown:
        subject, objects = Named.of(one.item).said
        if one.became in NOT_DONE:
            rule = rules.REFUSED if one.became is Became.REFUSED else rules.NOT_MADE
            yield rule.violation(
                subject=subject, evidence=printable(one.why), fix=fix_of(one), objects=objects
            )
        elif one.became is Became.TAKEN_BACK:
            yield rules.NOT_MADE.violation(
                subject=subject,
                evidence="it was made, and taken back, since another one is refused",
                fix="make it without those that are refused: --keep-going",
                objects=objects,
            )
        if one.left and one.became in WELL:
            yield rules.TAKEN.warning(
                subject=subject,
                evidence=f"it has others than {', '.join(map(printable, one.left))}, which others have now",
                objects=objects,
            )
        if one.altered and one.became in WELL:
            yield _altered(subject, objects, one.altered)


def _altered(subject: str, objects: Sequence[str], fields: Sequence[Change]) -> Finding:
    """That an object is not as it was: fields that it had are others, or there are more."""
    names = printable(some_of([one.path for one in fields]))
    is_other = any(one.then is not ABSENT for one in fields)
    said = "changes these fields" if is_other else "adds these fields"
    return rules.ALTERED.finding(
        Severity.WARNING if is_other else Severity.NOTE,
        subject=subject,
        evidence=f"the API server, or a webhook, {said}: {names}",
        objects=objects,
    )


def _noted(note: Note) -> Finding:
    """That an owner, or who manages which field, is not noted in an object."""
    subject, objects = Named.of(note.item).said
    fix = "run the same again: it takes up what is left"
    if note.is_owner:
        return rules.UNFINISHED.violation(
            subject=subject, evidence=printable(note.why), fix=fix, objects=objects
        )
    return rules.MANAGERS.warning(subject=subject, evidence=printable(note.why), fix=fix, objects=objects)


def _left(one: undo.Undone) -> Finding:
    """A change that was not taken back."""
    subject, objects = Named.of_entry(one.entry).said
    return rules.NOT_UNDONE.violation(
        subject=subject,
        evidence=printable(one.why),
        fix="take it back nevertheless: --changed" if one.is_changed else "see to it by hand",
        objects=objects,
    )


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
        names=lambda: (
            Named.of_entry(one.entry).name for one in entries if one.became is not undo.Became.LEFT
        ),
        tables=[Table(COLUMNS, [undo_row(one) for one in entries])] if entries else [],
        findings=list(together(map(_left, undo.left(entries)))),
        closing="" if entries else "nothing is left to take back",
        fields={"operation": head.operation},
    )


def undo_plan(entries: Sequence[Entry], head: Head, staying: Mapping[int, str]) -> Report:
    """What `--undo` is about to take back. staying: why some are left, by their numbers."""
    titles = {"create": "deleted", "replace": "put back as it was", "free": "its former claim is noted again"}
    rows: list[Sequence[Cell | str]] = [
        (
            entry.namespace or "-",
            entry.resource.word,
            printable(entry.name),
            Cell("left", Mark.DOUBT) if entry.number in staying else titles[entry.deed],
            printable(staying.get(entry.number, "")),
        )
        for entry in entries
    ]
    left = [
        undo.Undone(entry, undo.Became.LEFT, staying[entry.number], is_changed=True)
        for entry in entries
        if entry.number in staying
    ]
    return Report(
        kind="EtcdUndeleteUndo",
        items=lambda: (
            {**about(entry), "outcome": None, "why": staying.get(entry.number)} for entry in entries
        ),
        names=lambda: (Named.of_entry(entry).name for entry in entries),
        tables=[Table(COLUMNS, rows)] if rows else [],
        findings=list(together(map(_left, left))),
        closing="" if rows else "nothing is left to take back",
        fields={"operation": head.operation},
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
        item.resource.word,
        printable(item.key.name),
        Cell(str(one.became), mark),
        why,
    )


def undo_row(one: undo.Undone) -> Sequence[Cell | str]:
    entry = one.entry
    mark = Mark.BAD if one.became is undo.Became.LEFT else None
    return (
        entry.namespace or "-",
        entry.resource.word,
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
