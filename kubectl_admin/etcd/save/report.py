"""How a saved snapshot is shown. Pure."""

from dataclasses import replace
from pathlib import Path

from kubectl_admin.etcd.save.save import SavedSnapshot
from kubectl_admin.etcd.snapshot.facts import Snapshot
from kubectl_admin.etcd.snapshot.report import document as verdict_document
from kubectl_admin.etcd.snapshot.report import members, summary
from kubectl_admin.node.unpacking import Tool
from kubectl_admin.report import Report
from kubectl_admin.report.text import duration, size

STDOUT = Path("stdout")


def report(saved: SavedSnapshot) -> Report:
    """Where the snapshot is and what it holds; for programs, every fact about it."""
    snapshot = saved.verdict.snapshot
    if snapshot:
        # It was verified before it was renamed into place.
        snapshot = replace(snapshot, path=saved.file or STDOUT)
    return Report(
        kind="EtcdSnapshot",
        items=lambda: [document(saved)],
        names=lambda: [f"file/{saved.file or STDOUT}"],
        tables=[summary(snapshot, saved.verdict.damaged), members(snapshot)] if snapshot else [],
        paragraphs=[details(saved, snapshot)] if snapshot else [],
        findings=saved.verdict.findings,
    )


def details(saved: SavedSnapshot, snapshot: Snapshot) -> str:
    """Where it is, where it came from, and how long that took."""
    fetched, spent, tool = saved.download.fetched, saved.download.seconds, saved.download.tool
    packed = "uncompressed" if tool == Tool.NONE else f"as {size(fetched.wire)} of {tool}"
    cuts = f" in {fetched.cuts + 1} streams" if fetched.cuts else ""
    whole, fetch, verify = (
        duration(seconds, tenths=True) for seconds in (saved.seconds, spent["fetch"], spent["verify"])
    )
    lines = [
        f"{snapshot.path}: {snapshot.size:,} bytes from node {saved.node} in {whole}",
        f"(saved and fetched in {fetch} {packed}{cuts}, verified in {verify})",
        f"sha256 {snapshot.sha256}",
        f"cluster id {saved.download.cluster_id}",
    ]
    return "\n".join(lines)


def document(saved: SavedSnapshot) -> dict[str, object]:
    """The same as plain data; seconds, bytes."""
    verdict = replace(saved.verdict, path=saved.file or saved.verdict.path)
    return {
        **verdict_document(verdict),
        "file": str(saved.file) if saved.file else None,
        "node": saved.node,
        "endpoint": saved.download.endpoint,
        "clusterID": saved.download.cluster_id,
        "compression": str(saved.download.tool),
        "wireBytes": saved.download.fetched.wire,
        "cuts": saved.download.fetched.cuts,
        "seconds": round(saved.seconds, 3),
        "phases": {name: round(seconds, 3) for name, seconds in saved.download.seconds.items()},
    }
