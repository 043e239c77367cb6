"""Which pods are static pods of the control plane: what a kubelet can't say of itself decides."""

import copy
from types import SimpleNamespace
from typing import Any

import pytest

from kubectl_admin.cluster.errors import Forbidden
from kubectl_admin.cluster.paths import SYSTEM_PODS
from kubectl_admin.control_plane import static_pods
from kubectl_admin.control_plane.static_pods import ControlPlaneNode, Impostor, among, doubt, uid_of

NODE = ControlPlaneNode("cp-1", ("192.0.2.1",), "uid-of-cp-1")
OWNER = {"apiVersion": "v1", "kind": "Node", "name": "cp-1", "uid": "uid-of-cp-1", "controller": True}
POD: dict[str, Any] = {
    "metadata": {
        "name": "etcd-cp-1",
        "namespace": "kube-system",
        "uid": "of-the-object",
        "labels": {"component": "etcd", "tier": "control-plane"},
        "annotations": {"kubernetes.io/config.mirror": "abc", "kubernetes.io/config.hash": "abc"},
        "ownerReferences": [OWNER],
    },
    "spec": {"nodeName": "cp-1", "containers": [{}]},
}


def pod(where: str = "metadata", **changes: Any) -> dict[str, Any]:
    """The sound pod with these fields of its metadata or its spec; None takes one away."""
    changed = copy.deepcopy(POD)
    changed[where] |= changes
    changed[where] = {name: value for name, value in changed[where].items() if value is not None}
    return changed


def test_a_static_pod_of_the_control_plane():
    assert doubt(POD, {"cp-1": NODE}) == ""
    assert uid_of(POD) == "abc"
    assert uid_of(pod(annotations=None)) == "of-the-object"


@pytest.mark.parametrize(
    ("what", "changed", "why"),
    [
        ("a mirror pod of a worker", pod("spec", nodeName="w-1"), "node w-1 does not carry the label"),
        ("a pod that is bound to no node", pod("spec", nodeName=None), "bound to no node"),
        ("a mirror pod in a tenant's namespace", pod(namespace="shop"), "not in namespace kube-system"),
        ("an ordinary pod", pod(annotations=None), "it is not a static pod"),
        ("an empty annotation", pod(annotations={static_pods.MIRROR: ""}), "it is not a static pod"),
        (
            "a pod of a DaemonSet",
            pod(ownerReferences=[{**OWNER, "kind": "DaemonSet"}]),
            "Node object of cp-1",
        ),
        ("a pod of nobody's", pod(ownerReferences=None), "Node object of cp-1"),
        ("of another node", pod(ownerReferences=[{**OWNER, "name": "w-1"}]), "Node object of cp-1"),
        ("of a node of that name before", pod(ownerReferences=[{**OWNER, "uid": "old"}]), "Node object"),
        ("of two owners", pod(ownerReferences=[OWNER, {**OWNER, "uid": "x"}]), "Node object of cp-1"),
        ("of another group's Node", pod(ownerReferences=[{**OWNER, "apiVersion": "x/v1"}]), "Node object"),
    ],
)
def test_a_pod_that_only_looks_like_one(what, changed, why):
    assert why in doubt(changed, {"cp-1": NODE}), what


def test_a_node_without_an_uid_owns_nothing():
    unknown = ControlPlaneNode("cp-1")
    assert "Node object" in doubt(pod(ownerReferences=[{**OWNER, "uid": ""}]), {"cp-1": unknown})


def test_what_is_found_is_told_apart():
    hostile = pod("spec", nodeName="w-1")
    found = among([POD, hostile], [NODE])
    assert found.pods == (POD,)
    assert found.nodes == (NODE,)
    assert found.impostors == (
        Impostor("etcd-cp-1", "w-1", "etcd", f"node w-1 does not carry the label {static_pods.LABEL}"),
    )


def cluster(nodes: Any) -> Any:
    def listing(path: str, query: Any = (), **_: Any) -> Any:
        if path == SYSTEM_PODS:
            assert query == [("labelSelector", "tier=control-plane")]
            return iter([POD])
        assert query == [("labelSelector", static_pods.LABEL)]
        if isinstance(nodes, Exception):
            raise nodes
        return iter(nodes)

    return SimpleNamespace(list=listing)


def test_pods_and_nodes_are_asked_for_together():
    addresses = {"addresses": [{"type": "InternalIP", "address": "192.0.2.1"}]}
    node = {"metadata": {"name": "cp-1", "uid": "uid-of-cp-1"}, "status": addresses}
    assert static_pods.find(cluster([node])) == static_pods.StaticPods((POD,), (NODE,))


def test_where_nodes_can_not_be_listed_no_pod_is_believed():
    with pytest.raises(Forbidden):
        static_pods.find(cluster(Forbidden(403, "Forbidden", "no")))
