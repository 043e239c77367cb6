"""Who changes a control plane: one at a time, by the Lease and by what goes on on the hosts."""

from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from kubectl_admin.cluster.errors import NotFound, Unreachable
from kubectl_admin.cluster.retry import NotReadyError
from kubectl_admin.control_plane import one_at_a_time
from kubectl_admin.control_plane.one_at_a_time import Work
from kubectl_admin.errors import AdminError, UsageError
from kubectl_admin.node.claim import LEASES, Holder
from kubectl_admin.node.lease import CONTROL_PLANE
from kubectl_admin.node.operation import Operation
from tests.fakes.clock import Clock
from tests.fakes.host import OWNER
from tests.fakes.hosts import Opened

THREE = ("cp-1", "cp-2", "cp-3")
LEASE = f"{LEASES}/{CONTROL_PLANE}"


class World:
    """Three control-plane nodes and their Lease. answers: of the script `changes` on each host, or an error.

    lease: as it is; none where nobody holds it. events: what it says is done, each time that is written.
    """

    def __init__(self, *nodes):
        self.nodes = nodes
        self.answers = dict.fromkeys(nodes, b"")
        self.lease = None
        self.events, self.said = [], []
        self.clock = Clock()
        self.operation = Operation("0123456789", OWNER)

    @contextmanager
    def opened(self, name, operation):
        assert operation.id != self.operation.id  # all pods of that one go at the end
        if isinstance(self.answers[name], AdminError):
            raise self.answers[name]
        yield SimpleNamespace(node=name, script=lambda *_: self.answers[name])

    def get(self, path, **_limits):
        """Of nodes, as `read_node` asks for them: there is one worker beside the control plane."""
        if path == "/api/v1/nodes/worker-1":
            return {}
        if path == LEASE and self.lease:
            return self.lease
        raise NotFound(404, "NotFound", "not found")

    def list(self, path, _query):
        return [{"metadata": {"name": name}} for name in self.nodes] if path == "/api/v1/nodes" else []

    def post(self, path, body, **_limits):
        assert (path, body["metadata"]["name"]) == (LEASES, CONTROL_PLANE)
        return self.put(LEASE, body)

    def put(self, path, body, **_limits):
        assert (path, body["spec"]["holderIdentity"]) == (LEASE, str(OWNER))
        self.lease = {**body, "metadata": {**body["metadata"], "uid": "1", "resourceVersion": "1"}}
        self.events.append(Holder.of(self.lease).about)
        return self.lease

    def delete(self, path, _preconditions, **_limits):
        assert path == LEASE
        self.lease = None
        self.events.append("released")

    def alone(self, *, own=(), skipped=()):
        options = SimpleNamespace(namespace="kube-system")
        return one_at_a_time.control_plane(
            Opened(self, self.operation, options, self.said.append, self.opened),
            "renews certificates",
            own=own,
            skipped=skipped,
            take_over=None,
        )


@pytest.fixture
def world():
    return World(*THREE)


def test_where_nothing_goes_on_it_begins(world):
    with world.alone() as alone:
        assert (alone.nodes, alone.work) == (THREE, ())
    assert world.events == ["renews certificates", "released"]


@pytest.mark.parametrize("name", THREE)
def test_beside_work_that_goes_on_nothing_begins(world, name):
    """Whoever has begun it, and whatever has become of them."""
    world.answers[name] = b"change upgrade ann@laptop b 1 2\n"
    with pytest.raises(AdminError) as refused, world.alone():
        pass
    goes_on = f"kubectl-admin-upgrade is running on node {name} (started by ann@laptop)"
    assert refused.value.what == f"{goes_on}: only one run at a time changes the control plane"
    assert f"node-exec {name} -- systemctl status kubectl-admin-upgrade" in refused.value.hint
    # The Lease still says so to whoever comes next.
    assert world.events == ["renews certificates", f"renews certificates; {goes_on}"]


def test_a_runs_own_work_is_taken_up(world):
    world.answers["cp-2"] = b"change certs -\n"
    with world.alone(own={("cp-2", "certs")}) as alone:
        assert alone.work == (Work("cp-2", "certs", None),)


@pytest.mark.parametrize("own", [("cp-1", "certs"), ("cp-2", "upgrade")])
def test_it_is_not_its_own_on_another_node_or_by_another_name(world, own):
    world.answers["cp-2"] = b"change certs -\n"
    with pytest.raises(AdminError, match="is running on node cp-2"), world.alone(own={own}):
        pass


@pytest.mark.parametrize("error", [NotReadyError, AdminError])
def test_a_host_that_can_not_be_asked_is_not_free(world, error):
    world.answers["cp-3"] = error("node cp-3 is not Ready")
    with pytest.raises(AdminError) as refused, world.alone():
        pass
    assert "can't see whether work is running there: node cp-3 is not Ready" in refused.value.what
    assert "--skip-host cp-3" in refused.value.hint


def test_an_api_server_that_restarts_is_said_as_it_is_so_that_it_is_asked_again(world):
    world.answers["cp-3"] = Unreachable("Unable to connect to the server: tls: unexpected eof while reading")
    with pytest.raises(Unreachable), world.alone():
        pass


def test_where_no_node_is_a_control_plane_those_that_are_changed_are_asked():
    world = World()
    world.answers = {"w1": b"change upgrade -\n"}
    with pytest.raises(AdminError, match="is running on node w1"), world.alone(own={("w1", "certs")}):
        pass


def test_one_that_a_person_vouches_for_is_not_asked(world):
    world.answers["cp-3"] = AdminError("node cp-3 is not Ready")
    with world.alone(skipped=["cp-3"]) as alone:
        assert alone.nodes == THREE


def test_only_a_control_plane_can_be_left_out(world):
    with (
        pytest.raises(UsageError, match="worker-1: not a control-plane node"),
        world.alone(skipped=["worker-1"]),
    ):
        pass


def test_nobody_leaves_out_a_node_that_there_is_not(world):
    with pytest.raises(AdminError, match="there is no node nosuch"), world.alone(skipped=["nosuch"]):
        pass


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nosuch", "there is no node nosuch"),
        ("worker-1", "--skip-host worker-1: not a control-plane node"),
        ("no/such", "can't be the name of a node"),
    ],
)
def test_who_is_left_out_can_be_checked_before_anything_is_looked_at(world, name, said):
    one_at_a_time.check_skipped(world, ["cp-2"])
    with pytest.raises(AdminError, match=said):
        one_at_a_time.check_skipped(world, ["cp-2", name])


def test_what_goes_on_when_it_is_interrupted_is_left_in_the_lease(world):
    def begin_and_be_interrupted():
        with world.alone():
            world.operation.work["cp-2"] = "kubectl-admin-certs"
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        begin_and_be_interrupted()
    goes_on = "kubectl-admin-certs is running on node cp-2"
    assert world.events == ["renews certificates", f"renews certificates; {goes_on}"]
