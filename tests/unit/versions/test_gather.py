import threading
from types import SimpleNamespace

import pytest

from kubectl_admin.cluster.errors import Forbidden, NotFound, Unreachable
from kubectl_admin.cluster.table import Table
from kubectl_admin.versions.facts import Component, Instance
from kubectl_admin.versions.gather import gather
from tests.unit.versions.samples import part

COLUMNS = ("Name", "Status", "Roles", "Version", "OS-Image", "Kernel-Version", "Container-Runtime")
NODES = (
    ("cp1", "Ready", "control-plane", "v1.36.3", "Debian", "6.1.0 amd64", "containerd://2.2.9"),
    ("w1", "NotReady", "<none>", "v1.35.1", "Debian", "6.1.0 amd64", "containerd://2.2.9"),
)
APISERVER = {
    "metadata": {"name": "kube-apiserver-cp1", "labels": {"component": "kube-apiserver"}},
    "spec": {"nodeName": "cp1", "containers": [{"image": "registry.k8s.io/kube-apiserver:v1.36.3"}]},
}


class Cluster:
    """An API server of one control-plane node and a worker; `refused` paths raise what they are given."""

    server = "https://10.0.0.11:6443"
    target = SimpleNamespace(context="lab")

    def __init__(self, **refused):
        self.refused = refused
        self.asked_itself = threading.Event()

    def check(self, path):
        for end, error in self.refused.items():
            if path.endswith(end):
                raise error

    def get(self, path, **_):
        self.check(path)
        if path.endswith("/proxy/version"):
            self.asked_itself.set()
        return {"gitVersion": "v1.36.3"}

    def list(self, path, _query):
        self.check(path)
        return iter([APISERVER] if path.endswith("/pods") else [])

    def table(self, path):
        self.check(path)
        return Table(COLUMNS, NODES, ({}, {}))


def forbidden(what):
    return Forbidden(403, "Forbidden", f'User "jane" cannot list resource "{what}"')


def none():
    return None


def test_what_the_api_tells():
    facts = gather(Cluster(), lambda: part(Component.KUBECTL, "1.36.0", None))
    assert [node.name for node in facts.nodes] == ["cp1", "w1"]
    assert facts.nodes[0].kernel == "6.1.0"
    assert {str(instance): str(instance.version) for instance in facts.instances} == {
        "kube-apiserver on cp1": "1.36.3",
        "kubelet on cp1": "1.36.3",
        "kubelet on w1": "1.35.1",
        "kubectl": "1.36.0",
    }


def test_the_control_plane_is_asked_while_the_nodes_are_still_listed():
    class Slow(Cluster):
        def table(self, path):
            assert self.asked_itself.wait(10)
            return super().table(path)

    assert len(gather(Slow(), none).nodes) == 2


def test_what_a_worker_shows_as_a_part_of_the_control_plane_is_not_counted():
    class Hostile(Cluster):
        def list(self, path, query):
            own = {"metadata": {**APISERVER["metadata"], "name": "kube-apiserver-w1"}}
            own["spec"] = {**APISERVER["spec"], "nodeName": "w1"}
            return iter([*super().list(path, query), *([own] if path.endswith("/pods") else [])])

    facts = gather(Hostile(), none)
    assert [part.node for part in facts.of(Component.APISERVER)] == ["cp1"]
    assert "kube-apiserver on w1" in [gap.what for gap in facts.gaps]


def test_what_may_not_be_read_is_a_gap_in_the_order_of_the_documentation():
    facts = gather(
        Cluster(nodes=forbidden("nodes"), pods=forbidden("pods"), daemonsets=forbidden("ds")), none
    )
    assert [gap.what for gap in facts.gaps] == ["nodes", "static pods", "kube-proxy"]
    assert facts.gaps[0].permission == "list nodes"
    assert [str(instance) for instance in facts.instances] == ["kube-apiserver"]


def test_what_is_not_there_is_no_gap():
    facts = gather(Cluster(**{"kubeadm-config": NotFound(404, "NotFound", "")}), none)
    assert facts.kubeadm is None
    assert [gap.what for gap in facts.gaps] == ["kube-proxy"]  # no DaemonSet of it


def test_a_process_that_does_not_answer_has_a_problem():
    facts = gather(Cluster(**{"/proxy/version": Unreachable("dial tcp: refused")}), none)
    assert next(facts.of(Component.APISERVER)) == Instance(
        Component.APISERVER, "cp1", claimed=facts.instances[0].claimed, problem="dial tcp: refused"
    )


def test_a_server_that_cant_be_spoken_to_ends_it():
    with pytest.raises(Unreachable):
        gather(Cluster(**{"/version": Unreachable("refused")}), none)
