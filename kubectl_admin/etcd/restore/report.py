"""How a restore is shown: before, as a plan; afterwards, as an outcome; and how far each node is. Pure."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.diff import report as diff_report
from kubectl_admin.etcd.diff.facts import State
from kubectl_admin.etcd.restore.follow import End
from kubectl_admin.etcd.restore.go import Answer
from kubectl_admin.etcd.restore.look.facts import SnapshotFacts
from kubectl_admin.etcd.restore.look.look import Looked
from kubectl_admin.etcd.restore.on_nodes.node_report import state_document, state_words, states
from kubectl_admin.etcd.restore.on_nodes.prepare import Prepared
from kubectl_admin.etcd.restore.on_nodes.status import NodeState
from kubectl_admin.etcd.restore.restore import Restored
from kubectl_admin.etcd.restore.rules import UNSETTLED
from kubectl_admin.finding import Finding
from kubectl_admin.report import Cell, Column, Report, Table
from kubectl_admin.report.text import duration, printable, size

# How many objects, in words for one and for several; the same as a field.
BECOMES = {
    State.ONLY_IN_A: ("comes back", "come back", "comeBack"),
    State.ONLY_IN_B: ("is lost", "are lost", "lost"),
    State.RECREATED: ("becomes that of then", "become those of then", "recreated"),
    State.CHANGED: ("becomes as it was", "become as they were", "changed"),
}


def plan(looked: Looked, now: datetime, prepared: Mapping[str, Prepared]) -> Report:
    """What a restore would do. now: in UTC. prepared: of a rehearsal, by node."""
    shown = compared_report(looked)
    return Report(
        kind="EtcdRestorePlan",
        items=lambda: [node_document(node, looked, prepared.get(node)) for node in looked.plans],
        names=lambda: (f"node/{node}" for node in looked.plans),
        tables=[*(shown.tables[1:] if shown else ()), *([nodes(looked, prepared)] if looked.plans else [])],
        paragraphs=["\n".join(told(looked, now, prepared))],
        findings=looked.findings,
        fields={
            "context": looked.live.state.context,
            "snapshot": snapshot_document(looked.file),
            "bumpRevision": looked.bump if looked.plans else None,
            "objects": {BECOMES[state][-1]: count for state, count in counts(looked).items()},
            "rehearsed": bool(prepared),
        },
    )


def in_short(planned: Report, looked: Looked) -> Report:
    """A plan without its lists: how many objects of which kinds become what."""
    shown = compared_report(looked)
    return replace(planned, tables=shown.tables[1:2] if shown else ())


def compared_report(looked: Looked) -> Report | None:
    """The snapshot compared with now: its tables are the two files, the counts by kind, and the objects."""
    compared = looked.compared
    return diff_report.report(compared, noise=False, exit_code=False, listed=True) if compared else None


def counts(looked: Looked) -> dict[State, int]:
    """How many objects would become what; events and the like left out."""
    found = dict.fromkeys(BECOMES, 0)
    for row in looked.compared.rows if looked.compared else ():
        for state, count in row.counts.items():
            if state in found and not (row.kind and row.kind.noisy):
                found[state] += count
    return found


def told(looked: Looked, now: datetime, prepared: Mapping[str, Prepared]) -> Iterator[str]:
    """The plan in sentences."""
    file = looked.file
    if file.snapshot is None:
        return
    age = f", at least {duration((now - file.newest).total_seconds())} old" if file.newest else ""
    revision = looked.live.revision
    yield (
        f"the snapshot: {size(file.snapshot.size)}, revision {file.revision or 0:,}{age}"
        + (f"; etcd is at revision {revision:,}" if revision else "")
    )
    if looked.compared:
        found = {state: count for state, count in counts(looked).items() if count}
        words = [f"{count:,} {BECOMES[state][count > 1]}" for state, count in found.items()]
        yield f"objects: {', '.join(words)}" if words else "no object would change"
        if more := diff_report.not_listed(looked.compared):
            path = shlex.quote(printable(str(file.verdict.path)))
            yield (
                f"not listed: {more}; to see them all: kubectl admin etcd-snapshot -o now.db, then "
                f"kubectl admin etcd-diff {path} now.db --all"
            )
    if looked.defrag:
        yield "each node makes the restored database as small as it can be (etcdutl defrag)"
    if prepared:
        yield "every node has restored it aside, with equal data, and has removed it again"
    elif looked.plans:
        yield (
            f"all at once: {', '.join(looked.plans)}; the API is down meanwhile; the former data are kept "
            "on the nodes until --prune"
        )


def nodes(looked: Looked, prepared: Mapping[str, Prepared]) -> Table:
    """A row for each control-plane node."""
    columns = [Column("NODE"), Column("MEMBER"), Column("PEER-URL"), Column("DATA")]
    if prepared:
        columns += [Column("ETCDUTL"), Column("HASH"), Column("RESTORED"), Column("IN")]
    rows: list[list[Cell | str]] = []
    for node, one in looked.plans.items():
        row: list[Cell | str] = [node, one.name, one.members[one.name], one.data]
        if there := prepared.get(node):
            row += [there.etcdutl, f"{there.hash:x}", size(there.size), duration(there.seconds, tenths=True)]
        rows.append(row)
    return Table(columns, rows)


def outcome(so_far: Restored, nodes: Sequence[str]) -> Report:
    """What became of a restore."""
    findings = [finding for one in so_far.outcomes for finding in one.all_findings()]
    return Report(
        kind="EtcdRestore",
        items=lambda: [state_document(node, so_far.states.get(node)) for node in nodes],
        names=lambda: (f"node/{node}" for node in nodes),
        tables=[states(so_far.states)] if so_far.states else [],
        paragraphs=["\n".join(ended(so_far, nodes))],
        findings=[*end_findings(so_far, nodes), *findings],
        fields={
            "operation": so_far.operation,
            "end": str(so_far.followed.end) if so_far.followed else None,
            "begun": so_far.is_begun,
            "secondsWithoutApi": round(so_far.followed.without_api, 1)
            if so_far.followed and not so_far.resumed
            else None,
            "before": str(so_far.before.directory) if so_far.before else None,
            "done": [one.step.name for one in so_far.outcomes if one.is_done],
        },
    )


def ended(so_far: Restored, nodes: Sequence[str]) -> Iterator[str]:
    """How far it has come, in sentences."""
    match so_far.followed:
        case None if so_far.word is Answer.UNKNOWN:
            yield "whether the nodes have been told to begin is not known; their end was not seen"
        case None if so_far.is_begun:
            yield "the nodes have been told to begin; their end was not seen"
        case None:
            yield "nothing was changed: the nodes were not told to begin"
        case followed if followed.end is End.RESTORED:
            without = duration(followed.without_api, tenths=True)
            known = "" if so_far.resumed else f"; the API did not answer for {without}"
            yield f"{where_restored(so_far, nodes)}{known}"
        case _:
            yield "as before: the nodes went back to the former data, and nothing is lost"
    if so_far.before:
        yield f"the state before is in {so_far.before.directory}"
    if so_far.outcomes:
        yield steps_done(so_far)


def where_restored(so_far: Restored, nodes: Sequence[str]) -> str:
    """On which nodes it was seen restored."""
    if not set(nodes) <= set(so_far.restored):
        return "restored: a majority serves the snapshot"
    if len(nodes) == 1:
        return f"restored on control-plane node {nodes[0]}, the only one"
    return f"restored on all {len(nodes)} control-plane nodes"


def steps_done(so_far: Restored) -> str:
    """How many of the steps afterwards are done; those that are not are findings."""
    done, taken = sum(one.is_done for one in so_far.outcomes), len(so_far.outcomes)
    if not so_far.all_taken:
        return f"steps afterwards: {done} are done, and not all were taken"
    return f"steps afterwards: {f'all {taken}' if done == taken else f'{done} of {taken}'} are done"


def end_findings(so_far: Restored, nodes: Sequence[str]) -> Iterator[Finding]:
    """What of the end itself is not as it was wanted."""
    for node in so_far.left:
        yield UNSETTLED.violation(
            subject=f"node {node}",
            evidence="what was prepared could not be removed there",
            fix="it does not begin by itself; once the node is back: kubectl admin etcd-restore --prune",
            objects=[f"node/{node}"],
        )
    if so_far.followed is None:
        return
    if so_far.followed.end is End.AS_BEFORE:
        yield UNSETTLED.violation(
            subject="the restore",
            evidence="the nodes could not carry it out, and went back to the former data",
            fix="see why: kubectl admin etcd-restore --status, then --prune and try again",
        )
        return
    for node in nodes:
        state = so_far.states.get(node)
        if isinstance(state, NodeState) and state.earlier.word == "restored":
            continue
        why = state.what if isinstance(state, AdminError) else state_words(state) if state else "not asked"
        yield UNSETTLED.violation(
            subject=f"node {node}",
            evidence=f"it has not finished the restore: {why}",
            fix="it follows by itself once it is back; then run the command again",
            objects=[f"node/{node}"],
        )


def node_document(node: str, looked: Looked, prepared: Prepared | None) -> dict[str, object]:
    """A node of the plan as plain data."""
    one = looked.plans[node]
    return {
        "node": node,
        "member": one.name,
        "peerURL": one.members[one.name],
        "dataDirectory": one.data,
        "rehearsal": {
            "etcdutl": prepared.etcdutl,
            "databaseBytes": prepared.size,
            "hash": prepared.hash,
            "revision": prepared.revision,
            "keys": prepared.keys,
            "seconds": round(prepared.seconds, 1),
        }
        if prepared
        else None,
    }


def snapshot_document(file: SnapshotFacts) -> dict[str, object] | None:
    """The snapshot as plain data."""
    if file.snapshot is None:
        return None
    return {
        "sha256": file.snapshot.sha256,
        "sizeBytes": file.snapshot.size,
        "revision": file.revision,
        "cluster": file.cluster.text or None,
        "kubernetesVersion": file.kubernetes.text or None,
        "etcdVersion": file.etcd or None,
        "newest": file.newest.isoformat() if file.newest else None,
    }
