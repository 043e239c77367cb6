"""A node taken back, against a server that shows it as it comes up."""

import queue

import pytest

from kubectl_admin.drain.cordon import ANNOTATION, Cordon
from kubectl_admin.drain.facts import Scale
from kubectl_admin.drain.progress import DrainProgress
from kubectl_admin.drain.recovery import POLL_INTERVAL, recover, unhealthy
from kubectl_admin.errors import AdminError
from tests.fakes import drain_api as api
from tests.fakes.api_server import HangUp, Says, StandIn, status
from tests.fakes.clock import Clock
from tests.unit.drain.samples import NOW

MARK = Cordon.begin(NOW, ["ReplicaSet/shop/web", "ReplicaSet/shop/gone"])


class Told(DrainProgress):
    def __init__(self):
        self.notes = []

    def note(self, text):
        self.notes.append(text)


def node(ready, mark=None):
    made = api.node("w1", unschedulable=True)
    made["status"]["conditions"][0]["status"] = "True" if ready else "Unknown"
    made["metadata"]["annotations"] = {ANNOTATION: mark.text()} if mark else {}
    return made


@pytest.fixture
def server():
    with StandIn().serving() as stand_in:
        stand_in.clock = Clock()
        stand_in.on("PATCH", api.NODE, Says(body={}))
        yield stand_in


def shows(server, *versions):
    """The node in these versions, one list after another; watches end at once."""
    rows = queue.SimpleQueue()
    for version in versions:
        rows.put(version)

    def answer(asked):
        if dict(asked.query).get("watch"):
            return status(410, "Expired", "too old") if not rows.empty() else Says(body=iter(()))
        return api.listing(rows.get())

    server.on("GET", "/api/v1/nodes", answer)


def test_a_node_is_uncordoned_once_it_is_ready(server):
    shows(server, node(False), node(False), node(True))
    told = Told()
    back = recover(server.connect(), "w1", told, timeout=30)
    assert (back.cordoned, back.moved, back.unhealthy) == (True, (), ())
    assert told.notes == ["waiting until node w1 is Ready"]


def test_a_node_that_was_not_cordoned_is_not_said_to_be_uncordoned(server):
    shows(server, api.node("w1"))
    told = Told()
    assert not recover(server.connect(), "w1", told, timeout=30).cordoned
    assert told.notes == []


def test_a_node_that_does_not_come_up_stays_as_it_is(server):
    shows(server, node(False))
    with pytest.raises(AdminError, match="node w1 is not Ready after 0s") as caught:
        recover(server.connect(), "w1", Told(), timeout=0.2)
    assert "left as it is" in caught.value.hint
    assert not [each for each in server.asked if each.method == "PATCH"]


def test_a_node_that_is_not_there_is_told(server):
    server.on(
        "GET",
        "/api/v1/nodes",
        lambda asked: Says(body=iter(())) if dict(asked.query).get("watch") else api.listing(),
    )
    with pytest.raises(AdminError, match="there is no node w1") as caught:
        recover(server.connect(), "w1", Told(), timeout=5)
    assert caught.value.hint == "kubectl get nodes lists them"


def test_what_was_moved_is_waited_for(server):
    server.on(
        "GET",
        "/apis/apps/v1/replicasets",
        api.replicasets(("web", 3, 2)),
        HangUp(),
        HangUp(),
        HangUp(),
        api.replicasets(("web", 3, 3)),
    )
    shows(server, node(True, MARK))
    told = Told()
    back = recover(server.connect(), "w1", told, timeout=30)
    assert back.unhealthy == ()
    assert told.notes == ["waiting until moved workloads are healthy: ReplicaSet/shop/web"]
    assert POLL_INTERVAL in server.clock.slept


def test_what_takes_too_long_is_told_with_its_numbers(server):
    shows(server, node(True, MARK))
    server.on("GET", "/apis/apps/v1/replicasets", api.replicasets(("web", 3, 2), ("other", 5, 0)))
    back = recover(server.connect(), "w1", Told(), timeout=30)
    assert back.unhealthy == (("ReplicaSet/shop/web", Scale(3, 2)),)


def test_nothing_is_waited_for_where_that_is_not_wanted(server):
    shows(server, node(True, MARK))
    assert recover(server.connect(), "w1", Told(), timeout=5, wait_for_moved=False).moved == ()


def test_kinds_that_are_not_known_are_not_asked_for(server):
    assert unhealthy(server.connect(), ["Rollout/shop/web"]) == {}
