"""What the steps of an upgrade do to a node, and how it is left where they fail."""

from types import SimpleNamespace

import pytest

from kubectl_admin.errors import AdminError
from kubectl_admin.upgrade import look, target, work
from kubectl_admin.upgrade.facts import Around, Mark, Target
from kubectl_admin.upgrade.look import Look
from kubectl_admin.upgrade.work import Teller, Work, last_words
from kubectl_admin.versions.version import Version
from tests.unit.upgrade.cases import CONTROL_PLANES, NEW, OLD, around, disk


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
        self.kubelet: Version | None = OLD
        self.failing = ""
        for name, stand_in in {
            "annotate": lambda _cluster, _node, mark: self.events.append(
                f"mark {mark.uncordon if mark else '-'}"
            ),
            "settled": lambda *_, parts_ready, **__: self.acted("settled" if parts_ready else "running"),
            "await_member": lambda *_: self.acted("member"),
        }.items():
            monkeypatch.setattr(work, name, stand_in)
        monkeypatch.setattr(work.drain, "look", lambda *_: "preview")
        monkeypatch.setattr(work.drain, "drain", lambda *_: self.acted("drained"))
        monkeypatch.setattr(work.recovery, "recover", self.recovered)
        monkeypatch.setattr(work.gather, "disk", lambda *_: disk(kubelet=self.kubelet))

    def acted(self, what: str) -> None:
        self.events.append(what)
        if what == self.failing:
            raise AdminError(f"{what} failed")

    def recovered(self, _cluster, _node, _teller, *, uncordoned=lambda: None, **_):
        self.events.append("uncordoned")
        uncordoned()
        return SimpleNamespace(unhealthy=[("Deployment/default/web", None)])

    def work(self, here: Around, **changes) -> Work:
        goal = Target(NEW, "1.37.2-1.1")
        seen = Look(here, disk(), target.role(here, NEW), goal, (), (), None)
        host = SimpleNamespace(node=here.node)
        return Work(None, host, seen, look.Options(**changes), Teller(), None)


@pytest.fixture
def world(monkeypatch):
    return World(monkeypatch)


WORKER = around("worker-1", moved=CONTROL_PLANES, written=NEW)
MARKED = around(
    "worker-1", moved=CONTROL_PLANES, written=NEW, cordoned=True, mark=Mark("1.37.2", "then", uncordon=True)
)
CORDONED = around("worker-1", moved=CONTROL_PLANES, written=NEW, cordoned=True)


def test_a_drain_leaves_a_mark_that_a_failed_one_takes_away(world):
    world.work(WORKER).drain()
    assert world.events == ["mark True", "drained"]
    world.events.clear()
    world.failing = "drained"
    with pytest.raises(AdminError):
        world.work(WORKER).drain()
    assert world.events == ["mark True", "drained", "mark -"]


def test_the_mark_of_an_earlier_run_stays(world):
    world.failing = "drained"
    with pytest.raises(AdminError):
        world.work(MARKED).drain()
    assert world.events == ["drained"]


def test_the_end_of_the_cordon_is_timed_and_the_mark_goes_last(world):
    job = world.work(WORKER)
    job.drain()
    job.settle()
    assert world.events == ["mark True", "drained", "running", "uncordoned", "settled", "mark -"]
    assert job.ended >= job.cordoned > 0
    assert job.unhealthy == ("Deployment/default/web",)


def test_a_node_that_was_cordoned_before_stays_so(world):
    job = world.work(CORDONED)
    job.drain()
    job.settle()
    assert world.events == ["mark False", "drained", "running", "settled", "mark -"]


def test_a_run_that_goes_on_ends_the_cordon_of_the_one_before(world):
    world.work(MARKED).settle()
    assert world.events == ["running", "uncordoned", "settled", "mark -"]


def test_etcd_is_looked_at_where_there_is_a_member(world):
    world.work(around("cp-1", moved=("cp-1",), written=NEW)).settle()
    assert world.events == ["running", "member", "uncordoned", "settled", "mark -"]


def test_a_kubelet_that_stayed_the_same_goes_back_to_work(world):
    error = world.work(WORKER).put_back(AdminError("kubelet failed", "a hint"))
    assert world.events == ["uncordoned", "mark -"]
    assert error.hint == "node worker-1 is at work again with kubelet 1.36.3; run it again"


def test_one_that_did_not_stays_cordoned(world):
    world.kubelet = NEW
    error = world.work(WORKER).put_back(AdminError("kubelet failed", "a hint"))
    assert world.events == []
    assert error.hint == "node worker-1 is left as it is, cordoned; a hint"


def test_what_is_on_the_node_already_is_asked_of_no_repository():
    assert look.goal_there(disk("1.37.2-1.1"), NEW) == Target(NEW, "1.37.2-1.1")
    assert look.goal_there(disk("1.37.2-1.1"), OLD) is None
    assert look.goal_there(disk(kubeadm="1.37.2-1.1"), NEW) is None
    assert look.goal_there(disk("1.37.2-1.1"), None) is None
