"""A snapshot of a cluster's etcd as a file here: taken, brought home, proven, only then under its name."""

import re
import secrets
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Protocol

from kubectl_admin.cluster.access import explained
from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.save import Saved, save
from kubectl_admin.etcd.snapshot import Verdict
from kubectl_admin.etcd.source import RIGHTS, choose
from kubectl_admin.etcd.verify import verify
from kubectl_admin.node import debug_pod, host, leftovers
from kubectl_admin.node.debug_pod import Options
from kubectl_admin.node.fetch import Transfer
from kubectl_admin.node.host import Say
from kubectl_admin.node.operation import Operation
from kubectl_admin.node.unpacking import Tool
from kubectl_admin.part_file import PartFile

UNSAFE = re.compile(r"[^A-Za-z0-9.-]+")


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person may decide about a snapshot.

    node: on which it is taken; None for the best. tool: what packs it on the way; None for the best.
    etcdctl: a path on the node instead of etcd's own. rate: bytes a second on the wire at most.
    """

    node: str | None = None
    tool: Tool | None = None
    etcdctl: str | None = None
    rate: float | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """A snapshot that is here and proven. file: where; None where it went to a stream. seconds: in all."""

    file: Path | None
    node: str
    saved: Saved
    verdict: Verdict
    seconds: float


class Watched(Protocol):
    """Shows how far bytes have come: how many of how many."""

    def __call__(self, done: int, total: int) -> None: ...


# Opens the display of one phase, by its title.
Watch = Callable[[str], AbstractContextManager[Watched]]


def take(  # noqa: PLR0913 - whose, by whom, how, where to, and who is told
    cluster: Cluster,
    operation: Operation,
    options: Options,
    wish: Wish,
    part: PartFile,
    *,
    watch: Watch,
    say: Say,
) -> Taken:
    """Takes a snapshot into the part file, where it is left proven but without its name.

    Raises AdminError for all that goes wrong, and for a snapshot whose content is damaged.
    """
    began = time.monotonic()
    with explained(cluster, dict.fromkeys([*RIGHTS, *debug_pod.rights(options.namespace)])):
        source = choose(cluster, wish.node)
        leftovers.sweep(cluster, options.namespace)
        with host.opened(cluster, source.node, operation, options, say) as there:
            leftovers.sweep_host(there)
            with watch(f"snapshot from {source.node}") as moved:
                saved = save(
                    there,
                    source,
                    part.write,
                    transfer=partial(Transfer, moved=moved, rate=wish.rate),
                    tool=wish.tool,
                    etcdctl=wish.etcdctl,
                    room=part.room,
                )
    part.settle()
    verified = time.monotonic()
    with watch("verifying") as moved:
        verdict = verify(part.path, progress=moved)
    saved.seconds["verify"] = time.monotonic() - verified
    refuse_unsound(verdict, source.node)
    return Taken(None, source.node, saved, verdict, time.monotonic() - began)


def refuse_unsound(verdict: Verdict, node: str) -> None:
    """Raises AdminError for a snapshot that can't be restored: it came as it was sent, so it was so there."""
    if not verdict.sound:
        first = next(finding for finding in verdict.findings if finding.severity == "violation")
        raise AdminError(
            f"the snapshot that node {node} gave is damaged and was not kept: {first.evidence}",
            "take it from another member with --node, and look at this one: kubectl admin etcd-status",
        )


def destination(wanted: Path, cluster: str) -> Path | None:
    """The file that a person means: a folder means one in it, named by cluster and time; None for «-»."""
    if str(wanted) == "-":
        return None
    return wanted / default_name(cluster, datetime.now(UTC)) if wanted.is_dir() else wanted


def part_of(file: Path | None, *, force: bool) -> PartFile:
    """The part file of a destination; for a stream it lies where temporary files do."""
    if file is None:
        return PartFile(Path(tempfile.gettempdir(), f"kubectl-admin-{secrets.token_hex(5)}"))
    return PartFile(file, force=force)


def default_name(cluster: str, moment: datetime) -> str:
    """«etcd-CLUSTER-20261125T130501Z.db». moment: in UTC."""
    return f"etcd-{UNSAFE.sub('-', cluster).strip('-') or 'cluster'}-{moment:%Y%m%dT%H%M%SZ}.db"
