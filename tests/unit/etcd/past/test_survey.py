"""Nodes that may open a snapshot."""

import pytest

from kubectl_admin.control_plane.static_pods import StaticPods
from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.past.survey import Candidate, candidates, place_of

ANSWER = {
    "etcd": "etcd Version: 3.6.8",
    "etcdutl": "etcdutl version: 3.6.8",
    "kube-apiserver": "Kubernetes v1.36.3",
    "memory": "4096",
    "total": "5000",
    "room": "8192",
    "systemd": "yes",
    "nsenter": "yes",
    "carrier": "yes",
}


def pod(component, node, *, words=(), volumes=(), running=True):
    mounts = [{"name": str(place), "mountPath": inside} for place, (inside, _) in enumerate(volumes)]
    paths = [{"name": str(place), "hostPath": {"path": path}} for place, (_, path) in enumerate(volumes)]
    container = {"name": component, "command": [component, *words], "volumeMounts": mounts}
    status = {"name": component, "containerID": f"containerd://{component}-of-{node}"}
    return {
        "metadata": {"name": f"{component}-{node}", "labels": {"component": component}},
        "spec": {"nodeName": node, "containers": [container], "volumes": paths},
        "status": {"containerStatuses": [status] if running else []},
    }


def test_nodes_with_both_programs_are_candidates():
    pods = (
        pod("etcd", "cp-1"),
        pod("kube-apiserver", "cp-1"),
        pod("etcd", "cp-2"),
        pod("kube-apiserver", "cp-3"),
        pod("etcd", "cp-4"),
        pod("kube-apiserver", "cp-4", running=False),
        pod("kube-scheduler", "cp-5"),
    )
    assert candidates(StaticPods(pods, ())) == {
        "cp-1": Candidate("cp-1", "etcd-of-cp-1", "kube-apiserver-of-cp-1")
    }


def test_the_configuration_of_encryption_is_where_the_host_has_it():
    server = pod(
        "kube-apiserver",
        "cp-1",
        words=["--encryption-provider-config=/keys/config.yaml"],
        volumes=[("/keys", "/etc/kubernetes/encryption")],
    )
    found = candidates(StaticPods((pod("etcd", "cp-1"), server), ()))
    assert found["cp-1"].encryption == "/etc/kubernetes/encryption/config.yaml"


def test_a_host_that_can():
    place = place_of("cp-1", ANSWER)
    assert (place.name, place.memory, place.total) == ("node cp-1", 4096, 5000)
    assert (place.room, place.copies) == (8192, 1)
    assert (place.etcd, place.kubernetes) == ("3.6.8", "1.36.3")


@pytest.mark.parametrize(
    ("lacking", "said"),
    [
        ("systemd", "node cp-1: its host does not have systemd"),
        ("nsenter", "node cp-1: its host does not have a program «nsenter»"),
        ("carrier", "node cp-1: its host does not have any of bash, socat and nc"),
        ("etcdutl", "node cp-1: etcdutl is not there"),
    ],
)
def test_a_host_that_can_not(lacking, said):
    with pytest.raises(AdminError) as raised:
        place_of("cp-1", {name: value for name, value in ANSWER.items() if name != lacking})
    assert raised.value.what == said
    assert "--local" in raised.value.hint


def test_an_answer_that_makes_no_sense():
    with pytest.raises(AdminError, match=r"^node cp-1: unexpected answer of the host: "):
        place_of("cp-1", {**ANSWER, "memory": "much"})
