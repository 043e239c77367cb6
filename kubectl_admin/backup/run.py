"""Makes a backup: what there is, the files of control planes, objects, and last the snapshot of etcd.

The archive grows in a draft, which has no name until all of it has been read back and found right.
"""

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

from kubectl_admin import __version__
from kubectl_admin.backup import judge, layout, ustar
from kubectl_admin.backup.archive.write import Sink, Writing
from kubectl_admin.backup.facts import Database, Kind, Lost, Manifest, Piece, SavedNode, Volume
from kubectl_admin.backup.gather import cluster as live_cluster
from kubectl_admin.backup.gather import node_files, objects
from kubectl_admin.backup.gather.cluster import Live
from kubectl_admin.backup.gather.node_files import NodeFiles
from kubectl_admin.backup.manifest import TEXT
from kubectl_admin.backup.seal.keys import ArchiveKey
from kubectl_admin.backup.ustar import END, padded
from kubectl_admin.cluster.access import Right, require
from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.save import choose_member, save
from kubectl_admin.etcd.save.choose_member import Source
from kubectl_admin.etcd.save.save import SavedSnapshot, SnapshotOptions, Watch
from kubectl_admin.etcd.stored.encryption import IDENTITY
from kubectl_admin.finding import Finding
from kubectl_admin.node import debug_pod, leftovers
from kubectl_admin.node.hosts import Hosts
from kubectl_admin.part_file import Draft, Spool
from kubectl_admin.report.text import printable

WORKERS = 4  # hosts at a time
BLOCK = 1 << 20  # bytes
WIDEST = "0" * 32  # of a version that is not known yet
ALL = frozenset({Kind.FILES, Kind.OBJECTS, Kind.ETCD})


@dataclass(frozen=True, slots=True)
class Wanted:
    """A person's choices about a backup.

    kinds: of pieces. recipients: to whom it is encrypted; () for nobody. keys_recipients: to whom the nodes'
    files are; () for the same ones. key: the archive's own, under a passphrase.
    """

    kinds: Collection[Kind] = ALL
    recipients: tuple[str, ...] = ()
    keys_recipients: tuple[str, ...] = ()
    key: ArchiveKey | None = None
    snapshot: SnapshotOptions = SnapshotOptions()  # noqa: RUF009 - it is frozen

    def of(self, kind: Kind) -> tuple[str, ...]:
        """The recipients of a piece."""
        return self.keys_recipients or self.recipients if kind is Kind.FILES else self.recipients


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that was made. snapshot: where it has one. findings: all that it lacks. seconds: it took."""

    manifest: Manifest
    findings: tuple[Finding, ...]
    snapshot: SavedSnapshot | None
    seconds: float


def back_up(  # noqa: PLR0913 - what it works with
    hosts: Hosts,
    wanted: Wanted,
    draft: Draft,
    *,
    watch: Watch,
    answered: Callable[[int], None] | None = None,
    choose: Callable[..., Source] = choose_member.choose,
    save_snapshot: Callable[..., SavedSnapshot] = save.save_snapshot,
) -> Made:
    """Makes a backup in the draft, where it is left whole but without its name.

    watch: opens the display of a phase. answered: is given the number of hosts after each one's answer.
    choose, save_snapshot: choose_member.choose and save.save_snapshot.
    Raises AdminError for all that leaves no backup: a right that is missing, no control plane to be read, a
    snapshot that is damaged, a disk that is full.
    """
    began = time.monotonic()
    cluster, kinds = hosts.cluster, wanted.kinds
    require(cluster, rights(hosts, kinds))
    taken = datetime.now(UTC).replace(microsecond=0)
    live = live_cluster.gather(cluster)
    source = choose(cluster, wanted.snapshot.node) if Kind.ETCD in kinds else None
    leftovers.sweep(cluster, hosts.options.namespace)
    live, files = with_files(hosts, live, answered) if Kind.FILES in kinds else (live, {})
    with Spool(draft.directory) as listed:
        volumes = objects.write(cluster, listed) if Kind.OBJECTS in kinds else ()
        begun = manifest_of(live, files, volumes, heads(wanted, files, source), taken, source)
        begun = replace(begun, cluster=cluster.target.cluster_name[:TEXT])
        writing = Writing(draft, begun)
        for head in begun.pieces:
            if head.kind is Kind.FILES:
                with writing.piece(head) as sink:
                    write_files(files[head.node], sink)
            elif head.kind is Kind.OBJECTS:
                with writing.piece(head) as sink:
                    copy(listed, sink)
    saved, database = None, None
    for head in begun.pieces:
        if head.kind is Kind.ETCD and source:
            with writing.piece(head) as sink, Spool(draft.directory) as spool:
                saved = save_snapshot(
                    hosts,
                    wanted.snapshot,
                    spool,
                    watch=watch,
                    choose=lambda *_: source,
                    also=sink.write,
                )
            database = database_of(saved)
        elif head.kind is Kind.KEY and wanted.key:
            with writing.piece(head) as sink:
                sink.write(wanted.key.stored)
    with watch("reading the archive back") as moved:
        verified = datetime.now(UTC).replace(microsecond=0)
        made = writing.finish(replace(begun, verified=verified, database=database), moved)
    told = judge.judge(
        live.nodes if Kind.FILES in kinds else (), {node: one.saved for node, one in files.items()}
    )
    of_snapshot = saved.verdict.findings if saved else ()
    return Made(made, (*told, *live.notes, *of_snapshot), saved, time.monotonic() - began)


def rights(hosts: Hosts, kinds: Collection[Kind]) -> list[Right]:
    """Those that it takes."""
    found = dict.fromkeys((*live_cluster.RIGHTS, *debug_pod.rights(hosts.options.namespace)))
    if Kind.OBJECTS in kinds:
        found |= dict.fromkeys(objects.RIGHTS)
    if Kind.ETCD in kinds:
        found |= dict.fromkeys(choose_member.RIGHTS)
    return [*found]


def with_files(
    hosts: Hosts, live: Live, answered: Callable[[int], None] | None
) -> tuple[Live, dict[str, NodeFiles]]:
    """The files of all control planes that can be read, and the others with why they can't.

    Raises AdminError where there is none.
    """
    wanted = [node.name for node in live.control_planes if not node.why]

    def of_node(name: str) -> NodeFiles:
        with hosts.open(name) as host:
            return node_files.read(host, live.parts.get(name, ()))

    asked = hosts.ask_all(
        {name: partial(of_node, name) for name in wanted}, workers=WORKERS, answered=answered
    )
    files = {name: answer for name, answer in asked.items() if isinstance(answer, NodeFiles)}
    whys = {name: answer.what for name, answer in asked.items() if isinstance(answer, AdminError)}
    nodes = tuple(replace(node, why=node.why or whys.get(node.name, "")) for node in live.nodes)
    if not files:
        reasons = "; ".join(node.why for node in nodes if node.why)
        raise AdminError(
            f"the files of no control plane can be read: {reasons}",
            "with --only etcd a snapshot is saved all the same",
        )
    return replace(live, nodes=nodes), files


def heads(wanted: Wanted, files: Mapping[str, NodeFiles], source: Source | None) -> Iterator[Piece]:
    """The pieces in their order: the snapshot comes late, so that it holds what the others speak of."""
    for node in files:
        yield layout.head(Kind.FILES, node, wanted.of(Kind.FILES))
    if Kind.OBJECTS in wanted.kinds:
        yield layout.head(Kind.OBJECTS, "", wanted.of(Kind.OBJECTS))
    if source:
        yield layout.head(Kind.ETCD, source.node, wanted.of(Kind.ETCD))
    if wanted.key:
        yield wanted.key.head


def manifest_of(
    live: Live,
    files: Mapping[str, NodeFiles],
    volumes: Sequence[Volume],
    pieces: Iterator[Piece],
    taken: datetime,
    source: Source | None,
) -> Manifest:
    """The manifest as far as it is known before anything is written, in texts that are read again."""
    saved = {node: one.saved for node, one in files.items()}
    return Manifest(
        tool=f"kubectl-admin {__version__}",
        taken=taken,
        verified=None,
        cluster="",
        uid=live.uid,
        server=text(live.server),
        nodes=tuple(
            SavedNode(
                node.name,
                node.control_plane,
                {text(name): text(version) for name, version in node.versions.items()},
                text(node.why),
            )
            for node in live.nodes
        ),
        pieces=tuple(pieces),
        database=Database(source.node, 0, 0, WIDEST) if source else None,
        keys=tuple(encryption_keys(saved.values())),
        volumes=tuple(
            replace(one, driver=text(one.driver), handle=text(one.handle), claim=text(one.claim))
            for one in volumes
        ),
        lost=tuple(Lost(text(one.what), text(one.why), one.node) for one in judge.lost(saved)),
    )


def encryption_keys(files: Collection[judge.SavedFiles]) -> dict[str, None]:
    """The names of the keys by which Secrets are encrypted on any of the nodes."""
    found: dict[str, None] = {}
    for one in files:
        encryption = one.keys.encryption if one.keys else None
        for provider in encryption.providers("", "secrets") if encryption else ():
            if provider.kind == IDENTITY:
                continue
            for name in (key.name for key in provider.keys) if provider.keys else (provider.name,):
                found.setdefault(text(" ".join(filter(None, ("secrets", provider.kind, name)))))
    return found


def database_of(saved: SavedSnapshot) -> Database:
    """The snapshot in a few words."""
    snapshot = saved.verdict.snapshot
    if snapshot is None:
        raise AdminError("the snapshot was not read")
    contents = snapshot.contents
    return Database(saved.node, contents.revision, snapshot.revisions, contents.storage_version or "")


def write_files(files: NodeFiles, sink: Sink) -> None:
    """The files of a node as a tar."""
    for one in files.found:
        sink.write(ustar.header(one.entry))
        sink.write(one.content.ljust(padded(len(one.content)), b"\0"))
    sink.write(END)


def copy(draft: Draft, sink: Sink) -> None:
    """All of a draft."""
    offset = 0
    while block := draft.read_at(offset, BLOCK):
        sink.write(block)
        offset += len(block)


def text(said: str) -> str:
    """A text as a manifest has it."""
    return printable(said.encode("utf-8", "replace").decode())[:TEXT]
