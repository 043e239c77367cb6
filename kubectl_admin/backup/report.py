"""How a backup that was made is shown. Pure."""

from collections.abc import Iterator
from pathlib import Path

from kubectl_admin.backup import manifest
from kubectl_admin.backup.facts import Kind, Manifest, Piece
from kubectl_admin.backup.recipients import shown
from kubectl_admin.backup.run import Made
from kubectl_admin.report import Column, Report, Table
from kubectl_admin.report.text import duration, printable, size, some_of

STDOUT = Path("stdout")


def report(made: Made, file: Path | None, whole: int, seconds: float) -> Report:
    """Where the archive is, and what it holds. file: None for stdout. whole: its bytes. seconds: it took."""
    return Report(
        kind="Backup",
        items=lambda: [document(made, file, whole, seconds)],
        names=lambda: [f"file/{file or STDOUT}"],
        tables=[pieces(made.manifest)],
        paragraphs=["\n".join(told(made, file, whole, seconds))],
        findings=made.findings,
    )


def pieces(made: Manifest) -> Table:
    """A row for each piece."""
    columns = ["PIECE", "NODE", "SIZE", "UNPACKED", "ENCRYPTED-TO"]
    rows = [
        (piece.name, piece.node or "-", size(piece.size), size(piece.unpacked), encrypted_to(piece))
        for piece in made.pieces
    ]
    return Table(
        [*map(Column, columns), Column("SHA256", wide=True)],
        [(*row, piece.sha256) for row, piece in zip(rows, made.pieces, strict=True)],
    )


def encrypted_to(piece: Piece) -> str:
    """Whose key opens a piece."""
    if piece.kind is Kind.KEY:
        return "a passphrase"
    return some_of([shown(one) for one in piece.recipients]) if piece.recipients else "nobody"


def told(made: Made, file: Path | None, whole: int, seconds: float) -> Iterator[str]:
    """The rest in sentences."""
    about = made.manifest
    yield f"{file or STDOUT}: {whole:,} bytes, made and read back in {duration(seconds, tenths=True)}"
    yield f"cluster {printable(about.cluster)}, {about.server}, kube-system {about.uid}"
    if about.database:
        revision, kept = about.database.revision, about.database.keys
        yield f"etcd at revision {revision:,}, verified; {kept:,} revisions of keys are in it"
    if about.volumes:
        yield f"not in it: the data of {len(about.volumes):,} volumes; only where each is"
    if not any(piece.recipients for piece in about.pieces):
        yield "not encrypted: it holds every Secret and the cluster's keys, for whoever can read the file"


def document(made: Made, file: Path | None, whole: int, seconds: float) -> dict[str, object]:
    """The same as plain data; seconds, bytes."""
    return {
        **{key: value for key, value in manifest.document(made.manifest).items() if key != "kind"},
        "file": str(file) if file else None,
        "size": whole,
        "seconds": round(seconds, 3),
    }
