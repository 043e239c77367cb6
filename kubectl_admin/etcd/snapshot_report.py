"""How a verified snapshot is shown: what it says in a few lines, and the same as plain data. Pure."""

from collections.abc import Iterator, Mapping

from kubectl_admin.etcd.contents import Member
from kubectl_admin.etcd.snapshot import Snapshot, Verdict
from kubectl_admin.etcd.units import size
from kubectl_admin.report import Cell, Column, Mark, Report, Table

SUMMARY = ("REVISION", "KEYS", "SIZE", "IN-USE", "MEMBERS", "ALARMS", "ETCD", "SHA256")
HASH = {True: Cell("ok"), False: Cell("wrong", Mark.BAD), None: Cell("none", Mark.DOUBT)}
MEMBERS = ("MEMBER", "ID", "ROLE", "PEER-URLS")


def report(verdict: Verdict) -> Report:
    """All that is said of a file: tables for what it holds, damaged places, findings."""
    snapshot = verdict.snapshot
    tables = [summary(snapshot)] if snapshot else []
    if snapshot and snapshot.contents.members:
        tables.append(members(snapshot))
    paragraphs = [said(snapshot)] if snapshot else [f"{verdict.path}: nothing in it can be read"]
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


def summary(snapshot: Snapshot) -> Table:
    """A row: how far the snapshot goes, how much it is, whether it is whole."""
    contents = snapshot.contents
    keys = f"{snapshot.full.live_keys:,}" if snapshot.full else f"{snapshot.revisions:,} revisions"
    alarms = ",".join(sorted({alarm.kind for alarm in contents.alarms}))
    row = [
        f"{contents.revision:,}" if contents.revision is not None else Cell("unknown", Mark.BAD),
        keys,
        size(snapshot.database_size),
        size(snapshot.in_use),
        str(len(contents.members)),
        Cell(alarms, Mark.DOUBT) if alarms else "none",
        etcd_version(snapshot),
        HASH[snapshot.hash_right],
    ]
    return Table([Column(name) for name in SUMMARY], [row])


def etcd_version(snapshot: Snapshot) -> str:
    """The version of the members that wrote it, as far as it says so: a minor."""
    contents = snapshot.contents
    if contents.storage_version or contents.cluster_version:
        return str(contents.storage_version or contents.cluster_version).removesuffix(".0")
    return "3.5 or older" if contents.term else "3.4 or older"


def members(snapshot: Snapshot) -> Table:
    """A row a member; «?» where raft and the list of members do not agree."""
    raft = snapshot.contents.raft

    def role(member: Member) -> Cell | str:
        listed = "learner" if member.learner else "voter"
        if raft and member.id not in raft.voters | raft.learners:
            return Cell("not in raft", Mark.DOUBT)
        votes = raft and member.id in raft.voters
        return Cell(listed, Mark.DOUBT) if member.learner and votes else listed

    rows = [
        [member.name or "(never started)", member.id, role(member), ",".join(member.peer_urls)]
        for member in snapshot.contents.members
    ]
    return Table([Column(name) for name in MEMBERS], rows)


def said(snapshot: Snapshot) -> str:
    """The rest of what the file is and says, in a line for each subject."""
    contents = snapshot.contents
    compacted = (
        f"compacted up to {contents.compacted:,}" if contents.compacted is not None else "never compacted"
    )
    raft = [f"{name} {value:,}" for name, value in numbers(snapshot) if value is not None]
    cluster = f"cluster id {contents.cluster_id}, by its only member's; " if contents.cluster_id else ""
    lines = [
        f"{snapshot.path}: {snapshot.size:,} bytes, pages of {size(snapshot.page_size)}",
        f"sha256 of the file: {snapshot.sha256}",
        ", ".join([compacted, *raft, f"{snapshot.entries:,} entries in all buckets"]),
        f"{cluster}authentication is {'on' if contents.auth else 'off'}",
    ]
    if snapshot.full:
        lines.append(f"every entry looked at: hash {snapshot.full.crc32c:x}")
    return "\n".join(lines)


def numbers(snapshot: Snapshot) -> Iterator[tuple[str, int | None]]:
    """Where raft stood."""
    yield "raft index", snapshot.contents.consistent_index
    yield "term", snapshot.contents.term


def damages(verdict: Verdict) -> str:
    """The damaged places, one a line."""
    lines = [f"- {damage}" for damage in verdict.damages]
    rest = verdict.damaged - len(lines)
    return "\n".join(["damaged:", *lines, *([f"- and {rest:,} more"] if rest > 0 else [])])


def document(verdict: Verdict) -> Mapping[str, object]:
    """The file as plain data; `snapshot` is null where nothing can be said of its content."""
    return {
        "file": str(verdict.path),
        "sound": verdict.sound,
        "snapshot": snapshot_document(verdict.snapshot) if verdict.snapshot else None,
        "damaged": verdict.damaged,
        "damages": [
            {"page": damage.page, "offset": damage.offset, "what": damage.what} for damage in verdict.damages
        ],
    }


def snapshot_document(snapshot: Snapshot) -> Mapping[str, object]:
    """What it is and says; ids in hex, as etcdctl writes them; sizes in bytes."""
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
