"""What is said of a snapshot that was taken. Pure."""

from dataclasses import replace
from pathlib import Path

from kubectl_admin.etcd.saving.take import Taken
from kubectl_admin.etcd.snapshot.facts import Snapshot
from kubectl_admin.etcd.snapshot.report import document as verdict_document
from kubectl_admin.etcd.snapshot.report import members, summary
from kubectl_admin.etcd.units import size
from kubectl_admin.node.unpacking import Tool
from kubectl_admin.report import Report

STDOUT = Path("stdout")


def report(taken: Taken) -> Report:
    """Where the snapshot is and what it holds; for programs, all that is known of it."""
    snapshot = taken.verdict.snapshot
    if snapshot:
        # It was verified before it had its name.
        snapshot = replace(snapshot, path=taken.file or STDOUT)
    return Report(
        kind="EtcdSnapshot",
        items=lambda: [document(taken)],
        names=lambda: [f"file/{taken.file or STDOUT}"],
        tables=[summary(snapshot, taken.verdict.damaged), members(snapshot)] if snapshot else [],
        paragraphs=[said(taken, snapshot)] if snapshot else [],
        findings=taken.verdict.findings,
    )


def said(taken: Taken, snapshot: Snapshot) -> str:
    """Where it is, where it came from, and what that took."""
    fetched, spent = taken.saved.fetched, taken.saved.seconds
    packed = (
        "uncompressed" if taken.saved.tool == Tool.NONE else f"as {size(fetched.wire)} of {taken.saved.tool}"
    )
    cuts = f" in {fetched.cuts + 1} streams" if fetched.cuts else ""
    lines = [
        f"{snapshot.path}: {snapshot.size:,} bytes from node {taken.node} in {taken.seconds:.1f} s",
        f"(saved and fetched in {spent['fetch']:.1f} s {packed}{cuts}, verified in {spent['verify']:.1f} s)",
        f"sha256 {snapshot.sha256}",
        f"cluster id {taken.saved.cluster_id}",
    ]
    return "\n".join(lines)


def document(taken: Taken) -> dict[str, object]:
    """The same as plain data; seconds, bytes."""
    verdict = replace(taken.verdict, path=taken.file or taken.verdict.path)
    return {
        **verdict_document(verdict),
        "file": str(taken.file) if taken.file else None,
        "node": taken.node,
        "endpoint": taken.saved.endpoint,
        "clusterID": taken.saved.cluster_id,
        "compression": str(taken.saved.tool),
        "wireBytes": taken.saved.fetched.wire,
        "cuts": taken.saved.fetched.cuts,
        "seconds": round(taken.seconds, 3),
        "phases": {name: round(seconds, 3) for name, seconds in taken.saved.seconds.items()},
    }
