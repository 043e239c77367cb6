"""Archives as files, made as the program makes them."""

from dataclasses import replace

from kubectl_admin.backup import layout
from kubectl_admin.backup.archive.write import Writing
from kubectl_admin.backup.facts import Kind
from kubectl_admin.backup.seal import keys
from kubectl_admin.part_file import PartFile
from tests.unit.backup import samples

FILES = layout.head(Kind.FILES, "cp-1")
ETCD = layout.head(Kind.ETCD, "cp-2")
QUICK = 10  # the work of a passphrase; a person's takes a second and 256 MiB
CONTENT = {Kind.FILES: b"files" * 1000, Kind.ETCD: bytes(range(256)) * 10_000}


def heads(recipients=(), kinds=(Kind.FILES, Kind.ETCD)):
    nodes = {Kind.FILES: "cp-1", Kind.ETCD: "cp-2"}
    return tuple(layout.head(kind, nodes.get(kind, ""), recipients) for kind in kinds)


def begun(pieces):
    kinds = {piece.kind for piece in pieces}
    return samples.manifest(
        verified=None,
        pieces=tuple(pieces),
        database=samples.manifest().database if Kind.ETCD in kinds else None,
    )


def written(path, pieces=(FILES, ETCD), content=CONTENT, **changes):
    """Writes an archive, and returns its manifest. content: by kind. changes: of the manifest."""
    first = replace(begun(pieces), **changes)
    with PartFile(path) as draft:
        writing = Writing(draft, first)
        for head in first.pieces:
            with writing.piece(head) as sink:
                for part in (content[head.kind][:7], content[head.kind][7:]):
                    sink.write(part)
        done = writing.finish(replace(first, verified=samples.NOW))
        draft.publish()
    return done


def written_under(path, passphrase, content=CONTENT):
    """The same under a passphrase."""
    key = keys.under_passphrase(passphrase, work=QUICK)
    return written(path, (*heads((key.recipient,)), key.head), {**content, Kind.KEY: key.stored})
