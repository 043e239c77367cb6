from datetime import UTC, datetime

import pytest

from kubectl_admin.certificates.facts import Process, Use
from kubectl_admin.certificates.inventory import components
from kubectl_admin.certificates.inventory.components import File, Port
from kubectl_admin.control_plane.pod import static_pod

PKI = "/etc/kubernetes/pki"


def pod(component, *words, node="cp1", volumes=(), **status):
    """A static pod's object. volumes: (path in the container, path on the node)."""
    return {
        "metadata": {
            "name": f"{component}-{node}",
            "namespace": "kube-system",
            "labels": {"component": component, "tier": "control-plane"},
            "annotations": {"kubernetes.io/config.mirror": "x"},
            "ownerReferences": [{"apiVersion": "v1", "kind": "Node", "name": node, "uid": f"uid-{node}"}],
        },
        "spec": {
            "nodeName": node,
            "containers": [
                {
                    "name": component,
                    "command": [component, *words],
                    "volumeMounts": [
                        {"name": f"v{number}", "mountPath": inside}
                        for number, (inside, _) in enumerate(volumes)
                    ],
                }
            ],
            "volumes": [
                {"name": f"v{number}", "hostPath": {"path": outside}}
                for number, (_, outside) in enumerate(volumes)
            ],
        },
        "status": status,
    }


def part(*words, **more):
    return static_pod(pod(*words, **more))


def test_what_is_no_part_of_the_control_plane():
    assert static_pod(pod("kube-proxy")) is None
    assert static_pod({"metadata": {"name": "x"}, "spec": {"containers": []}}) is None


def test_files_are_those_of_the_flags_each_once_and_what_kubeadm_adds():
    found = components.files(
        [
            part(
                "kube-apiserver",
                f"--client-ca-file={PKI}/ca.crt",
                "--tls-cert-file=/own/api.crt",
                f"--etcd-cafile={PKI}/etcd/ca.crt",
                f"--tls-sni-cert-key={PKI}/public.crt,{PKI}/public.key:api.example",
                "--tls-sni-cert-key=/own/other.crt,/own/other.key",
            ),
            part("etcd", f"--trusted-ca-file={PKI}/etcd/ca.crt", "--cert-file", f"{PKI}/etcd/server.crt"),
            part("kube-scheduler", "--kubeconfig=/etc/kubernetes/other.conf"),
        ]
    )
    assert found[:7] == [
        File("apiserver", "/own/api.crt", Use.SERVER),
        File("ca", f"{PKI}/ca.crt", Use.AUTHORITY),
        File("etcd-ca", f"{PKI}/etcd/ca.crt", Use.AUTHORITY),
        File("pki/public.crt", f"{PKI}/public.crt", Use.SERVER),
        File("/own/other.crt", "/own/other.crt", Use.SERVER),
        File("etcd-server", f"{PKI}/etcd/server.crt", Use.SERVER),
        File("scheduler.conf", "/etc/kubernetes/other.conf", Use.CLIENT, kubeconfig=True),
    ]
    assert {file.name for file in found[7:]} >= {"admin.conf", "super-admin.conf", "etcd-healthcheck-client"}
    assert not any(file.required for file in found[7:])


@pytest.mark.parametrize(
    ("inside", "outside"),
    [
        ("/pki/apiserver.crt", "/srv/pki/apiserver.crt"),
        ("/pki/deep/a.crt", "/elsewhere/a.crt"),
        ("/pkix/a.crt", "/pkix/a.crt"),
    ],
)
def test_a_file_of_the_container_is_looked_for_where_the_node_has_it(inside, outside):
    one = part("etcd", volumes=[("/pki", "/srv/pki/"), ("/pki/deep", "/elsewhere")])
    assert one.on_host(inside) == outside


@pytest.mark.parametrize(
    ("component", "words", "ports"),
    [
        ("kube-apiserver", ["--tls-cert-file=x"], [(6443, "apiserver", "")]),
        ("kube-apiserver", ["--secure-port=443", "--tls-cert-file=x"], [(443, "apiserver", "")]),
        (
            "kube-apiserver",
            ["--bind-address=10.0.0.11", "--tls-cert-file=x"],
            [(6443, "apiserver", "10.0.0.11:6443")],
        ),
        ("kube-scheduler", ["--bind-address=127.0.0.1"], [(10259, "", "")]),
        ("kube-controller-manager", ["--bind-address=::"], [(10257, "", "")]),
        ("kube-controller-manager", ["--secure-port=0"], []),
        ("kube-scheduler", ["--secure-port=" + "9" * 5000], [(10259, "", "")]),
        ("kube-scheduler", ["--secure-port=65536"], [(10259, "", "")]),
        ("etcd", ["--listen-client-urls=https://x:999999,https://[::1"], []),
        ("kube-scheduler", ["--tls-cert-file=x"], [(10259, "scheduler-serving", "")]),
        (
            "etcd",
            [
                "--listen-client-urls=https://10.0.0.11:2379,https://127.0.0.1:2379",
                "--listen-peer-urls=https://10.0.0.11:2380",
            ],
            [(2379, "etcd-server", ""), (2380, "etcd-peer", "10.0.0.11:2380")],
        ),
        (
            "etcd",
            ["--listen-client-urls=http://127.0.0.1:2379", "--listen-peer-urls=https://[fd00::11]:2380"],
            [(2380, "etcd-peer", "[fd00::11]:2380")],
        ),
        ("etcd", [], []),
    ],
)
def test_ports(component, words, ports):
    assert list(components.ports(part(component, *words))) == [
        Port("cp1", component, number, name, host) for number, name, host in ports
    ]


def test_what_a_port_shows_has_a_name_where_no_file_does():
    assert Port("cp1", "kube-scheduler", 10259, "").name == "scheduler-serving"
    assert Port("cp1", "etcd", 2379, "etcd-server").name == "etcd-server"


def test_who_has_read_a_kubeconfig_and_when():
    started = {"running": {"startedAt": "2026-11-25T10:00:00Z"}}
    running = {"containerStatuses": [{"name": "kube-scheduler", "state": started}]}
    assert components.process(part("kube-scheduler", **running)) == Process(
        "cp1", "kube-scheduler", "scheduler.conf", datetime(2026, 11, 25, 10, tzinfo=UTC)
    )
    assert components.process(part("kube-scheduler")) is None
    assert components.process(part("etcd")) is None


def test_an_etcd_outside_of_the_cluster():
    api = part("kube-apiserver", "--etcd-servers=https://10.0.0.21:2379,https://10.0.0.22:2379")
    assert components.external_etcd([api, api]) == ("https://10.0.0.21:2379", "https://10.0.0.22:2379")
    assert components.external_etcd([api, part("etcd")]) == ()
    assert [port.host for port in components.external_ports([api])] == ["10.0.0.21:2379", "10.0.0.22:2379"]
    assert {port.name for port in components.external_ports([api])} == {"external-etcd"}
    assert list(components.external_ports([api, part("etcd")])) == []
    plain = part("kube-apiserver", "--etcd-servers=http://10.0.0.21:2379,https://[fd00::1]")
    assert [(port.host, port.number) for port in components.external_ports([plain])] == [
        ("[fd00::1]:2379", 2379)
    ]


def test_addresses_that_are_none_are_passed_over():
    odd = part("kube-apiserver", "--etcd-servers=https://[::1,https://x:999999,https://10.0.0.21:2379")
    assert [port.host for port in components.external_ports([odd])] == ["10.0.0.21:2379"]
    assert not components.is_loopback("https://[::1")
