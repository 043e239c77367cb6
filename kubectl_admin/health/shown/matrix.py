"""The matrix of a report: a row a node, a column a component. Pure.

Workers that look the same are one row where there are many, so that 5,000 nodes are one screen. A node that
is not well always has a row of its own.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence

from kubectl_admin.control_plane.component import Component
from kubectl_admin.health.components.ages import common_clock
from kubectl_admin.health.components.verdict import State, Verdict
from kubectl_admin.health.facts import Clock, NoReply
from kubectl_admin.health.look import COMPONENTS, Look, Row
from kubectl_admin.report import Cell, Column, Mark, Table

TITLES: Mapping[Component, str] = {
    Component.APISERVER: "APISERVER",
    Component.ETCD: "ETCD",
    Component.KUBELET: "KUBELET",
    Component.KUBE_PROXY: "PROXY",
    Component.CONTROLLER_MANAGER: "MANAGER",
    Component.SCHEDULER: "SCHEDULER",
}
LEADS = "*"  # behind the cell of a component that leads
FOLDED_FROM = 6  # workers that look the same, from which on they are one row
STATUS = "STATUS"
Place = tuple[str, str]  # a node, and the title of a column


def table(look: Look, *, wide: bool = False, changed: Collection[Place] = ()) -> Table:
    """The matrix. wide: a row for each node. changed: the cells that are marked as such."""
    columns = [
        *map(Column, ("NODE", STATUS, *(TITLES[one] for one in COMPONENTS))),
        *(Column(title, wide=True) for title in ("CLOCK", "ANSWER", "VERSION", "PODS", "WAY")),
    ]
    common = common_clock(look.facts)
    groups = [[row] for row in look.rows] if wide else folded(look.rows, {node for node, _ in changed})
    return Table(columns, [cells(group, common, changed) for group in groups])


def folded(rows: Sequence[Row], apart: Collection[str] = ()) -> list[list[Row]]:
    """The rows in groups that are shown as one, in the order of their first nodes.

    apart: nodes that are shown by themselves whatever they are like.
    """
    alike: dict[tuple[str, ...], list[Row]] = {}
    alone: list[list[Row]] = []
    for row in rows:
        if row.node.is_control_plane or row.node.name in apart or not (row.is_well or row.is_left_out):
            alone.append([row])
        else:
            key = tuple(verdict.cell for verdict in row.verdicts.values())
            alike.setdefault(key, []).append(row)
    groups = list(alone)
    for group in alike.values():
        groups += [group] if len(group) >= FOLDED_FROM else [[row] for row in group]
    order = {row.node.name: number for number, row in enumerate(rows)}
    return sorted(groups, key=lambda group: order[group[0].node.name])


def cells(group: Sequence[Row], common: Clock | None, changed: Collection[Place]) -> list[Cell | str]:
    """A row of the table, for one node or for a group of nodes that look the same."""
    first = group[0]
    name = first.node.name
    if len(group) > 1:
        name = f"{name} … {group[-1].node.name} ({len(group):,} nodes)"
    return [
        name,
        marked(status(first), (first.node.name, STATUS) in changed),
        *(
            marked(
                state_cell(first.verdicts[one], leads=one in first.leading),
                (first.node.name, TITLES[one]) in changed,
            )
            for one in COMPONENTS
        ),
        *details(first, common),
    ]


def marked(cell: Cell, changed: bool) -> Cell:
    """The cell, and whether it has just changed."""
    return Cell(cell.text, cell.mark, changed) if changed else cell


def status(row: Row) -> Cell:
    """Whether a node is Ready, and whether it is cordoned."""
    text = {True: "Ready", False: "NotReady", None: "Unknown"}[row.is_ready]
    bad = Mark.DOUBT if row.node.unschedulable or row.is_ready is None else Mark.BAD
    shown = f"{text},cordoned" if row.node.unschedulable else text
    return Cell(shown, None if row.is_ready else bad)


def state_cell(verdict: Verdict, *, leads: bool) -> Cell:
    """The state of a component, with a sign where it leads."""
    text = f"{verdict.cell}{LEADS}" if leads else verdict.cell
    if verdict.is_bad:
        return Cell(text, Mark.BAD)
    if verdict.is_behind:  # its cell says so by itself: «node?»
        return Cell(text.replace(Mark.DOUBT, ""), Mark.DOUBT)
    if verdict.state in (State.DENIED, State.BOUND):
        return Cell(text, Mark.DOUBT)
    if verdict.state is State.UNKNOWN:
        return Cell("", Mark.DOUBT)
    return Cell(text)


def details(row: Row, common: Clock | None) -> Iterator[str]:
    """The columns of `-o wide`."""
    node = row.node
    yield offset(node.clock, common)
    yield "-" if row.seconds is None else f"{row.seconds * 1000:.0f}ms"
    yield node.kubelet.removeprefix("v")
    yield "-" if node.running is None else f"{node.running}/{node.capacity or '?'}"
    way = str(node.way.why) if isinstance(node.way, NoReply) else node.way
    further = isinstance(node.host, str) and node.host not in ("", way)
    yield f"{way}, {node.host}" if further else way


def offset(clock: Clock | None, common: Clock | None) -> str:
    """How far a clock is ahead of the median of all; «0s» where that is less than it may be off."""
    if clock is None or common is None:
        return "-"
    ahead = clock.offset - common.offset
    return "0s" if abs(ahead) <= clock.error + common.error else f"{ahead:+.1f}s"
