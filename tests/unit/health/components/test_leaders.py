"""Whose node a leader's identity names."""

import pytest

from kubectl_admin.health.components.leaders import holding_node, leads, node_of_holder
from tests.unit.health.made import MANAGER, facts, lease, node, process


@pytest.mark.parametrize(("holder", "host"), [("cp-1_0f62", "cp-1"), ("a_b_0f62", "a_b"), ("cp-1", "cp-1")])
def test_the_host_of_an_identity(holder, host):
    assert node_of_holder(holder) == host


@pytest.mark.parametrize(
    ("holder", "expected"),
    [
        ("cp-1_1", "cp-1"),
        ("CP-1_1", "cp-1"),
        ("cp-1.example.com_1", "cp-1"),
        ("w1_1", "w1.example.com"),
        ("cp-11_1", None),
        ("", None),
        ("w2.here_1", None),  # two nodes are like it
    ],
)
def test_the_node_of_an_identity(holder, expected):
    names = ("cp-1", "w1.example.com", "w2.a.example.com", "w2.b.example.com")
    found = holding_node(facts(*map(node, names)), holder)
    assert (found and found.name) == expected


@pytest.mark.parametrize(("name", "expected"), [("cp-1", True), ("cp-2", False)])
def test_who_leads(name, expected):
    seen = facts(node("cp-1"), node("cp-2"), leaders={MANAGER: lease("cp-1_1")})
    assert leads(seen, process(MANAGER, name)) is expected
    assert leads(facts(leaders={}), process(MANAGER, name)) is False
