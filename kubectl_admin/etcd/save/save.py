"""Saves a snapshot of etcd as a file here: taken, downloaded, verified, and then renamed into place."""

import os
import re
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Protocol

from kubectl_admin.cluster.access import require
from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.errors import AdminError, UsageError
from kubectl_admin.etcd.save.choose_member import RIGHTS, Source, choose
from kubectl_admin.etcd.save.on_host import Download, download
from kubectl_admin.etcd.snapshot.facts import Verdict
from kubectl_admin.etcd.snapshot.verify import verify
from kubectl_admin.node import debug_pod, leftovers
from kubectl_admin.node.fetch import Transfer
from kubectl_admin.node.hosts import Hosts
from kubectl_admin.node.unpacking import Tool
from kubectl_admin.part_file import Draft, PartFile, Spool

UNSAFE = re.compile(r"[^A-Za-z0-9.-]+")
LONGEST = 100  # characters of a cluster's name in a file's


@dataclass(frozen=True, slots=True)
class SnapshotOptions:
    """A person's choices about a snapshot.

    node: on which it is taken; None for the best. tool: to pack it on the way; None for the best.
    etcdctl: a path on the node instead of etcd's own. rate: bytes a second on the wire at most.
    """

    node: str | None = None
    tool: Tool | None = None
    etcdctl: str | None = None
    rate: float | None = None


@dataclass(frozen=True, slots=True)
class SavedSnapshot:
    """A snapshot that is here and verified. file: where; None where it went to a stream. seconds: in all."""

    file: Path | None
    node: str
    download: Download
    verdict: Verdict
    seconds: float


class Watched(Protocol):
    """Shows how far bytes have come: how many of how many."""

    def __call__(self, done: int, total: int) -> None: ...


# Opens the display of one phase, by its title.
Watch = Callable[[str], AbstractContextManager[Watched]]


def save_snapshot(  # noqa: PLR0913 - what it works with
    hosts: Hosts,
    options: SnapshotOptions,
    draft: Draft,
    *,
    watch: Watch,
    choose: Callable[[Cluster, str | None], Source] = choose,
    download: Callable[..., Download] = download,
    also: Callable[[bytes | bytearray], object] = lambda _: None,
) -> SavedSnapshot:
    """Saves a snapshot into the draft, where it is left verified but without its name.

    hosts: reaches the member's node. watch: opens the display of a phase. also: is given the same bytes.
    choose, download: choose_member.choose and on_host.download.

    Raises AdminError for all that goes wrong, and for a snapshot whose content is damaged.
    """
    began = time.monotonic()
    namespace = hosts.options.namespace
    # A debug pod that may be made and not removed would stay.
    require(hosts.cluster, dict.fromkeys([*RIGHTS, *debug_pod.rights(namespace)]))
    source = choose(hosts.cluster, options.node)

    def both(data: bytes | bytearray) -> None:
        draft.write(data)
        also(data)

    for note in source.notes:
        hosts.say(note)
    leftovers.sweep(hosts.cluster, namespace)
    with hosts.open(source.node) as host:
        leftovers.sweep_host(host)
        with watch(f"snapshot from {source.node}") as moved:
            downloaded = download(
                host,
                source,
                both,
                transfer=partial(Transfer, moved=moved, rate=options.rate),
                tool=options.tool,
                etcdctl=options.etcdctl,
                room=draft.room,
                patience=hosts.options.patience,
            )
    draft.settle()
    verified = time.monotonic()
    with watch("verifying") as moved:
        verdict = verify(draft.content, progress=moved)
    downloaded.seconds["verify"] = time.monotonic() - verified
    refuse_unsound(verdict, source.node)
    refuse_foreign(verdict, downloaded.member_id, source.node)
    return SavedSnapshot(None, source.node, downloaded, verdict, time.monotonic() - began)


def refuse_unsound(verdict: Verdict, node: str) -> None:
    """Raises AdminError for a snapshot that can't be restored: it came as it was sent, so it was so there."""
    if not verdict.sound:
        first = next(finding for finding in verdict.findings if finding.severity == "violation")
        raise AdminError(
            f"the snapshot that node {node} gave is damaged and was not kept: {first.evidence}",
            "take it from another member with --node, and look at this one: kubectl admin etcd-status",
        )
    if verdict.snapshot is None or verdict.snapshot.hash_right is not True:
        raise AdminError(
            f"the snapshot that node {node} gave came without its sha256 and was not kept: nothing shows "
            "that it is what etcd sent",
            "etcdctl keeps the sha256 that etcd appends: check the one of that node, or --etcdctl",
        )


def refuse_foreign(verdict: Verdict, member_id: str, node: str) -> None:
    """Raises AdminError for a snapshot whose own list of members lacks the one that saved it.

    member_id: in hex.
    """
    members = verdict.snapshot.contents.members if verdict.snapshot else ()
    if member_id not in {member.id for member in members}:
        named = ", ".join(f"{member.name or 'never started'} ({member.id})" for member in members)
        raise AdminError(
            f"the snapshot that node {node} gave is of another cluster and was not kept: its members are "
            f"{named or 'none'}, and not {member_id}, which saved it",
            "kubectl admin etcd-status; take it from another member with --node",
        )


def destination(wanted: str, cluster: str, beginning: str = "etcd", ending: str = ".db") -> Path | None:
    """The file that is meant: a directory means one in it, named by cluster and time; None for «-»."""
    if wanted == "-":
        return None
    if os.path.isdir(wanted):  # noqa: PTH112 - Path.is_dir raises for names that can't be
        return Path(wanted, default_name(cluster, datetime.now(UTC), beginning, ending))
    if not wanted or wanted.endswith("/"):
        raise UsageError(f"directory {wanted!r} does not exist", "create it, or name a file")
    return Path(wanted)


def draft_of(file: Path | None, *, force: bool) -> PartFile | Spool:
    """Where the snapshot grows until it is verified: beside its destination; for a stream, without a name."""
    return Spool() if file is None else PartFile(file, force=force)


def default_name(cluster: str, moment: datetime, beginning: str = "etcd", ending: str = ".db") -> str:
    """«etcd-CLUSTER-20261125T130501Z.db». moment: in UTC."""
    name = UNSAFE.sub("-", cluster)[:LONGEST].strip("-") or "cluster"
    return f"{beginning}-{name}-{moment:%Y%m%dT%H%M%SZ}{ending}"
