"""How a verified snapshot is shown: its content in a few lines, and the same as plain data. Pure."""

import os
from collections.abc import Mapping

from kubectl_admin.etcd.snapshot.contents import Member
from kubectl_admin.etcd.snapshot.facts import Snapshot, Verdict
from kubectl_admin.etcd.snapshot.judge import Standing, standing
from kubectl_admin.report import Cell, Column, Mark, Report, Table
from kubectl_admin.report.text import and_more, size

HASH = {True: Cell("ok"), False: Cell("wrong", Mark.BAD), None: Cell("none", Mark.DOUBT)}
MEMBERS = ("MEMBER", "ID", "ROLE", "PEER-URLS")


def report(verdict: Verdict) -> Report:
    """The report on a file: tables for its content, damaged places, findings."""
    snapshot = verdict.snapshot
    tables = [summary(snapshot, verdict.damaged)] if snapshot else []
    if snapshot and snapshot.contents.members:
        tables.append(members(snapshot))
    paragraphs = [details(snapshot)] if snapshot else [f"{verdict.path}: nothing in it can be read"]
    if verdict.damages:
        paragraphs.append(damages(verdict))
    return Report(
        kind="EtcdSnapshotReport",
        items=lambda: [document(verdict)],
        names=lambda: [f"file/{verdict.path}"],
        tables=tables,
        paragraphs=paragraphs,
        findings=verdict.findings,
    )


def summary(snapshot: Snapshot, damaged: int = 0) -> Table:
    """A row: whether it is whole, how far it goes, how much it is; keys where they were counted."""
    contents, full = snapshot.contents, snapshot.full
    alarms = ",".join(sorted({alarm.kind for alarm in contents.alarms}))
    cells: dict[str, Cell | str] = {
        "FILE": snapshot.path.name,
        "SHA256": HASH[snapshot.hash_right],
        "PAGES": Cell("damaged", Mark.BAD) if damaged else "ok",
        "REVISION": f"{contents.revision:,}" if contents.revision is not None else Cell("unknown", Mark.BAD),
        **({"KEYS": f"{full.live_keys:,}"} if full else {"ENTRIES": f"{snapshot.entries:,}"}),
        "SIZE": size(snapshot.database_size),
        "IN-USE": size(snapshot.in_use),
        "ALARMS": Cell(alarms, Mark.DOUBT) if alarms else "none",
        "ETCD": etcd_version(snapshot),
    }
    return Table([Column(name) for name in cells], [list(cells.values())])


def etcd_version(snapshot: Snapshot) -> str:
    """The minor of the members that wrote it, as far as it is known."""
    contents = snapshot.contents
    if contents.storage_version or contents.cluster_version:
        return str(contents.storage_version or contents.cluster_version).removesuffix(".0")
    return "3.5 or older" if contents.term else "3.4 or older"


def members(snapshot: Snapshot) -> Table:
    """A row a member; «?» where raft and the list of members do not agree."""
    contents = snapshot.contents

    def role(member: Member) -> Cell | str:
        found = standing(member, contents)
        doubtful = found in (Standing.ZOMBIE, Standing.UNPROMOTED)
        return Cell(str(found), Mark.DOUBT) if doubtful else str(found)

    rows = [
        [member.name or "(never started)", member.id, role(member), ",".join(member.peer_urls)]
        for member in contents.members
    ]
    return Table([Column(name) for name in MEMBERS], rows)


def details(snapshot: Snapshot) -> str:
    """The rest about the file and its content, a line for each subject."""
    contents = snapshot.contents
    numbers = {
        "compacted up to revision": contents.compacted,
        "raft index": contents.consistent_index,
        "term": contents.term,
    }
    lines = [
        f"{snapshot.path}: {snapshot.size:,} bytes, in pages of {size(snapshot.page_size)}, sha256",
        snapshot.sha256,
        ", ".join(f"{name} {value:,}" for name, value in numbers.items() if value is not None),
    ]
    if contents.cluster_id:
        lines.append(f"cluster id {contents.cluster_id}, computed from the id of the only member")
    if snapshot.full:
        hashed = f"etcdutl's hash over them is {snapshot.full.crc32c:x}"
        lines.append(f"{snapshot.entries:,} entries in all buckets; {hashed}")
    if contents.auth:
        lines.append("authentication is on: etcd asks its clients for a user")
    return "\n".join(line for line in lines if line)


def damages(verdict: Verdict) -> str:
    """The damaged places, one a line."""
    lines = [f"- {damage}" for damage in verdict.damages]
    if rest := and_more(verdict.damaged - len(lines)):
        lines.append(f"- {rest}")
    return "\n".join(["damaged:", *lines])


def document(verdict: Verdict) -> Mapping[str, object]:
    """The file as plain data; `snapshot` is null where nothing in it can be read."""
    return {
        "file": os.fsencode(verdict.path).decode(errors="backslashreplace"),
        "sound": verdict.sound,
        "snapshot": snapshot_document(verdict.snapshot) if verdict.snapshot else None,
        "damaged": verdict.damaged,
        "damages": [
            {"page": damage.page, "offset": damage.offset, "what": damage.what} for damage in verdict.damages
        ],
    }


def snapshot_document(snapshot: Snapshot) -> Mapping[str, object]:
    """Its content; ids in hex, as etcdctl writes them; sizes in bytes."""
    contents, full = snapshot.contents, snapshot.full
    return {
        "sha256": snapshot.sha256,
        "appendedHash": {True: "right", False: "wrong", None: "none"}[snapshot.hash_right],
        "sizeBytes": snapshot.size,
        "databaseBytes": snapshot.database_size,
        "inUseBytes": snapshot.in_use,
        "pageBytes": snapshot.page_size,
        "revision": contents.revision,
        "compactedRevision": contents.compacted,
        "entries": snapshot.entries,
        "revisions": snapshot.revisions,
        "liveKeys": full.live_keys if full else None,
        "crc32c": full.crc32c if full else None,
        "storageVersion": contents.storage_version,
        "clusterVersion": contents.cluster_version,
        "clusterID": contents.cluster_id,
        "consistentIndex": contents.consistent_index,
        "term": contents.term,
        "authEnabled": contents.auth,
        "members": [
            {
                "id": member.id,
                "name": member.name,
                "peerURLs": list(member.peer_urls),
                "clientURLs": list(member.client_urls),
                "isLearner": member.learner,
            }
            for member in contents.members
        ],
        "membersRemoved": list(contents.removed),
        "raft": {"voters": sorted(contents.raft.voters), "learners": sorted(contents.raft.learners)}
        if contents.raft
        else None,
        "alarms": [{"alarm": alarm.kind, "memberID": alarm.member} for alarm in contents.alarms],
    }
