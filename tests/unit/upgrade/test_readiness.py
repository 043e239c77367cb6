"""What of a node is not well yet."""

import pytest

from kubectl_admin.upgrade.facts import Role
from kubectl_admin.upgrade.readiness import Kubelet, Part, what_is_missing
from kubectl_admin.versions.version import Version
from tests.unit.upgrade.cases import NEW, OLD

WELL = Kubelet(NEW, ready=True)
EARLY = Version(1, 37, 2, "-rc.1")
STATIC = ("kube-apiserver", "kube-controller-manager", "kube-scheduler")


def parts(**changes):
    """The pods of a control-plane node, by their names; None is left out."""
    every = {
        **{name: Part(name, NEW, running=True, ready=True, leaving=False) for name in STATIC},
        "etcd": Part("etcd", None, running=True, ready=True, leaving=False),
        "kube-proxy": Part("kube-proxy", OLD, running=True, ready=True, leaving=False),
    }
    every |= {name.replace("_", "-"): part for name, part in changes.items()}
    return [part for part in every.values() if part]


def part(name, version=NEW, *, running=True, ready=True, leaving=False):
    return Part(name, version, running, ready, leaving)


@pytest.mark.parametrize(
    ("kubelet", "there", "missing"),
    [
        (WELL, parts(), []),
        (None, parts(), ["the Node object, which does not exist"]),
        (Kubelet(OLD, ready=True), parts(), ["kubelet 1.37.2 (it reports 1.36.3)"]),
        (Kubelet(EARLY, ready=True), parts(), ["kubelet 1.37.2 (it reports 1.37.2-rc.1)"]),
        (Kubelet(Version(1, 37, 2, "+vendor.1"), ready=True), parts(), []),
        (Kubelet(Version(1, 37, 2, "-1+1a2b3c4"), ready=True), parts(), []),
        (WELL, parts(kube_scheduler=part("kube-scheduler", Version(1, 37, 2, "-eks-2d5f260"))), []),
        (Kubelet(NEW, ready=False), parts(), ["the node Ready"]),
        (WELL, parts(etcd=part("etcd", ready=False)), ["etcd Ready"]),
        (WELL, parts(kube_scheduler=None), ["a pod of kube-scheduler"]),
        (WELL, parts(kube_apiserver=part("kube-apiserver", OLD)), ["kube-apiserver 1.37.2 (it runs 1.36.3)"]),
        (
            WELL,
            parts(kube_scheduler=part("kube-scheduler", EARLY)),
            ["kube-scheduler 1.37.2 (it runs 1.37.2-rc.1)"],
        ),
        (WELL, parts(kube_apiserver=part("kube-apiserver", leaving=True)), ["a pod of kube-apiserver"]),
        (WELL, parts(kube_proxy=part("kube-proxy", ready=False)), ["kube-proxy Ready"]),
        (WELL, parts(etcd=part("etcd", running=False, ready=False)), ["etcd running"]),
        (WELL, parts(kube_proxy=None), []),
        (WELL, parts(other=part("coredns", ready=False)), []),
    ],
)
def test_a_control_plane(kubelet, there, missing):
    assert what_is_missing(kubelet, there, Role.FIRST, NEW, parts_ready=True) == missing


def test_what_runs_is_enough_for_the_end_of_a_cordon():
    """A kubelet that was restarted finds what it has left running Ready only when its probes say so again."""
    there = parts(etcd=part("etcd", ready=False), kube_proxy=part("kube-proxy", running=False, ready=False))
    assert what_is_missing(WELL, there, Role.FIRST, NEW, parts_ready=False) == ["kube-proxy running"]


def test_a_worker_has_no_static_pods():
    assert what_is_missing(WELL, [], Role.WORKER, NEW, parts_ready=True) == []


@pytest.mark.parametrize(
    ("states", "running"),
    [
        ([{"state": {"running": {"startedAt": "2026-11-25T12:00:00Z"}}}], True),
        ([{"state": {"running": {}}}, {"state": {"waiting": {"reason": "CrashLoopBackOff"}}}], False),
        ([{"state": None}], False),
        ([], False),
        (None, False),
    ],
)
def test_a_pod_runs_when_all_of_its_containers_do(states, running):
    pod = {
        "metadata": {"name": "etcd-cp-1"},
        "spec": {"containers": []},
        "status": {"containerStatuses": states},
    }
    assert Part.of(pod).running is running
