"""How an archive is shown: its own word, what was verified of it, and what was written out of it. Pure."""

from collections.abc import Iterator

from kubectl_admin.backup import manifest, rules
from kubectl_admin.backup.archive.extract import Extracted
from kubectl_admin.backup.archive.verify import Verified
from kubectl_admin.backup.facts import Archive
from kubectl_admin.backup.judge import of_lost
from kubectl_admin.backup.judge_contents import Tried
from kubectl_admin.backup.report import pieces
from kubectl_admin.etcd.stored.encryption import Trial
from kubectl_admin.finding import Finding
from kubectl_admin.report import Cell, Column, Mark, Report, Table
from kubectl_admin.report.text import printable, size, some_of

MARKS = {Trial.OPENED: None, Trial.REFUSED: Mark.BAD, Trial.UNKNOWN: Mark.DOUBT}
SHOWN = 20  # links, and volumes, that are named


def shown(archive: Archive) -> Report:
    """What an archive says of itself, without a key."""
    return Report(
        kind="BackupArchive",
        items=lambda: [_document(archive)],
        names=lambda: [f"file/{archive.name}"],
        tables=[pieces(archive.manifest), _nodes(archive)],
        paragraphs=["\n".join([*_told(archive), *_volumes(archive)])],
        findings=[*_of_archive(archive), *_lost(archive)],
    )


def verified(done: Verified) -> Report:
    """What was verified, and all that is wrong."""
    judged = done.judged
    tried = judged.tried if judged else ()
    opened = "whole, and opened" if judged else "whole as it is stored; nothing in it was opened"
    return Report(
        kind="BackupVerification",
        items=lambda: [
            {
                **_document(done.archive),
                "opened": judged is not None,
                "encrypted": [_tried_document(one) for one in tried],
            }
        ],
        names=lambda: [f"file/{done.archive.name}"],
        tables=[pieces(done.archive.manifest), *([_encrypted(tried)] if tried else [])],
        paragraphs=["\n".join([f"{done.archive.name}: {opened}", *_told(done.archive)])],
        findings=[*_of_archive(done.archive), *(judged.findings if judged else _lost(done.archive))],
        closing="" if judged else "name a key with --identity to see whether it brings the cluster back",
    )


def extracted(done: Extracted) -> Report:
    """What was written, and what was left out."""
    paragraphs = [f"files written below {printable(str(done.directory))}: {len(done.files):,}"]
    if done.links:
        left = [f"{printable(link.name)} -> {printable(link.target)}" for link in done.links]
        paragraphs.append("links, which are not made:\n" + some_of(left, SHOWN, "\n"))
    return Report(
        kind="BackupFiles",
        items=lambda: [
            *({"path": printable(path), "size": length} for path, length in done.files),
            *({"path": printable(one.name), "link": printable(one.target)} for one in done.links),
        ],
        names=lambda: (f"file/{path}" for path, _ in done.files),
        tables=[
            Table(
                [Column("FILE"), Column("SIZE")],
                [(printable(path), size(length)) for path, length in done.files],
            )
        ],
        paragraphs=paragraphs,
    )


def _nodes(archive: Archive) -> Table:
    rows = [
        (
            node.name,
            "control plane" if node.control_plane else "worker",
            node.versions.get("kubelet", "-"),
            Cell(printable(node.why), Mark.DOUBT) if node.why else "-",
        )
        for node in archive.manifest.nodes
    ]
    return Table([Column("NODE"), Column("ROLE"), Column("KUBELET"), Column("NOT-SAVED")], rows)


def _encrypted(tried: tuple[Tried, ...]) -> Table:
    rows = [
        (one.title, f"{one.sealed.count:,}", Cell(str(one.trial), MARKS[one.trial]), ",".join(one.outcomes))
        for one in tried
    ]
    return Table([Column("VALUES"), Column("COUNT"), Column("BY-ITS-OWN-KEYS"), Column("NODES")], rows)


def _told(archive: Archive) -> Iterator[str]:
    about = archive.manifest
    yield f"cluster {printable(about.cluster)}, {printable(about.server)}, kube-system {about.uid}"
    verified = f"verified {about.verified:%Y-%m-%d %H:%M} UTC" if about.verified else "never verified"
    yield f"taken {about.taken:%Y-%m-%d %H:%M:%S} UTC by {printable(about.tool)}, {verified}"
    if about.database:
        version = f", {printable(about.database.version)}" if about.database.version else ""
        yield f"etcd at revision {about.database.revision:,}, {about.database.keys:,} keys{version}"
    if about.keys:
        yield f"encrypted at rest: {', '.join(printable(key) for key in about.keys)}"


def _volumes(archive: Archive) -> Iterator[str]:
    volumes = archive.manifest.volumes
    if volumes:
        names = [f"{one.name} ({one.claim or 'no claim'}: {one.driver} {one.handle})" for one in volumes]
        yield "not in it: the data of " + some_of([printable(name) for name in names], SHOWN)


def _of_archive(archive: Archive) -> Iterator[Finding]:
    if archive.size != archive.whole:
        yield rules.NOT_VERIFIED.violation(
            subject=archive.name,
            evidence=f"it has {archive.size:,} bytes, and {archive.whole:,} were written",
            fix="was it copied whole? take another archive",
        )
    elif archive.manifest.verified is None:
        yield rules.NOT_VERIFIED.warning(
            subject=archive.name,
            evidence="the run that made it has not verified it",
            fix="verify it: kubectl admin backup verify FILE --identity KEY",
        )


def _lost(archive: Archive) -> Iterator[Finding]:
    yield from of_lost(archive.manifest.lost)


def _document(archive: Archive) -> dict[str, object]:
    said = manifest.document(archive.manifest)
    return {
        "file": archive.name,
        "size": archive.size,
        "wholeSize": archive.whole,
        **{key: value for key, value in said.items() if key != "kind"},
    }


def _tried_document(one: Tried) -> dict[str, object]:
    return {
        "group": one.sealed.group,
        "resource": one.sealed.resource,
        "encrypted": one.sealed.encrypted,
        "count": one.sealed.count,
        "outcome": str(one.trial),
        "nodes": {node: {"outcome": str(each.trial), "why": each.why} for node, each in one.outcomes.items()},
    }
