"""What the steps of an upgrade do to a node, and how it is left where they fail."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from kubectl_admin.errors import AdminError
from kubectl_admin.plan import Step
from kubectl_admin.upgrade import actions, apply, inspection, plan, target
from kubectl_admin.upgrade.actions import Actions
from kubectl_admin.upgrade.facts import ClusterFacts, Mark, Target
from kubectl_admin.upgrade.host_jobs import JobFailedError, last_words
from kubectl_admin.upgrade.inspection import Inspection
from kubectl_admin.upgrade.progress import UpgradeProgress
from kubectl_admin.upgrade.rollout import Expectation
from kubectl_admin.versions.version import Version
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


class World:
    """What an upgrade does to a node, in so far as its steps ask for it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.events: list[str] = []
        self.failing = ""
        self.wishes: list[Expectation] = []
        self.open: tuple[str, ...] = ()
        for name, stand_in in {
            "annotate": lambda _cluster, _node, mark: self.events.append(
                f"mark {mark.uncordon if mark else '-'}"
            ),
            "wait_until_ready": lambda *_, parts_ready, **__: self.acted(
                "settled" if parts_ready else "running"
            ),
            "await_member": lambda *_: self.acted("member"),
            "addons_behind": lambda *_: ("CoreDNS is old",),
        }.items():
            monkeypatch.setattr(actions, name, stand_in)
        monkeypatch.setattr(actions.drain, "look", lambda *_: "preview")
        monkeypatch.setattr(actions.drain, "drain", lambda *_: self.acted("drained"))
        monkeypatch.setattr(actions.recovery, "recover", self.recovered)
        monkeypatch.setattr(
            actions.rollout,
            "wait_until_well",
            lambda _cluster, _node, _target, expected, *_: self.rolled_out(expected),
        )

    def acted(self, what: str) -> None:
        self.events.append(what)
        if what == self.failing:
            raise AdminError(f"{what} failed")

    def rolled_out(self, expected) -> tuple[str, ...]:
        self.wishes.append(expected)
        self.acted("add-ons here" if expected.here else "add-ons")
        return self.open

    def recovered(self, _cluster, _node, _progress, *, uncordoned=lambda: None, **_):
        self.acted("uncordoned")
        uncordoned()
        return SimpleNamespace(unhealthy=[("Deployment/default/web", None)])

    def work(self, here: ClusterFacts, **changes) -> Actions:
        goal = Target(NEW, "1.37.2-1.1")
        seen = Inspection(here, disk(), target.role(here, NEW), goal, (), (), None)
        host = SimpleNamespace(node=here.node)
        return Actions(None, host, seen, inspection.Options(**changes), UpgradeProgress(), None, lambda: None)


@pytest.fixture
def world(monkeypatch):
    return World(monkeypatch)


RUNNING = ("running",)
WELL = ("settled", "add-ons here", "mark -")
WORKER = facts("worker-1", moved=CONTROL_PLANES, written=NEW)
MARKED = facts(
    "worker-1", moved=CONTROL_PLANES, written=NEW, cordoned=True, mark=Mark("1.37.2", "then", uncordon=True)
)
CORDONED = facts("worker-1", moved=CONTROL_PLANES, written=NEW, cordoned=True)


def test_a_drain_leaves_a_mark_that_a_failed_one_takes_away(world):
    world.work(WORKER).drain()
    assert world.events == ["add-ons", "mark True", "drained"]
    world.events.clear()
    world.failing = "drained"
    with pytest.raises(AdminError):
        world.work(WORKER).drain()
    assert world.events == ["add-ons", "mark True", "drained", "mark -"]


def test_a_node_is_not_cordoned_for_what_kubeadm_has_rolled_out_and_does_not_work(world):
    world.failing = "add-ons"
    with pytest.raises(AdminError) as caught:
        world.work(WORKER).drain()
    assert world.events == ["add-ons"]
    assert str(caught.value.hint).startswith("the node was not cordoned")


def test_the_mark_of_an_earlier_run_to_another_version_is_this_runs_from_now_on(world):
    """This run's drain finds the cordon there; if it is killed in turn, its own target is what counts."""
    job = world.work(replace(MARKED, mark=Mark("1.37.1", "then", uncordon=True), drained=True))
    assert job.mark == Mark("1.37.2", "then", uncordon=True)
    world.failing = "drained"
    with pytest.raises(AdminError):
        job.drain()
    assert world.events == ["add-ons", "mark True", "drained"]


def test_the_mark_of_an_earlier_run_stays(world):
    world.failing = "drained"
    with pytest.raises(AdminError):
        world.work(MARKED).drain()
    assert world.events == ["add-ons", "drained"]


def test_the_end_of_the_cordon_is_timed_and_the_mark_goes_last(world):
    job = world.work(WORKER)
    job.drain()
    job.settle()
    assert world.events == ["add-ons", "mark True", "drained", *RUNNING, "uncordoned", *WELL]
    assert job.ended >= job.cordoned > 0
    assert job.unhealthy == ("Deployment/default/web",)
    assert job.behind == ("CoreDNS is old",)


def test_a_node_that_was_cordoned_before_stays_so(world):
    job = world.work(CORDONED)
    job.drain()
    job.settle()
    assert world.events == ["add-ons", "mark False", "drained", *RUNNING, *WELL]


def test_a_run_that_goes_on_ends_the_cordon_of_the_one_before(world):
    world.work(MARKED).settle()
    assert world.events == [*RUNNING, "uncordoned", *WELL]


def test_a_mark_of_another_way_ends_no_cordon(world):
    """Somebody has given up an earlier upgrade, and the node is cordoned for another reason now."""
    job = world.work(replace(MARKED, mark=Mark("1.37.1", "then", uncordon=True)))
    job.drain()
    job.settle()
    assert world.events == ["add-ons", "mark False", "drained", *RUNNING, *WELL]


def test_etcd_is_looked_at_where_there_is_a_member(world):
    world.work(facts("cp-1", moved=("cp-1",), written=NEW)).settle()
    assert world.events == [*RUNNING, "member", "uncordoned", *WELL]


def failed(exit_code):
    return JobFailedError("kubelet failed", "a hint", exit_code)


def test_a_node_whose_former_kubelet_was_seen_to_stay_up_goes_back_to_work(world):
    error = world.work(WORKER).put_back(failed(actions.PUT_BACK))
    assert world.events == ["uncordoned", "mark -"]
    assert error.hint == "node worker-1 runs its former kubelet again and is uncordoned; a hint"


@pytest.mark.parametrize("exit_code", [1, 2, 100, 127])
def test_one_whose_did_not_stays_cordoned(world, exit_code):
    """Any command of a script may end it with 1."""
    error = world.work(WORKER).put_back(failed(exit_code))
    assert world.events == []
    assert error.hint == "node worker-1 is left as it is, cordoned; a hint"


def test_one_that_was_cordoned_before_stays_so_where_its_kubelet_is_put_back(world):
    error = world.work(CORDONED).put_back(failed(actions.PUT_BACK))
    assert world.events == []
    assert error.hint == "node worker-1 runs its former kubelet again; a hint"


def test_what_goes_wrong_while_it_is_taken_back_hides_nothing(world):
    world.failing = "uncordoned"
    error = world.work(WORKER).put_back(failed(actions.PUT_BACK))
    assert (error.what, error.hint) == (
        "kubelet failed; then uncordoned failed",
        "node worker-1 is left as it is, cordoned; a hint",
    )


def test_a_job_that_is_lost_leaves_the_node_as_it_is(world):
    world.failing = "job"
    job = world.work(WORKER)
    job.job = lambda *_: world.acted("job")
    with pytest.raises(AdminError) as caught:
        job.kubelet()
    assert world.events == ["job"]
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
        ("a control plane's are kubeadm's work", "cp-1", "-", ["old"]),
        ("with patches, images may be others", "cp-1", "/etc/patches", []),
        ("a worker's are nobody's", "worker-1", "-", []),
    ],
)
def test_where_add_ons_are_compared(monkeypatch, why, node, patches, compared):
    monkeypatch.setattr(inspection.addons, "left_behind", lambda *_: ["old"])
    here = facts(node, moved=CONTROL_PLANES, written=NEW)
    options = inspection.Options(patches=patches)
    role = target.role(here, NEW)
    assert inspection.behind(None, None, role, Target(NEW, "1.37.2-1.1"), options) == compared, why


def test_what_of_a_roll_out_is_still_to_come_is_said_and_kept(world):
    world.open = ("the new kube-proxy here",)
    said: list[str] = []
    job = world.work(WORKER, allow=("addon-rollout",))
    job.progress.note = said.append
    job.drain()
    assert said == ["no longer waiting for the new kube-proxy here"]
    job.settle()
    assert job.left_open == world.open
    assert [(expected.here, expected.rolled_out, expected.allowed) for expected in world.wishes] == [
        (False, False, True),
        (True, False, True),
    ]


def interrupted(job, step):
    """What is said where somebody interrupts right after a step."""
    said: list[str] = []
    job.progress.note = said.append

    def act():
        with job.report_cordon():
            step()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        act()
    return said


STAYS = ["node worker-1 stays cordoned; run the same command again to resume and uncordon it"]


def test_whoever_interrupts_is_told_of_a_cordon_that_is_left(world):
    job = world.work(WORKER)
    assert interrupted(job, lambda: None) == []
    assert interrupted(job, job.drain) == STAYS
    assert interrupted(job, job.settle) == []
    assert interrupted(world.work(MARKED), lambda: None) == STAYS
    cordoned = world.work(CORDONED)
    assert interrupted(cordoned, cordoned.drain) == []


def test_what_fails_before_the_cordons_end_says_so_as_well(world):
    job = world.work(MARKED)
    said: list[str] = []
    job.progress.note = said.append
    world.failing = "running"
    with pytest.raises(AdminError), job.report_cordon():
        job.settle()
    assert said == STAYS
    world.failing = "settled"
    with pytest.raises(AdminError), job.report_cordon():
        job.settle()
    assert said == STAYS, "it was uncordoned before"


def test_a_failed_drain_and_a_kubelet_that_was_put_back_leave_no_cordon(world):
    job = world.work(WORKER)
    world.failing = "drained"
    with pytest.raises(AdminError):
        job.drain()
    assert not job.holding
    job = world.work(MARKED)
    job.put_back(failed(actions.PUT_BACK))
    assert not job.holding


def test_a_run_that_loses_its_right_between_two_steps_tells_of_its_cordon(world):
    job = world.work(MARKED)
    said: list[str] = []
    job.progress.note = said.append
    seen = replace(job.seen, steps=(Step(plan.KUBELET, "the kubelet", "worker-1"),))
    host = SimpleNamespace(
        node="worker-1", operation=SimpleNamespace(owner="me"), script=lambda *_: world.acted("workspace")
    )

    def check():
        raise AdminError("somebody else has taken over")

    with pytest.raises(AdminError, match="taken over"):
        apply.upgrade(None, host, seen, inspection.Options(), job.progress, check=check, watch=None)
    assert (world.events, said) == (["workspace"], STAYS)
