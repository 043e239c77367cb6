import json
from types import SimpleNamespace

import pytest

from kubectl_admin.cluster import portforward
from kubectl_admin.cluster.errors import Forbidden
from kubectl_admin.cluster.portforward import Answer
from kubectl_admin.errors import AdminError
from kubectl_admin.versions import processes
from kubectl_admin.versions.facts import Component, Evidence, Instance, Reach
from kubectl_admin.versions.version import Version

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
    ("component", "flags", "port"),
    [
        (Component.SCHEDULER, ["kube-scheduler", "--secure-port=11259"], 11259),
        (Component.SCHEDULER, ["kube-scheduler"], 10259),
        (Component.APISERVER, ["kube-apiserver", "--secure-port", "7443"], 7443),
        (Component.APISERVER, ["kube-apiserver", "-secure-port=7443"], 7443),
        (Component.APISERVER, ["kube-apiserver", "--secure-port=6443", "--secure-port=7443"], 7443),
        (Component.APISERVER, ["kube-apiserver", "--", "--secure-port=7443"], 6443),
        (
            Component.ETCD,
            ["etcd", "--listen-metrics-urls=http://127.0.0.1:12381,http://10.0.0.1:2381"],
            12381,
        ),
        (Component.ETCD, ["etcd", "--listen-metrics-urls="], 2381),
        (Component.SCHEDULER, ["kube-scheduler", "--secure-port=" + "9" * 5000], 10259),
        (Component.SCHEDULER, ["kube-scheduler", "--secure-port=65536"], 10259),
    ],
)
def test_the_port_that_a_pod_names(component, flags, port):
    assert processes.port_of(pod(*flags), component) == port


def test_where_an_api_server_is_spoken_to():
    endpoint = {"kubeadm.kubernetes.io/kube-apiserver.advertise-address.endpoint": "192.0.2.1:6443"}
    assert processes.apiserver_address(pod(**endpoint)) == "192.0.2.1:6443"
    assert processes.apiserver_address(pod("kube-apiserver", "--secure-port=7443")) == "10.0.0.11:7443"


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


@pytest.fixture
def refused_as(monkeypatch):
    """Makes every port answer that the user may not, whom it takes for the one of this name."""

    def refuse(user):
        message = f'forbidden: User "{user}" cannot get path "/metrics"'
        status = {"kind": "Status", "message": message, "reason": "Forbidden", "code": 403}
        answer = Answer(403, "Forbidden", {}, json.dumps(status).encode())
        monkeypatch.setattr(portforward, "http_get", lambda *_args, **_options: answer)

    return refuse


def test_a_process_that_refuses_its_user_is_one_that_wants_a_permission(refused_as):
    refused_as("jane")
    with pytest.raises(Forbidden) as caught:
        processes.loopback(None, "kube-scheduler-cp1", 10259, "/metrics", tls=True)
    assert (caught.value.user, caught.value.verb, caught.value.resource) == ("jane", "get", "/metrics")


def test_a_process_that_does_not_know_its_user_wants_none(refused_as):
    refused_as("system:anonymous")
    with pytest.raises(AdminError, match="port 10259 does not know this user's client certificate") as caught:
        processes.loopback(None, "kube-scheduler-cp1", 10259, "/metrics", tls=True)
    assert not isinstance(caught.value, Forbidden)


@pytest.mark.parametrize("missing", [[], list(processes.NODES_PROXY)])
def test_one_kubelets_refusal_hides_no_other_nodes_answer(missing, monkeypatch):
    monkeypatch.setattr("kubectl_admin.cluster.access.missing", lambda *_: missing)

    def refuse():
        raise Forbidden(403, "Forbidden", "no")

    gaps = []
    questions = {"w1": refuse, "w2": lambda: "v1.36.3"}
    answers = processes.ask_nodes(None, questions, "what kubelets say", processes.NODES_PROXY, gaps, None)
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
