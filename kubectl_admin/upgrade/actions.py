"""What each step of a node's upgrade does; it returns when that has been seen."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from kubectl_admin.cluster.connection import MERGE_PATCH, Cluster
from kubectl_admin.cluster.retry import Retry
from kubectl_admin.cluster.wait import NotYetError, wait_until
from kubectl_admin.control_plane.component import Component
from kubectl_admin.drain import drain, recovery
from kubectl_admin.drain.cordon import UPGRADE
from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.members import gather as etcd_members
from kubectl_admin.etcd.save import save
from kubectl_admin.node.host import Host
from kubectl_admin.node.hosts import Hosts
from kubectl_admin.node.operation import Operation
from kubectl_admin.node.script import Script
from kubectl_admin.part_file import PartFile
from kubectl_admin.signals import sheltered
from kubectl_admin.upgrade import gather, next_start, plan, rollout, snapshot
from kubectl_admin.upgrade.facts import Mark
from kubectl_admin.upgrade.host_jobs import INSTALL, KUBEADM, PREPARE, RECORDS, JobFailedError, run_job
from kubectl_admin.upgrade.inspection import Inspection, Options, behind, drained_with
from kubectl_admin.upgrade.progress import UpgradeProgress
from kubectl_admin.upgrade.readiness import wait_until_ready
from kubectl_admin.upgrade.rules import ADDON_ROLLOUT

# Exit code of packages-install.sh that nothing gives by accident: the former packages were seen to be there,
# and their kubelet to stay up.
PUT_BACK = 10
# Seconds in which an API server that kubeadm restarts is back: kubeadm waits that long for a static pod.
# Source: kubernetes/kubernetes cmd/kubeadm/app/apis/kubeadm/v1beta4/defaults.go, Timeouts.UpgradeManifests.
STATIC_POD_TIMEOUT = 300.0
ROLES_GRACE = 60.0  # seconds in which an API server that has started knows users and roles again
POLL_INTERVAL = 1.0  # seconds between two looks at etcd
MEMBER_TIMEOUT = 120.0  # seconds in which etcd's member must be well after all else is
AGAIN = "run the command again"


def patient(say: Callable[[str], None]) -> Retry:
    """Retries for as long as kubeadm may take to restart the only API server, in any phase."""
    return Retry(STATIC_POD_TIMEOUT, say, settling=ROLES_GRACE)


class Actions:
    """What the steps do, and what they leave for those after them."""

    def __init__(  # noqa: PLR0913, PLR0917 - whose, where, what, how, and who is told
        self,
        cluster: Cluster,
        host: Host,
        seen: Inspection,
        options: Options,
        progress: UpgradeProgress,
        watch: save.Watch,
        check: Callable[[], None],
    ) -> None:
        self.check = check
        self.cluster, self.host, self.seen = cluster, host, seen
        self.options, self.progress, self.watch = options, progress, watch
        facts = seen.facts
        self.former = plan.mark_that_counts(facts, seen.target)
        begun = self.former or Mark(
            "",
            datetime.now(UTC).isoformat(timespec="seconds"),
            uncordon=not facts.cordoned and options.draining is not None,
        )
        self.mark = replace(begun, target=str(seen.target.version))
        self.cordoned = self.ended = 0.0
        self.holding = self.former is not None and self.mark.uncordon  # a cordon that is to end
        self.saved: Path | None = None
        self.patiently = patient(progress.note)
        self.unhealthy: tuple[str, ...] = ()
        self.behind: tuple[str, ...] = ()
        self.left_open: tuple[str, ...] = ()

    def packages(self) -> None:
        """The packages are on the node, and kubeadm is installed."""
        goal = self.seen.target
        renew = "yes" if self.options.renew_key else "no"
        self.job(plan.PACKAGES, PREPARE, [goal.package, str(goal.version.minor), renew])

    def snapshot(self) -> None:
        """A snapshot of etcd is on this machine, verified."""
        wanted, name = self.options.snapshot or ".", self.cluster.target.cluster_name
        file = snapshot.destination(wanted, name, resumed=bool(self.seen.disk.records))
        saved = self.patiently(lambda: self.save_snapshot(file))
        self.saved = file
        self.progress.note(f"{file}: {saved.download.fetched.size:,} bytes, verified")

    def save_snapshot(self, file: Path) -> save.SavedSnapshot:
        """Saves a snapshot of etcd into the file."""
        hosts = Hosts(self.cluster, Operation.begin(), self.options.pods, self.progress.note)
        with save.draft_of(file, force=False) as draft:
            saved = save.save_snapshot(hosts, save.SnapshotOptions(), draft, watch=self.watch)
            if isinstance(draft, PartFile):
                draft.publish()
        return saved

    def kubeadm(self) -> None:
        """kubeadm's own part, to its end."""
        goal, options = self.seen.target, self.options
        what = [plan.mode(self.seen.role), f"v{goal.version}", options.ignored, options.patches]
        self.job(plan.KUBEADM, KUBEADM, [RECORDS, next_start.KUBELET_CONFIG, *what])

    def drain(self) -> None:
        """The node is cordoned and empty."""
        # What kubeadm has rolled out and does not work costs the node nothing yet.
        try:
            for left in self.await_addons(here=False):
                self.progress.note(f"no longer waiting for {left}")
        except AdminError as error:
            stays = "it stays cordoned" if self.seen.facts.cordoned else "the node was not cordoned"
            raise AdminError(error.what, f"{stays}; {error.hint}") from error
        options = drained_with(self.options)
        preview = self.patiently(lambda: drain.look(self.cluster, self.host.node, options))
        self.cordoned = time.monotonic()
        with self.marked():
            drain.drain(self.cluster, preview, options, self.progress)
            self.holding = self.mark.uncordon

    @contextmanager
    def report_cordon(self) -> Iterator[None]:
        """If what is inside fails or is interrupted, a cordon that is left is reported."""
        try:
            yield
        except BaseException:
            if self.holding:
                self.progress.note(
                    f"node {self.host.node} stays cordoned; "
                    "run the same command again to resume and uncordon it"
                )
            raise

    @contextmanager
    def marked(self) -> Iterator[None]:
        """Inside, the node bears the mark of this upgrade; it stays at a good end only."""
        with sheltered() as shelter:
            try:
                with shelter.exposed():
                    if self.mark != self.former:
                        annotate(self.cluster, self.host.node, self.mark)
                    yield
            except BaseException:
                if self.former is None:
                    annotate(self.cluster, self.host.node, None)
                raise

    def kubelet(self) -> None:
        """The new kubelet runs."""
        try:
            self.job(plan.KUBELET, INSTALL, [self.seen.target.package])
        except JobFailedError as error:
            raise self.put_back(error) from error
        except AdminError as error:
            raise AdminError(
                error.what, f"node {self.host.node} is {self.left}; {error.hint or AGAIN}"
            ) from error

    @property
    def left(self) -> str:
        """How a node is where its kubelet's step has failed."""
        return "left as it is, cordoned" if self.options.draining else "left as it is"

    def put_back(self, error: JobFailedError) -> AdminError:
        """The error with how the node was left: uncordoned where its former kubelet was seen to stay up."""
        here = self.host.node
        try:
            if error.exit_code != PUT_BACK:
                return AdminError(error.what, f"node {here} is {self.left}; {error.hint}")
            if not self.mark.uncordon:
                return AdminError(error.what, f"node {here} runs its former kubelet again; {error.hint}")
            recovery.recover(
                self.cluster,
                here,
                self.progress,
                timeout=self.options.ready_timeout,
                wait_for_moved=False,
                uncordoned=self.uncordoned,
            )
            annotate(self.cluster, here, None)
        except AdminError as another:
            return AdminError(
                f"{error.what}; then {another.what}",
                f"node {here} is {self.left}; {another.hint or error.hint}",
            )
        return AdminError(
            error.what, f"node {here} runs its former kubelet again and is uncordoned; {error.hint}"
        )

    def settle(self) -> None:
        """The node is Ready at its version, and takes pods again."""
        here = self.host.node
        self.await_settled(parts_ready=False)
        if self.seen.facts.etcd is not None:
            await_member(self.cluster, here)
        if self.mark.uncordon:
            back = recovery.recover(
                self.cluster,
                here,
                self.progress,
                timeout=self.options.ready_timeout,
                uncordoned=self.uncordoned,
            )
            self.unhealthy = tuple(name for name, _ in back.unhealthy)
        self.await_settled(parts_ready=True)
        self.left_open = self.await_addons(here=True)
        self.behind = addons_behind(self.cluster, self.host, self.seen, self.options, self.patiently)
        annotate(self.cluster, here, None)
        for returned in gather.returned_addons(self.cluster, self.seen.facts):
            self.progress.note(returned)

    def await_settled(self, *, parts_ready: bool) -> None:
        """Returns when the node is well; parts_ready: as in `wait_until_ready`."""
        wait_until_ready(
            self.cluster,
            self.host.node,
            self.seen.role,
            self.seen.target.version,
            parts_ready=parts_ready,
            timeout=self.options.ready_timeout,
            lacking=self.progress.lacking,
        )

    def await_addons(self, *, here: bool) -> tuple[str, ...]:
        """As `wait_until_well`. here: whether the new kube-proxy is to be here."""
        seen = self.seen
        proxies = seen.facts.versions.of(Component.KUBE_PROXY)
        expected = rollout.Expectation(
            proxied=any(proxy.node == self.host.node for proxy in proxies),
            here=here,
            rolled_out=seen.role.control_plane,
            allowed=ADDON_ROLLOUT.id in self.options.allow,
        )
        return rollout.wait_until_well(
            rollout.Source.of(self.cluster, self.host.node),
            self.host.node,
            seen.target,
            expected,
            self.options.ready_timeout,
            self.progress.lacking,
        )

    def uncordoned(self) -> None:
        """The cordon is over."""
        self.holding = False
        self.ended = time.monotonic()

    def job(self, name: str, script: Script, arguments: Sequence[str]) -> None:
        """As `run_job`, on the node's host."""
        run_job(self.host, name, script, arguments, self.check, self.progress)


def await_member(cluster: Cluster, node: str) -> None:
    """Returns when etcd's member on the node answers and votes; AdminError if not within MEMBER_TIMEOUT."""

    def is_well() -> bool:
        if problem := etcd_members.gather(cluster, compare=False).lacking(node):
            raise NotYetError(problem)
        return True

    what = f"node {node}: etcd's member is not well"
    wait_until(is_well, what, "see kubectl admin etcd-status", timeout=MEMBER_TIMEOUT, interval=POLL_INTERVAL)


def addons_behind(
    cluster: Cluster, host: Host, seen: Inspection, options: Options, patiently: Retry
) -> tuple[str, ...]:
    """As `behind`; not to know it is wrong, too."""
    try:
        return tuple(patiently(lambda: behind(cluster, host, seen.role, seen.target, options)))
    except AdminError as error:
        return (f"the add-ons can't be compared with those of kubeadm: {error.what}",)


def annotate(cluster: Cluster, node: str, mark: Mark | None) -> None:
    """Leaves the mark on the node, or takes it away."""
    body = {"metadata": {"annotations": {UPGRADE: gather.mark_text(mark) if mark else None}}}
    Retry(MEMBER_TIMEOUT, lambda _: None, settling=MEMBER_TIMEOUT)(
        partial(cluster.patch, f"/api/v1/nodes/{node}", body, MERGE_PATCH)
    )
