"""What is said of a snapshot that was taken. Pure."""

from dataclasses import replace

from kubectl_admin.etcd.snapshot import Snapshot
from kubectl_admin.etcd.snapshot_report import document as verdict_document
from kubectl_admin.etcd.snapshot_report import members, summary
from kubectl_admin.etcd.take import Taken
from kubectl_admin.etcd.units import size
from kubectl_admin.report import Report


def report(taken: Taken) -> Report:
    """Where the snapshot is and what it holds; for programs, all that is known of it."""
    snapshot = taken.verdict.snapshot
    return Report(
        kind="EtcdSnapshot",
        items=lambda: [document(taken)],
        names=lambda: [f"file/{taken.file}"],
        tables=[summary(snapshot), members(snapshot)] if snapshot else [],
        paragraphs=[said(taken, snapshot)] if snapshot else [],
        findings=taken.verdict.findings,
    )


def said(taken: Taken, snapshot: Snapshot) -> str:
    """Where it is, where it came from, and what that took."""
    saved, spent = taken.saved, taken.saved.seconds
    packed = "uncompressed" if saved.tool == "none" else f"as {size(saved.fetched.wire)} of {saved.tool}"
    cuts = f" in {saved.fetched.cuts + 1} streams" if saved.fetched.cuts else ""
    phases = f"saved and fetched in {spent['fetch']:.1f} s {packed}{cuts}, "
    return (
        f"{taken.file or 'stdout'}: {snapshot.size:,} bytes from node {taken.node} in {taken.seconds:.1f} s\n"
        f"({phases}verified in {spent['verify']:.1f} s)\n"
        f"sha256 of the file: {snapshot.sha256}"
    )


def document(taken: Taken) -> dict[str, object]:
    """The same as plain data; seconds, bytes."""
    verdict = replace(taken.verdict, path=taken.file or taken.verdict.path)
    return {
        **verdict_document(verdict),
        "file": str(taken.file) if taken.file else None,
        "node": taken.node,
        "endpoint": taken.saved.endpoint,
        "compression": str(taken.saved.tool),
        "wireBytes": taken.saved.fetched.wire,
        "cuts": taken.saved.fetched.cuts,
        "seconds": round(taken.seconds, 3),
        "phases": {name: round(seconds, 3) for name, seconds in taken.saved.seconds.items()},
    }
