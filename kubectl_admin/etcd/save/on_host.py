"""A snapshot taken on a node's host by etcd's own client, and downloaded piece by piece."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.members.etcdctl import Etcdctl, Status, reason
from kubectl_admin.etcd.members.flags import Access
from kubectl_admin.etcd.save.choose_member import OUTSIDE, Source
from kubectl_admin.node import jobs
from kubectl_admin.node.fetch import Fetched, RefusedError, RemoteFile, StalledError, Transfer, fetch
from kubectl_admin.node.host import Host
from kubectl_admin.node.jobs import Job
from kubectl_admin.node.script import Script
from kubectl_admin.node.unpacking import Tool
from kubectl_admin.node.workspace import STATE, workspace
from kubectl_admin.report.text import duration, mib, mib_needed

SURVEY, SAVE = Script("etcd", "etcd-survey"), Script("etcd", "etcd-save")
RESERVE = 256 << 20  # bytes that stay free on the node, whose etcd may be on the same file system


@dataclass(frozen=True, slots=True)
class Survey:
    """Facts of the source's host.

    root: the root of etcd's container as the host sees it, "" for the host's own. etcdctl: a path on the
    host. database: bytes of the member's database, None where it is elsewhere. free: bytes free for the
    snapshot. tools: that can pack it.
    """

    root: str
    etcdctl: str
    database: int | None
    free: int
    tools: tuple[Tool, ...]


@dataclass(frozen=True, slots=True)
class Download:
    """A downloaded snapshot.

    cluster_id, member_id: in hex, by the member itself: the file of several members has no cluster id.
    seconds: of each phase.
    """

    endpoint: str
    cluster_id: str
    member_id: str
    tool: Tool
    fetched: Fetched
    seconds: dict[str, float] = field(default_factory=dict)


def download(  # noqa: PLR0913 - from where, to where, and how
    host: Host,
    source: Source,
    sink: Callable[[bytes | bytearray], object],
    *,
    transfer: Callable[[Tool], Transfer],
    tool: Tool | None = None,
    etcdctl: str | None = None,
    room: Callable[[int], None] = lambda _: None,
    patience: float = math.inf,
    start: Callable[[Host, str, str, Script, Sequence[str]], Job] = jobs.start,
) -> Download:
    """Has the source's etcd save a snapshot on its node, and hands it to `sink` in order.

    transfer: how it is fetched, for the tool that compresses it.
    tool: that tool; None for the best that the host has.
    etcdctl: a path on the host instead of etcd's own.
    room: gets the number of bytes that will come, and raises where there is no room for them.
    patience: seconds for which etcd may send nothing.
    start: starts a job on the host, as jobs.start does.

    Nothing stays on the node. Raises AdminError.
    """
    began = time.monotonic()
    seen = survey(host, source, etcdctl)
    packing = choose_tool(seen, tool, host.node)
    access, status = find_answering(host, seen, [within(each, seen.root) for each in source.accesses])
    refuse_other(host.node, source, status)
    size = seen.database or status.size
    refuse_full(host.node, seen, size)
    room(size)
    with workspace(host) as directory:
        stall = math.ceil(patience) if math.isfinite(patience) else 0
        path = f"{directory}/snapshot.db"
        words = [seen.etcdctl, path, *etcdctl_flags(access)]
        # etcdctl writes FILE.part from its beginning to its end and then renames it, so its present bytes
        # stay as they are. Source: etcd client/v3/snapshot/v3_snapshot.go, SaveWithVersion.
        job = start(host, host.operation.id, f"{directory}/job", SAVE, words)
        file = RemoteFile(path, directory, size, f"{directory}/job/result", job.unit, stall)
        begun = time.monotonic()
        try:
            fetched = fetch(host, file, transfer(packing), sink)
        except StalledError as error:
            silent = f"etcd has sent no more of its snapshot for {duration(stall)}"
            raise AdminError(
                f"node {host.node}: {silent}: {error.what}",
                "is its disk stuck? see kubectl admin etcd-status; take another member with "
                "--node, or wait longer with --timeout",
            ) from error
        except RefusedError:
            # An etcdctl that has exited says why the file is missing. Other failures do not wait for it.
            if not job.runs():
                refuse_failed(job)
            raise
        refuse_failed(job)
    seconds = {"prepare": begun - began, "fetch": time.monotonic() - begun}
    ids = f"{status.cluster_id:x}", f"{status.member_id:x}"
    return Download(access.endpoint, *ids, packing, fetched, seconds)


def survey(host: Host, source: Source, etcdctl: str | None) -> Survey:
    """Reads what the host has; raises AdminError where it has no etcdctl."""
    answer = host.script(SURVEY, source.container, source.data, STATE).decode("utf-8", "replace")
    lines = [line.partition(" ") for line in answer.splitlines()]
    found = {name: value for name, _, value in lines}
    program = etcdctl or found.get("etcdctl")
    if not program:
        where = "on PATH" if source.container == OUTSIDE else "in the container of its etcd"
        raise AdminError(f"node {host.node}: no etcdctl {where}", "name one on that host with --etcdctl")
    try:
        return Survey(
            found.get("root", ""),
            program,
            int(found["database"]) if "database" in found else None,
            int(found["free"]),
            tuple(
                tool for tool in Tool if (tool.value in (value for name, _, value in lines if name == "tool"))
            ),
        )
    except (KeyError, ValueError):
        raise AdminError(f"node {host.node}: unexpected answer of the host: {answer[:80]!r}") from None


def choose_tool(seen: Survey, tool: Tool | None, node: str) -> Tool:
    """The packer: the tool that was asked for, or the best there is; AdminError where the host lacks it."""
    if tool not in (None, Tool.NONE, *seen.tools):
        has = ", ".join(seen.tools) or "neither zstd nor gzip"
        raise AdminError(
            f"node {node} has no {tool} to compress with", f"it has {has}; or use --compress=none"
        )
    return tool or next(iter(seen.tools), Tool.NONE)


def refuse_full(node: str, seen: Survey, size: int) -> None:
    """Raises AdminError where a snapshot of that size would fill the node's disk."""
    needed = size + RESERVE
    if seen.free < needed:
        raise AdminError(
            f"node {node}: {mib(seen.free)} MiB are free for {STATE}, and the snapshot needs "
            f"{mib_needed(needed)} MiB with a reserve of {mib(RESERVE)} MiB",
            "free some space there, or take it from another member with --node",
        )


def refuse_other(node: str, source: Source, status: Status) -> None:
    """Raises AdminError where another member answers on the host than the one that was chosen."""
    wanted = (source.cluster_id, source.member_id)
    if source.member_id is not None and (status.cluster_id, status.member_id) != wanted:
        raise AdminError(
            f"node {node}: member {status.member_id:x} of cluster {status.cluster_id:x} answers there, and "
            f"member {source.member_id:x} of cluster {source.cluster_id or 0:x} was chosen",
            "kubectl admin etcd-status; was it replaced a moment ago? run it again",
        )


def within(access: Access, root: str) -> Access:
    """The access with its files as the host sees them."""
    ca, cert, key = (f"{root}{path}" if path else "" for path in (access.ca, access.cert, access.key))
    return Access(access.endpoint, access.tls, ca, cert, key)


def find_answering(host: Host, seen: Survey, accesses: list[Access]) -> tuple[Access, Status]:
    """The first access at which a member answers from this host, and the status of that member.

    Raises AdminError where none answers.
    """
    problem: AdminError | None = None
    for access in accesses:
        ctl = Etcdctl(lambda words: host.run(list(words), check=False), access, program=seen.etcdctl)
        try:
            return access, host.persistently(ctl.status)
        except AdminError as error:
            problem = error
    raise AdminError(f"node {host.node}: {problem.what if problem else 'the API server names no etcd'}")


def etcdctl_flags(access: Access) -> list[str]:
    """etcdctl's flags for a member, without etcdctl.arguments' time limit: a snapshot may take hours."""
    # Without a named authority the member's certificate may be its own, as in etcdctl.arguments.
    unnamed = ["--insecure-skip-tls-verify"] if access.tls else []
    trust = [f"--cacert={access.ca}"] if access.ca else unnamed
    pair = [f"--cert={access.cert}", f"--key={access.key}"] if access.cert else []
    return [f"--endpoints={access.endpoint}", *trust, *pair]


def refuse_failed(job: Job) -> None:
    """Raises AdminError with etcdctl's own words where it has failed."""
    outcome = job.wait()
    if outcome.exit_code:
        why = reason(outcome.log.encode()) or f"etcdctl failed with exit code {outcome.exit_code}"
        raise AdminError(f"node {job.host.node}: etcd gave no snapshot: {why}")
