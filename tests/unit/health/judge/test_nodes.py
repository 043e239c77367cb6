from dataclasses import replace

import pytest

from kubectl_admin.health.facts import Clock, Condition
from kubectl_admin.health.flaps import Flaps
from kubectl_admin.health.judge import nodes
from tests.unit.health.made import KUBELET, RIGHT, ago, facts, lease, no_reply, node, process


def short(found):
    """Severity, rule and objects of each finding."""
    return [(str(one.severity), one.rule, one.objects) for one in found]


def with_condition(name, kind, status="True", seconds=3600, **fields):
    """A Ready node that has one more condition."""
    here = node(name)
    more = Condition(kind, status, "Because", "it is so", ago(seconds))
    return replace(here, conditions=(*here.conditions, more), **fields)


def unready(name, status="False", reason="KubeletNotReady", **fields):
    """A node that is not Ready for two minutes."""
    return replace(
        node(name), conditions=(Condition("Ready", status, reason, "no network", ago(120)),), **fields
    )


@pytest.mark.parametrize(
    ("here", "severity"),
    [
        (node("w1"), None),
        (unready("w1"), "violation"),
        (unready("w1", "Unknown", "NodeStatusUnknown"), "violation"),
        (unready("w1", unschedulable=True), "warning"),
        (unready("w1", created=ago(20)), "note"),  # it has just joined
        (unready("w1", created=ago(299)), "note"),
        (unready("w1", created=ago(301)), "violation"),
        (unready("w1", created=None), "violation"),
        (replace(node("w1"), conditions=()), "violation"),  # its kubelet has never said anything
        (replace(node("w1"), conditions=(), created=None), None),  # its pods alone are known
        (unready("w1", way=no_reply("node", "no route to host")), None),  # node-unreachable tells of it
        (unready("w1", way=no_reply("left out")), "violation"),  # it was not asked: its object alone is known
    ],
)
def test_every_node_is_ready(here, severity):
    found = list(nodes.not_ready(facts(node("cp-1"), here)))
    assert short(found) == ([(severity, "node-not-ready", ("node/w1",))] if severity else [])


def watched(changes):
    """Two nodes, of which a watch has seen Ready change so often."""
    return facts(node("cp-1"), node("w1"), flaps=Flaps(600.0, changes, {}, {}))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"w1": 2}, []),
        ({"w1": 3}, [("warning", "node-flapping", ("node/w1",))]),
        ({"w1": 3, "cp-1": 4}, [("warning", "node-flapping", ("node/cp-1", "node/w1"))]),
        ({"gone": 9}, []),
    ],
)
def test_a_node_that_comes_and_goes(changes, expected):
    assert short(nodes.flapping(watched(changes))) == expected


def test_how_often_a_node_came_and_went_is_said():
    (found,) = nodes.flapping(watched({"w1": 3}))
    assert found.evidence == "Ready changed 3 times on w1, in 10 minutes"


def test_one_look_knows_nothing_of_changes():
    assert not list(nodes.flapping(facts()))


def test_nodes_that_are_not_ready_for_one_reason_are_one_finding():
    here = facts(unready("w1"), unready("w2"), unready("w3", reason="Other"), unready("w4", "Unknown", ""))
    found = list(nodes.not_ready(here))
    assert [one.objects for one in found] == [("node/w1", "node/w2"), ("node/w3",), ("node/w4",)]
    assert found[0].subject == "nodes w1, w2"
    assert found[0].evidence == "Ready is False: KubeletNotReady: no network"
    assert found[0].since == ago(120)


@pytest.mark.parametrize(
    ("kind", "status", "found"),
    [
        ("MemoryPressure", "True", True),
        ("DiskPressure", "True", True),
        ("PIDPressure", "True", True),
        ("DiskPressure", "False", False),
        ("DiskPressure", "Unknown", False),
        ("KernelDeadlock", "True", False),
    ],
)
def test_a_node_under_pressure(kind, status, found):
    seen = short(nodes.pressure(facts(with_condition("w1", kind, status))))
    assert seen == ([("warning", "node-pressure", ("node/w1",))] if found else [])


@pytest.mark.parametrize(
    ("here", "severity"),
    [
        (with_condition("w1", "KernelDeadlock"), "warning"),
        (with_condition("w1", "ReadonlyFilesystem"), "warning"),
        (with_condition("w1", "FrequentKubeletRestart", "False"), None),
        (with_condition("w1", "KernelDeadlock", "Unknown"), None),
        (with_condition("w1", "NetworkUnavailable"), "warning"),
        (with_condition("w1", "NetworkUnavailable", created=ago(30)), "note"),  # it has just joined
        (with_condition("w1", "NetworkUnavailable", "False"), None),
        (with_condition("w1", "DiskPressure"), None),  # node-pressure tells of it
        (with_condition("w1", "DrainInProgress"), "note"),
        (with_condition("w1", "Drained"), "note"),
        (with_condition("w1", "MaintenancePlanned"), "note"),
        (with_condition("w1", "MaintenanceInProgress"), "note"),
        (with_condition("w1", "GracefulNodeShutdownInProgress"), "note"),
        (with_condition("w1", "Drained", "False"), None),
        (with_condition("w1", "NetworkingReady"), None),  # this one tells that all is well
        (with_condition("w1", "NetworkingReady", "False"), "warning"),
        (with_condition("w1", "EtcdIsVoter"), None),
    ],
)
def test_conditions_are_read_by_what_they_tell(here, severity):
    found = short(nodes.conditions(facts(here)))
    assert found == ([(severity, "node-condition", ("node/w1",))] if severity else [])


def renewed(seconds, clock=RIGHT, **fields):
    """A Ready node whose lease was renewed so many seconds ago, by its own clock."""
    return replace(node("w1", clock=clock), lease=lease("w1", ago(seconds), "w1", 40.0), **fields)


@pytest.mark.parametrize(
    ("here", "found"),
    [
        (renewed(12), False),
        (renewed(39), False),
        (renewed(41), True),
        (renewed(41, Clock(0.0, 2.0)), False),  # it may be 39 s
        (renewed(641, Clock(-600.0, 0.1)), True),  # its clock is ten minutes behind
        (renewed(605, Clock(-600.0, 0.1)), False),
        (renewed(-595, Clock(600.0, 0.1)), False),
        (renewed(-559, Clock(600.0, 0.1)), True),
        (renewed(600, None), False),  # nobody knows what its clock says
        (replace(node("w1"), lease=None), False),
        (renewed(41, conditions=unready("w1").conditions), False),  # node-not-ready tells of it
    ],
)
def test_leases_are_judged_by_the_clocks_that_wrote_them(here, found):
    seen = short(nodes.leases(facts(node("cp-1"), here)))
    assert seen == ([("warning", "lease-old", ("node/w1",))] if found else [])


def test_who_has_cordoned_nodes_and_since_when():
    here = facts(
        node("w1", unschedulable=True, cordoned=ago(60), by="a drain (kubectl admin)"),
        node("w2", unschedulable=True, cordoned=ago(90), by="a drain (kubectl admin)"),
        node("w3", unschedulable=True),
        node("w4"),
    )
    drained, unknown = nodes.cordoned(here)
    assert short([drained, unknown]) == [
        ("note", "cordoned", ("node/w1", "node/w2")),
        ("note", "cordoned", ("node/w3",)),
    ]
    assert (drained.evidence, drained.since) == ("cordoned by a drain (kubectl admin)", ago(90))
    assert (unknown.evidence, unknown.since) == ("cordoned; nothing says by whom", None)


@pytest.mark.parametrize(
    ("running", "capacity", "found"),
    [(104, 110, False), (105, 110, True), (None, 110, False), (105, None, False), (0, 0, False)],
)
def test_a_node_that_is_nearly_full(running, capacity, found):
    seen = list(nodes.full(facts(node("w1", running=running, capacity=capacity))))
    assert short(seen) == ([("note", "too-many-pods", ("node/w1",))] if found else [])


def test_a_node_that_is_drained_shows_a_note_at_most():
    here = facts(node("cp-1"), node("w1", unschedulable=True, cordoned=ago(5), by="a drain"))
    checks = (nodes.not_ready, nodes.pressure, nodes.conditions, nodes.leases, nodes.cordoned, nodes.full)
    assert short(one for check in checks for one in check(here)) == [("note", "cordoned", ("node/w1",))]


def test_a_node_whose_kubelet_answers_and_that_is_not_ready_is_told_of():
    here = unready("w1", processes=(process(KUBELET, "w1"),))
    assert short(nodes.not_ready(facts(here))) == [("violation", "node-not-ready", ("node/w1",))]
