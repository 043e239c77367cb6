"""A node in its upgrade, as its steps change it and see it."""

from types import SimpleNamespace

import pytest

from kubectl_admin.drain.cordon import UPGRADE
from kubectl_admin.upgrade import gather, target
from kubectl_admin.upgrade.facts import Mark, Target
from kubectl_admin.upgrade.inspection import Inspection, Options
from kubectl_admin.upgrade.live import LiveNode
from kubectl_admin.upgrade.progress import UpgradeProgress
from tests.fakes.api_server import Says, StandIn, status
from tests.fakes.clock import Clock
from tests.unit.upgrade.cases import CONTROL_PLANES, NEW, disk, facts


def live(name, cluster=None, **options):
    """A node on its way to NEW."""
    here = facts(name, moved=CONTROL_PLANES, written=NEW)
    seen = Inspection(here, disk(), target.role(here, NEW), Target(NEW, "1.37.2-1.1"), (), (), None)
    host = SimpleNamespace(node=name)
    return LiveNode(cluster, host, seen, Options(**options), UpgradeProgress(), None)


def test_the_mark_is_left_and_taken_away_also_where_the_api_server_does_not_know_its_roles_yet():
    path, mark = "/api/v1/nodes/w1", Mark("1.37.2", "then", uncordon=True)
    refused = 'nodes "w1" is forbidden: User "ann" cannot patch resource "nodes" in API group ""'
    with StandIn().serving() as server:
        server.clock = Clock()
        server.on("PATCH", path, status(403, "Forbidden", refused), Says(body={}))
        node = live("w1", server.connect())
        node.mark(mark)
        node.mark(None)
    written = [each.body["metadata"]["annotations"][UPGRADE] for each in server.asked]
    assert written == [gather.mark_text(mark)] * 2 + [None]


@pytest.mark.parametrize(
    ("name", "allow", "rolled_out", "allowed"),
    [
        ("worker-1", ("addon-rollout",), False, True),
        ("worker-1", (), False, False),
        ("cp-1", ("addon-behind",), True, False),
    ],
)
def test_a_control_plane_awaits_what_kubeadm_rolls_out_unless_that_may_be_unwell(
    name, allow, rolled_out, allowed
):
    for here in (True, False):
        expected = live(name, allow=allow).expectation(here=here)
        assert (expected.here, expected.rolled_out, expected.allowed) == (here, rolled_out, allowed)


@pytest.mark.parametrize(("name", "patches"), [("worker-1", "-"), ("cp-1", "/etc/patches")])
def test_add_ons_that_need_not_be_kubeadms_are_not_asked_for(name, patches):
    assert live(name, patches=patches).addons_behind() == []
