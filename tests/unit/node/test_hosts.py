"""Many hosts at once: all are asked, and no pod stays behind, whoever is still at it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from threading import Event
from types import SimpleNamespace
from typing import Any

import pytest

from kubectl_admin.cluster.errors import Forbidden, NotFound, Unreachable
from kubectl_admin.errors import AdminError
from kubectl_admin.node.debug_pod import Options
from kubectl_admin.node.hosts import Hosts, time_for
from kubectl_admin.node.pod_removal import GONE_TIMEOUT
from kubectl_admin.pool import LateError
from tests.fakes.clock import Clock
from tests.fakes.host import OPERATION, OWNER

OTHER = "9876543210"


def pod(operation: str, number: int) -> dict[str, Any]:
    return {
        "metadata": {
            "namespace": "kube-system",
            "name": f"kubectl-admin-{operation}-{number:04x}",
            "labels": {
                "app.kubernetes.io/managed-by": "kubectl-admin",
                "kubectl-admin/operation": operation,
            },
            "annotations": {"kubectl-admin/owner": str(OWNER)},
        },
        "spec": {"nodeName": f"n{number}"},
        "status": {"phase": "Running"},
    }


class Pods:
    """The stand-in of a Cluster that has pods. deleted: the last part of the names of those that were."""

    def __init__(self, *pods: dict[str, Any]) -> None:
        self.pods = list(pods)
        self.clock = Clock()
        self.deleted: list[str] = []
        self.over: list[bool] = []
        self.operation = OPERATION
        self.stay: set[str] = set()
        self.refusal: AdminError | None = None

    def get(self, path: str) -> dict[str, Any]:
        """A node, which can take a debug pod."""
        return {
            "metadata": {"name": path.rpartition("/")[2]},
            "status": {
                "conditions": [{"type": "Ready", "status": "True"}],
                "images": [{"names": ["registry.k8s.io/pause:3.10"]}],
                "nodeInfo": {"operatingSystem": "linux"},
            },
        }

    def list(self, _path: str, _query: Any) -> list[dict[str, Any]]:
        if self.refusal:
            raise self.refusal
        return list(self.pods)

    def delete(self, path: str) -> None:
        name = path.rpartition("/")[2]
        self.deleted.append(name.rpartition("-")[2])
        self.over.append(self.operation.over.is_set())
        gone = [each for each in self.pods if each["metadata"]["name"] == name]
        if not gone:
            raise NotFound(404, "NotFound", "somebody was quicker")
        if self.deleted[-1] not in self.stay:
            self.pods.remove(gone[0])


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def all_of(said: list[str]) -> Callable[[Pods], Hosts]:
    def made(cluster: Pods) -> Hosts:
        cluster.operation = replace(OPERATION, over=Event())
        return Hosts(cluster, cluster.operation, Options(), said.append)  # type: ignore[arg-type]

    return made


def late(questions: Any, *, deadline: float, workers: int, answered: Any) -> dict[str, Any]:
    """A stand-in for pool.ask_all: at its deadline b has not answered."""
    del workers
    answers = {}
    for name, question in questions.items():
        if name == "b":
            answers[name] = LateError(f"no answer within {deadline:.0f}s")
        else:
            answers[name] = question()
            answered(len(questions))
    return answers


class Named(Hosts):
    """Hosts that need no pod; n2 is down."""

    __slots__ = ()

    @contextmanager
    def open(self, node: str) -> Iterator[Any]:
        if node == "n2":
            raise AdminError("n2 is not Ready")
        yield SimpleNamespace(node=node, operation=self.operation)


def test_each_host_is_opened_and_asked_and_errors_are_answers(all_of):
    steps: list[int] = []
    made = all_of(Pods())
    there = Named(made.cluster, made.operation, made.options, made.say)
    answers = there.ask(["n3", "n1", "n2"], lambda host: host.node.upper(), answered=steps.append)
    assert list(answers) == ["n3", "n1", "n2"]
    assert [answers["n3"], answers["n1"], str(answers["n2"])] == ["N3", "N1", "n2 is not Ready"]
    assert steps == [3, 3, 3]
    assert not there.operation.over.is_set()


class Handed(Hosts):
    """Hosts that are handed questions, and answer them with their place."""

    __slots__ = ()

    def ask_all(self, questions: Any, **_: Any) -> Any:
        return {name: place for place, name in enumerate(questions)}


def test_none_is_always_the_last(all_of):
    made = all_of(Pods())
    names = [f"w{number}" for number in range(50)]
    places = Handed(made.cluster, made.operation, made.options, made.say).ask(names, str)
    assert list(places) == names
    assert sorted(places.values()) == list(range(50)) != list(places.values())


@pytest.mark.parametrize(
    ("questions", "workers", "seconds"),
    [(0, 16, 600), (1, 16, 600), (15, 16, 600), (16, 16, 660), (5000, 16, 600 + 312 * 60)],
)
def test_the_time_grows_with_the_nodes(questions, workers, seconds):
    assert time_for(questions, workers) == seconds


def test_work_that_ends_well_waits_for_nothing(all_of, said):
    there = all_of(Pods())
    there.ask_all({})
    there.ask_all({"a": lambda: 1})
    assert there.cluster.clock.slept == []
    assert said == []
    assert not there.operation.over.is_set()


class Interrupted(BaseException):
    """Ctrl-C."""


def interrupt() -> None:
    raise Interrupted


def test_work_that_is_interrupted_takes_its_pods_with_it(all_of):
    cluster = Pods(pod(OPERATION.id, 1), pod(OTHER, 2))
    there = all_of(cluster)
    with pytest.raises(Interrupted):
        there.ask_all({"a": interrupt})
    assert cluster.deleted == ["0001"]
    assert cluster.over == [True], "whose pod goes would make another one"


def test_a_pod_that_is_made_at_that_very_moment_goes_as_well(all_of):
    cluster = Pods()
    there = all_of(cluster)
    moments = iter([[], [], [pod(OPERATION.id, 1)], [pod(OPERATION.id, 1)], *[[]] * 100])
    cluster.list = lambda _path, _query: next(moments)
    with pytest.raises(Interrupted):
        there.ask_all({"a": interrupt})
    assert cluster.deleted == ["0001"]


def test_who_is_late_is_told_that_it_is_over_before_its_pod_goes(all_of):
    cluster = Pods(pod(OPERATION.id, 2))
    there = all_of(cluster)
    answers = there.ask_all({"a": lambda: 1, "b": lambda: 2}, ask=late)
    assert answers["a"] == 1
    assert isinstance(answers["b"], LateError)
    assert cluster.over == [True]
    # The thread is still there, finds its pod gone, and makes no other one.
    with pytest.raises(AdminError, match="interrupted"), there.open("b"):
        pass


def test_a_question_that_is_late_by_itself_leaves_nothing_open(all_of):
    def nested() -> None:
        raise LateError("no answer within 3s")

    there = all_of(Pods())
    there.ask_all({"a": nested})
    assert not there.operation.over.is_set()


def test_what_must_be_answered_names_the_node_that_is_not(all_of):
    def silent() -> None:
        raise LateError("no answer within 600s")

    there = all_of(Pods())
    assert there.need_all({"a": lambda: 1, "b": lambda: 2}) == {"a": 1, "b": 2}
    with pytest.raises(AdminError, match="node b: no answer within 600s"):
        there.need_all({"a": lambda: 1, "b": silent})


def test_the_first_error_is_the_one_of_all(all_of):
    def broken() -> None:
        raise Forbidden(403, "Forbidden", "no")

    with pytest.raises(Forbidden):
        all_of(Pods()).need_all({"a": lambda: 1, "b": broken})


def test_a_pod_that_does_not_go_is_said_and_not_waited_for_without_end(all_of, said):
    cluster = Pods(pod(OPERATION.id, 1), pod(OPERATION.id, 2))
    cluster.stay = {"0002"}
    there = all_of(cluster)
    began = cluster.clock.now
    with pytest.raises(Interrupted):
        there.ask_all({"a": interrupt})
    assert cluster.deleted == ["0001", "0002"]
    name = f"kubectl-admin-{OPERATION.id}-0002"
    assert said == [f"pod kube-system/{name} is being deleted, but its node has not ended it yet"]
    assert cluster.clock.now - began < GONE_TIMEOUT + 5


def test_pods_that_can_not_be_removed_are_said(all_of, said):
    cluster = Pods(pod(OPERATION.id, 1))
    cluster.refusal = Unreachable("the API server does not answer")
    with pytest.raises(Interrupted):
        all_of(cluster).ask_all({"a": interrupt})
    assert said == [
        "debug pods of this run could not be removed (the API server does not answer): "
        "see «kubectl admin cleanup»"
    ]


def test_an_api_server_that_restarts_meanwhile_is_waited_for(all_of, said):
    cluster = Pods(pod(OPERATION.id, 1))
    real, failures = cluster.list, [Unreachable("restarting")] * 3

    def listed(path: str, query: Any) -> Any:
        if failures:
            raise failures.pop()
        return real(path, query)

    cluster.list = listed
    with pytest.raises(Interrupted):
        all_of(cluster).ask_all({"a": interrupt})
    assert cluster.deleted == ["0001"]
    assert said == []


def test_long_work_has_a_time_of_its_own(all_of):
    allowed: list[float] = []

    def ask(questions: Any, *, deadline: float, workers: int, answered: Any) -> dict[str, Any]:
        allowed.append(deadline)
        del workers
        return {name: answered(len(questions)) for name in questions}

    there = all_of(Pods())
    there.ask_all({"a": lambda: 1}, ask=ask)
    there.ask_all({"a": lambda: 1}, timeout=9999.0, ask=ask)
    assert allowed == [time_for(1, 16), 9999.0]
