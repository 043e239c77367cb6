"""What one pod of the control plane is started with, however it is written."""

import pytest

from kubectl_admin.control_plane.component import APISERVER, ETCD, SCHEDULER
from kubectl_admin.control_plane.pod import apiserver_address, container_of, flags_of, port_of, settings_of


def pod(*command, component=APISERVER, env=(), containers=(), **annotations):
    own = {"name": component, "command": list(command), "env": list(env)}
    return {
        "metadata": {"name": "x", "labels": {"component": component}, "annotations": annotations},
        "spec": {"nodeName": "cp1", "containers": [*containers, own]},
        "status": {"hostIP": "10.0.0.11"},
    }


PORT = {"name": "PORT", "value": "7443"}
METRICS = {"name": "ETCD_LISTEN_METRICS_URLS", "value": "http://127.0.0.1:12381"}


@pytest.mark.parametrize(
    ("component", "words", "env", "port"),
    [
        (APISERVER, ["kube-apiserver"], [], 6443),
        (APISERVER, ["kube-apiserver", "--secure-port=7443"], [], 7443),
        (APISERVER, ["kube-apiserver", "--secure-port", "7443"], [], 7443),
        (APISERVER, ["kube-apiserver", "-secure-port=7443"], [], 7443),
        (APISERVER, ["kube-apiserver", "--secure_port=7443"], [], 7443),
        (APISERVER, ["kube-apiserver", "--secure-port=$(PORT)"], [PORT], 7443),
        (APISERVER, ["kube-apiserver", "--secure-port=$(NONE)"], [PORT], 6443),
        (APISERVER, ["kube-apiserver", "--secure-port=6443", "--secure-port=7443"], [], 7443),
        (APISERVER, ["kube-apiserver", "--", "--secure-port=7443"], [], 6443),
        (SCHEDULER, ["kube-scheduler", "--secure-port=" + "9" * 5000], [], 10259),
        (SCHEDULER, ["kube-scheduler", "--secure-port=65536"], [], 10259),
        (SCHEDULER, ["kube-scheduler", "--secure-port=0"], [], 0),
        (ETCD, ["etcd"], [], 2381),
        (ETCD, ["etcd", "--listen-metrics-urls="], [], 2381),
        (ETCD, ["etcd", "--listen-metrics-urls=http://127.0.0.1:12381,http://10.0.0.1:2381"], [], 12381),
        (ETCD, ["etcd", "--listen-metrics-urls=http://[::1]:12381"], [], 12381),
        (ETCD, ["etcd", "--listen-metrics-urls=http://[::1"], [], 2381),
        (ETCD, ["etcd"], [METRICS], 12381),
        (ETCD, ["etcd", "--listen-metrics-urls=http://127.0.0.1:2381"], [METRICS], 2381),
    ],
)
def test_the_port_that_a_pod_names(component, words, env, port):
    assert port_of(settings_of(pod(*words, component=component, env=env), component), component) == port


def test_the_container_that_runs_a_program_need_not_be_the_first():
    beside = {"name": "beside", "command": ["proxy", "--secure-port=1"]}
    shown = pod("kube-apiserver", "--secure-port=7443", containers=[beside])
    assert flags_of(shown, APISERVER) == {"secure-port": "7443"}
    shown["spec"]["containers"][1]["name"] = "api"
    shown["spec"]["containers"][1]["command"][0] = "/usr/local/bin/kube-apiserver"
    assert container_of(shown, APISERVER)["name"] == "api"


def test_what_adds_up_does_so_however_it_is_written():
    words = ["--etcd-servers=a", "--etcd_servers=b", "--feature-gates=A=true", "--feature_gates=B=true"]
    told = flags_of(pod("kube-apiserver", *words), APISERVER)
    assert told == {"etcd-servers": "a,b", "feature-gates": "A=true,B=true"}


def test_where_an_api_server_is_spoken_to():
    endpoint = {"kubeadm.kubernetes.io/kube-apiserver.advertise-address.endpoint": "192.0.2.1:6443"}
    assert apiserver_address(pod(**endpoint)) == "192.0.2.1:6443"
    assert apiserver_address(pod("kube-apiserver", "--secure-port", "7443")) == "10.0.0.11:7443"
