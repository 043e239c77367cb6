"""A debug pod's creation and removal on a real API server: whose pod a name, a lost answer, a 409 is."""

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kubectl_admin.cluster import kubeconfig as kubeconfigs
from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.errors import NotFound
from kubectl_admin.errors import AdminError
from kubectl_admin.node import debug_pod, manifest, pod_removal
from kubectl_admin.node.left_out import without_foreign
from kubectl_admin.node.operation import Operation

pytestmark = pytest.mark.lab

OPERATION = Operation.begin()
NAMESPACE = "debug-pods"
PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
NODE = "no-such-node"  # so that no object of it changes, and nobody binds or runs the pod


def body(
    name: str, *, attempt: str = "", node: str = NODE, operation: Operation = OPERATION
) -> dict[str, Any]:
    """A pod to be created."""
    return manifest.debug_pod(
        name,
        node,
        operation=operation,
        attempt=attempt or secrets.token_hex(8),
        image="registry.k8s.io/pause:3.10",
        pull="Never",
        deadline=60,
    )


@pytest.fixture(scope="module")
def server(kubeconfig: Path) -> Cluster:
    """The API server, with a namespace of its own for the pods, which nothing here takes away again."""
    here = Cluster.connect(kubeconfigs.resolve(kubeconfigs.Overrides(kubeconfig=str(kubeconfig)), {}))
    here.post(
        "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    )
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}}
    here.post(f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts", account)
    return here


@pytest.fixture
def cluster(server: Cluster) -> Iterator[Cluster]:
    """The same; no pod is left afterwards."""
    yield server
    for pod in list(server.list(PODS)):
        server.delete(f"{PODS}/{pod['metadata']['name']}", {"gracePeriodSeconds": 0})


@pytest.fixture
def name() -> str:
    return f"kubectl-admin-{OPERATION.id}-{secrets.token_hex(8)}"


def test_the_server_takes_the_pod_as_it_is(cluster, name):
    sent = body(name)
    made = debug_pod.post(cluster, NAMESPACE, sent)
    (mine,), (theirs,) = sent["spec"]["containers"], made["spec"]["containers"]
    theirs["env"] = [{"value": ""} | each for each in theirs["env"]]
    assert {field: theirs.get(field) for field in mine} == mine
    assert made["spec"]["volumes"][0] == {"name": "root", "hostPath": {"path": "/", "type": ""}}
    assert made["spec"].get("priority", 0) == 0


def test_an_attempt_that_is_sent_twice_is_one_pod(cluster, name):
    sent = body(name)
    first, second = (debug_pod.post(cluster, NAMESPACE, sent) for _ in range(2))
    assert first["metadata"]["uid"] == second["metadata"]["uid"]


@pytest.mark.parametrize("other", [{"attempt": "other"}, {"node": "other"}, {"operation": Operation.begin()}])
def test_another_ones_pod_is_neither_taken_nor_removed(cluster, name, other):
    theirs = debug_pod.post(
        cluster, NAMESPACE, body(name, attempt="one") if "attempt" in other else body(name)
    )
    mine = body(name, **other)
    with pytest.raises(AdminError, match="is there already, made by another run"):
        debug_pod.create(cluster, NAMESPACE, mine)
    said: list[str] = []
    pod_removal.remove_pod(cluster, NAMESPACE, mine, None, said.append)
    pod_removal.remove_pod(cluster, NAMESPACE, mine, "of-a-pod-that-is-gone", said.append)
    assert cluster.get(f"{PODS}/{name}")["metadata"]["uid"] == theirs["metadata"]["uid"]
    assert said == []


@pytest.mark.parametrize("answered", [True, False])
def test_ones_own_is_removed_whether_its_creation_was_answered_or_not(cluster, name, answered):
    sent = body(name)
    made = debug_pod.post(cluster, NAMESPACE, sent)
    # As its kubelet would have it end, of which there is none here.
    said: list[str] = []
    uid = made["metadata"]["uid"] if answered else None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pod_removal, "has_ended", lambda *_: True)
        pod_removal.remove_pod(cluster, NAMESPACE, sent, uid, said.append)
    with pytest.raises(NotFound):
        cluster.get(f"{PODS}/{name}")
    assert said == []


def test_a_servers_selectors_find_the_nodes_without_a_linux_host(server):
    labels = {"win-1": {"kubernetes.io/os": "windows"}, "virtual-1": {"type": "virtual-kubelet"}}
    for name, theirs in labels.items():
        node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": theirs}}
        server.post("/api/v1/nodes", node)
    try:
        names = [name for (name,) in server.table("/api/v1/nodes").named("Name")]
        said: list[str] = []
        assert set(without_foreign(server, names, said.append)) == set(names) - labels.keys()
        assert len(said) == 2
    finally:
        for name in labels:
            server.delete(f"/api/v1/nodes/{name}")
