from types import SimpleNamespace

import pytest

from kubectl_admin.cluster.errors import Forbidden
from kubectl_admin.control_plane.component import Component
from kubectl_admin.versions import processes
from kubectl_admin.versions.facts import Evidence, Instance, Reach
from kubectl_admin.versions.version import Version
from tests.fakes.rights import reviewed

METRICS = """\
# HELP kubernetes_build_info [BETA] A metric with a constant '1' value.
kubernetes_build_info{build_date="2026-01-01T00:00:00Z",git_version="v1.36.3",go_version="go1.26.8"} 1
etcd_server_version{server_version="3.6.8"} 1
rest_client_requests_total{code="200",host="10.0.0.11:6443",method="GET"} 12
rest_client_requests_total{code="200",host="10.0.0.11:6443",method="PUT"} 3
"""


def test_what_metrics_say():
    assert processes.evidence(processes.BUILD_INFO, METRICS, "x").version == Version(1, 36, 3)
    assert processes.evidence(processes.ETCD_VERSION, METRICS, "x").version == Version(3, 6, 8)
    assert processes.evidence(processes.BUILD_INFO, "up 1", "x") is None
    assert (
        processes.evidence(processes.ETCD_VERSION, 'etcd_server_version{server_version="?"} 1', "x") is None
    )


@pytest.mark.parametrize(
    ("why", "metrics", "own", "reach"),
    [
        ("its own node's API server", METRICS, "10.0.0.11:6443", Reach.LOCAL),
        ("a load balancer", METRICS, "10.0.0.12:6443", Reach.ANY),
        ("its own and another", METRICS.replace("11:6443", "1:6443", 1), "10.0.0.11:6443", Reach.ANY),
        ("no API server on its node", METRICS, None, Reach.ANY),
        ("nothing is said", "up 1", "10.0.0.11:6443", None),
    ],
)
def test_whom_a_process_talks_to(why, metrics, own, reach):
    assert processes.reach(metrics, own) is reach, why


def test_what_a_kubelets_metrics_say():
    text = (
        METRICS
        + 'kubelet_cgroup_version 2\nkubelet_cri_losing_support{version="1.36.0"} 0\n'
        + 'kubelet_cri_losing_support{version="1.37.0"} 1\n'
    )
    cluster = SimpleNamespace(get_text=lambda _path, **_limits: text)
    assert processes.ask_kubelet(cluster, "w1", None) == processes.KubeletAnswer(
        Evidence(Version(1, 36, 3), "its metrics"), Reach.ANY, 2, "1.37.0"
    )


def pod(*command, component="kube-scheduler", image="registry.k8s.io/kube-scheduler:v1.36.3", **annotations):
    return {
        "metadata": {"name": "x", "labels": {"component": component}, "annotations": annotations},
        "spec": {"nodeName": "cp1", "containers": [{"image": image, "command": list(command)}]},
        "status": {"hostIP": "10.0.0.11"},
    }


def test_a_static_pod():
    part = processes.static_pod(pod())
    assert (part.component, part.node, str(part.version)) == (Component.SCHEDULER, "cp1", "1.36.3")
    assert processes.static_pod(pod(component="haproxy")) is None
    assert processes.static_pod(pod(image="mirror/scheduler@sha256:00")).version is None


@pytest.mark.parametrize(
    ("answer", "emulates"),
    [
        ({"gitVersion": "v1.37.2", "emulationMajor": "1", "emulationMinor": "36"}, "1.36"),
        ({"gitVersion": "v1.37.2", "emulationMajor": "1", "emulationMinor": "37"}, None),
        ({"gitVersion": "v1.31.0"}, None),
    ],
)
def test_the_version_of_an_api_server(answer, emulates):
    part = processes.with_version(Instance(Component.APISERVER, "cp1"), answer)
    assert part.running.source == "its /version"
    assert (part.emulates.minor_text if part.emulates else None) == emulates


@pytest.mark.parametrize("missing", [[], list(processes.NODES_PROXY)])
def test_one_kubelets_refusal_hides_no_other_nodes_answer(missing):
    cluster = SimpleNamespace(review=lambda _path, body, **_limits: reviewed(body, missing))

    def refuse():
        raise Forbidden(403, "Forbidden", "no")

    gaps = []
    questions = {"w1": refuse, "w2": lambda: "v1.36.3"}
    answers = processes.ask_nodes(cluster, questions, "what kubelets say", processes.NODES_PROXY, gaps, None)
    assert answers["w2"] == "v1.36.3"
    assert [gap.permission for gap in gaps] == ["get nodes/proxy"] * len(missing)
    assert ("w1" in answers) is (not missing)


def test_who_was_refused_is_named_where_the_api_server_names_him():
    named = Forbidden(403, "Forbidden", 'nodes is forbidden: User "jane" cannot list resource "nodes"')
    unnamed = Forbidden(403, "Forbidden", 'pods "etcd-cp-1" is forbidden: ')
    assert processes.gap("nodes", named, "list nodes").why == 'user "jane" may not list nodes'
    assert processes.gap("etcd", unnamed, "create pods/portforward").why == (
        "this user may not create pods/portforward"
    )
