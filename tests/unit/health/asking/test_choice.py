"""Which nodes of a large cluster are asked."""

from datetime import timedelta

import pytest

from kubectl_admin.control_plane.component import Component
from kubectl_admin.health.asking.choice import NODES_ASKED, OTHERS_ASKED, choose
from kubectl_admin.health.asking.listed import Listed
from kubectl_admin.health.asking.questions import Plan
from kubectl_admin.health.facts import Process
from tests.unit.health import made
from tests.unit.health.made import AT


def cluster(count, *others, plans=()):
    workers = [made.node(f"w{number:03}", processes=(), lease=None) for number in range(count)]
    return Listed(nodes=(*others, *workers), plans=dict(plans))


def names(listed, at=AT, all_nodes=False):
    return choose(listed, at, all_nodes=all_nodes)


def test_all_nodes_are_asked_up_to_a_number():
    assert len(names(cluster(NODES_ASKED))) == NODES_ASKED
    assert len(names(cluster(NODES_ASKED + 1))) == OTHERS_ASKED
    assert len(names(cluster(NODES_ASKED + 1), all_nodes=True)) == NODES_ASKED + 1


@pytest.mark.parametrize(
    "node",
    [
        made.node("cp-9"),
        made.node("x", ready="False"),
        made.node("x", ready="Unknown"),
        made.node("x", conditions=()),
        made.node("x", lease=made.lease("x", made.ago(60))),
    ],
)
def test_the_control_plane_and_what_looks_bad_is_asked_always(node):
    listed = cluster(400, node)
    for day in range(5):
        chosen = names(listed, AT + timedelta(days=day))
        assert (chosen[0], len(chosen)) == (node.name, OTHERS_ASKED + 1)


@pytest.mark.parametrize("pod", [None, made.pod(made.KUBE_PROXY, "x", ready=False)])
def test_a_node_without_a_ready_kube_proxy_looks_bad(pod):
    plans = {"x": [Plan(Process(Component.KUBE_PROXY, "x", pod=pod))]}
    assert "x" in names(cluster(400, made.node("x"), plans=plans.items()))


def test_all_others_have_their_turn():
    listed, seen = cluster(230), set()
    for day in range(5):
        seen |= set(names(listed, AT + timedelta(days=day)))
    assert len(seen) == 230
