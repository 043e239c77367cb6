"""What of a node is not well yet."""

import pytest

from kubectl_admin.upgrade.facts import Role
from kubectl_admin.upgrade.settle import Kubelet, Part, unsettled
from tests.unit.upgrade.cases import NEW, OLD

WELL = Kubelet(NEW, ready=True)
STATIC = ("kube-apiserver", "kube-controller-manager", "kube-scheduler")


def parts(**changes):
    """The pods of a control-plane node, by their names; None is left out."""
    every = {
        **{name: Part(name, NEW, ready=True, leaving=False) for name in STATIC},
        "etcd": Part("etcd", None, ready=True, leaving=False),
        "kube-proxy": Part("kube-proxy", OLD, ready=True, leaving=False),
    }
    every |= {name.replace("_", "-"): part for name, part in changes.items()}
    return [part for part in every.values() if part]


def part(name, version=NEW, *, ready=True, leaving=False):
    return Part(name, version, ready, leaving)


@pytest.mark.parametrize(
    ("kubelet", "there", "missing"),
    [
        (WELL, parts(), []),
        (None, parts(), ["the node, which is not there"]),
        (Kubelet(OLD, ready=True), parts(), ["kubelet 1.37.2 (it says 1.36.3)"]),
        (Kubelet(NEW, ready=False), parts(), ["the node Ready"]),
        (WELL, parts(etcd=part("etcd", ready=False)), ["etcd Ready"]),
        (WELL, parts(kube_scheduler=None), ["a pod of kube-scheduler"]),
        (WELL, parts(kube_apiserver=part("kube-apiserver", OLD)), ["kube-apiserver 1.37.2 (it runs 1.36.3)"]),
        (WELL, parts(kube_apiserver=part("kube-apiserver", leaving=True)), ["a pod of kube-apiserver"]),
        (WELL, parts(kube_proxy=part("kube-proxy", ready=False)), ["kube-proxy Ready"]),
        (WELL, parts(kube_proxy=None), []),
        (WELL, parts(other=part("coredns", ready=False)), []),
    ],
)
def test_a_control_plane(kubelet, there, missing):
    assert unsettled(kubelet, there, Role.FIRST, NEW) == missing


def test_a_worker_has_no_static_pods():
    assert unsettled(WELL, [], Role.WORKER, NEW) == []
