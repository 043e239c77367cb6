import pytest

from kubectl_admin.certificates.renewal.facts import Node, Survey
from kubectl_admin.certificates.renewal.kubeadm import gather
from kubectl_admin.errors import AdminError, UsageError
from kubectl_admin.node.debug_pod import Options
from kubectl_admin.node.hosts import Hosts
from kubectl_admin.node.operation import Operation
from tests.fakes.api_server import Says, StandIn, status
from tests.unit.certificates.renewal.samples import HEALTHY

PODS = "/api/v1/namespaces/kube-system/pods"
REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


def pod(node, component, *flags):
    """A static pod, as the API shows it: its object's uid is not the kubelet's."""
    return {
        "metadata": {
            "name": f"{component}-{node}",
            "namespace": "kube-system",
            "uid": "uid-of-the-object",
            "labels": {"component": component, "tier": "control-plane"},
            "annotations": {
                "kubernetes.io/config.hash": f"hash-of-{component}",
                "kubernetes.io/config.mirror": f"hash-of-{component}",
            },
            "ownerReferences": [{"apiVersion": "v1", "kind": "Node", "name": node, "uid": f"uid-{node}"}],
        },
        "spec": {
            "nodeName": node,
            "containers": [
                {
                    "name": component,
                    "command": [component, *flags],
                    "volumeMounts": [{"name": "pki", "mountPath": "/certs"}],
                }
            ],
            "volumes": [{"name": "pki", "hostPath": {"path": "/etc/kubernetes/ssl"}}],
        },
        "status": {},
    }


APISERVER = (
    "kube-apiserver",
    "--tls-cert-file=/certs/public/tls.crt",
    "--client-ca-file=/certs/ca.crt",
    "--kubelet-client-certificate=/certs/apiserver-kubelet-client.crt",
)


@pytest.fixture
def server():
    with StandIn().serving() as stand_in:
        stand_in.on("POST", REVIEWS, Says(body={"status": {"allowed": True}}))
        # A worker shows what is labelled as an API server, too.
        names = ("cp-2", "cp-1", "w1")
        pods = [*(pod(name, *APISERVER) for name in names), pod("etcd-1", "etcd")]
        planes = [{"metadata": {"name": name, "uid": f"uid-{name}"}} for name in ("cp-1", "cp-2", "etcd-1")]
        stand_in.on("GET", "/api/v1/nodes", Says(body={"metadata": {}, "items": planes}))
        stand_in.on("GET", PODS, Says(body={"metadata": {}, "items": pods}))
        stand_in.on("GET", "/api/v1/pods", Says(body={"metadata": {}, "items": []}))
        yield stand_in


def found(_cluster, node, parts, uids, *_more, **_flags):
    return Node(node, (), Survey(), gather.pki_of(parts), parts, uids)


def seen(server, *names, node=found, etcd=lambda _cluster: HEALTHY):
    hosts = Hosts(server.connect(), Operation.begin(), Options(), print)
    return gather.gather(hosts, names, reads=gather.Reads(node, etcd))


def test_control_planes_are_the_nodes_of_api_servers(server):
    facts = seen(server)
    assert [node.name for node in facts.nodes] == ["cp-1", "cp-2"]
    assert facts.etcd == HEALTHY
    assert [node.name for node in seen(server, "cp-2").nodes] == ["cp-2"]


def test_pods_are_known_by_the_kubelets_uid_and_folders_by_the_hosts_name(server):
    node = seen(server, "cp-1").nodes[0]
    assert node.uids == {"kube-apiserver": "hash-of-kube-apiserver"}
    assert node.pki == "/etc/kubernetes/ssl"


def test_a_node_that_is_not_there_is_told(server):
    server.on("GET", "/api/v1/nodes/nosuch", status(404, "NotFound", 'nodes "nosuch" not found'))
    with pytest.raises(AdminError, match="there is no node nosuch") as caught:
        seen(server, "nosuch")
    assert not isinstance(caught.value, UsageError)


def test_a_node_without_an_api_server_is_wrong_usage(server):
    server.on("GET", "/api/v1/nodes/w1", Says(body={"metadata": {"name": "w1"}}))
    with pytest.raises(UsageError, match="node w1 does not run an API server"):
        seen(server, "w1")


def test_a_managed_control_plane_is_said(server):
    server.on("GET", PODS, Says(body={"metadata": {}, "items": []}))
    with pytest.raises(AdminError, match="no static pod of an API server") as error:
        seen(server)
    assert "a managed one" in error.value.hint


def test_an_etcd_that_can_not_be_asked_is_a_fact(server):
    def silent(_cluster):
        raise AdminError("no member answers")

    assert seen(server, etcd=silent).etcd.problem == "no member answers"


def test_a_node_that_can_not_be_looked_at_ends_it(server):
    def silent(_cluster, node, *_more, **_flags):
        raise AdminError(f"node {node} is not Ready")

    with pytest.raises(AdminError, match="cp-1 is not Ready"):
        seen(server, node=silent)


def test_all_rights_that_are_missing_are_named_at_once(server):
    server.on("POST", REVIEWS, Says(body={"status": {"allowed": False}}))
    server.on("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", Says(body={}))
    with pytest.raises(AdminError, match="create and get pods/portforward in namespace kube-system"):
        seen(server)
