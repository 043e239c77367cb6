"""Node objects after a restore: made again with what they had, completed, or cordoned; each once."""

from dataclasses import replace
from typing import Any

import pytest

from kubectl_admin.cluster.errors import Conflict
from kubectl_admin.etcd.restore.afterwards import after, nodes
from kubectl_admin.etcd.restore.afterwards.nodes import MARK
from kubectl_admin.etcd.restore.consequences.read import node_of
from tests.unit.etcd.restore.afterwards.api import RECORD, Api
from tests.unit.etcd.restore.consequences.objects import node

W2 = "/api/v1/nodes/w2"
FULL: dict[str, Any] = {
    "metadata": {
        "name": "w2",
        "uid": "u2",
        "resourceVersion": "77",
        "creationTimestamp": "2026-11-30T10:00:00Z",
        "labels": {"kubernetes.io/hostname": "w2", "disk": "ssd"},
        "annotations": {"flannel.alpha.coreos.com/public-ip": "10.0.0.2"},
        "finalizers": ["example.com/x"],
        "managedFields": [{}],
    },
    "spec": {
        "podCIDR": "10.244.2.0/24",
        "podCIDRs": ["10.244.2.0/24", "fd00:2::/64"],
        "providerID": "cloud://2",
        "unschedulable": True,
        "taints": [
            {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"},
            {"key": "node.kubernetes.io/unreachable", "effect": "NoExecute"},
            {"key": "dedicated", "value": "db", "effect": "NoSchedule"},
            {"key": "node.kubernetes.io/out-of-service", "effect": "NoExecute"},
        ],
    },
    "status": {"conditions": [{"type": "Ready", "status": "True"}]},
}


class Before:
    """The record of before, with these nodes."""

    record = RECORD

    def __init__(self, *items: Any) -> None:
        self._items = items

    def nodes(self) -> Any:
        return iter(self._items)


def missing(api: Api, *items: Any) -> list[str]:
    found = nodes.missing(Before(*items), nodes.present_nodes(api))  # type: ignore[arg-type]
    return [item["metadata"]["name"] for item in found]


def make_again(api: Api, item: Any) -> Any:
    others = {name: one.node for name, one in nodes.present_nodes(api).items()}  # type: ignore[arg-type]
    return nodes.make_again(api, RECORD, item, others)  # type: ignore[arg-type]


def test_it_has_what_it_had_and_no_status():
    api = Api()
    assert make_again(api, FULL).findings == ()
    made = api.objects[W2]
    assert made["metadata"]["labels"] == FULL["metadata"]["labels"]
    assert made["metadata"]["annotations"] == {
        "flannel.alpha.coreos.com/public-ip": "10.0.0.2",
        MARK: "0123456789",
    }
    assert made["spec"] == {
        "podCIDR": "10.244.2.0/24",
        "podCIDRs": ["10.244.2.0/24", "fd00:2::/64"],
        "providerID": "cloud://2",
        "unschedulable": True,
        "taints": FULL["spec"]["taints"][2:],
    }
    assert "status" not in made
    assert "finalizers" not in made["metadata"]
    assert missing(api, FULL) == []
    assert after.recreate_nodes(api, Before(FULL)).said == "no Node object was missing"  # type: ignore[arg-type]


def test_a_range_that_another_node_has_is_not_given_twice():
    api = Api({"/api/v1/nodes/gone": node("gone", "10.244.2.128/25")})
    (finding,) = make_again(api, FULL).findings
    assert (finding.rule, str(finding.severity)) == ("pod-ranges-overlap", "warning")
    assert "podCIDR" not in api.objects[W2]["spec"]


def test_two_that_joined_get_their_own_ranges():
    api = Api()
    others: dict[str, Any] = {}
    for name in ("w2", "w3"):
        item = node(name, "10.244.2.0/24")
        nodes.make_again(api, RECORD, item, others)  # type: ignore[arg-type]
    assert "podCIDR" not in api.objects["/api/v1/nodes/w3"]["spec"]
    assert others["w2"].ranges


def registered(**metadata: Any) -> dict[str, Any]:
    """As a kubelet has registered it anew."""
    return {
        "metadata": {
            "name": "w2",
            "uid": "new",
            "resourceVersion": "1000000099",
            "creationTimestamp": "2026-11-30T12:00:00Z",
            "labels": {"kubernetes.io/hostname": "w2", "disk": "mine"},
            **metadata,
        },
        "spec": {"taints": [{"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}]},
        "status": {},
    }


def test_one_that_its_kubelet_has_registered_gets_what_it_lacks():
    api = Api({W2: registered()})
    assert missing(api, FULL) == ["w2"]
    make_again(api, FULL)
    made = api.objects[W2]
    assert made["metadata"]["labels"] == {"kubernetes.io/hostname": "w2", "disk": "mine"}
    assert made["metadata"]["annotations"][MARK] == "0123456789"
    assert made["spec"]["podCIDRs"] == FULL["spec"]["podCIDRs"]
    keys = [taint["key"] for taint in made["spec"]["taints"]]
    assert keys == ["node.kubernetes.io/not-ready", "dedicated", "node.kubernetes.io/out-of-service"]
    assert missing(api, FULL) == []


def test_a_range_that_it_was_given_meanwhile_stays_and_is_said():
    item = registered()
    item["spec"]["podCIDR"], item["spec"]["podCIDRs"] = "10.244.9.0/24", ["10.244.9.0/24"]
    api = Api({W2: item})
    (finding,) = make_again(api, FULL).findings
    assert "its range is 10.244.9.0/24" in finding.evidence
    assert api.objects[W2]["spec"]["podCIDR"] == "10.244.9.0/24"


def test_somebody_who_writes_at_the_same_time_is_borne():
    api = Api({W2: registered()})
    api.refusing["PATCH", W2] = [Conflict(409, "Conflict", "changed")] * 3
    make_again(api, FULL)
    assert api.objects[W2]["metadata"]["annotations"][MARK]


@pytest.mark.parametrize(
    ("present", "again"),
    [
        (registered(uid="u2"), False),
        # The snapshot's own object of a node that was replaced since.
        (registered(creationTimestamp="2026-11-01T00:00:00Z"), False),
        (registered(annotations={MARK: "0123456789"}), False),
        (registered(annotations={MARK: "another"}), True),
        (registered(), True),
    ],
)
def test_which_are_made_again(present, again):
    assert (missing(Api({W2: present}), FULL) == ["w2"]) is again


def test_nodes_that_left_are_cordoned_once():
    record = replace(RECORD, left=("gone", "really-gone"))
    api = Api({"/api/v1/nodes/gone": node("gone", "10.0.0.0/24")})
    done = nodes.cordon_left(api, record)  # type: ignore[arg-type]
    assert api.objects["/api/v1/nodes/gone"]["spec"]["unschedulable"] is True
    assert [finding.objects for finding in done.findings] == [("node/gone",)]
    assert "kubectl delete node gone" in done.findings[0].fix
    # Somebody who has uncordoned it since wants it so.
    api.objects["/api/v1/nodes/gone"]["spec"]["unschedulable"] = False
    nodes.cordon_left(api, record)  # type: ignore[arg-type]
    assert api.objects["/api/v1/nodes/gone"]["spec"]["unschedulable"] is False


def test_the_ranges_of_present_nodes_are_known():
    api = Api({"/api/v1/nodes/a": node("a", "10.0.0.0/24")})
    found = nodes.present_nodes(api)  # type: ignore[arg-type]
    assert found["a"].node == node_of(node("a", "10.0.0.0/24"))
