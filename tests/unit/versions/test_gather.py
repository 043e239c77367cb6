import json
import threading
from types import SimpleNamespace

import pytest

from kubectl_admin.cluster.errors import Forbidden, NotFound, Unreachable
from kubectl_admin.cluster.table import Table
from kubectl_admin.control_plane.component import Component
from kubectl_admin.versions.facts import Instance
from kubectl_admin.versions.gather import gather
from tests.unit.versions.samples import part

COLUMNS = ("Name", "Status", "Roles", "Version", "OS-Image", "Kernel-Version", "Container-Runtime")
NODES = (
    ("cp1", "Ready", "control-plane", "v1.36.3", "Debian", "6.1.0 amd64", "containerd://2.2.9"),
    ("w1", "NotReady", "<none>", "v1.35.1", "Debian", "6.1.0 amd64", "containerd://2.2.9"),
)


def mirror(name, node="cp1", component="kube-apiserver", words=()):
    """What a node's kubelet shows of a static pod."""
    return {
        "metadata": {
            "name": name,
            "namespace": "kube-system",
            "labels": {"component": component},
            "annotations": {"kubernetes.io/config.mirror": "x"},
            "ownerReferences": [{"apiVersion": "v1", "kind": "Node", "name": node, "uid": f"uid-{node}"}],
        },
        "spec": {
            "nodeName": node,
            "containers": [{"image": f"registry.k8s.io/{component}:v1.36.3", "command": list(words)}],
        },
    }


APISERVER = mirror("kube-apiserver-cp1")


class Cluster:
    """An API server of one control-plane node and a worker; `refused` paths raise what they are given."""

    server = "https://10.0.0.11:6443"
    target = SimpleNamespace(context="lab")

    pods = (APISERVER,)

    def __init__(self, **refused):
        self.refused = refused
        self.asked_itself = threading.Event()

    def check(self, path):
        for end, error in self.refused.items():
            if path.endswith(end):
                raise error

    def get(self, path, **_):
        self.check(path)
        return {"gitVersion": "v1.36.3"}

    def get_text(self, path, **_):
        self.check(path)
        self.asked_itself.set()
        return json.dumps({"gitVersion": "v1.36.3"})

    def list(self, path, _query):
        self.check(path)
        if path.endswith("/nodes"):
            return iter([{"metadata": {"name": "cp1", "uid": "uid-cp1"}}])
        return iter(self.pods if path.endswith("/pods") else [])

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


@pytest.mark.parametrize("words", [(), ("kube-apiserver", "--secure-port=" + "9" * 5000)])
def test_what_a_worker_shows_as_a_part_of_the_control_plane_is_neither_asked_nor_counted(words):
    class Hostile(Cluster):
        pods = (*(mirror(f"kube-apiserver-a{number}", "w1", words=words) for number in range(200)), APISERVER)

        def get_text(self, path, **more):
            assert "kube-apiserver-a" not in path
            return super().get_text(path, **more)

    facts = gather(Hostile(), none)
    assert [(part.node, str(part.running.version)) for part in facts.of(Component.APISERVER)] == [
        ("cp1", "1.36.3")
    ]
    assert [gap.what for gap in facts.gaps][:1] == [
        "pods kube-apiserver-a0, kube-apiserver-a1, kube-apiserver-a2 and 197 more"
    ]
    assert "node w1 does not carry the label" in facts.gaps[0].why


def test_a_clouds_own_controller_manager_may_be_a_daemonset_on_nodes_of_the_control_plane():
    component = "cloud-controller-manager"
    deployed = [mirror(f"cloud-{node}", node, component) for node in ("cp1", "w1")]
    for pod in deployed:
        pod["metadata"].update(annotations={}, ownerReferences=[{"kind": "DaemonSet"}])

    class Cloud(Cluster):
        pods = (APISERVER, *deployed)
        has_client_certificate = False

    facts = gather(Cloud(), none)
    assert [part.node for part in facts.of(Component.CLOUD_CONTROLLER_MANAGER)] == ["cp1"]
    assert "pod cloud-w1" in [gap.what for gap in facts.gaps]


def test_without_the_nodes_no_pod_is_taken_for_a_part_of_the_control_plane():
    facts = gather(Cluster(nodes=forbidden("nodes")), none)
    assert [(gap.what, gap.permission) for gap in facts.gaps][:2] == [
        ("nodes", "list nodes"),
        ("static pods", "list nodes"),
    ]
    assert [str(instance) for instance in facts.instances] == ["kube-apiserver"]


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "{}",
        "[]",
        '{"gitVersion":"x"}',
        '{"gitVersion":"v1.36.3","emulationMajor":"a","emulationMinor":"b"}',
    ],
)
def test_an_answer_that_is_no_version_is_the_problem_of_its_process_alone(answer):
    class Odd(Cluster):
        def get_text(self, _path, **_):
            return answer

    (part,) = gather(Odd(), none).of(Component.APISERVER)
    assert part.running is None
    assert "its answer to /version" in part.problem


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
