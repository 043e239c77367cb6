"""How far a restore is on each node, and what it keeps there, as shown. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.restore.on_nodes.status import NodeState, Stage
from kubectl_admin.etcd.restore.rules import UNSETTLED
from kubectl_admin.finding import Gap
from kubectl_admin.report import Cell, Column, Mark, Report, Table
from kubectl_admin.report.text import size

WORDS = {
    Stage.NONE: "no restore",
    Stage.UNBEGUN: "prepared, not begun",
    Stage.UNDERWAY: "under way",
    Stage.OVER: "over",
}
LAST = {
    "restored": "runs with the restored data",
    "as-before": "runs with the former data",
    "disarmed": "was never begun",
}
WAITS = {
    "go": "waits for the word to begin",
    "nodes": "waits for the other nodes",
    "etcd": "waits for a majority of etcd",
    "acks": "waits until a majority has acknowledged",
    "api": "waits for its API server",
    "backs": "waits until a majority is back",
    "space": "waits until etcd takes writes again (alarm NOSPACE)",
}


def status(found: Mapping[str, NodeState | AdminError], context: str) -> Report:
    """How far each node is."""
    gaps = [Gap(f"node {node}", why) for node, one in found.items() if (why := _unseen(one))]
    return Report(
        kind="EtcdRestoreStatus",
        items=lambda: [state_document(node, one) for node, one in found.items()],
        names=lambda: (f"node/{node}" for node in found),
        tables=[states(found)],
        findings=[gap.finding() for gap in gaps],
        fields={"context": context},
    )


def pruning(
    found: Mapping[str, NodeState | AdminError],
    nodes: Sequence[str],
    context: str,
    *,
    webhooks: Sequence[str] = (),
    unseen: Sequence[Gap] = (),
) -> Report:
    """What a pruning would remove. nodes: on which it would. webhooks: those that a restore has left ignored,
    and that refuse again then. unseen: what could not be looked at.
    """
    shown = status(found, context)
    under_way = [
        UNSETTLED.violation(
            subject=f"node {node}",
            evidence=f"a restore is not over there: {state_words(one)}",
            fix="wait for its end: kubectl admin etcd-restore --status",
            objects=[f"node/{node}"],
        )
        for node, one in found.items()
        if isinstance(one, NodeState) and one.is_under_way
    ]
    silent = [
        UNSETTLED.violation(
            subject=f"node {node}",
            evidence="it can't be asked whether a restore is over there, so nothing is removed on any node",
            fix="bring it back, or delete its Node object if it is gone for good",
            objects=[f"node/{node}"],
        )
        for node, one in found.items()
        if isinstance(one, AdminError)
    ]
    said = (
        [f"to remove on {', '.join(nodes)}: the former data, and all else of restores that are over"]
        if nodes
        else []
    )
    if webhooks:
        said.append(f"to refuse again, webhooks that a restore has left ignored: {', '.join(webhooks)}")
    return replace(
        shown,
        kind="EtcdRestorePrunePlan",
        paragraphs=["\n".join(said) or "nothing is to be removed"],
        findings=[*under_way, *silent, *shown.findings, *(gap.finding() for gap in unseen)],
    )


def pruned(
    freed: Mapping[str, int | AdminError],
    context: str,
    webhooks: Mapping[str, AdminError | None] | None = None,
) -> Report:
    """What was removed. webhooks: those that refuse again, with the problem where they do not."""
    problems = {f"node {node}": one for node, one in freed.items() if isinstance(one, AdminError)}
    problems |= {name: one for name, one in (webhooks or {}).items() if one}
    again = [name for name, one in (webhooks or {}).items() if not one]
    rows: list[list[Cell | str]] = [
        [node, Cell("not removed", Mark.BAD) if isinstance(one, AdminError) else size(one)]
        for node, one in freed.items()
    ]
    return Report(
        kind="EtcdRestorePrune",
        items=lambda: [
            {"node": node, "freedBytes": None if isinstance(one, AdminError) else one}
            for node, one in freed.items()
        ],
        names=lambda: (f"node/{node}" for node in freed),
        tables=[Table([Column("NODE"), Column("FREED")], rows)] if rows else [],
        paragraphs=[f"webhooks that refuse again: {', '.join(again)}"] if again else [],
        findings=[
            UNSETTLED.violation(subject=subject, evidence=one.what, fix=one.hint or "")
            for subject, one in problems.items()
        ],
        fields={"context": context},
    )


def states(found: Mapping[str, NodeState | AdminError]) -> Table:
    """A row for each node."""
    columns = [
        Column("NODE"),
        Column("RESTORE"),
        Column("STATE"),
        Column("DATA"),
        Column("SINCE"),
        Column("FORMER-DATA"),
        Column("UNIT", wide=True),
    ]
    rows: list[list[Cell | str]] = []
    for node, one in found.items():
        if isinstance(one, AdminError):
            rows.append([node, "", Cell("not seen", Mark.DOUBT), "", "", "", ""])
            continue
        at = one.journal[-1][0] if one.journal else 0
        since = f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%SZ}" if at else ""
        kept = size(one.old) if one.old is not None else ""
        rows.append([node, one.earlier.id, state_words(one), one.side, since, kept, one.unit])
    return Table(columns, rows)


def state_words(state: NodeState) -> str:
    """How far a node is, in words."""
    if state.earlier.stage is Stage.OVER:
        return LAST.get(state.earlier.word, WORDS[Stage.OVER])
    if state.waits and state.is_working:
        return WAITS.get(state.waits, state.waits)
    if state.earlier.stage is Stage.UNDERWAY and not state.is_working:
        return f"{WORDS[Stage.UNDERWAY]}, but its worker is {state.unit or 'not there'}"
    return WORDS[state.earlier.stage]


def state_document(node: str, state: NodeState | AdminError | None) -> dict[str, object]:
    """How far a node is, as plain data."""
    if not isinstance(state, NodeState):
        return {"node": node, "stage": None, "problem": state.what if state else None}
    return {
        "node": node,
        "stage": str(state.earlier.stage),
        "operation": state.earlier.id or None,
        "word": state.earlier.word or None,
        "side": state.side or None,
        "waitsFor": state.waits or None,
        "unit": state.unit,
        "formerDataBytes": state.old,
        "journal": [{"seconds": moment, "word": word} for moment, word in state.journal],
    }


def _unseen(state: NodeState | AdminError) -> str:
    """Why something of a node is not known; "" where all is."""
    if isinstance(state, AdminError):
        return state.what
    if state.data or state.earlier.id:
        return ""
    return "the data directory of its etcd is not known, so former data of etcd may be there"
