"""How two compared snapshots are shown: both files, how many objects differ, and which. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby

from kubectl_admin.etcd.diff import judge
from kubectl_admin.etcd.diff.document import document, fields, name
from kubectl_admin.etcd.diff.facts import Comparison, Difference, File, Row, State, Wanted
from kubectl_admin.etcd.snapshot.report import HASH
from kubectl_admin.etcd.stored.facts import Kind
from kubectl_admin.report import Cell, Column, Mark, Report, Table
from kubectl_admin.report.text import size, some_of

UNKNOWN = "(unknown)"  # a kind
ROWS = 40  # of the summary by kind and namespace; where there are more, it is by kind
LETTERS = ("A", "B")  # labels that are not the name of a file
ALWAYS = (State.ONLY_IN_A, State.ONLY_IN_B, State.RECREATED, State.CHANGED)  # columns, whatever they hold


def report(compared: Comparison, *, noise: bool, exit_code: bool, listed: bool) -> Report:
    """The report on two files.

    noise: whether a person is shown what tells nothing as well. exit_code: whether a difference is a
    violation. listed: whether a person reads it at all: tables take memory for each object.
    """
    rows = [row for row in (_without_noise(row, noise=noise) for row in compared.rows) if row.counts]
    totals = _totals(rows)
    tables, lines = [files(compared)], [*_about_files(compared)]
    if listed and rows:
        listed_of = Counter[State]()
        tables += [summary(compared, rows, every=noise), objects(compared, listed_of)]
        lines += _about_objects(rows)
        lines += _more(compared, totals - listed_of)
    if listed and not noise:
        lines += _noise(compared.rows)
    return Report(
        kind="EtcdDiff",
        items=lambda: map(document, compared.differences),
        names=lambda: map(name, compared.differences),
        tables=tables,
        paragraphs=["\n".join(lines)] if lines else [],
        findings=list(judge.findings(compared, totals.total() if exit_code else 0)),
        closing=_closing(compared, totals),
        fields=fields(compared),
    )


def words_of(compared: Comparison) -> Mapping[State, str]:
    """How an object differs, for a person."""
    return {
        State.ONLY_IN_A: f"only in {compared.a.label}",
        State.ONLY_IN_B: f"only in {compared.b.label}",
        State.RECREATED: "recreated",
        State.CHANGED: "changed",
        State.ENCRYPTED: "written (encrypted)",
        State.REWRITTEN: "same content",
    }


def files(compared: Comparison) -> Table:
    """A row a file."""
    doubtful = judge.is_same_cluster(compared.a, compared.b) is False
    columns = [
        *(Column(title) for title in ("FILE", "SHA256", "REVISION", "KEYS", "SIZE", "CLUSTER")),
        Column("COMPACTED", wide=True),
    ]
    return Table(columns, [_file(file, doubtful=doubtful) for file in (compared.a, compared.b)])


def _file(file: File, *, doubtful: bool) -> list[Cell | str]:
    snapshot = file.verdict.snapshot
    if snapshot is None:
        return [file.label, Cell("unknown", Mark.BAD), "", "", "", "", ""]
    contents = snapshot.contents
    cluster = file.cluster.partition("-")[0] if file.cluster else "unknown"
    return [
        file.label,
        HASH[snapshot.hash_right],
        _number(contents.revision),
        _number(file.objects),
        size(snapshot.size),
        Cell(cluster, Mark.DOUBT) if doubtful else cluster,
        _number(contents.compacted),
    ]


def _number(value: int | None) -> str:
    return f"{value:,}" if value is not None else ""


def summary(compared: Comparison, rows: Sequence[Row], *, every: bool) -> Table:
    """How many objects differ, by kind and namespace; by kind where those are many and not `every`."""
    totals = _totals(rows)
    states = [state for state in State if state in ALWAYS or totals[state]]
    titles = {
        State.ONLY_IN_A: f"ONLY-IN-{compared.a.label}",
        State.ONLY_IN_B: f"ONLY-IN-{compared.b.label}",
        State.RECREATED: "RECREATED",
        State.CHANGED: "CHANGED",
        State.ENCRYPTED: "ENCRYPTED",
        State.REWRITTEN: "SAME-CONTENT",
    }
    columns = [Column(title) for title in ("KIND", "NAMESPACE", *(titles[state] for state in states))]
    shown = rows if every or len(rows) <= ROWS else _by_kind(rows)
    return Table(
        columns,
        [
            [_title(row.kind), row.namespace, *(_number(row.counts.get(state) or None) for state in states)]
            for row in shown
        ],
    )


def _by_kind(rows: Sequence[Row]) -> Iterator[Row]:
    for kind, grouped in groupby(rows, key=lambda row: row.kind):
        of_kind = list(grouped)
        where = of_kind[0].namespace if len(of_kind) == 1 else f"{len(of_kind):,} namespaces"
        yield Row(kind, where, _totals(of_kind))


def objects(compared: Comparison, count: Counter[State]) -> Table:
    """A row an object, each of which is counted."""
    words = words_of(compared)
    columns = [
        *(Column(title) for title in ("DIFFERENCE", "KIND", "NAMESPACE", "NAME")),
        *(Column(f"REVISION-IN-{file.label}", wide=True) for file in (compared.a, compared.b)),
    ]
    rows = []
    for difference in compared.differences:
        count[difference.state] += 1
        rows.append(_object(difference, words[difference.state]))
    return Table(columns, rows)


def _object(difference: Difference, word: str) -> list[Cell | str]:
    thing, a, b = difference.object, difference.a, difference.b
    if difference.state is State.RECREATED and a and b and not judge.is_told_by_uid(a, b):
        word = f"{word} (UID unknown)"
    return [
        word,
        _title(thing.kind),
        thing.namespace,
        thing.name if thing.kind else thing.key,
        *(_number(side.modified if side else None) for side in (a, b)),
    ]


def _title(kind: Kind | None) -> str:
    return kind.title if kind else UNKNOWN


def _without_noise(row: Row, *, noise: bool) -> Row:
    """The row with what is shown of it."""
    if noise:
        return row
    if row.kind and row.kind.noisy:
        return replace(row, counts={})
    counts = dict(row.counts)
    counts.pop(State.REWRITTEN, None)
    return replace(row, counts=counts)


def _about_files(compared: Comparison) -> Iterator[str]:
    a, b = compared.a, compared.b
    for file in (a, b):
        if file.label in LETTERS:
            yield f"{file.label} is {file.verdict.path}"
    of_a, of_b = (_revision(file) for file in (a, b))
    if of_a is None or of_b is None:
        return
    if of_a == of_b:
        yield f"both have revision {of_a:,}"
    else:
        higher = a if of_a > of_b else b
        yield f"{higher.label} has the higher revision, by {abs(of_a - of_b):,}"


def _revision(file: File) -> int | None:
    return file.verdict.snapshot.contents.revision if file.verdict.snapshot else None


def _more(compared: Comparison, more: Counter[State]) -> Iterator[str]:
    """Differences for which there was no room."""
    if told := _told(compared, more):
        yield f"not listed: {told} (--all lists them)"


def not_listed(compared: Comparison) -> str:
    """Differences for which there was no room, what tells nothing left out; "" where there are none."""
    totals = _totals([_without_noise(row, noise=False) for row in compared.rows])
    return _told(compared, totals - Counter(each.state for each in compared.differences))


def _told(compared: Comparison, more: Counter[State]) -> str:
    words = words_of(compared)
    return ", ".join(f"{more[state]:,} more {words[state]}" for state in State if more[state])


def _noise(rows: Sequence[Row]) -> Iterator[str]:
    """Differences that tell nothing."""
    noisy, same = Counter[str](), 0
    for row in rows:
        if row.kind and row.kind.noisy:
            noisy[row.kind.title] += sum(row.counts.values())
        else:
            same += row.counts.get(State.REWRITTEN, 0)
    told = [f"{count:,} {title}" for title, count in noisy.most_common()]
    told += [f"{same:,} written again with the same content"] if same else []
    if told:
        yield f"left out, since they tell nothing: {', '.join(told)} (--all lists them)"


def _about_objects(rows: Sequence[Row]) -> Iterator[str]:
    encrypted = Counter[str]()
    for row in rows:
        encrypted[_title(row.kind)] += row.counts.get(State.ENCRYPTED, 0)
    if told := [f"{count:,} {title}" for title, count in encrypted.most_common() if count]:
        yield (
            f"encrypted, so that a change can't be told from the same content written again: {some_of(told)}"
        )
    if unknown := _totals([row for row in rows if row.kind is None]).total():
        yield f"keys that do not tell which object they are, and are shown as they are: {unknown:,}"


def _closing(compared: Comparison, totals: Counter[State]) -> str:
    if not compared.compared:
        return "nothing was compared"
    words = words_of(compared)
    told = ", ".join(f"{totals[state]:,} {words[state]}" for state in State if totals[state])
    if told:
        return f"objects that differ: {told}"
    # All others may well differ: those that were not asked for, and those that are left out.
    asked = " that was asked for" if compared.wanted != Wanted() else ""
    return f"no {'other ' if compared.rows else ''}object{asked} differs"


def _totals(rows: Sequence[Row]) -> Counter[State]:
    totals = Counter[State]()
    for row in rows:
        totals.update(row.counts)
    return totals
