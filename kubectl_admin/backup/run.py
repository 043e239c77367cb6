"""Makes a backup: what there is, the files of control planes, objects, and last the snapshot of etcd.

The archive grows in a draft, which has no name until all of it has been read back and found right.
"""

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
from kubectl_admin.node.operation import Operation
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
    """A backup that was made. snapshot: where it has one. findings: all that it lacks."""

    manifest: Manifest
    findings: tuple[Finding, ...]
    snapshot: SavedSnapshot | None


@dataclass(frozen=True, slots=True)
class Looked:
    """What is to be saved. taken: before any of it was read. source: of the snapshot, where one is wanted."""

    taken: datetime
    live: Live
    files: Mapping[str, NodeFiles]
    source: Source | None


def look(
    hosts: Hosts,
    wanted: Wanted,
    *,
    answered: Callable[[int], None] | None = None,
    choose: Callable[..., Source] = choose_member.choose,
) -> Looked:
    """Looks at the cluster, and reads the files of its control planes.

    answered: is given the number of hosts after each one's answer. choose: as choose_member.choose.
    Raises AdminError for a right that is missing, and where no control plane can be read.
    """
    cluster, kinds = hosts.cluster, wanted.kinds
    require(cluster, rights(hosts, kinds))
    taken = datetime.now(UTC).replace(microsecond=0)
    live = live_cluster.gather(cluster)
    source = choose(cluster, wanted.snapshot.node) if Kind.ETCD in kinds else None
    leftovers.sweep(cluster, hosts.options.namespace)
    live, files = with_files(hosts, live, answered) if Kind.FILES in kinds else (live, {})
    return Looked(taken, live, files, source)


def back_up(
    hosts: Hosts,
    wanted: Wanted,
    looked: Looked,
    draft: Draft,
    *,
    watch: Watch,
    save_snapshot: Callable[..., SavedSnapshot] = save.save_snapshot,
) -> Made:
    """Makes a backup in the draft, where it is left whole but without its name.

    watch: opens the display of a phase. save_snapshot: as save.save_snapshot.
    Raises AdminError for all that leaves no backup: a snapshot that is damaged, a disk that is full.
    """
    saved, database = None, None
    # After a host that has not answered in time no other one is opened by the same operation.
    another = replace(hosts, operation=Operation.begin())

    def chosen(*_: object) -> Source | None:
        return looked.source

    with Spool(draft.directory) as listed:
        volumes = objects.write(hosts.cluster, listed) if Kind.OBJECTS in wanted.kinds else ()
        begun = manifest_of(looked, volumes, heads(wanted, looked), hosts.cluster.target.cluster_name)
        writing = Writing(draft, begun)
        for head in begun.pieces:
            with writing.piece(head) as sink:
                match head.kind:
                    case Kind.FILES:
                        write_files(looked.files[head.node], sink)
                    case Kind.OBJECTS:
                        copy(listed, sink)
                    case Kind.ETCD:
                        with Spool(draft.directory) as spool:
                            saved = save_snapshot(
                                another, wanted.snapshot, spool, watch=watch, choose=chosen, also=sink.write
                            )
                        database = database_of(saved)
                    case Kind.KEY if wanted.key:
                        sink.write(wanted.key.stored)
    with watch("reading the archive back") as moved:
        verified = datetime.now(UTC).replace(microsecond=0)
        made = writing.finish(replace(begun, verified=verified, database=database), moved)
    files = {node: one.saved for node, one in looked.files.items()}
    told = judge.judge(looked.live.nodes, files) if Kind.FILES in wanted.kinds else []
    return Made(made, (*told, *looked.live.notes, *(saved.verdict.findings if saved else ())), saved)


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


def heads(wanted: Wanted, looked: Looked) -> Iterator[Piece]:
    """The pieces in their order: the snapshot comes late, so that it holds what the others speak of."""
    for node in looked.files:
        yield layout.head(Kind.FILES, node, wanted.of(Kind.FILES))
    if Kind.OBJECTS in wanted.kinds:
        yield layout.head(Kind.OBJECTS, "", wanted.of(Kind.OBJECTS))
    if looked.source:
        yield layout.head(Kind.ETCD, looked.source.node, wanted.of(Kind.ETCD))
    if wanted.key:
        yield wanted.key.head


def manifest_of(looked: Looked, volumes: Sequence[Volume], pieces: Iterator[Piece], cluster: str) -> Manifest:
    """The manifest as far as it is known before anything is written, in texts that are read again."""
    saved = {node: one.saved for node, one in looked.files.items()}
    live, source = looked.live, looked.source
    return Manifest(
        tool=f"kubectl-admin {__version__}",
        taken=looked.taken,
        verified=None,
        cluster=text(cluster),
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
    return Database(saved.node, contents.revision or 0, snapshot.revisions, contents.storage_version or "")


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
