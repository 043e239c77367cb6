"""The order of a restore: all is undone before the word, and nothing is after it."""

import json
from contextlib import nullcontext
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from kubectl_admin.cluster.errors import Unreachable
from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.restore.before import Before
from kubectl_admin.etcd.restore.consequences.facts import Hook
from kubectl_admin.etcd.restore.follow import End, Followed, NeverBegunError
from kubectl_admin.etcd.restore.go import Answer
from kubectl_admin.etcd.restore.keys import Keys
from kubectl_admin.etcd.restore.on_nodes.status import state_of
from kubectl_admin.etcd.restore.record import Record
from kubectl_admin.etcd.restore.restore import Restored, give, record_of, resumed
from kubectl_admin.etcd.restore.resume import Begun
from tests.unit.etcd.restore.runs import ID, NODES, NONE, RESTORED, Run, looked, word
from tests.unit.etcd.restore.test_before import RECORD
from tests.unit.etcd.restore.test_go import FakeEtcd, Way

ARMED = [f"arm {node}" for node in NODES]
REMOVED = [f"remove {node}" for node in NODES]
SAYS_NO = "Error: context deadline exceeded"


class BugError(Exception):
    """A fault of the program itself."""


def raising(error: BaseException) -> Any:
    def fault() -> None:
        raise error

    return fault


@pytest.fixture
def run(tmp_path):
    return Run(tmp_path)


def test_the_order(run):
    (run.folder / "snapshot.db.before").mkdir()
    done = run.run()
    assert run.events[:3] == ["save", "lock", "prepare"]
    assert sorted(run.events[3:6]) == ARMED
    assert run.events[6:] == [
        "see unchanged",
        "unlock",
        "word",
        "lease",
        "mark",
        "go",
        "follow",
        "begin",
        f"finish {' '.join(NODES)}",
    ]
    assert (done.word, done.is_begun, done.left) == (Answer.YES, True, ())
    assert done.restored == list(NODES)
    assert run.finished is done.before
    assert done.before.is_finished
    assert set(done.prepared) == set(NODES)
    assert run.there == set(NODES)


@pytest.mark.parametrize("error", [AdminError("node cp-1: no"), KeyboardInterrupt(), BugError()])
@pytest.mark.parametrize(
    "step", ["save", "lock", "prepare", "see unchanged", "unlock", "word", "lease", "mark"]
)
def test_a_step_before_the_word_that_fails_or_is_interrupted_leaves_nothing(run, step, error):
    run.faults[step] = raising(error)
    with pytest.raises(type(error)):
        run.run()
    assert "go" not in run.events
    assert "follow" not in run.events
    assert run.there == set()
    assert not run.so_far.is_begun
    assert (run.so_far.before is None) is (step == "save")
    assert run.so_far.followed is None
    if step != "save":
        assert sorted(run.events[-3:]) == REMOVED
        assert ("unlock" in run.events) is (step != "lock")


def test_an_interruption_while_nodes_are_armed_leaves_nothing(run):
    class Interrupted(Run):
        """A run that is interrupted once all nodes are asked to arm."""

        @property
        def hosts(self) -> Any:
            class Hosts(type(super().hosts)):  # type: ignore[misc]
                """Those of the run."""

                def need_all(self, *arguments: Any, **more: Any) -> Any:
                    super().need_all(*arguments, **more)
                    raise KeyboardInterrupt

            there = super().hosts
            return Hosts(there.cluster, there.operation, there.options, there.say, there.opener)

    run = Interrupted(run.folder)
    with pytest.raises(KeyboardInterrupt):
        run.run()
    assert sorted(run.events[3:6]) == ARMED
    assert run.there == set()
    assert "word" not in run.events


def test_a_node_that_is_not_armed_keeps_all_from_the_word(run):
    run.faults["arm cp-3"] = raising(AdminError("node cp-3: unexpected answer to the start"))
    with pytest.raises(AdminError, match="cp-3: unexpected answer"):
        run.run()
    assert "word" not in run.events
    assert run.way.asked == []
    assert run.there == set()


def test_a_lease_that_nobody_grants_is_no_word(run):
    run.way = Way(FakeEtcd(), others=SAYS_NO)
    with pytest.raises(AdminError, match="deadline exceeded"):
        run.run()
    assert run.so_far.word is Answer.NO
    assert run.there == set()


def test_an_etcd_that_is_full_is_no_word(run):
    run.way = Way(FakeEtcd(), ["done", "done"], others="Error: etcdserver: mvcc: database space exceeded")
    with pytest.raises(AdminError, match="NOSPACE"):
        run.run()
    assert run.so_far.word is Answer.NO
    assert run.there == set()


def test_a_node_that_has_left_is_no_word(run):
    run.way.etcd.keys[f"/kubectl-admin/restore/{ID}/back/cp-2"] = "yes"
    with pytest.raises(AdminError, match="nothing was changed"):
        run.run()
    assert run.there == set()
    assert f"/kubectl-admin/restore/{ID}/go" not in run.way.etcd.keys


def test_a_word_that_is_not_known_to_be_given_is_followed(run):
    run.way = Way(FakeEtcd(), ["done", "done", "lost"], others="before")
    done = run.run()
    assert done.word is Answer.UNKNOWN
    assert done.is_begun
    assert not [event for event in run.events if event.startswith("remove")]
    assert run.events[-3:] == ["follow", "begin", f"finish {' '.join(NODES)}"]


@pytest.mark.parametrize("fate", ["before", "lost"])
def test_a_word_that_was_not_known_is_settled_while_it_is_followed(run, fate):
    """The members could be asked by nobody for a while, and the API answers again."""
    run.way = Way(FakeEtcd(), ["done", "done", fate], others="before")
    forbidden = []

    def follow(*_arguments, is_forbidden, **_more):
        forbidden.append(is_forbidden())
        run.way.others = "done"
        forbidden.append(is_forbidden())
        if forbidden[-1]:
            raise NeverBegunError
        return Followed(End.RESTORED, Keys(), 1)

    runner = replace(run.runner, acts=replace(run.runner.acts, follow=follow))
    with pytest.raises(NeverBegunError) if fate == "before" else nullcontext():
        runner.run(run.snapshot, looked(), None, run.so_far)
    assert forbidden == [False, fate == "before"]
    assert run.so_far.is_begun is (fate == "lost")
    assert run.there == (set() if fate == "before" else set(NODES))
    assert (f"/kubectl-admin/restore/{ID}/stop" in run.way.etcd.keys) is (fate == "before")


def test_a_word_that_is_given_is_not_asked_for_while_it_is_followed(run):
    asked = []

    def follow(*_arguments, **more):
        asked.append(more["is_forbidden"]())
        return Followed(End.RESTORED, Keys(), 1)

    runner = replace(run.runner, acts=replace(run.runner.acts, follow=follow))
    runner.run(run.snapshot, looked(), None, run.so_far)
    assert asked == [False]
    assert run.way.asked == ["lease", "put", "txn"]


class Word:
    """The stand-in of a Go with these answers: first of `give`, then of `settle`."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)

    def give(self) -> Answer:
        return self.answers.pop(0)

    settle = give


@pytest.mark.parametrize("answers", [[Answer.YES], [Answer.UNKNOWN, Answer.YES], [Answer.UNKNOWN] * 2])
def test_a_word_that_nodes_may_have_is_no_error(answers):
    given, so_far = Word(*answers), Restored(ID)
    give(given, so_far)  # type: ignore[arg-type]
    assert given.answers == []
    assert so_far.word is answers[-1]


@pytest.mark.parametrize("answers", [[Answer.NO], [Answer.UNKNOWN, Answer.NO]])
def test_a_word_that_no_node_has_is_an_error(answers):
    so_far = Restored(ID)
    with pytest.raises(AdminError, match="nothing was changed"):
        give(Word(*answers), so_far)  # type: ignore[arg-type]
    assert not so_far.is_begun


@pytest.mark.parametrize("error", [KeyboardInterrupt(), BugError()])
def test_a_word_that_ends_in_a_bug_or_a_signal_is_not_taken_back(run, error):
    run.faults["go"] = raising(error)
    with pytest.raises(type(error)):
        run.run()
    assert run.so_far.word is Answer.UNKNOWN
    assert run.there == set(NODES)
    assert not [event for event in run.events if event.startswith("remove")]


@pytest.mark.parametrize("error", [AdminError("the end was not seen"), KeyboardInterrupt(), BugError()])
@pytest.mark.parametrize("step", ["follow", "begin", f"finish {' '.join(NODES)}"])
def test_nothing_is_removed_after_the_word(run, step, error):
    run.faults[step] = raising(error)
    with pytest.raises(type(error)):
        run.run()
    assert run.so_far.word is Answer.YES
    assert run.there == set(NODES)
    assert not [event for event in run.events if event.startswith("remove")]


def test_a_restore_that_went_back_is_not_finished(run):
    run.end = End.AS_BEFORE
    run.states = dict.fromkeys(NODES, word("as-before"))
    done = run.run()
    assert run.events[-1] == "follow"
    assert done.followed
    assert done.followed.end is End.AS_BEFORE
    assert set(done.states) == set(NODES)
    assert done.restored == []
    assert run.there == set(NODES)


def test_a_node_that_can_not_be_asked_is_not_restored(run):
    run.states["cp-3"] = Unreachable("node cp-3: no route to host")
    (run.folder / "snapshot.db.before").mkdir()
    done = run.run()
    assert done.restored == ["cp-1", "cp-2"]
    assert run.events[-1] == "finish cp-1 cp-2"
    assert not done.before.is_finished


def test_a_worker_that_has_not_ended_is_waited_for(run):
    run.states["cp-3"] = word("committed", "underway", "active")
    done = run.run()
    assert done.restored == ["cp-1", "cp-2"]
    state = done.states["cp-3"]
    assert not isinstance(state, AdminError)
    assert state.earlier.word == "committed"


def test_what_could_not_be_removed_is_named(run):
    run.faults["prepare"] = raising(AdminError("node cp-1: etcdutl could not restore the snapshot"))
    run.faults["remove cp-3"] = raising(Unreachable("no route to host"))
    with pytest.raises(AdminError, match="etcdutl could not"):
        run.run()
    assert run.there == {"cp-3"}
    assert run.so_far.left == ["cp-3"]
    assert "node cp-3: /var/lib/kubectl-admin/restore could not be removed (no route to host)" in run.said


def test_the_snapshot_is_the_one_that_was_judged(run):
    run.snapshot.write_bytes(b"another")
    with pytest.raises(AdminError, match=r"snapshot\.db"):
        run.run()
    assert "prepare" not in run.events
    run.snapshot.unlink()
    with pytest.raises(AdminError, match="can't be read"):
        run.run()


def test_nodes_are_told_how_large_their_database_may_be(run):
    run.runner.rehearse(run.snapshot, looked(defrag=True, limits={"cp-1": 5}), None)
    assert (run.seed.defrag, run.seed.limits) == (True, {"cp-1": 5})


def test_webhooks_refuse_again_where_the_work_afterwards_is_cut_off(run):
    so_far = begun(run, dict.fromkeys(NODES, RESTORED))
    so_far.before = replace(so_far.before, record=replace(so_far.before.record, planned={"webhooks": []}))
    asked: list[str] = []
    runner = replace(run.runner, watcher=SimpleNamespace(list=lambda path: asked.append(path) or []))
    run.faults[f"finish {' '.join(NODES)}"] = raising(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        runner.finish(so_far, list(NODES))
    assert not so_far.all_taken
    assert [path.rpartition("/")[2] for path in asked] == [
        "validatingwebhookconfigurations",
        "mutatingwebhookconfigurations",
    ]


def test_webhooks_that_are_to_be_ignored_are_kept_for_a_later_run(run):
    assert record_of(ID, looked()).planned == {}
    assert record_of(ID, looked(webhooks=())).planned == {"webhooks": []}
    hook = Hook("validatingwebhookconfiguration/policy", "a", ("ns", "policy"), ("pods",), "u")
    kept = record_of(ID, looked(webhooks=(hook,)))
    path = run.folder / "operation.json"
    assert Record.of(json.loads(kept.text()), path).planned == {
        "webhooks": [{"holder": "validatingwebhookconfiguration/policy", "uid": "u", "name": "a"}]
    }


def test_a_rehearsal_prepares_and_removes(run):
    found = run.runner.rehearse(run.snapshot, looked(), None)
    assert set(found) == set(NODES)
    assert run.events[:2] == ["lock", "prepare"]
    assert sorted(run.events[2:5]) == REMOVED
    assert run.events[5:] == ["unlock"]
    assert run.there == set()


@pytest.mark.parametrize("error", [AdminError("no"), KeyboardInterrupt(), BugError()])
def test_a_rehearsal_that_fails_leaves_nothing(run, error):
    run.faults["prepare"] = raising(error)
    with pytest.raises(type(error)):
        run.runner.rehearse(run.snapshot, looked(), None)
    assert run.there == set()


def test_a_rehearsal_that_leaves_something_has_failed(run):
    run.faults["remove cp-2"] = raising(AdminError("no"))
    with pytest.raises(AdminError, match="could not be removed from cp-2"):
        run.runner.rehearse(run.snapshot, looked(), None)


def begun(run: Run, states: dict[str, str]) -> Restored:
    directory = run.snapshot.with_name("snapshot.db.before")
    record = replace(RECORD, nodes=NODES)
    found = {node: state_of(node, answer) for node, answer in states.items()}
    run.states = dict.fromkeys(NODES, NONE) | states
    return resumed(Begun(Before(directory, record), found))


def test_an_earlier_run_is_followed_and_finished(run):
    so_far = begun(run, dict.fromkeys(NODES, word("going", "underway", "active")))
    run.states = dict.fromkeys(NODES, RESTORED)
    run.runner.finish(so_far, list(NODES))
    assert run.events == ["follow", "begin", f"finish {' '.join(NODES)}"]
    assert so_far.is_begun
    assert so_far.resumed


def test_an_earlier_run_whose_keys_may_be_gone_is_not_followed(run):
    so_far = begun(run, {"cp-1": RESTORED, "cp-2": RESTORED})
    run.runner.finish(so_far, list(NODES))
    assert run.events == ["begin", "finish cp-1 cp-2"]
    assert so_far.followed
    assert so_far.followed.end is End.RESTORED


def test_one_node_of_three_is_no_end_yet(run):
    so_far = begun(run, {"cp-1": RESTORED})
    run.runner.finish(so_far, list(NODES))
    assert run.events == ["follow", "begin", "finish cp-1"]
