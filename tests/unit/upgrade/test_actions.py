"""What the steps of an upgrade do to a node, and how it is left where they fail."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from kubectl_admin.errors import AdminError
from kubectl_admin.plan import Step
from kubectl_admin.upgrade import apply, inspection, plan, target
from kubectl_admin.upgrade.actions import PUT_BACK, Actions
from kubectl_admin.upgrade.facts import ClusterFacts, Mark, Target
from kubectl_admin.upgrade.host_jobs import JobFailedError, last_words
from kubectl_admin.upgrade.inspection import Inspection, Options
from kubectl_admin.upgrade.progress import UpgradeProgress
from kubectl_admin.versions.version import Version
from tests.fakes.clock import Clock
from tests.unit.upgrade.cases import CONTROL_PLANES, NEW, OLD, disk, facts


@pytest.mark.parametrize(
    ("log", "words"),
    [
        ("", ""),
        ("one\ntwo\n\n", "two"),
        ("E: Unable to locate package kubeadm\nDone\n", "E: Unable to locate package kubeadm"),
        (
            "[preflight] Some fatal errors occurred:\n\t[ERROR SystemVerification]: cgroup v1\n"
            "\t[ERROR Swap]: swap\n"
            "error: error execution phase preflight: preflight checks failed\nTo see the stack trace\n",
            "[ERROR SystemVerification]: cgroup v1; [ERROR Swap]: swap",
        ),
        ("error: first\nerror: second\nlast\n", "error: second"),
        ("x" * 1000, "x" * 500),
    ],
)
def test_last_words(log, words):
    assert last_words(log) == words


class Node:
    """A node in its upgrade, which bears whatever its steps do.

    events: what was done, in order. failing: what of it fails. exit_code: how jobs end. open: what of a
    rollout is still to come. said: to the person who waits.
    """

    def __init__(self, here: ClusterFacts, **changes) -> None:
        goal = Target(NEW, "1.37.2-1.1")
        self.seen = Inspection(here, disk(), target.role(here, NEW), goal, (), (), None)
        self.name, self.options = here.node, Options(**changes)
        self.host = SimpleNamespace(
            node=here.node, operation=SimpleNamespace(owner="me"), script=lambda *_: self.acted("workspace")
        )
        self.events: list[str] = []
        self.failing, self.exit_code = "", 0
        self.clock = Clock()
        self.open: tuple[str, ...] = ()
        self.said: list[str] = []
        self.progress = UpgradeProgress()
        self.progress.note = self.said.append

    def acted(self, what: str) -> None:
        self.events.append(what)
        if what == self.failing:
            raise AdminError(f"{what} failed")

    def mark(self, mark: Mark | None) -> None:
        self.acted(f"mark {mark.uncordon if mark else '-'}")

    def run_job(self, name, _script, _arguments, _check):
        self.acted(f"job {name}")
        if self.exit_code:
            raise JobFailedError(f"{name} failed", "a hint", self.exit_code)

    def preview(self) -> str:
        return "preview"

    def drain(self, preview):
        assert preview == "preview"
        self.acted("drained")

    def recover(self, *, uncordoned, wait_for_moved=True):
        del wait_for_moved
        self.acted("uncordoned")
        uncordoned()
        return SimpleNamespace(unhealthy=[("Deployment/default/web", None)])

    def wait_until_ready(self, *, parts_ready):
        self.acted("settled" if parts_ready else "running")
        self.clock.sleep(60)

    def await_member(self):
        self.acted("member")

    def await_addons(self, *, here):
        self.acted("add-ons here" if here else "add-ons")
        return self.open

    def addons_behind(self):
        return ["CoreDNS is old"]

    def returned_addons(self):
        return []


def work(here: ClusterFacts, failing: str = "", **changes) -> Actions:
    """The steps of an upgrade of that node. failing: what of them fails."""
    node = Node(here, **changes)
    node.failing = failing
    return Actions(node, lambda: None)


RUNNING = ("running",)
WELL = ("settled", "add-ons here", "mark -")
WORKER = facts("worker-1", moved=CONTROL_PLANES, written=NEW)
MARKED = facts(
    "worker-1", moved=CONTROL_PLANES, written=NEW, cordoned=True, mark=Mark("1.37.2", "then", uncordon=True)
)
CORDONED = facts("worker-1", moved=CONTROL_PLANES, written=NEW, cordoned=True)


def test_a_drain_leaves_a_mark_that_a_failed_one_takes_away():
    job = work(WORKER)
    job.drain()
    assert job.node.events == ["add-ons", "mark True", "drained"]
    job = work(WORKER, failing="drained")
    with pytest.raises(AdminError):
        job.drain()
    assert job.node.events == ["add-ons", "mark True", "drained", "mark -"]


def test_a_node_is_not_cordoned_for_what_kubeadm_has_rolled_out_and_does_not_work():
    job = work(WORKER, failing="add-ons")
    with pytest.raises(AdminError) as caught:
        job.drain()
    assert job.node.events == ["add-ons"]
    assert str(caught.value.hint).startswith("the node was not cordoned")


def test_the_mark_of_an_earlier_run_to_another_version_is_this_runs_from_now_on():
    """This run's drain finds the cordon there; if it is killed in turn, its own target is what counts."""
    marked = replace(MARKED, mark=Mark("1.37.1", "then", uncordon=True), drained=True)
    job = work(marked, failing="drained")
    assert job.mark == Mark("1.37.2", "then", uncordon=True)
    with pytest.raises(AdminError):
        job.drain()
    assert job.node.events == ["add-ons", "mark True", "drained"]


def test_the_mark_of_an_earlier_run_stays():
    job = work(MARKED, failing="drained")
    with pytest.raises(AdminError):
        job.drain()
    assert job.node.events == ["add-ons", "drained"]


def test_the_end_of_the_cordon_is_timed_and_the_mark_goes_last():
    job = work(WORKER)
    job.drain()
    job.settle()
    assert job.node.events == ["add-ons", "mark True", "drained", *RUNNING, "uncordoned", *WELL]
    assert job.ended == job.cordoned + 60 * len(RUNNING)
    assert job.unhealthy == ("Deployment/default/web",)
    assert job.behind == ("CoreDNS is old",)


def test_a_node_that_was_cordoned_before_stays_so():
    job = work(CORDONED)
    job.drain()
    job.settle()
    assert job.node.events == ["add-ons", "mark False", "drained", *RUNNING, *WELL]


def test_a_run_that_goes_on_ends_the_cordon_of_the_one_before():
    job = work(MARKED)
    job.settle()
    assert job.node.events == [*RUNNING, "uncordoned", *WELL]


def test_a_mark_of_another_way_ends_no_cordon():
    """Somebody has given up an earlier upgrade, and the node is cordoned for another reason now."""
    job = work(replace(MARKED, mark=Mark("1.37.1", "then", uncordon=True)))
    job.drain()
    job.settle()
    assert job.node.events == ["add-ons", "mark False", "drained", *RUNNING, *WELL]


def test_etcd_is_looked_at_where_there_is_a_member():
    job = work(facts("cp-1", moved=("cp-1",), written=NEW))
    job.settle()
    assert job.node.events == [*RUNNING, "member", "uncordoned", *WELL]


def failed(job: Actions, exit_code: int) -> AdminError:
    """What is said where the kubelet's job ends so."""
    job.node.exit_code = exit_code
    with pytest.raises(AdminError) as caught:
        job.kubelet()
    assert job.node.events.pop(0) == "job kubelet"
    return caught.value


def test_a_node_whose_former_kubelet_was_seen_to_stay_up_goes_back_to_work():
    job = work(WORKER)
    assert failed(job, PUT_BACK).hint == (
        "node worker-1 runs its former kubelet again and is uncordoned; a hint"
    )
    assert job.node.events == ["uncordoned", "mark -"]


@pytest.mark.parametrize("exit_code", [1, 2, 100, 127])
def test_one_whose_did_not_stays_cordoned(exit_code):
    """Any command of a script may end it with 1."""
    job = work(WORKER)
    assert failed(job, exit_code).hint == "node worker-1 is left as it is, cordoned; a hint"
    assert job.node.events == []


def test_one_that_was_cordoned_before_stays_so_where_its_kubelet_is_put_back():
    job = work(CORDONED)
    assert failed(job, PUT_BACK).hint == "node worker-1 runs its former kubelet again; a hint"
    assert job.node.events == []


def test_what_goes_wrong_while_it_is_taken_back_hides_nothing():
    error = failed(work(WORKER, failing="uncordoned"), PUT_BACK)
    assert (error.what, error.hint) == (
        "kubelet failed; then uncordoned failed",
        "node worker-1 is left as it is, cordoned; a hint",
    )


def test_a_job_that_is_lost_leaves_the_node_as_it_is():
    job = work(WORKER, failing="job kubelet")
    with pytest.raises(AdminError) as caught:
        job.kubelet()
    assert job.node.events == ["job kubelet"]
    assert str(caught.value.hint).startswith("node worker-1 is left as it is, cordoned; ")


def test_what_is_on_the_node_already_is_asked_of_no_repository():
    assert inspection.goal_there(disk("1.37.2-1.1"), NEW) == Target(NEW, "1.37.2-1.1")
    assert inspection.goal_there(disk("1.37.2-1.1"), OLD) is None
    assert inspection.goal_there(disk(kubeadm="1.37.2-1.1"), NEW) is None
    assert inspection.goal_there(disk("1.37.2-1.1"), None) is None
    early = Version(1, 37, 2, "-rc.1")
    assert inspection.goal_there(replace(disk("1.37.2-1.1"), kubelet=early, kubeadm=early), NEW) is None
    assert inspection.goal_there(disk("1.37.2-1.1"), early) is None


@pytest.mark.parametrize(
    ("why", "node", "patches", "compared"),
    [
        ("a control plane's are kubeadm's work", "cp-1", "-", True),
        ("with patches, images may be others", "cp-1", "/etc/patches", False),
        ("a worker's are nobody's", "worker-1", "-", False),
    ],
)
def test_where_add_ons_are_compared(why, node, patches, compared):
    role = target.role(facts(node, moved=CONTROL_PLANES, written=NEW), NEW)
    assert inspection.has_comparable_addons(role, Options(patches=patches)) is compared, why


def test_what_of_a_roll_out_is_still_to_come_is_said_and_kept():
    job = work(WORKER)
    job.node.open = ("the new kube-proxy here",)
    job.drain()
    assert job.node.said == ["no longer waiting for the new kube-proxy here"]
    job.settle()
    assert job.left_open == job.node.open


def interrupted(job: Actions, step) -> list[str]:
    """What is said where somebody interrupts right after a step."""
    job.node.said.clear()

    def act():
        with job.report_cordon():
            step()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        act()
    return list(job.node.said)


STAYS = ["node worker-1 stays cordoned; run the same command again to resume and uncordon it"]


def test_whoever_interrupts_is_told_of_a_cordon_that_is_left():
    job = work(WORKER)
    assert interrupted(job, lambda: None) == []
    assert interrupted(job, job.drain) == STAYS
    assert interrupted(job, job.settle) == []
    assert interrupted(work(MARKED), lambda: None) == STAYS
    cordoned = work(CORDONED)
    assert interrupted(cordoned, cordoned.drain) == []


def test_what_fails_before_the_cordons_end_says_so_as_well():
    job = work(MARKED, failing="running")
    with pytest.raises(AdminError), job.report_cordon():
        job.settle()
    assert job.node.said == STAYS
    job.node.failing = "settled"
    with pytest.raises(AdminError), job.report_cordon():
        job.settle()
    assert job.node.said == STAYS, "it was uncordoned before"


def test_a_failed_drain_and_a_kubelet_that_was_put_back_leave_no_cordon():
    job = work(WORKER, failing="drained")
    with pytest.raises(AdminError):
        job.drain()
    assert not job.holding
    job = work(MARKED)
    failed(job, PUT_BACK)
    assert not job.holding


def test_a_run_that_loses_its_right_between_two_steps_tells_of_its_cordon():
    node = Node(MARKED)
    node.seen = replace(node.seen, steps=(Step(plan.KUBELET, "the kubelet", "worker-1"),))

    def check():
        raise AdminError("somebody else has taken over")

    with pytest.raises(AdminError, match="taken over"):
        apply.upgrade(node, check=check)
    assert (node.events, node.said) == (["workspace"], STAYS)
