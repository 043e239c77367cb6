"""The upgrade of one node: looked at, carried out, and gone on with where it was cut."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from kubectl_admin import plan
from kubectl_admin.cluster.access import Right
from kubectl_admin.cluster.connection import MERGE_PATCH, Cluster
from kubectl_admin.drain import drain, recovery
from kubectl_admin.drain.observer import Observer
from kubectl_admin.drain.preview import Preview
from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.members import status as etcd_status
from kubectl_admin.etcd.saving import take
from kubectl_admin.finding import Finding, Severity
from kubectl_admin.node import debug_pod, jobs, manifest, packages
from kubectl_admin.node.host import Host
from kubectl_admin.node.operation import Operation
from kubectl_admin.node.persistence import Persistence
from kubectl_admin.node.workspace import STATE, discard
from kubectl_admin.part_file import PartFile
from kubectl_admin.plan import Step
from kubectl_admin.shelter import sheltered
from kubectl_admin.upgrade import gates, gather, lease, stages, target
from kubectl_admin.upgrade.facts import Around, Disk, Mark, Role, Target
from kubectl_admin.upgrade.settle import settled
from kubectl_admin.versions import upstream
from kubectl_admin.versions.version import Version

NAME = "upgrade"  # of the job, and of its folder
FOLDER = f"{STATE}/{NAME}"
JOBS = (stages.PACKAGES, stages.KUBEADM, stages.KUBELET)
LOOK = 1.0  # seconds between two looks at etcd
MEMBER = 120.0  # seconds in which etcd's member must be well after all else is
WORDS = 500  # characters of a job's last words


# What it takes to look at a node's upgrade, beside a debug pod.
LOOKING = (Right("get", "nodes"), Right("list", "nodes"), Right("list", "pods"))
# What it takes to carry it out, beside that.
DOING = (
    Right("patch", "nodes"),
    Right("watch", "nodes"),
    Right("watch", "pods"),
    Right("create", "pods/eviction"),
    *lease.RIGHTS,
)


@dataclass(frozen=True, slots=True)
class Options:
    """What a person may decide.

    to: a version or a minor; None for what the cluster has. allow: rules of findings that forbid nothing.
    ignored, patches: kubeadm's --ignore-preflight-errors and --patches, «-» for none. renew_key: whether the
    repository's key is fetched anew. snapshot: the file or folder for the snapshot of etcd; None for none.
    first: this node may be the first control plane. draining: how the node is drained; None not to drain.
    settling: seconds for the node to be well again. pods: how debug pods are made.
    """

    to: str | None = None
    allow: tuple[str, ...] = ()
    ignored: str = "-"
    patches: str = "-"
    renew_key: bool = False
    snapshot: str | None = "."
    first: bool = False
    draining: drain.Options | None = field(default_factory=drain.Options)
    settling: float = 600.0
    pods: debug_pod.Options = field(default_factory=debug_pod.Options)


@dataclass(frozen=True, slots=True)
class Look:
    """What would be done to a node, and what forbids it. preview: of its drain; None where there is none."""

    around: Around
    disk: Disk
    role: Role
    target: Target
    steps: tuple[Step, ...]
    findings: tuple[Finding, ...]
    preview: Preview | None

    @property
    def over(self) -> bool:
        """Whether there is nothing left to do."""
        return all(step.done for step in self.steps)


@dataclass(frozen=True, slots=True)
class Upgraded:
    """How an upgrade ended well.

    seconds: of each step, by its name. paid: seconds from the cordon to its end; None where there was none.
    snapshot: the file with the snapshot of etcd. unhealthy: workloads that were moved and are not well yet.
    cordoned: whether the node stays so, as it was found.
    """

    look: Look
    seconds: dict[str, float]
    paid: float | None
    snapshot: Path | None
    unhealthy: tuple[str, ...]
    cordoned: bool


class Teller(Observer):
    """Who is told how an upgrade goes on, beside what a drain tells."""

    def step(self, step: Step) -> None:
        """A step begins."""

    def wrote(self, text: str) -> None:
        """What a job on the host has written."""

    def lacking(self, what: Sequence[str]) -> None:
        """What a node still lacks to be well."""


def rights(options: debug_pod.Options, *, doing: bool) -> list[Right]:
    """What it takes to look at a node's upgrade, and to carry it out."""
    return [*LOOKING, *debug_pod.rights(options.namespace), *(DOING if doing else ())]


def awaited(host: Host, teller: Teller) -> None:
    """Returns when no job of an earlier run is at work on the host any more."""
    for name in JOBS:
        if job := jobs.running(host, NAME, f"{FOLDER}/{name}"):
            teller.note(f"node {host.node}: {name} of an earlier run is at work there; waiting for its end")
            following(job, teller)


def look(cluster: Cluster, host: Host, options: Options) -> Look:
    """What would be done to the node; nothing is touched. Raises AdminError where that can't be known."""
    around = gather.around(cluster, host.node)
    disk = gather.disk(host, around)
    refuse_unmanaged(host.node, disk)
    minor, asked = target.wanted(options.to) if options.to else (target.default_minor(around), None)
    goal = goal_there(disk, asked or target.followed(around, minor)) or target.choose(
        around, asked, minor, packages.offered(host, minor, renew_key=options.renew_key)
    )
    role = target.role(around, goal.version)
    steps = stages.stages(
        around, disk, role, goal, snapshot=options.snapshot is not None, drain=options.draining is not None
    )
    findings = gates.gates(
        around,
        disk,
        role,
        goal,
        upstream.load(),
        first=options.first,
        drained=options.draining is not None,
    )
    drains = any(step.name == stages.DRAIN and not step.done for step in steps)
    preview = drain.look(cluster, host.node, drained_with(options)) if drains else None
    return Look(around, disk, role, goal, steps, tuple(gates.allowed(findings, options.allow)), preview)


def goal_there(disk: Disk, version: Version | None) -> Target | None:
    """The target, where all of its packages are on the node already: no repository is asked then."""
    installed = disk.packages.installed
    same = {installed.get(name) for name in target.NAMES}
    if (
        version is None
        or disk.kubelet != version
        or disk.kubeadm != version
        or len(same) != 1
        or None in same
    ):
        return None
    return Target(version, str(same.pop()))


def refuse_unmanaged(node: str, disk: Disk) -> None:
    """Raises AdminError where packages of Kubernetes are not what the node runs."""
    if disk.packages.manager is packages.Manager.NONE:
        raise AdminError(
            f"node {node}: no apt, dnf or zypper is there", "upgrade it the way it was installed"
        )
    missing = [name for name in ("kubeadm", "kubelet") if name not in disk.packages.installed]
    if missing:
        raise AdminError(
            f"node {node}: {' and '.join(missing)} came by no package of {disk.packages.manager}",
            "upgrade it the way it was installed",
        )


def is_possible(seen: Look, options: Options) -> bool:
    """Whether the upgrade may begin: nothing forbids it, and the node can be drained."""
    if any(finding.severity is Severity.VIOLATION for finding in seen.findings):
        return False
    return seen.preview is None or drain.is_possible(seen.preview, drained_with(options))


def drained_with(options: Options) -> drain.Options:
    """How the node is drained: pods of this program stay, since the work goes through one."""
    chosen = options.draining or drain.Options()
    return replace(chosen, flags=replace(chosen.flags, own=manifest.LABELS))


def upgrade(  # noqa: PLR0913 - whose, where, what, how, and who is told
    cluster: Cluster,
    host: Host,
    seen: Look,
    options: Options,
    teller: Teller,
    *,
    check: Callable[[], None],
    watch: take.Watch,
) -> Upgraded:
    """Carries out what was looked at; returns when the node has been seen well at its target.

    check: raises AdminError where this run may not go on. Raises AdminError with what is left to do. What was
    begun on the host goes on when this is interrupted, and the next run takes it up.
    """
    work = _Work(cluster, host, seen, options, teller, watch)
    actions = {
        stages.PACKAGES: work.packages,
        stages.SNAPSHOT: work.snapshot,
        stages.KUBEADM: work.kubeadm,
        stages.DRAIN: work.drain,
        stages.KUBELET: work.kubelet,
        stages.SETTLE: work.settle,
    }

    def begun(step: Step) -> None:
        check()
        teller.step(step)

    host.script("workspace", FOLDER, str(host.operation.owner))
    seconds = plan.carry_out(seen.steps, actions, begun)
    discard(host, NAME)
    stays = seen.around.cordoned and not work.mark.uncordon
    paid = work.ended - work.cordoned if work.cordoned and work.ended else None
    return Upgraded(seen, seconds, paid, work.saved, work.unhealthy, stays)


class _Work:
    """What the steps do, and what they leave for those after them."""

    def __init__(
        self, cluster: Cluster, host: Host, seen: Look, options: Options, teller: Teller, watch: take.Watch
    ) -> None:
        self.cluster, self.host, self.seen = cluster, host, seen
        self.options, self.teller, self.watch = options, teller, watch
        around = seen.around
        self.mark = around.mark or Mark(
            str(seen.target.version),
            datetime.now(UTC).isoformat(timespec="seconds"),
            uncordon=not around.cordoned and options.draining is not None,
        )
        self.cordoned = self.ended = 0.0
        self.saved: Path | None = None
        self.unhealthy: tuple[str, ...] = ()

    def packages(self) -> None:
        """The packages are on the node, and kubeadm is installed."""
        goal = self.seen.target
        renew = "yes" if self.options.renew_key else "no"
        self.job(stages.PACKAGES, "packages-prepare", [goal.package, str(goal.version.minor), renew])

    def snapshot(self) -> None:
        """A snapshot of etcd is here, proven."""
        file = take.destination(self.options.snapshot or ".", self.cluster.target.cluster_name)
        if file is None:
            raise AdminError("a snapshot before an upgrade goes into a file", "name one with --snapshot")
        operation = Operation.begin()
        with take.draft_of(file, force=False) as draft:
            taken = take.take(
                self.cluster,
                operation,
                self.options.pods,
                take.Wish(),
                draft,
                watch=self.watch,
                say=self.teller.note,
            )
            if isinstance(draft, PartFile):
                draft.publish()
        self.saved = file
        self.teller.note(f"{file}: {taken.saved.fetched.size:,} bytes, proven")

    def kubeadm(self) -> None:
        """kubeadm's own part."""
        mode = "apply" if self.seen.role is Role.FIRST else "node"
        version = f"v{self.seen.target.version}"
        self.job(
            stages.KUBEADM, "upgrade-kubeadm", [mode, version, self.options.ignored, self.options.patches]
        )

    def drain(self) -> None:
        """The node is cordoned and empty."""
        options = drained_with(self.options)
        preview = drain.look(self.cluster, self.host.node, options)
        self.cordoned = time.monotonic()
        with self.marked():
            drain.drain(self.cluster, preview, options, self.teller)

    @contextmanager
    def marked(self) -> Iterator[None]:
        """Inside, the node bears the mark of this upgrade; it stays at a good end only."""
        new = self.seen.around.mark is None
        try:
            if new:
                annotate(self.cluster, self.host.node, self.mark)
            yield
        except BaseException:
            if new:
                with sheltered():
                    annotate(self.cluster, self.host.node, None)
            raise

    def kubelet(self) -> None:
        """The new kubelet runs."""
        try:
            self.job(stages.KUBELET, "packages-install", [self.seen.target.package])
        except AdminError as error:
            raise self.put_back(error) from error

    def put_back(self, error: AdminError) -> AdminError:
        """The error with how the node was left: taken back where the old kubelet is what it has."""
        here, before = self.host.node, self.seen.disk.kubelet
        try:
            unchanged = gather.disk(self.host, self.seen.around).kubelet == before
        except AdminError:
            unchanged = False
        if not unchanged or before is None:
            return AdminError(
                error.what,
                f"node {here} is left as it is, cordoned; {error.hint or 'run it again'}",
            )
        if self.mark.uncordon:
            recovery.recover(
                self.cluster, here, self.teller, timeout=self.options.settling, wait_for_moved=False
            )
            annotate(self.cluster, here, None)
        return AdminError(error.what, f"node {here} is at work again with kubelet {before}; run it again")

    def settle(self) -> None:
        """The node is well at its version, and takes pods again."""
        here, version, role = self.host.node, self.seen.target.version, self.seen.role
        settled(self.cluster, here, role, version, timeout=self.options.settling, lacking=self.teller.lacking)
        if self.seen.around.etcd is not None:
            await_member(self.cluster, here)
        if self.mark.uncordon:
            back = recovery.recover(
                self.cluster, here, self.teller, timeout=self.options.settling, uncordoned=self.uncordoned
            )
            self.unhealthy = tuple(name for name, _ in back.unhealthy)
        annotate(self.cluster, here, None)

    def uncordoned(self) -> None:
        """The cordon is over."""
        self.ended = time.monotonic()

    def job(self, name: str, script: str, arguments: Sequence[str]) -> None:
        """A job on the host, to its end; AdminError with its last words where it has failed."""
        job = jobs.restart(self.host, NAME, f"{FOLDER}/{name}", f"{FOLDER}/journal", script, arguments)
        ended = following(job, self.teller)
        if ended.exit_code:
            node = self.host.node
            said = last_words(ended.log) or f"exit code {ended.exit_code}"
            whole = f"all it wrote: kubectl admin drain-upgrade {node} --logs"
            checked = "[ERROR " in said
            way = "put it right, or go ahead with --ignore-preflight-errors; " if checked else ""
            raise AdminError(f"node {node}: {name} failed: {said}", way + whole)


def following(job: jobs.Job, teller: Teller) -> jobs.Ended:
    """How a job ends; whoever interrupts is told that it goes on."""
    try:
        return job.wait(wrote=teller.wrote)
    except AdminError:
        raise
    except BaseException:
        node = job.host.node
        teller.note(
            f"node {node}: the work there goes on; the same command takes it up again, and "
            f"«kubectl admin drain-upgrade {node} --status» looks at it"
        )
        raise


def await_member(cluster: Cluster, node: str) -> None:
    """Returns when etcd's member on the node answers and votes; AdminError if it does not within MEMBER."""
    end = time.monotonic() + MEMBER
    while True:
        try:
            here = [each for each in etcd_status.gather(cluster, compare=False).members if each.node == node]
            if all(member.up and not member.learner for member in here):
                return
            problem = "; ".join(member.problem or "it does not vote" for member in here)
        except AdminError as error:
            problem = error.what
        if time.monotonic() > end:
            raise AdminError(
                f"node {node}: etcd's member is not well: {problem}",
                "kubectl admin etcd-status",
            )
        time.sleep(LOOK)


def annotate(cluster: Cluster, node: str, mark: Mark | None) -> None:
    """Leaves the mark on the node, or takes it away."""
    body = {"metadata": {"annotations": {gather.ANNOTATION: gather.mark_text(mark) if mark else None}}}
    Persistence(MEMBER, lambda _: None)(partial(cluster.patch, f"/api/v1/nodes/{node}", body, MERGE_PATCH))


def last_words(log: str) -> str:
    """What a log says went wrong: what kubeadm's checks found, else the last error, else the last line."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    checks = [line for line in lines if line.startswith("[ERROR ")]
    errors = [line for line in lines if line.lower().startswith(("error", "e: ", "fatal"))]
    return "; ".join(dict.fromkeys(checks or (errors or lines)[-1:]))[:WORDS]
