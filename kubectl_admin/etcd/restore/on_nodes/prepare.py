"""All that a restore needs is brought to the nodes, and restored there beside the data that etcd runs with.

It takes the rights of debug pods (node/debug_pod.py, `rights`), and no other.

Nothing that runs is touched. On each node: a directory with the plan, the table of steps, the worker, etcd's
own programs and the snapshot; then the restored data beside the present ones, on the same file system.
"""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.restore.on_nodes import steps
from kubectl_admin.etcd.restore.on_nodes.arm import remove
from kubectl_admin.etcd.restore.on_nodes.plan import NodePlan
from kubectl_admin.etcd.restore.on_nodes.status import DIRECTORY, UNITS, Stage
from kubectl_admin.etcd.restore.on_nodes.survey import Survey
from kubectl_admin.node import files, jobs
from kubectl_admin.node.host import Host
from kubectl_admin.node.hosts import Hosts
from kubectl_admin.node.operation import Operation
from kubectl_admin.node.script import Script
from kubectl_admin.node.send import Destination, LocalFile, send
from kubectl_admin.report.text import mib, mib_needed, some_of
from kubectl_admin.signals import sheltered

BEGIN, ASIDE, WORKER = (Script("etcd", f"restore-{name}") for name in ("begin", "aside", "worker"))
COPY_TIMEOUT = 180.0  # seconds to copy etcd's two programs on a slow disk
ASIDE_TIMEOUT = 4 * 3600.0  # seconds after which a restore beside the running etcd is not waited for
SLOWEST = 100e3  # bytes a second at which a snapshot goes to a node, at least
RESERVE = 512 << 20  # bytes that stay free beside etcd's data, which grow meanwhile
PROGRAMS = 64 << 20  # bytes of etcd's two programs
LOG = 64_000_000  # bytes of the log that etcdutl writes beside the database


@dataclass(frozen=True, slots=True)
class Seed:
    """What is restored.

    snapshot: the verified file. bump: by how much revisions rise. revision: the snapshot's own; None where
    nobody has read it. containers: the runtime's ids of etcd's containers, by node. etcdutl: the operator's
    own, for images without it (etcd 3.6.0 to 3.6.4). defrag: whether the restored database is made as small
    as it can be. limits: bytes that it may have at most, by node; none for nodes that are not named.
    """

    snapshot: LocalFile
    bump: int
    revision: int | None
    containers: Mapping[str, str]
    etcdutl: LocalFile | None = None
    defrag: bool = False
    limits: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Prepared:
    """Restored data beside a node's present ones.

    hash: of all that is in them, by etcdutl. revision: their last. keys: how many. size: bytes of the
    database, as etcd counts them for its quota. etcdutl: the version that has made them. seconds: what that
    took. sent: bytes of the snapshot.
    """

    node: str
    hash: int
    revision: int
    keys: int
    size: int
    etcdutl: str
    seconds: float
    sent: int = 0


Moved = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Watch:
    """What is called while nodes prepare.

    check: before each step on a node; its AdminError ends the preparation there, as where a lease was lost.
    moved: with a node, bytes of the snapshot that it has, and how many there are.
    """

    check: Callable[[], None] = field(default=lambda: None)
    moved: Moved = field(default=lambda *_: None)


def refuse_unable(seen: Survey, plan: NodePlan, snapshot: int, *, defrag: bool = False) -> None:
    """Raises AdminError where a host can't carry a restore out. Pure.

    snapshot: its bytes. defrag: whether a smaller database is written beside the restored one.
    """
    node = f"node {seen.node}"
    earlier = seen.earlier
    if earlier.stage is Stage.UNDERWAY or seen.unit in ("active", "activating", "deactivating"):
        raise AdminError(
            f"{node}: restore {earlier.id or '<unknown>'} is under way there (its last word: "
            f"{earlier.word or 'none'})",
            "see how far it is: kubectl admin etcd-restore --status",
        )
    if not seen.systemd:
        raise AdminError(f"{node} does not run systemd, which the work needs while no API server runs")
    if not seen.beside:
        raise AdminError(
            f"{node}: {plan.manifests} is a mount of its own, so its manifests can't be moved beside it"
        )
    if not seen.same or not seen.member or seen.mount:
        raise AdminError(
            f"{node}: {plan.data}/member is not the directory that etcd runs with, or is a mount of its own",
            "a restore by this program renames that directory; is the data directory itself the mount?",
        )
    needed_state = snapshot + PROGRAMS + RESERVE
    needed_data = snapshot * (2 if defrag else 1) + LOG + RESERVE
    if seen.shared:
        needed_state = needed_data = needed_state + needed_data - RESERVE
    for where, free, needed in (
        (DIRECTORY, seen.free_state, needed_state),
        (plan.data, seen.free_data, needed_data),
    ):
        if free < needed:
            raise AdminError(
                f"{node}: {mib(free)} MiB are free for {where}, and a restore needs {mib_needed(needed)} MiB",
                "free some space there; the data of before stay beside the restored ones",
            )


def prepare_all(hosts: Hosts, plans: Mapping[str, NodePlan], seed: Seed, watch: Watch) -> dict[str, Prepared]:
    """Prepares all nodes at once, and sees that they have the same data; by node.

    hosts: their operation is the plans'. Raises AdminError where one can't, or where they differ; then
    nothing stays on any of them.
    """
    questions = {node: partial(on_node, hosts, plan, seed, watch) for node, plan in plans.items()}
    done = False
    with sheltered() as shelter:
        try:
            with shelter.exposed():
                found = hosts.need_all(questions, timeout=time_for(seed.snapshot.size))
                refuse_unlike(found, seed)
                refuse_full(found, seed)
                done = True
                return found
        finally:
            if not done:
                remove_all(hosts, plans)


def time_for(size: int) -> float:
    """Seconds in which all nodes must have prepared a snapshot of so many bytes."""
    return COPY_TIMEOUT + ASIDE_TIMEOUT + size / SLOWEST


def remove_all(hosts: Hosts, plans: Mapping[str, NodePlan]) -> list[str]:
    """Removes what was prepared on these nodes, unless it has begun; says where that fails, and gives those
    nodes.
    """
    # An operation of its own: that of the preparation may be over, since a node was late.
    own = replace(hosts, operation=Operation.begin())
    ids = {plan.id for plan in plans.values()}
    left = []
    for node, answer in own.ask(plans, lambda host: [remove(host, id_) for id_ in ids]).items():
        if isinstance(answer, AdminError):
            hosts.say(f"node {node}: {DIRECTORY} could not be removed ({answer.what})")
            left.append(node)
    return left


def on_node(hosts: Hosts, plan: NodePlan, seed: Seed, watch: Watch) -> Prepared:
    """The same for one node, whose host it opens."""
    with hosts.open(plan.node) as host:
        return prepare(host, plan, seed, watch)


def prepare(host: Host, plan: NodePlan, seed: Seed, watch: Watch) -> Prepared:
    """Prepares one node. Raises AdminError where a step fails; what it has made there stays for `remove`."""
    version = program(host, plan, seed, watch, begin(host, plan, seed, watch))
    for name, text in (("steps", steps.text()), ("worker", WORKER.text())):
        watch.check()
        files.write(host, f"{DIRECTORY}/{name}", text.encode())
    watch.check()
    snapshot = Destination(f"{DIRECTORY}/snapshot.db", reserve=RESERVE)
    sent = send(host, seed.snapshot, snapshot, partial(watch.moved, plan.node))
    if sent.digest != seed.snapshot.digest:
        raise AdminError(f"node {plan.node}: the snapshot there is not the one that was verified")
    return restore_aside(host, plan, seed, watch, version, sent.size)


def begin(host: Host, plan: NodePlan, seed: Seed, watch: Watch) -> dict[str, str]:
    """Makes the directory with the plan and etcd's programs; their versions by name."""
    container = seed.containers[plan.node]
    owner = str(host.operation.owner)
    words = (DIRECTORY, owner, plan.id, plan.text(), container, UNITS)
    answer = host.script(BEGIN, *words, before=watch.check, timeout=COPY_TIMEOUT).decode("utf-8", "replace")
    return {name: version for name, _, version in (line.partition(" ") for line in answer.splitlines())}


def program(host: Host, plan: NodePlan, seed: Seed, watch: Watch, found: Mapping[str, str]) -> str:
    """Sees etcdutl there, the operator's own where etcd's image has none; its version.

    found: the versions of the programs that `begin` has found in the image.
    """
    if "etcdctl" not in found:
        raise AdminError(f"node {plan.node}: the image of its etcd has no etcdctl")
    if "etcdutl" not in found:
        if seed.etcdutl is None:
            raise AdminError(
                f"node {plan.node}: the image of its etcd has no etcdutl, as those of etcd 3.6.0 to 3.6.4",
                "name one of the same version with --etcdutl",
            )
        there = Destination(f"{DIRECTORY}/etcdutl", mode=0o700)
        send(host, seed.etcdutl, there, lambda *_: None)
        found = begin(host, plan, seed, watch)
    refuse_other_program(plan.node, found)
    return found["etcdutl"]


def refuse_other_program(node: str, found: Mapping[str, str]) -> None:
    """Raises AdminError where etcdutl is not of etcd's own minor: what it writes differs between them."""
    utl, ctl = (found.get(name, "") for name in ("etcdutl", "etcdctl"))
    if not utl or utl.split(".")[:2] != ctl.split(".")[:2]:
        raise AdminError(
            f"node {node}: etcdutl is {utl or '<unknown>'}, and etcd's own programs are {ctl or '<unknown>'}",
            "name an etcdutl of etcd's own version with --etcdutl",
        )


def restore_aside(host: Host, plan: NodePlan, seed: Seed, watch: Watch, version: str, sent: int) -> Prepared:
    """Has etcdutl restore the snapshot beside the present data."""
    cluster = ",".join(f"{name}={url}" for name, url in plan.members.items())
    words = [DIRECTORY, plan.id, plan.data, plan.name, plan.token, plan.members[plan.name], cluster]
    words += [str(seed.bump), str(RESERVE), "yes" if seed.defrag else "no"]
    job = jobs.start(host, plan.id, f"{DIRECTORY}/job", ASIDE, words, check=watch.check)
    ended = job.wait(limit=ASIDE_TIMEOUT)
    if ended.exit_code:
        words = [line for line in ended.log.splitlines() if line.strip()]
        last = next((line for line in reversed(words) if not line.startswith(("{", "goroutine"))), "")
        raise AdminError(
            f"node {plan.node}: etcdutl could not restore the snapshot (exit code {ended.exit_code}): "
            f"{last or 'it said nothing'}",
            "nothing was changed there",
        )
    return prepared_of(plan.node, ended.log, version, sent)


def prepared_of(node: str, log: str, version: str, sent: int = 0) -> Prepared:
    """What the job has said of the restored data. Raises AdminError where that makes no sense."""
    lines = [line.partition(" ") for line in log.splitlines()]
    found = {name: rest for name, _, rest in lines if name in ("restored", "took")}
    try:
        said = json.loads(found["restored"])
        hash_, revision, keys, size = (
            int(said[name]) for name in ("hash", "revision", "totalKey", "totalSize")
        )
        seconds = float(found["took"])
    except (KeyError, ValueError, TypeError):
        raise AdminError(
            f"node {node}: etcdutl gave no account of the restored data: {log[-80:]!r}"
        ) from None
    if not math.isfinite(seconds):
        raise AdminError(f"node {node}: unexpected answer of the host: {found['took'][:80]!r}")
    return Prepared(node, hash_, revision, keys, size, version, seconds, sent)


def refuse_unlike(found: Mapping[str, Prepared], seed: Seed) -> None:
    """Raises AdminError where nodes have restored other data than each other, or than the snapshot has."""
    alike: dict[tuple[int, int, int], list[str]] = {}
    for node, one in found.items():
        alike.setdefault((one.hash, one.revision, one.keys), []).append(node)
    if len(alike) > 1:
        each = "; ".join(
            f"{some_of(nodes)}: hash {hash_:x} at revision {revision}"
            for (hash_, revision, _), nodes in alike.items()
        )
        raise AdminError(
            f"the nodes have restored different data from one snapshot ({each})",
            "nothing was changed; do all of them run the same version of etcd? see kubectl admin etcd-status",
        )
    if seed.revision is None:
        return
    for one in found.values():
        if one.revision < seed.revision + seed.bump:
            raise AdminError(
                f"node {one.node}: the restored data end with revision {one.revision}, and "
                f"{seed.revision + seed.bump} was expected"
            )


def refuse_full(found: Mapping[str, Prepared], seed: Seed) -> None:
    """Raises AdminError where a restored database is larger than its node's etcd should have it."""
    for node, one in found.items():
        limit = seed.limits.get(node, one.size)
        if one.size > limit:
            how = " after the defragmentation" if seed.defrag else ""
            raise AdminError(
                f"node {node}: the restored database has {mib_needed(one.size)} MiB{how}, and it may have "
                f"{mib(limit)} MiB of etcd's quota",
                "nothing was changed; raise etcd's --quota-backend-bytes first, or take it as it is: "
                "--force-quota",
            )
