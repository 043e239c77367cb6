"""The steps of a node's upgrade; each returns when its result has been seen."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from kubectl_admin.clock import Clock
from kubectl_admin.cluster.retry import Retry
from kubectl_admin.errors import AdminError
from kubectl_admin.node.script import Script
from kubectl_admin.signals import sheltered
from kubectl_admin.upgrade import next_start, plan
from kubectl_admin.upgrade.facts import Mark
from kubectl_admin.upgrade.host_jobs import INSTALL, KUBEADM, PREPARE, RECORDS, JobFailedError
from kubectl_admin.upgrade.live import LiveNode

# Exit code of packages-install.sh that nothing gives by accident: the former packages were seen to be there,
# and their kubelet to stay up.
PUT_BACK = 10
# Seconds in which an API server that kubeadm restarts is back: kubeadm waits that long for a static pod.
# Source: kubernetes/kubernetes cmd/kubeadm/app/apis/kubeadm/v1beta4/defaults.go, Timeouts.UpgradeManifests.
STATIC_POD_TIMEOUT = 300.0
ROLES_GRACE = 60.0  # seconds in which an API server that has started knows users and roles again
AGAIN = "run the command again"


def patient(say: Callable[[str], None], clock: Clock) -> Retry:
    """Retries for as long as kubeadm may take to restart the only API server, in any phase."""
    return Retry(STATIC_POD_TIMEOUT, say, settling=ROLES_GRACE, clock=clock)


class Actions:
    """The steps, and the facts that they leave for later ones."""

    def __init__(self, node: LiveNode, check: Callable[[], None]) -> None:
        self.node, self.check = node, check
        self.seen, self.options, self.progress = node.seen, node.options, node.progress
        facts, goal = node.seen.facts, node.seen.target
        self.former = plan.mark_that_counts(facts, goal)
        begun = self.former or Mark(
            "",
            datetime.now(UTC).isoformat(timespec="seconds"),
            uncordon=not facts.cordoned and self.options.draining is not None,
        )
        self.mark = replace(begun, target=str(goal.version))
        self.cordoned = self.ended = 0.0
        self.holding = self.former is not None and self.mark.uncordon  # a cordon that is to end
        self.saved: Path | None = None
        self.patiently = patient(self.progress.note, node.clock)
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
        file = self.node.snapshot_file()
        saved = self.patiently(lambda: self.node.save_snapshot(file))
        self.saved = file
        self.progress.note(f"{file}: {saved.download.fetched.size:,} bytes, verified")

    def kubeadm(self) -> None:
        """kubeadm's own part, to its end."""
        goal, options = self.seen.target, self.options
        what = [plan.mode(self.seen.role), f"v{goal.version}", options.ignored, options.patches]
        self.job(plan.KUBEADM, KUBEADM, [RECORDS, next_start.KUBELET_CONFIG, *what])

    def drain(self) -> None:
        """The node is cordoned and empty."""
        # An add-on that kubeadm has rolled out and that does not work costs the node nothing yet.
        try:
            for left in self.node.await_addons(here=False):
                self.progress.note(f"no longer waiting for {left}")
        except AdminError as error:
            stays = "it stays cordoned" if self.seen.facts.cordoned else "the node was not cordoned"
            raise AdminError(error.what, f"{stays}; {error.hint}") from error
        preview = self.patiently(self.node.preview)
        self.cordoned = self.node.clock.monotonic()
        with self.marked():
            self.node.drain(preview)
            self.holding = self.mark.uncordon

    @contextmanager
    def report_cordon(self) -> Iterator[None]:
        """If the work inside fails or is interrupted, a cordon that is left is reported."""
        try:
            yield
        except BaseException:
            if self.holding:
                self.progress.note(
                    f"node {self.node.name} stays cordoned; "
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
                        self.node.mark(self.mark)
                    yield
            except BaseException:
                if self.former is None:
                    self.node.mark(None)
                raise

    def kubelet(self) -> None:
        """The new kubelet runs."""
        try:
            self.job(plan.KUBELET, INSTALL, [self.seen.target.package])
        except JobFailedError as error:
            raise self.put_back(error) from error
        except AdminError as error:
            raise AdminError(
                error.what, f"node {self.node.name} is {self.left}; {error.hint or AGAIN}"
            ) from error

    @property
    def left(self) -> str:
        """How a node is where its kubelet's step has failed."""
        return "left as it is, cordoned" if self.options.draining else "left as it is"

    def put_back(self, error: JobFailedError) -> AdminError:
        """The error with how the node was left: uncordoned where its former kubelet was seen to stay up."""
        here = self.node.name
        try:
            if error.exit_code != PUT_BACK:
                return AdminError(error.what, f"node {here} is {self.left}; {error.hint}")
            if not self.mark.uncordon:
                return AdminError(error.what, f"node {here} runs its former kubelet again; {error.hint}")
            self.node.recover(uncordoned=self.uncordoned, wait_for_moved=False)
            self.node.mark(None)
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
        node = self.node
        node.wait_until_ready(parts_ready=False)
        if self.seen.facts.etcd is not None:
            node.await_member()
        if self.mark.uncordon:
            back = node.recover(uncordoned=self.uncordoned)
            self.unhealthy = tuple(name for name, _ in back.unhealthy)
        node.wait_until_ready(parts_ready=True)
        self.left_open = node.await_addons(here=True)
        self.behind = self.addons_behind()
        node.mark(None)
        for returned in node.returned_addons():
            self.progress.note(returned)

    def addons_behind(self) -> tuple[str, ...]:
        """As the node has it; not to know it is wrong, too."""
        try:
            return tuple(self.patiently(self.node.addons_behind))
        except AdminError as error:
            return (f"the add-ons can't be compared with those of kubeadm: {error.what}",)

    def uncordoned(self) -> None:
        """The cordon is over."""
        self.holding = False
        self.ended = self.node.clock.monotonic()

    def job(self, name: str, script: Script, arguments: Sequence[str]) -> None:
        """Runs a job on the node's host to its end, as `host_jobs.run_job` does."""
        self.node.run_job(name, script, arguments, self.check)
