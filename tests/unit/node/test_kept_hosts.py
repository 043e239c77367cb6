"""Hosts that are kept open until all is over: no pod stays, whatever happens meanwhile."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from kubectl_admin.cluster.errors import Forbidden
from kubectl_admin.errors import AdminError
from kubectl_admin.node.debug_pod import Options
from kubectl_admin.node.hosts import Hosts
from kubectl_admin.node.kept_hosts import kept
from tests.fakes.clock import Clock
from tests.fakes.host import OPERATION
from tests.fakes.hosts import Opened

FOREVER = 60.0  # seconds; no test waits for so long


class Api:
    """The stand-in of a Cluster without pods. asked: how often for them. may: whether a user may make any."""

    def __init__(self, *, may: bool = True) -> None:
        self.clock = Clock()
        self.asked = 0
        self.may = may

    def list(self, _path: str, _query: Any) -> list[Any]:
        self.asked += 1
        return []

    def review(self, _path: str, _body: Any, timeout: float = 0) -> dict[str, Any]:
        del timeout
        return {"status": {"allowed": self.may}}


class Pods:
    """Opens hosts. made, gone: the nodes of pods that were made and removed."""

    def __init__(self, cluster: Api) -> None:
        self.made: list[str] = []
        self.gone: list[str] = []
        self.said: list[str] = []
        self.making, self.hold = threading.Event(), threading.Event()  # «slow» is made, and does not start
        self.cluster = cluster
        operation = replace(OPERATION, over=threading.Event())
        self.hosts: Hosts = Opened(cluster, operation, Options(), self.said.append, self.open)  # type: ignore[arg-type]

    @contextmanager
    def open(self, node: str, _operation: Any) -> Iterator[Any]:
        if node == "broken":
            raise AdminError("node broken: found no image")
        if node == "refused":
            raise Forbidden(403, "Forbidden", 'pods is forbidden: User "jane" cannot create resource "pods"')
        self.made.append(node)
        if node == "slow":
            self.making.set()
            self.hold.wait(FOREVER)
        try:
            yield SimpleNamespace(node=node)
        finally:
            self.gone.append(node)


@pytest.fixture
def pods() -> Iterator[Pods]:
    made = Pods(Api())
    yield made
    made.hold.set()


def test_a_host_is_opened_once_and_gone_at_the_end(pods: Pods) -> None:
    with kept(pods.hosts) as there:
        assert there
        assert there.host("w1", FOREVER) is there.host("w1", FOREVER)
        there.host("w2", FOREVER)
        assert (pods.made, pods.gone) == (["w1", "w2"], [])
    assert sorted(pods.gone) == ["w1", "w2"]
    assert pods.hosts.operation.over.is_set()
    assert pods.cluster.asked == 0  # each was seen gone by itself


def test_no_pod_that_nobody_needs(pods: Pods) -> None:
    with kept(pods.hosts):
        pass
    assert (pods.made, pods.cluster.asked) == ([], 0)


def test_without_hosts_there_are_none() -> None:
    with kept(None) as there:
        assert there is None


def test_what_went_wrong_once_is_not_tried_again(pods: Pods) -> None:
    with kept(pods.hosts) as there:
        assert there
        for _ in range(2):
            with pytest.raises(AdminError, match="found no image"):
                there.host("broken", FOREVER)


def test_rights_that_are_missing_are_named() -> None:
    pods = Pods(Api(may=False))
    with kept(pods.hosts) as there:
        assert there
        with pytest.raises(AdminError, match=r'^user "jane" may not get nodes; .*pods/exec in '):
            there.host("refused", FOREVER)


def test_a_pod_that_has_no_time_left_is_not_made(pods: Pods) -> None:
    with kept(pods.hosts) as there:
        assert there
        with pytest.raises(AdminError, match=r"^no time was left to make its debug pod$"):
            there.host("w1", 0.0)
        there.host("w2", FOREVER)
    assert pods.gone == ["w2"]


def test_one_that_is_on_its_way_at_the_end_is_looked_for_by_its_name(pods: Pods) -> None:
    with kept(pods.hosts) as there:
        assert there
        threading.Thread(target=there.host, args=("slow", FOREVER), daemon=True).start()
        assert pods.making.wait(FOREVER)
    assert (pods.made, pods.gone) == (["slow"], [])
    assert pods.cluster.asked > 0
    assert pods.hosts.operation.over.is_set()  # so nothing is made any more


@pytest.mark.parametrize("error", [KeyboardInterrupt(), AdminError("no")])
def test_an_interruption_leaves_no_pod(pods: Pods, error: BaseException) -> None:
    def interrupted() -> None:
        with kept(pods.hosts) as there:
            assert there
            there.host("w1", FOREVER)
            raise error

    with pytest.raises(type(error)):
        interrupted()
    assert pods.gone == ["w1"]
