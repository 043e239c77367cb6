"""The node while it is upgraded: the changes of its steps through the API, and their waits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from kubectl_admin.clock import Clock
from kubectl_admin.cluster.connection import MERGE_PATCH, Cluster
from kubectl_admin.cluster.retry import Retry
from kubectl_admin.cluster.wait import NotYetError, wait_until
from kubectl_admin.control_plane.component import Component
from kubectl_admin.drain import drain, recovery
from kubectl_admin.drain.cordon import UPGRADE
from kubectl_admin.drain.preview import Preview
from kubectl_admin.etcd.members import gather as etcd_members
from kubectl_admin.etcd.save import save
from kubectl_admin.node.host import Host
from kubectl_admin.node.hosts import Hosts
from kubectl_admin.node.operation import Operation
from kubectl_admin.node.script import Script
from kubectl_admin.part_file import PartFile
from kubectl_admin.upgrade import addons, gather, rollout, snapshot
from kubectl_admin.upgrade.facts import Mark
from kubectl_admin.upgrade.host_jobs import run_job
from kubectl_admin.upgrade.inspection import Inspection, Options, drained_with, has_comparable_addons
from kubectl_admin.upgrade.progress import UpgradeProgress
from kubectl_admin.upgrade.readiness import wait_until_ready
from kubectl_admin.upgrade.rules import ADDON_ROLLOUT

POLL_INTERVAL = 1.0  # seconds between two looks at etcd
MEMBER_TIMEOUT = 120.0  # seconds in which etcd's member must be well after all else is


@dataclass(frozen=True, slots=True)
class LiveNode:
    """A node in its upgrade. seen: the inspection before. watch: opens the display of a phase of a snapshot.

    Everything here raises AdminError where it can't be done or seen.
    """

    cluster: Cluster
    host: Host
    seen: Inspection
    options: Options
    progress: UpgradeProgress
    watch: save.Watch

    @property
    def name(self) -> str:
        """The node's."""
        return self.host.node

    @property
    def clock(self) -> Clock:
        """The one that is waited by."""
        return self.cluster.clock

    def mark(self, mark: Mark | None) -> None:
        """Leaves the mark on the node, or takes it away."""
        body = {"metadata": {"annotations": {UPGRADE: gather.mark_text(mark) if mark else None}}}
        patiently = Retry(MEMBER_TIMEOUT, settling=MEMBER_TIMEOUT, clock=self.clock)
        patiently(lambda: self.cluster.patch(f"/api/v1/nodes/{self.name}", body, MERGE_PATCH))

    def run_job(self, name: str, script: Script, arguments: Sequence[str], check: Callable[[], None]) -> None:
        """As `host_jobs.run_job`, on the node's host."""
        run_job(self.host, name, script, arguments, check, self.progress)

    def snapshot_file(self) -> Path:
        """The file for the snapshot of etcd, as `snapshot.destination` chooses it."""
        wanted, name = self.options.snapshot or ".", self.cluster.target.cluster_name
        return snapshot.destination(wanted, name, resumed=bool(self.seen.disk.records))

    def save_snapshot(self, file: Path) -> save.SavedSnapshot:
        """Saves a snapshot of etcd into the file."""
        hosts = Hosts(self.cluster, Operation.begin(), self.options.pods, self.progress.note)
        with save.draft_of(file, force=False) as draft:
            saved = save.save_snapshot(hosts, save.SnapshotOptions(), draft, watch=self.watch)
            if isinstance(draft, PartFile):
                draft.publish()
        return saved

    def preview(self) -> Preview:
        """Of its drain."""
        return drain.look(self.cluster, self.name, drained_with(self.options))

    def drain(self, preview: Preview) -> None:
        """Cordons and empties it, as the preview has it."""
        drain.drain(self.cluster, preview, drained_with(self.options), self.progress)

    def recover(self, *, uncordoned: Callable[[], None], wait_for_moved: bool = True) -> recovery.Recovered:
        """As `recovery.recover`."""
        return recovery.recover(
            self.cluster,
            self.name,
            self.progress,
            timeout=self.options.ready_timeout,
            wait_for_moved=wait_for_moved,
            uncordoned=uncordoned,
        )

    def wait_until_ready(self, *, parts_ready: bool) -> None:
        """Returns when the node is well at its target; parts_ready: as in `readiness.wait_until_ready`."""
        wait_until_ready(
            self.cluster,
            self.name,
            self.seen.role,
            self.seen.target.version,
            parts_ready=parts_ready,
            timeout=self.options.ready_timeout,
            lacking=self.progress.lacking,
        )

    def await_member(self) -> None:
        """Returns when etcd's member on the node answers and votes; AdminError if not in MEMBER_TIMEOUT."""

        def is_well() -> bool:
            if problem := etcd_members.gather(self.cluster, compare=False).lacking(self.name):
                raise NotYetError(problem)
            return True

        what = f"node {self.name}: etcd's member is not well"
        hint = "see kubectl admin etcd-status"
        wait_until(is_well, what, hint, timeout=MEMBER_TIMEOUT, interval=POLL_INTERVAL, clock=self.clock)

    def await_addons(self, *, here: bool) -> tuple[str, ...]:
        """As `rollout.wait_until_well`. here: whether the new kube-proxy is to be here."""
        return rollout.wait_until_well(
            rollout.Source.of(self.cluster, self.name),
            self.name,
            self.seen.target,
            self.expectation(here=here),
            self.options.ready_timeout,
            self.progress.lacking,
        )

    def expectation(self, *, here: bool) -> rollout.Expectation:
        """The demands on kube-proxy and CoreDNS. here: as in `await_addons`."""
        proxies = self.seen.facts.versions.of(Component.KUBE_PROXY)
        return rollout.Expectation(
            proxied=any(proxy.node == self.name for proxy in proxies),
            here=here,
            rolled_out=self.seen.role.control_plane,
            allowed=ADDON_ROLLOUT.id in self.options.allow,
        )

    def addons_behind(self) -> list[str]:
        """The add-ons that are older than kubeadm's, in words; none where they are not compared."""
        if not has_comparable_addons(self.seen.role, self.options):
            return []
        return addons.left_behind(self.cluster, self.host, self.seen.target)

    def returned_addons(self) -> list[str]:
        """As `gather.returned_addons`."""
        return gather.returned_addons(self.cluster, self.seen.facts)
