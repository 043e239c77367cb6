"""An upgrade begins also while the only API server is being restarted, and for one person at a time."""

from contextlib import contextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from kubectl_admin.cluster import retry
from kubectl_admin.cluster.errors import (
    ApiError,
    BrokenStream,
    Forbidden,
    NothingSent,
    Unauthorized,
    Unreachable,
)
from kubectl_admin.errors import AdminError
from kubectl_admin.upgrade import actions, apply, inspection, status, target
from kubectl_admin.upgrade.facts import Target
from kubectl_admin.upgrade.inspection import Inspection, Options
from kubectl_admin.upgrade.progress import UpgradeProgress
from tests.fakes.host import OWNER
from tests.unit.upgrade.cases import NEW, disk, facts

AWAY = Unreachable("Unable to connect to the server: connection refused")
# What is said while an API server is away and while it starts.
STARTING: list[AdminError] = [
    NothingSent("The connection to the server 10.0.0.1:6443 was refused"),
    NothingSent("Unable to connect to the server: tls: unexpected eof while reading"),
    Unreachable("Unable to connect to the server: dial 10.0.0.1:6443: i/o timeout"),
    BrokenStream("the connection was lost"),
    ApiError(502, "Bad Gateway", "no backend"),
    ApiError(503, "ServiceUnavailable", "no server is available to handle this request"),
    ApiError(500, "InternalError", "the API server has post-start hooks to do"),
    ApiError(504, "Timeout", "etcdserver: request timed out"),
    ApiError(429, "TooManyRequests", "storage is (re)initializing"),
    Unauthorized(401, "Unauthorized", "Unauthorized"),
    Forbidden(403, "Forbidden", 'nodes "cp-1" is forbidden: User "ann" cannot get resource "nodes"'),
]


def work_of(flapping: "Flapping", role: str = "cp-1") -> actions.Actions:
    """The steps, told of by whoever waits."""
    progress = UpgradeProgress()
    progress.note = flapping.said.append  # type: ignore[method-assign]
    here = facts(role, moved=("cp-1",), written=NEW)
    seen = Inspection(here, disk(), target.role(here, NEW), Target(NEW, ""), (), (), None)
    cluster: Any = SimpleNamespace(target=SimpleNamespace(cluster_name="lab"))
    return actions.Actions(cluster, SimpleNamespace(node=role), seen, Options(), progress, None, lambda: None)


def open_host(flapping: "Flapping") -> None:
    """The first look, and the way to the node."""
    with apply.open_host(flapping, "cp-1", Options(), flapping.said.append, doing=True):
        pass


def hold(flapping: "Flapping") -> None:
    """The Lease."""
    host = SimpleNamespace(node="cp-1", operation=SimpleNamespace(owner=OWNER))
    with apply.hold_lease(None, host, Options(), flapping.said.append, take_over=False):
        pass


def take_snapshot(flapping: "Flapping") -> None:
    """etcd's, without the file."""
    flapping.fetched = SimpleNamespace(fetched=SimpleNamespace(size=1))
    job = work_of(flapping)
    job.save_snapshot = lambda _: flapping.tried("snapshot") and SimpleNamespace(download=flapping.fetched)
    job.snapshot()


PHASES = {
    "rights and host": open_host,
    "lease": hold,
    "look": lambda flapping: apply.inspect_when_reachable(None, None, Options(), flapping.said.append),
    "status": lambda flapping: status.status(
        None, SimpleNamespace(node="cp-1", say=flapping.said.append, persistently=lambda act: act())
    ),
    "snapshot": take_snapshot,
    "drain": lambda flapping: work_of(flapping).drain(),
    "add-ons": lambda flapping: actions.addons_behind(
        None, None, work_of(flapping).seen, Options(), work_of(flapping).patiently
    ),
}


class Flapping:
    """Something that can't be done until it has been tried so many times. said: to the person who waits."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.left = 0
        self.error: AdminError = AWAY
        self.events: list[str] = []
        self.said: list[str] = []
        self.ready: AdminError | None = None
        self.node: dict[str, Any] = {"metadata": {"name": "cp-1"}}
        self.server_time = datetime(2026, 1, 1, 12, tzinfo=UTC)
        clock = SimpleNamespace(now=0.0)
        monkeypatch.setattr(
            retry,
            "time",
            SimpleNamespace(
                monotonic=lambda: clock.now,
                sleep=lambda seconds: setattr(clock, "now", clock.now + seconds),
            ),
        )
        monkeypatch.setattr(apply, "require", lambda *_: self.tried("rights"))
        monkeypatch.setattr(apply, "leftovers", SimpleNamespace(sweep=lambda *_: None))
        opening = SimpleNamespace(open=lambda _node: self.entered("host"))
        monkeypatch.setattr(apply, "Hosts", lambda *_: opening)
        monkeypatch.setattr(apply, "lease_name", lambda *_: self.tried("name"))
        monkeypatch.setattr(apply.lease, "held", lambda *_, **__: self.entered("lease"))
        monkeypatch.setattr(apply.one_at_a_time, "control_plane", lambda *_, **how: self.alone(how))
        monkeypatch.setattr(apply, "inspect", lambda *_: self.tried("look"))
        monkeypatch.setattr(status.gather, "cluster_facts", lambda *_, **__: self.tried("facts"))
        monkeypatch.setattr(status.gather, "disk", lambda *_: self.tried("disk"))
        monkeypatch.setattr(status, "lease_name", lambda *_: self.tried("name"))
        monkeypatch.setattr(status.lease, "who", lambda *_: None)
        monkeypatch.setattr(status.jobs, "running", lambda *_: None)
        monkeypatch.setattr(actions, "annotate", lambda *_: None)
        monkeypatch.setattr(actions.drain, "look", lambda *_: self.tried("preview"))
        monkeypatch.setattr(actions.drain, "drain", lambda *_: None)
        monkeypatch.setattr(actions.save, "save_snapshot", lambda *_, **__: self.tried("snapshot"))
        monkeypatch.setattr(actions.rollout, "wait_until_well", lambda *_: ())
        monkeypatch.setattr(inspection.addons, "left_behind", lambda *_: self.tried("add-ons"))

    def get(self, path: str) -> dict[str, Any]:
        """The node, of a cluster."""
        assert path == "/api/v1/nodes/cp-1"
        return self.node

    def get_text(self, path: str, *, timeout: float) -> str:
        """What a cluster says of itself."""
        assert (path, timeout > 0) == ("/readyz", True)
        if self.ready:
            raise self.ready
        return "ok"

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
    with apply.open_host(flapping, "cp-1", Options(), flapping.said.append, doing=True) as host:
        assert host == "host"
        flapping.left = 3
        assert apply.inspect_when_reachable(None, host, Options(), flapping.said.append) == "look"
    assert flapping.events == ["rights", "host", "look", "end of host"]
    assert [said.endswith("; trying again") for said in flapping.said] == [True, True]


@pytest.mark.parametrize("phase", sorted(PHASES))
@pytest.mark.parametrize("error", STARTING, ids=lambda error: error.what[:40])
def test_every_phase_bears_an_api_server_that_is_restarted(flapping, phase, error):
    """What it says then, what a balancer says meanwhile, and what a handshake says that is cut off."""
    flapping.error, flapping.left = error, 4
    PHASES[phase](flapping)
    assert flapping.left == 0
    assert f"{error.what}; trying again" in flapping.said


def test_rights_that_a_starting_api_server_denies_are_asked_for_again(flapping):
    """It knows no roles yet, and says so with all other words that it is not ready."""
    flapping.error, flapping.left = AdminError("user ann lacks: patch nodes"), 4
    flapping.ready = ApiError(500, "InternalError", "[-]poststarthook/rbac/bootstrap-roles failed")
    with apply.open_host(flapping, "cp-1", Options(), flapping.said.append, doing=True):
        pass
    assert flapping.said == ["user ann lacks: patch nodes: the API server is starting; trying again"]


@pytest.mark.parametrize("ready", [None, Forbidden(403, "Forbidden", 'User "ann" cannot get path "/readyz"')])
def test_rights_that_are_really_missing_are_said_at_once(flapping, ready):
    flapping.error, flapping.left, flapping.ready = AdminError("user ann lacks: patch nodes"), 1, ready
    with (
        pytest.raises(AdminError, match=r"^user ann lacks: patch nodes$"),
        apply.open_host(flapping, "cp-1", Options(), flapping.said.append, doing=True),
    ):
        pass
    assert flapping.said == []


def test_a_host_that_could_not_be_entered_is_left_as_often_as_it_was(flapping):
    with apply.open_host(flapping, "cp-1", Options(), flapping.said.append, doing=False):
        pass
    assert flapping.events.count("host") == flapping.events.count("end of host") == 1


def test_a_lease_is_held_and_given_back(flapping):
    flapping.left = 2
    host = SimpleNamespace(node="cp-1", operation=SimpleNamespace(owner=OWNER))
    with apply.hold_lease(None, host, Options(to="1.37"), flapping.said.append, take_over=False) as held:
        assert held == "lease"
    assert flapping.events == ["name", "lease", "end of lease"]


def test_a_control_plane_is_changed_by_one_at_a_time(flapping, monkeypatch):
    monkeypatch.setattr(apply, "lease_name", lambda *_: apply.lease.CONTROL_PLANE)
    flapping.left = 2
    host = SimpleNamespace(node="cp-1", operation=SimpleNamespace(owner=OWNER))
    with apply.hold_lease(None, host, Options(to="1.37"), flapping.said.append, take_over=False) as held:
        assert held == "control plane"
    assert flapping.events == ["control plane", "end of control plane"]


def test_what_will_not_change_by_itself_is_not_waited_for(flapping):
    flapping.left, flapping.error = 1, AdminError("somebody else upgrades it")
    with (
        pytest.raises(AdminError, match="somebody else"),
        apply.open_host(flapping, "cp-1", Options(), print, doing=True),
    ):
        pass
    assert flapping.events == []


def unready(since: str) -> dict[str, Any]:
    """A node whose kubelet has not been heard of since then."""
    said = {"type": "Ready", "status": "Unknown", "lastTransitionTime": since}
    return {"metadata": {"name": "cp-1"}, "status": {"conditions": [said]}}


def test_a_node_that_is_down_is_refused_at_once(flapping):
    flapping.node = unready("2026-01-01T11:54:00Z")
    with (
        pytest.raises(AdminError, match="node cp-1 is not Ready since 2026-01-01T11:54:00Z"),
        apply.open_host(flapping, "cp-1", Options(), flapping.said.append, doing=False),
    ):
        pass
    assert (flapping.events, flapping.said) == (["rights"], [])


def test_a_node_that_restarts_is_waited_for(flapping):
    flapping.node = unready("2026-01-01T11:56:00Z")
    with apply.open_host(flapping, "cp-1", Options(), flapping.said.append, doing=False):
        pass
    assert flapping.events == ["rights", "host", "end of host"]


def test_nobody_waits_for_ever(flapping):
    flapping.left = 10_000
    with pytest.raises(Unreachable), apply.open_host(flapping, "cp-1", Options(), print, doing=True):
        pass
    assert flapping.left > 9_000
