"""A node in its upgrade, as its steps change it and see it."""

from types import SimpleNamespace

import pytest

from kubectl_admin.drain.cordon import UPGRADE
from kubectl_admin.errors import AdminError
from kubectl_admin.node.manifest import LABELS
from kubectl_admin.upgrade import gather, target
from kubectl_admin.upgrade.facts import Mark, Target
from kubectl_admin.upgrade.inspection import Inspection, Options
from kubectl_admin.upgrade.live import MEMBER_TIMEOUT, LiveNode
from kubectl_admin.upgrade.progress import UpgradeProgress
from tests.fakes import drain_api
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


def test_its_drain_leaves_pods_of_this_program_where_they_are():
    with StandIn().serving() as server:
        drain_api.serving(server, drain_api.pod("web"), drain_api.pod("debug", labels=LABELS))
        seen = live("w1", server.connect()).preview()
    assert [verdict.pod.name for verdict in seen.leaving] == ["web"]


def test_it_is_uncordoned_once_it_is_ready_again():
    events = []
    with StandIn().serving() as server:
        server.on("GET", "/api/v1/nodes", drain_api.listing(drain_api.node("w1", unschedulable=True)))
        server.on("PATCH", drain_api.NODE, Says(body={}))
        back = live("w1", server.connect()).recover(uncordoned=lambda: events.append("uncordoned"))
    assert (back.cordoned, events) == (True, ["uncordoned"])


def test_a_member_of_etcd_that_is_not_there_is_not_waited_for_for_ever():
    with StandIn().serving() as server:
        server.clock = Clock()
        server.on("GET", "/api/v1/namespaces/kube-system/pods", drain_api.listing())
        server.on("GET", "/api/v1/nodes", drain_api.listing())
        with pytest.raises(AdminError, match=r"^node cp-1: etcd's member is not well") as caught:
            live("cp-1", server.connect()).await_member()
    assert caught.value.hint == "see kubectl admin etcd-status"
    assert sum(server.clock.slept) == pytest.approx(MEMBER_TIMEOUT)
