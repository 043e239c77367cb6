"""An upgrade begins also while the only API server is being restarted, and for one person at a time."""

from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from kubectl_admin.cluster import retry
from kubectl_admin.cluster.errors import Unreachable
from kubectl_admin.errors import AdminError
from kubectl_admin.upgrade import node
from kubectl_admin.upgrade.look import Options
from tests.unit.node.standin import OWNER

AWAY = Unreachable("Unable to connect to the server: connection refused")


class Flapping:
    """Something that can't be done until it has been tried so many times. said: to the person who waits."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.left = 0
        self.error: AdminError = AWAY
        self.events: list[str] = []
        self.said: list[str] = []
        clock = SimpleNamespace(now=0.0)
        monkeypatch.setattr(
            retry,
            "time",
            SimpleNamespace(
                monotonic=lambda: clock.now,
                sleep=lambda seconds: setattr(clock, "now", clock.now + seconds),
            ),
        )
        monkeypatch.setattr(node, "require", lambda *_: self.tried("rights"))
        monkeypatch.setattr(node, "leftovers", SimpleNamespace(sweep=lambda *_: None))
        monkeypatch.setattr(node, "hosts", SimpleNamespace(opened=lambda *_: self.entered("host")))
        monkeypatch.setattr(node, "lease_name", lambda *_: self.tried("name"))
        monkeypatch.setattr(node.lease, "held", lambda *_, **__: self.entered("lease"))
        monkeypatch.setattr(node.one_at_a_time, "control_plane", lambda *_, **how: self.alone(how))
        monkeypatch.setattr(node, "look", lambda *_: self.tried("look"))

    def tried(self, what: str) -> str:
        if self.left:
            self.left -= 1
            raise self.error
        self.events.append(what)
        return what

    @contextmanager
    def entered(self, what: str):
        self.tried(what)
        try:
            yield what
        finally:
            self.events.append(f"end of {what}")

    @contextmanager
    def alone(self, how):
        assert how["own"] == {("cp-1", "upgrade")}
        with self.entered("control plane") as held:
            yield SimpleNamespace(held=held)


@pytest.fixture
def flapping(monkeypatch):
    return Flapping(monkeypatch)


def test_the_host_is_reached_as_soon_as_there_is_an_api_server(flapping):
    flapping.left = 3
    with node.opened(None, "cp-1", Options(), flapping.said.append, doing=True) as host:
        assert host == "host"
        flapping.left = 3
        assert node.looked_at(None, host, Options(), flapping.said.append) == "look"
    assert flapping.events == ["rights", "host", "look", "end of host"]
    assert [said.endswith("; trying again") for said in flapping.said] == [True, True]


def test_a_host_that_could_not_be_entered_is_left_as_often_as_it_was(flapping):
    with node.opened(None, "cp-1", Options(), flapping.said.append, doing=False):
        pass
    assert flapping.events.count("host") == flapping.events.count("end of host") == 1


def test_a_lease_is_held_and_given_back(flapping):
    flapping.left = 2
    host = SimpleNamespace(node="cp-1", operation=SimpleNamespace(owner=OWNER))
    with node.holding(None, host, Options(to="1.37"), flapping.said.append, take_over=False) as held:
        assert held == "lease"
    assert flapping.events == ["name", "lease", "end of lease"]


def test_a_control_plane_is_changed_by_one_at_a_time(flapping, monkeypatch):
    monkeypatch.setattr(node, "lease_name", lambda *_: node.lease.CONTROL_PLANE)
    flapping.left = 2
    host = SimpleNamespace(node="cp-1", operation=SimpleNamespace(owner=OWNER))
    with node.holding(None, host, Options(to="1.37"), flapping.said.append, take_over=False) as held:
        assert held == "control plane"
    assert flapping.events == ["control plane", "end of control plane"]


def test_what_will_not_change_by_itself_is_not_waited_for(flapping):
    flapping.left, flapping.error = 1, AdminError("somebody else upgrades it")
    with (
        pytest.raises(AdminError, match="somebody else"),
        node.opened(None, "cp-1", Options(), print, doing=True),
    ):
        pass
    assert flapping.events == []


def test_nobody_waits_for_ever(flapping):
    flapping.left = 1000
    with pytest.raises(Unreachable), node.opened(None, "cp-1", Options(), print, doing=True):
        pass
    assert flapping.left > 900
