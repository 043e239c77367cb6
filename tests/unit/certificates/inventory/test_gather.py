"""A cluster of one control plane and a worker, whose ports and hosts answer what a test says."""

from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from kubectl_admin.certificates.inventory import disk
from kubectl_admin.certificates.inventory.answers import FORWARDING
from kubectl_admin.certificates.inventory.gather import gather
from kubectl_admin.certificates.inventory.objects import KINDS
from kubectl_admin.cluster.access import Right
from kubectl_admin.cluster.errors import ApiError, Forbidden, NotFound, Unauthorized, Unreachable
from kubectl_admin.cluster.portforward import PortError
from kubectl_admin.cluster.table import Table
from kubectl_admin.errors import AdminError
from kubectl_admin.node import leftovers
from kubectl_admin.node.debug_pod import Options
from tests.fakes.clock import Clock
from tests.fakes.host import OPERATION
from tests.fakes.hosts import Opened
from tests.fakes.rights import reviewed
from tests.unit.certificates.inventory.test_components import pod
from tests.unit.certificates.samples import certificate, pem

PKI = "/etc/kubernetes/pki"
STATIC = [
    pod(
        "kube-apiserver",
        f"--tls-cert-file={PKI}/apiserver.crt",
        f"--client-ca-file={PKI}/ca.crt",
        "--etcd-servers=https://127.0.0.1:2379",
        phase="Running",
    ),
    pod(
        "etcd",
        "--listen-client-urls=https://127.0.0.1:2379",
        "--listen-peer-urls=https://10.0.0.11:2380",
        phase="Running",
    ),
    pod(
        "kube-scheduler",
        phase="Running",
        containerStatuses=[
            {"name": "kube-scheduler", "state": {"running": {"startedAt": "2026-11-25T10:00:00Z"}}}
        ],
    ),
]


def proxy(node, phase="Running"):
    return {
        "metadata": {"name": f"kube-proxy-{node}"},
        "spec": {"nodeName": node, "hostNetwork": True, "containers": []},
        "status": {"phase": phase},
    }


class Cluster:
    """`refused` paths raise what they are given.

    ports: what they show, by pod and port or by port alone: a certificate, or an error.
    hosts: what the script answers there, by node; an error keeps the host shut. asked: nodes and arguments.
    lacking: the rights that the user does not have.
    """

    server = "https://10.0.0.11:6443"
    target = SimpleNamespace(
        context="lab", server=server, cluster_name="lab", user_name="ops", cluster={}, user={}
    )
    client_certificate = None
    proxies = (proxy("cp1"), proxy("w1"))
    static = STATIC

    def __init__(self, **refused):
        self.refused = refused
        self.ports, self.hosts, self.asked, self.lacking = {}, {}, [], []
        self.clock = Clock()

    @contextmanager
    def opened(self, node, _operation):
        answer = self.hosts.get(node, b"")
        if isinstance(answer, Exception):
            raise answer

        def script(name, *arguments):
            assert name == disk.SCRIPT
            self.asked.append((node, arguments))
            return answer

        yield SimpleNamespace(script=script)

    def check(self, path):
        for end, error in self.refused.items():
            if path.endswith(end):
                raise error

    def get(self, path, *_, **__):
        self.check(path)
        raise NotFound(404, "NotFound", "nothing is here")

    def list(self, path, query=(), **_):
        self.check(path)
        if path.endswith("/nodes"):
            return iter([{"metadata": {"name": "cp1", "uid": "uid-cp1"}}])
        if not path.endswith("/pods"):
            return iter([])
        label = dict(query).get("labelSelector", "")
        if label.startswith(leftovers.SELECTOR):
            return iter([])
        if "kube-proxy" in label:
            return iter(self.proxies)
        return iter(self.static if label else [proxy("w1") | {"metadata": {"name": "cni-w1"}}])

    def table(self, path):
        self.check(path)
        return Table(("Name",), (("cp1",), ("w1",)), ({}, {}))

    def review(self, _path, body, **_limits):
        return reviewed(body, self.lacking)


def without_host(cluster):
    return gather(cluster, None, handshake=handshake)


def with_host(cluster):
    hosts = Opened(cluster, OPERATION, Options(), print, cluster.opened)
    return gather(cluster, hosts, handshake=handshake)


def handshake(cluster, door, port):
    """The certificate that a port shows: one of its name, unless a test says otherwise."""
    answer = cluster.ports.get((door, port)) or cluster.ports.get(port) or certificate(f"{door}:{port}")
    if isinstance(answer, Exception):
        raise answer
    return answer


def forbidden(what):
    return Forbidden(403, "Forbidden", f'User "ops" cannot create resource "{what}" in API group ""')


def test_every_port_of_every_node_is_looked_at_through_a_pod_that_is_there():
    found = without_host(Cluster())
    assert [(one.name, one.node, one.port, one.certificate.common_name) for one in found.seen] == [
        ("apiserver", "cp1", 6443, "kube-proxy-cp1:6443"),
        ("etcd-server", "cp1", 2379, "kube-proxy-cp1:2379"),
        ("scheduler-serving", "cp1", 10259, "kube-proxy-cp1:10259"),
        ("kubelet-serving", "cp1", 10250, "kube-proxy-cp1:10250"),
        ("kubelet-serving", "w1", 10250, "kube-proxy-w1:10250"),
    ]
    assert [(gap.what, gap.why) for gap in found.gaps] == [
        ("certificates served as etcd-peer on 2380", "only the node's host can reach them")
    ]
    assert (found.hosts, found.nodes) == (frozenset(), ("cp1", "w1"))


@pytest.mark.parametrize("phase", ["Pending", "Failed"])
def test_without_a_running_kube_proxy_any_pod_in_the_nodes_network_will_do(phase):
    cluster = Cluster()
    cluster.proxies = (proxy("cp1"), proxy("w1", phase))
    shown = {one.node: one.certificate.common_name for one in without_host(cluster).seen}
    assert shown["w1"] == "cni-w1:10250"


def test_hosts_are_asked_for_the_files_of_their_own_static_pods():
    cluster = Cluster()
    cluster.hosts["cp1"] = f"@ pem apiserver no 1 {PKI}/apiserver.crt\n".encode() + pem("api")
    cluster.hosts["cp1"] += b"@ served - - - 10.0.0.11:2380\n" + pem("peer")
    found = with_host(cluster)
    asked = dict(cluster.asked)
    assert f"{PKI}/apiserver.crt" in asked["cp1"]
    assert f"{PKI}/apiserver.crt" not in asked["w1"]
    assert asked["cp1"][-3:] == ("served", "-", "10.0.0.11:2380")
    names = [(one.name, one.certificate.common_name) for one in found.seen]
    assert ("apiserver", "api") in names
    assert ("etcd-peer", "peer") in names
    assert (found.hosts, found.gaps) == ({"cp1", "w1"}, ())


def test_a_node_that_can_not_be_looked_at_is_a_gap_and_the_others_are_shown():
    cluster = Cluster()
    cluster.hosts["w1"] = AdminError("node w1 is not Ready")
    cluster.hosts["cp1"] = b"@ served - - - 10.0.0.11:2380\n? no certificate is shown there\n"
    found = with_host(cluster)
    assert found.hosts == {"cp1"}
    assert [(gap.what, gap.why) for gap in found.gaps] == [
        ("the certificate served at 10.0.0.11:2380 of node cp1", "no certificate is shown there"),
        ("the disk of node w1", "node w1 is not Ready"),
    ]


def test_who_may_not_make_debug_pods_is_told_what_is_missing():
    cluster = Cluster()
    cluster.hosts["cp1"] = forbidden("pods")
    cluster.lacking.append(Right("get", "nodes"))
    with pytest.raises(AdminError, match='user "ops" may not get nodes'):
        with_host(cluster)


def test_ports_that_say_the_same_are_one_gap():
    cluster = Cluster()
    cluster.ports[10250] = AdminError("port 10250 of pod kube-system/kube-proxy-x: nothing listens there")
    found = without_host(cluster)
    assert found.gaps[0].what == "the certificate kubelet-serving served on port 10250 of cp1, w1"
    assert found.gaps[0].why == "nothing listens there"


def test_kubelets_that_refuse_the_api_server_are_no_gap_of_each_port():
    """The API server has just answered the user: who does not know somebody is the kubelet."""
    cluster = Cluster()
    refused = Unauthorized(401, "Unauthorized", "Unauthorized")
    cluster.ports["kube-proxy-w1", 10250] = cluster.hosts["cp1"] = refused
    found = with_host(cluster)
    assert (found.refusing, found.hosts) == (("cp1", "w1"), frozenset())
    assert not any("logged in" in gap.why for gap in found.gaps)


def test_a_kubelet_that_can_not_be_spoken_to_gets_no_debug_pod():
    """It would not run, and be waited for."""
    cluster = Cluster()
    said = "error dialing backend: remote error: tls: internal error"
    cluster.ports["kube-proxy-w1", 10250] = ApiError(500, "InternalError", said)
    # It may listen elsewhere.
    cluster.ports["kube-proxy-cp1", 10250] = PortError("port 10250", "connection refused")
    found = with_host(cluster)
    assert found.uncertified == ("w1",)
    assert found.hosts == {"cp1"}
    assert [node for node, _ in cluster.asked] == ["cp1"]
    assert [gap.what for gap in found.gaps] == ["the certificate kubelet-serving served on port 10250 of cp1"]


def test_who_is_not_known_to_the_api_server_is_told_so():
    with pytest.raises(Unauthorized):
        without_host(Cluster(nodes=Unauthorized(401, "Unauthorized", "Unauthorized")))


def test_a_kubelet_that_refuses_is_the_gap_of_its_node_alone():
    """The API server hands on a kubelet's 403 as it does its own."""
    cluster = Cluster()
    cluster.hosts["w1"] = cluster.ports["kube-proxy-w1", 10250] = Forbidden(403, "Forbidden", "no: 403")
    found = with_host(cluster)
    assert found.hosts == {"cp1"}
    assert [gap.what for gap in found.gaps if gap.permission] == []
    assert [(gap.what, gap.why) for gap in found.gaps if "w1" in gap.what] == [
        ("the disk of node w1", "Error from server (Forbidden): no: 403"),
        ("the certificate kubelet-serving served on port 10250 of w1", "no: 403"),
    ]


def test_who_may_not_forward_ports_is_told_so_once():
    cluster = Cluster()
    cluster.lacking += FORWARDING
    cluster.ports = dict.fromkeys((10250, 6443, 2379, 10259), forbidden("pods/portforward"))
    found = without_host(cluster)
    assert found.gaps[0].permission == "create and get pods/portforward in namespace kube-system"
    assert len([gap for gap in found.gaps if gap.permission]) == 1


@pytest.mark.parametrize("resource", [resource for _, resource, _, _ in KINDS.values()])
def test_objects_that_may_not_be_listed_are_a_gap(resource):
    found = without_host(Cluster(**{resource: forbidden(resource)}))
    assert [gap.what for gap in found.gaps if gap.permission] == [resource]
    assert len(found.seen) == 5


def test_objects_that_can_not_be_listed_or_are_of_no_kind_do_not_end_it():
    broken = ApiError(500, "InternalError", "etcdserver: request timed out")
    found = without_host(
        Cluster(apiservices=broken, customresourcedefinitions=NotFound(404, "NotFound", "x"))
    )
    assert [(gap.what, gap.why) for gap in found.gaps][:1] == [("apiservices", broken.what)]
    assert len(found.seen) == 5
    with pytest.raises(ApiError):
        without_host(Cluster(nodes=broken))


def test_static_pods_that_may_not_be_listed_are_one_gap():
    found = without_host(Cluster(pods=forbidden("pods")))
    assert [(gap.what, gap.permission) for gap in found.gaps] == [
        ("static pods", "list pods in namespace kube-system"),
        ("certificates served on the ports of cp1, w1", ""),
    ]
    assert found.seen == ()


def test_without_the_nodes_nothing_is_taken_for_the_control_planes():
    found = without_host(Cluster(nodes=forbidden("nodes")))
    assert (found.nodes, found.seen, found.etcd_servers) == ((), (), ())
    assert [(gap.what, gap.permission) for gap in found.gaps] == [("nodes", "list nodes")]


@pytest.mark.parametrize(
    "words", [["--listen-client-urls=https://[::1"], ["--listen-client-urls=https://10.0.0.66:2379"]]
)
def test_a_workers_pod_that_looks_like_etcd_hides_no_external_one(words):
    cluster = Cluster()
    external = pod("kube-apiserver", "--etcd-servers=https://10.0.0.21:2379", phase="Running")
    cluster.static = [external, pod("etcd", *words, node="w1", phase="Running")]
    found = with_host(cluster)
    assert found.etcd_servers == ("https://10.0.0.21:2379",)
    assert dict(cluster.asked)["cp1"][-3:] == ("served", "-", "10.0.0.21:2379")
    assert "served" not in dict(cluster.asked)["w1"]
    assert [gap.what for gap in found.gaps if "w1" in gap.what] == ["pod etcd-w1"]


def test_what_a_node_answers_that_is_not_understood_is_its_gap():
    cluster = Cluster()
    cluster.hosts["w1"] = ValueError("what")
    found = with_host(cluster)
    assert found.hosts == {"cp1"}
    assert "w1: unexpected answer (ValueError: what)" in [gap.why for gap in found.gaps]


@pytest.mark.parametrize("path", ["nodes", "pods", "apiservices"])
def test_a_server_that_is_not_there_ends_it(path):
    with pytest.raises(Unreachable):
        without_host(Cluster(**{path: Unreachable("no answer")}))


def test_who_has_read_which_kubeconfig():
    (process,) = without_host(Cluster()).processes
    assert (process.node, process.config) == ("cp1", "scheduler.conf")
