"""The upgrade of one node, carried out, and gone on with where it was cut."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from kubectl_admin.cluster.access import Right, require
from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.nodes import read_node
from kubectl_admin.cluster.retry import PASSING, NotReadyError, Trouble, trouble_of
from kubectl_admin.control_plane import one_at_a_time
from kubectl_admin.control_plane.one_at_a_time import Alone
from kubectl_admin.errors import AdminError
from kubectl_admin.node import lease, leftovers, workspace
from kubectl_admin.node.host import Host, Say
from kubectl_admin.node.hosts import Hosts
from kubectl_admin.node.lease import Held
from kubectl_admin.node.readiness import refuse_down
from kubectl_admin.plan import Step, Taken, carry_out
from kubectl_admin.upgrade import plan
from kubectl_admin.upgrade.actions import Actions, patient
from kubectl_admin.upgrade.host_jobs import DIRECTORY, NAME
from kubectl_admin.upgrade.inspection import Inspection, Options, Source, inspect, rights
from kubectl_admin.upgrade.live import LiveNode
from kubectl_admin.upgrade.status import lease_name

READY_TIMEOUT = 10.0  # seconds for the API server's word whether it is ready


@dataclass(frozen=True, slots=True)
class Upgraded:
    """How an upgrade has ended, or how far it has come.

    seconds: of each step that was taken, by its name.
    paid: seconds from the cordon to its end; None where there was none.
    snapshot: the file with the snapshot of etcd. unhealthy: workloads that were moved and are not well yet.
    behind: add-ons that are older than kubeadm deploys them, in words. left: parts of their rollout that were
    not waited for to the end, in words. cordoned: whether the node stays so, as it was found.
    allowed: rules whose violations are warnings.
    """

    inspection: Inspection
    seconds: dict[str, float]
    paid: float | None
    snapshot: Path | None
    unhealthy: tuple[str, ...]
    cordoned: bool
    behind: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()

    @property
    def open_step(self) -> Step | None:
        """The first step that is not over; None after the last one."""
        return next((each for each in self.inspection.steps if not self.is_over(each)), None)

    def is_over(self, step: Step) -> bool:
        """Whether a step was over before, or is now."""
        return step.done or step.name in self.seconds


class Run:
    """One upgrade on its way: how far it has come can be asked at any time, and after it has failed."""

    def __init__(self, seen: Inspection, options: Options) -> None:
        self.seen, self.options = seen, options
        self.actions: Actions | None = None
        self.taken: list[Taken[None]] = []

    @property
    def so_far(self) -> Upgraded:
        """How far it has come."""
        seconds = {each.step.name: each.seconds for each in self.taken}
        actions, cordoned = self.actions, self.seen.facts.cordoned
        if actions is None:
            return Upgraded(self.seen, seconds, None, None, (), cordoned, allowed=self.options.allow)
        paid = actions.ended - actions.cordoned if actions.cordoned and actions.ended else None
        return Upgraded(
            self.seen,
            seconds,
            paid,
            actions.saved,
            actions.unhealthy,
            cordoned=actions.holding or (cordoned and not actions.mark.uncordon),
            behind=actions.behind,
            left=actions.left_open,
            allowed=self.options.allow,
        )


@contextmanager
def open_host(hosts: Hosts, node: str, *, skipped: Sequence[str] = (), doing: bool) -> Iterator[Host]:
    """The node's host, also where kubeadm has its only API server restarted just now.

    skipped: as in Options. doing: whether anything is to be changed. Raises AdminError where there is no way
    in, or naming the rights that are missing: a node that is half way must not be left for want of one.
    """
    cluster, patiently = hosts.cluster, patient(hosts.say, hosts.cluster.clock)
    patiently(lambda: require_when_ready(cluster, rights(hosts.options, doing=doing)))
    patiently(lambda: one_at_a_time.check_skipped(cluster, skipped))
    seen = patiently(lambda: read_node(cluster, node))
    refuse_down(seen, cluster.server_time, patiently.patience)
    leftovers.sweep(cluster, hosts.options.namespace)
    with ExitStack() as stack:
        yield patiently(lambda: stack.enter_context(hosts.open(node)))


def require_when_ready(cluster: Cluster, needed: Sequence[Right]) -> None:
    """As `require`; NotReadyError where an API server denies them that still starts, and has no roles."""
    try:
        require(cluster, needed)
    except AdminError as error:
        if trouble_of(error) is Trouble.FINAL and is_starting(cluster):
            raise NotReadyError(f"{error.what}: the API server is starting", error.hint) from error
        raise


def is_starting(cluster: Cluster) -> bool:
    """Whether the API server says that it is not ready yet, or nothing any more."""
    try:
        cluster.get_text("/readyz", timeout=READY_TIMEOUT)
    except AdminError as error:
        return trouble_of(error) in PASSING
    return False


@contextmanager
def hold_lease(
    hosts: Hosts,
    node: str,
    options: Options,
    *,
    take_over: bool,
    hold: Callable[..., AbstractContextManager[Held]] = lease.held,
    exclude: Callable[..., AbstractContextManager[Alone]] = one_at_a_time.control_plane,
) -> Iterator[Held]:
    """Inside, nobody else upgrades the node, nor changes anything of the control plane that it is a part of.

    hold, exclude: lease.held and one_at_a_time.control_plane.
    Raises AdminError where somebody does and is not taken over, or where their work continues.
    """
    cluster, patiently = hosts.cluster, patient(hosts.say, hosts.cluster.clock)
    about = f"upgrades node {node}" + (f" to {options.to}" if options.to else "")
    name, owner = patiently(lambda: lease_name(cluster, node)), hosts.operation.owner
    with ExitStack() as stack:
        if name != lease.CONTROL_PLANE:
            yield patiently(
                lambda: stack.enter_context(
                    hold(cluster, name, owner, about, take_over=take_over, say=hosts.say)
                )
            )
            return
        own, skipped = {(node, NAME)}, options.skipped
        alone = patiently(
            lambda: stack.enter_context(exclude(hosts, about, own=own, skipped=skipped, take_over=take_over))
        )
        yield alone.held


def inspect_when_reachable(source: Source, options: Options, say: Say) -> Inspection:
    """The plan for the node; nothing is touched."""
    return patient(say, source.clock)(lambda: inspect(source, options))


def upgrade(node: LiveNode, *, check: Callable[[], None], run: Run | None = None) -> Upgraded:
    """Carries out what was looked at; returns when the node has been seen well at its target.

    check: raises AdminError where this run may not continue.
    run: of this node; it knows how far the upgrade has come.
    Raises AdminError with what is left to do. A job on the host continues when this is interrupted,
    and the next run resumes it.
    """
    seen = node.seen
    run = run or Run(seen, node.options)
    run.actions = actions = Actions(node, check)
    by_step = {
        plan.PACKAGES: actions.packages,
        plan.SNAPSHOT: actions.snapshot,
        plan.KUBEADM: actions.kubeadm,
        plan.DRAIN: actions.drain,
        plan.KUBELET: actions.kubelet,
        plan.SETTLE: actions.settle,
    }

    def begun(step: Step) -> None:
        check()
        node.progress.step(step)

    workspace.make(node.host, DIRECTORY)
    with actions.report_cordon():
        carry_out(seen.steps, lambda step: by_step[step.name](), begun, run.taken)
    workspace.discard(node.host, NAME)
    return run.so_far
