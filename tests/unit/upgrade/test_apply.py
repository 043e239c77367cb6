"""An upgrade begins also while the only API server is being restarted, and for one person at a time."""

from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kubectl_admin.cluster.access import SELF
from kubectl_admin.cluster.errors import (
    ApiError,
    BrokenStream,
    Forbidden,
    NotFound,
    NothingSent,
    Unauthorized,
    Unreachable,
)
from kubectl_admin.errors import AdminError
from kubectl_admin.upgrade import apply, status, target
from kubectl_admin.upgrade.actions import Actions
from kubectl_admin.upgrade.facts import Target
from kubectl_admin.upgrade.inspection import Inspection, Options, Source
from kubectl_admin.upgrade.packages import Offer
from kubectl_admin.upgrade.progress import UpgradeProgress
from tests.fakes.clock import Clock
from tests.fakes.host import OWNER
from tests.fakes.renewal import Host
from tests.unit.upgrade.cases import CONTROL_PLANES, NEW, disk, facts

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


class Flapping:
    """A cluster, its hosts and a node in its upgrade, where one thing fails until it was tried so many times.

    failing: what fails, so many times (left), with this error. events: what was done. said: to the person who
    waits. ready: the error to /readyz. denied: how often rights are denied before they are granted.
    """

    def __init__(self, failing: str = "", error: AdminError = AWAY, left: int = 4) -> None:
        self.failing, self.error, self.left = failing, error, left
        self.events: list[str] = []
        self.said: list[str] = []
        self.ready: AdminError | None = None
        self.denied = 0
        self.granted = True
        self.node: dict[str, Any] = {"metadata": {"name": "cp-1"}}
        self.control_planes: list[str] = []
        self.server, self.server_time = "https://lab", datetime(2026, 1, 1, 12, tzinfo=UTC)
        self.say, self.clock = self.said.append, Clock()

    def tried(self, what: str) -> str:
        """What is done now, or fails."""
        if what == self.failing and self.left:
            self.left -= 1
            raise self.error
        self.events.append(what)
        return what

    @contextmanager
    def entered(self, what: str):
        """The same for what has an end."""
        self.tried(what)
        try:
            yield what
        finally:
            self.events.append(f"end of {what}")

    # As a cluster.

    def patiently(self, action):
        """One look at rights."""
        self.tried("rights")
        self.granted = self.denied <= 0
        self.denied -= 1
        return action()

    def review(self, path: str, _body: Any, **_options: Any) -> dict[str, Any]:
        """Whether the user has a right, and the user's name."""
        if path == SELF:
            return {"status": {"userInfo": {"username": "ann"}}}
        return {"status": {"allowed": self.granted}}

    def is_ready(self) -> bool:
        return True

    def get(self, path: str, **_options: Any) -> dict[str, Any]:
        """The node; there is no Lease."""
        if path != "/api/v1/nodes/cp-1":
            raise NotFound(404, "NotFound", path)
        self.tried("node")
        return self.node

    def list(self, path: str, *_options: Any) -> list[dict[str, Any]]:
        """The nodes of the control plane; there are no pods."""
        if path != "/api/v1/nodes":
            return []
        self.tried("nodes")
        return [{"metadata": {"name": name}} for name in self.control_planes]

    def get_text(self, path: str, *, timeout: float) -> str:
        """What a cluster says of itself."""
        assert (path, timeout > 0) == ("/readyz", True)
        if self.ready:
            raise self.ready
        return "ok"

    # What works on it.

    @property
    def hosts(self) -> Any:
        """Its hosts."""
        return SimpleNamespace(
            cluster=self,
            operation=SimpleNamespace(owner=OWNER),
            options=Options().pods,
            say=self.say,
            open=lambda _node: self.entered("host"),
        )

    @property
    def source(self) -> Source:
        """What is looked at before an upgrade."""
        here, host = facts("cp-1", moved=CONTROL_PLANES, written=NEW, kubelet=NEW), disk("1.37.2-1.1")
        return Source(
            "lab",
            facts=lambda: self.tried("facts") and here,
            disk=lambda _facts: self.tried("disk") and host,
            offers=lambda _minor: (
                self.tried("offers") and [Offer(name, "1.37.2-1.1", str(NEW)) for name in target.NAMES]
            ),
            behind=lambda _goal: self.tried("behind") and [],
            preview=lambda: None,
            clock=self.clock,
        )

    @property
    def live_node(self) -> Any:
        """The node in its upgrade."""
        here, progress = facts("cp-1", moved=("cp-1",), written=NEW), UpgradeProgress()
        progress.note = self.said.append  # type: ignore[method-assign]
        saved = SimpleNamespace(download=SimpleNamespace(fetched=SimpleNamespace(size=1)))
        return SimpleNamespace(
            name="cp-1",
            clock=self.clock,
            seen=Inspection(here, disk(), target.role(here, NEW), Target(NEW, ""), (), (), None),
            options=Options(),
            progress=progress,
            mark=lambda _: None,
            snapshot_file=lambda: Path("etcd.db"),
            save_snapshot=lambda _: self.tried("snapshot") and saved,
            await_addons=lambda here: (),  # noqa: ARG005
            preview=lambda: self.tried("preview"),
            drain=lambda _: None,
            addons_behind=lambda: self.tried("add-ons") and [],
        )

    # The phases of an upgrade.

    def open_host(self, *, doing: bool = True) -> AbstractContextManager[Any]:
        """The first look, and the way to the node."""
        return apply.open_host(self.hosts, "cp-1", doing=doing)

    def hold(self) -> AbstractContextManager[Any]:
        """The Lease."""

        @contextmanager
        def alone(_hosts, about, *, own, **_):
            assert (about, own) == ("upgrades node cp-1 to 1.37", {("cp-1", "upgrade")})
            with self.entered("control plane") as held:
                yield SimpleNamespace(held=held)

        def hold(*_, **__):
            return self.entered("lease")

        options = Options(to="1.37")
        return apply.hold_lease(self.hosts, "cp-1", options, take_over=False, hold=hold, exclude=alone)

    def look(self) -> Inspection:
        """Before anything is touched."""
        return apply.inspect_when_reachable(self.source, Options(), self.say)

    def status(self) -> status.Status:
        """From anywhere."""
        here = facts("cp-1")
        host = Host("cp-1")
        host.say, host.clock = self.say, self.clock  # type: ignore[method-assign]
        return status.status(
            self,
            host,
            read=lambda *_, **__: self.tried("facts") and here,
            survey=lambda *_: disk(),
        )


def enter(context: AbstractContextManager[Any]) -> None:
    """Goes in and out."""
    with context:
        pass


# What is done, and what of it fails.
PHASES = {
    "rights": (Flapping.open_host, "rights"),
    "node": (Flapping.open_host, "node"),
    "host": (Flapping.open_host, "host"),
    "name of the lease": (Flapping.hold, "nodes"),
    "lease": (Flapping.hold, "lease"),
    "facts": (Flapping.look, "facts"),
    "disk": (Flapping.look, "disk"),
    "repository": (Flapping.look, "offers"),
    "compared add-ons": (Flapping.look, "behind"),
    "status": (Flapping.status, "facts"),
    "who it is": (Flapping.status, "nodes"),
    "snapshot": (lambda flapping: Actions(flapping.live_node, lambda: None).snapshot(), "snapshot"),
    "drain": (lambda flapping: Actions(flapping.live_node, lambda: None).drain(), "preview"),
    "add-ons": (lambda flapping: Actions(flapping.live_node, lambda: None).addons_behind(), "add-ons"),
}


def test_the_host_is_reached_as_soon_as_there_is_an_api_server():
    flapping = Flapping("host", left=3)
    with flapping.open_host() as host:
        assert host == "host"
        flapping.failing, flapping.left = "facts", 3
        assert flapping.look().is_over
    assert flapping.events == [
        *("rights", "node", "host"),
        *("facts", "disk", "offers", "behind"),
        "end of host",
    ]
    assert [said.endswith("; trying again") for said in flapping.said] == [True, True]


@pytest.mark.parametrize("phase", sorted(PHASES))
def test_every_phase_bears_an_api_server_that_is_restarted(phase):
    """What it says then, what a balancer says meanwhile, and what a handshake says that is cut off."""
    act, failing = PHASES[phase]
    for error in STARTING:
        flapping = Flapping(failing, error)
        result = act(flapping)
        if isinstance(result, AbstractContextManager):
            enter(result)
        assert flapping.left == 0, error.what
        assert f"{error.what}; trying again" in flapping.said


def test_rights_that_a_starting_api_server_denies_are_asked_for_again():
    """It knows no roles yet, and says so with all other words that it is not ready."""
    flapping = Flapping()
    flapping.denied = 4
    flapping.ready = ApiError(503, "ServiceUnavailable", "no server is available to handle this request")
    enter(flapping.open_host())
    (said,) = flapping.said
    assert said.startswith('user "ann" may not get, list, patch and watch nodes; ')
    assert said.endswith(": the API server is starting; trying again")


@pytest.mark.parametrize("ready", [None, Forbidden(403, "Forbidden", 'User "ann" cannot get path "/readyz"')])
def test_rights_that_are_really_missing_are_said_at_once(ready):
    flapping = Flapping()
    flapping.denied, flapping.ready = 1, ready
    with pytest.raises(AdminError, match=r'^user "ann" may not get, list, patch and watch nodes; '):
        enter(flapping.open_host())
    assert flapping.said == []


def test_a_host_that_could_not_be_entered_is_left_as_often_as_it_was():
    flapping = Flapping()
    enter(flapping.open_host(doing=False))
    assert flapping.events.count("host") == flapping.events.count("end of host") == 1


def test_a_lease_is_held_and_given_back():
    flapping = Flapping("lease", left=2)
    with flapping.hold() as held:
        assert held == "lease"
    assert flapping.events == ["nodes", "lease", "end of lease"]


def test_a_control_plane_is_changed_by_one_at_a_time():
    flapping = Flapping("control plane", left=2)
    flapping.control_planes = ["cp-1", "cp-2"]
    with flapping.hold() as held:
        assert held == "control plane"
    assert flapping.events == ["nodes", "control plane", "end of control plane"]


def test_what_will_not_change_by_itself_is_not_waited_for():
    flapping = Flapping("host", AdminError("somebody else upgrades it"), left=1)
    with pytest.raises(AdminError, match="somebody else"):
        enter(flapping.open_host())
    assert flapping.events == ["rights", "node"]


def test_a_skipped_host_that_is_no_control_planes_is_refused_before_anything_is_made():
    flapping = Flapping("nodes")
    flapping.control_planes = ["cp-1"]
    with pytest.raises(AdminError, match="there is no node cp-9"):
        enter(apply.open_host(flapping.hosts, "cp-1", skipped=["cp-9"], doing=True))
    assert (flapping.left, flapping.events) == (0, ["rights", "nodes"])


def unready(since: str) -> dict[str, Any]:
    """A node whose kubelet has not been heard of since then."""
    said = {"type": "Ready", "status": "Unknown", "lastTransitionTime": since}
    return {"metadata": {"name": "cp-1"}, "status": {"conditions": [said]}}


def test_a_node_that_is_down_is_refused_at_once():
    flapping = Flapping()
    flapping.node = unready("2026-01-01T11:54:00Z")
    with pytest.raises(AdminError, match="node cp-1 is not Ready since 2026-01-01T11:54:00Z"):
        enter(flapping.open_host(doing=False))
    assert (flapping.events, flapping.said) == (["rights", "node"], [])


def test_a_node_that_restarts_is_waited_for():
    flapping = Flapping()
    flapping.node = unready("2026-01-01T11:56:00Z")
    enter(flapping.open_host(doing=False))
    assert flapping.events == ["rights", "node", "host", "end of host"]


def test_nobody_waits_for_ever():
    flapping = Flapping("host", left=10_000)
    with pytest.raises(Unreachable):
        enter(flapping.open_host())
    assert flapping.left > 9_000
