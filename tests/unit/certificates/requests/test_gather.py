import base64
from ipaddress import ip_address
from types import SimpleNamespace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import NameOID

from kubectl_admin.certificates.requests import gather, policy
from kubectl_admin.certificates.requests.nodes import Server
from kubectl_admin.certificates.requests.policy import Verdict
from kubectl_admin.cluster.paths import KUBEADM_CONFIG
from kubectl_admin.errors import AdminError
from tests.fakes.api_server import Says, StandIn, status
from tests.fakes.clock import Clock
from tests.unit.certificates.requests.samples import NODES, badly_signed, bits, csr, document, made, pem

BASE = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
APPROVED = {"conditions": [{"type": "Approved", "status": "True"}]}
DENIED = {"conditions": [{"type": "Denied", "status": "True", "message": "Forged"}]}


def node(name, *addresses):
    kinds = [{"type": kind, "address": text} for kind, text in addresses]
    return {"metadata": {"name": name}, "status": {"addresses": kinds}}


HERE = ip_address("127.0.0.1")  # where the tests find their server
W1 = node("w1", ("Hostname", "w1"), ("InternalIP", "10.0.0.11"))


def named(name, created="2026-11-25T12:00:00Z", request=None, **changes):
    found = document(request or pem(csr()))
    found["metadata"] |= {"name": name, "uid": f"uid-{name}", "creationTimestamp": created}
    return {**found, **changes}


@pytest.fixture
def server():
    with StandIn().serving() as stand_in:
        stand_in.on("GET", "/api/v1/nodes", Says(body={"metadata": {}, "items": [W1]}))
        stand_in.on("GET", gather.SERVICE, Says(body={"spec": {"clusterIPs": ["10.96.0.1"]}}))
        stand_in.on("GET", KUBEADM_CONFIG, status(404, "NotFound", "not found"))
        stand_in.on("GET", gather.SLICES, Says(body={"metadata": {}, "items": []}))
        yield stand_in


def listed(server, *requests):
    server.on("GET", BASE, Says(body={"metadata": {}, "items": list(requests)}))


def test_what_waits_is_judged_the_oldest_first(server):
    listed(
        server,
        named("new", "2026-11-25T13:00:00Z"),
        named("old"),
        named("done", status=APPROVED),
        named("forged", "2026-11-25T14:00:00Z", badly_signed(csr())),
    )
    judged = gather.gather(server.connect()).judged()
    assert [(one.request.name, one.verdict) for one in judged] == [
        ("old", Verdict.VALID),
        ("new", Verdict.VALID),
        ("forged", Verdict.REFUSED),
    ]


def test_one_that_no_parser_can_read_is_refused_and_the_others_are_judged(server):
    listed(server, named("forged", request=bits(csr())), named("good"))
    judged = gather.gather(server.connect()).judged()
    assert {one.request.name: one.verdict for one in judged} == {
        "forged": Verdict.REFUSED,
        "good": Verdict.VALID,
    }


@pytest.mark.parametrize(
    ("status_", "words"),
    [
        (APPROVED, "it was approved, and has no certificate yet"),
        (DENIED, "it was denied: Forged"),
        ({**APPROVED, "certificate": "QQ=="}, "it was approved$"),
        ({"conditions": [{"type": "Failed", "status": "True"}]}, "its signer has refused it$"),
    ],
)
def test_a_named_one_that_does_not_wait_is_said(server, status_, words):
    listed(server, named("done", status=status_))
    with pytest.raises(AdminError, match=f'request "done" is not pending: {words}'):
        gather.gather(server.connect()).named(["done"])


def test_a_named_one_that_there_is_not_is_said(server):
    listed(server)
    with pytest.raises(AdminError, match='there is no request "nobody"'):
        gather.gather(server.connect()).named(["nobody"])


def test_a_missing_right_is_named(server):
    said = 'nodes is forbidden: User "ann" cannot list resource "nodes" in API group "" at the cluster scope'
    server.on("GET", "/api/v1/nodes", status(403, "Forbidden", said))
    server.on("POST", REVIEWS, lambda asked: Says(body={"status": {"allowed": resource(asked) != "nodes"}}))
    listed(server)
    with pytest.raises(AdminError, match=r'user "ann" may not list nodes$'):
        gather.gather(server.connect())


def test_what_the_api_server_is_known_by_is_looked_up(server):
    config = {"ClusterConfiguration": "controlPlaneEndpoint: 10.0.0.5:6443"}
    server.on("GET", KUBEADM_CONFIG, Says(body={"data": config}))
    found = gather.nodes(server.connect()).server
    assert found == Server(frozenset({ip_address("10.96.0.1")}), frozenset({ip_address("10.0.0.5"), HERE}))


def test_so_is_where_every_api_server_says_that_it_is_reached(server):
    endpoints = [{"addresses": ["10.0.9.1"]}, {"addresses": ["10.0.9.2"]}]
    server.on("GET", gather.SLICES, Says(body={"items": [{"endpoints": endpoints}, {}]}))
    assert {ip_address("10.0.9.1"), ip_address("10.0.9.2")} <= gather.nodes(server.connect()).server.names
    asked = next(each for each in server.asked if each.path == gather.SLICES)
    assert ("labelSelector", "kubernetes.io/service-name=kubernetes") in asked.query


def test_what_may_not_be_seen_of_that_is_a_gap(server):
    said = 'endpointslices.discovery.k8s.io is forbidden: User "ann" cannot list resource "endpointslices"'
    server.on("GET", gather.SLICES, status(403, "Forbidden", said))
    (gap,) = gather.nodes(server.connect()).server.gaps
    assert gap.what == "whether a request names an address at which an API server is reached"
    assert gap.permission == "list endpointslices.discovery.k8s.io in namespace default"


def test_a_census_is_taken_again_where_the_last_is_some_seconds_old():
    taken, clock = iter("abc"), Clock()
    census = gather.Census(SimpleNamespace(clock=clock), lambda _cluster: next(taken))
    seen = []
    for passed in (0, gather.CENSUS_GRACE, 1, 1):
        clock.now += passed
        seen.append(census.nodes())
    assert seen == ["a", "a", "b", "b"]


def test_a_cluster_without_kubeadm_has_no_endpoint_to_be_seen(server):
    found = gather.nodes(server.connect()).server
    assert found == Server(frozenset({ip_address("10.96.0.1")}), frozenset({HERE}))


class Shows:
    """A cluster whose API server shows a certificate, or none."""

    target = SimpleNamespace(
        server="https://Bastion.example.com:8443", cluster={"tls-server-name": "k8s.example"}
    )
    server = target.server

    def __init__(self, shown):
        self.shown = shown

    def server_certificate(self):
        if isinstance(self.shown, AdminError):
            raise self.shown
        return self.shown


def test_the_api_server_is_known_by_what_its_certificate_says_and_by_where_it_is_found():
    names = [x509.DNSName("API.example.com"), x509.IPAddress(ip_address("192.0.2.10"))]
    pem_ = base64.b64decode(made(names=names, subject=[(NameOID.COMMON_NAME, "kube-apiserver")]))
    shown = x509.load_pem_x509_certificate(pem_).public_bytes(serialization.Encoding.DER)
    gaps = []
    assert {*gather.served(Shows(shown), gaps)} == {
        "api.example.com",
        ip_address("192.0.2.10"),
        "kube-apiserver",
    }
    assert {*gather.in_use(Shows.target)} == {"bastion.example.com", "k8s.example"}
    assert gaps == []


@pytest.mark.parametrize("shown", [AdminError("no answer"), b"nothing"], ids=["no answer", "no certificate"])
def test_what_the_api_server_does_not_show_is_a_gap(shown):
    gaps = []
    assert [*gather.served(Shows(shown), gaps)] == []
    assert gaps[0].what == "whether a request names the API server as its certificate does"


def test_what_is_not_seen_of_the_api_server_is_a_gap_and_all_else_is_judged(server):
    said = 'services "kubernetes" is forbidden: User "ann" cannot get resource "services" in API group ""'
    server.on("GET", gather.SERVICE, status(403, "Forbidden", f'{said} in the namespace "default"'))
    server.on("GET", KUBEADM_CONFIG, Says(body={"data": {"ClusterConfiguration": "a: ["}}))
    listed(server, named("good"))
    seen = gather.gather(server.connect())
    assert [one.verdict for one in seen.judged()] == [Verdict.VALID]
    assert [(gap.why, gap.permission) for gap in seen.nodes.server.gaps] == [
        ('user "ann" may not get services in namespace default', "get services in namespace default"),
        ("ConfigMap kube-system/kubeadm-config can't be read: its ClusterConfiguration is not YAML", ""),
    ]


def resource(asked):
    return asked.body["spec"]["resourceAttributes"]["resource"]


def test_the_node_in_question_is_as_it_is_now(server):
    moved = node("w1", ("InternalIP", "10.0.0.99"))
    server.on("GET", "/api/v1/nodes/w1", Says(body=moved))
    fresh = gather.with_node(server.connect(), NODES, "w1")
    assert [str(one) for one in fresh["w1"].addresses] == ["10.0.0.99"]
    assert (fresh["cp1"], fresh.server) == (NODES["cp1"], NODES.server)
    server.on("GET", "/api/v1/nodes/w1", status(404, "NotFound", "not found"))
    assert "w1" not in gather.with_node(server.connect(), NODES, "w1")


def test_requests_to_one_signer_are_listed_without_what_they_ask_for(server):
    listed(server, named("new", "2026-11-25T13:00:00Z"), named("old"))
    found = gather.outlines(server.connect(), "kubernetes.io/kubelet-serving")
    assert [(one.name, one.content) for one in found] == [("old", None), ("new", None)]
    assert ("fieldSelector", "spec.signerName=kubernetes.io/kubelet-serving") in server.asked[-1].query


def waiting(count):
    """As many pending requests of one requester, each a minute after the one before."""
    return [named(f"r{number}", f"2026-11-25T12:{number:02}:00Z") for number in range(count)]


OTHERS = document(pem(csr()), username="system:node:w2")["spec"]


def with_token(node):
    """A request of a machine that joins as this node, with the one token that all of them have."""
    subject = ((NameOID.ORGANIZATION_NAME, "system:nodes"), (NameOID.COMMON_NAME, f"system:node:{node}"))
    asked = {
        "signerName": "kubernetes.io/kube-apiserver-client-kubelet",
        "username": "system:bootstrap:abcdef",
        "groups": ["system:bootstrappers"],
        "usages": ["digital signature", "client auth"],
    }
    return named(node, spec=document(pem(csr(subject, ())), **asked)["spec"])


def test_nothing_is_taken_apart_while_the_listing_is_awaited(server):
    listed(server, *waiting(3))
    seen = gather.gather(server.connect()).requests
    assert [(bool(one.encoded), one.content) for one in seen] == [(True, None)] * 3


def test_of_many_that_one_node_has_waiting_the_newest_are_judged(server):
    listed(server, *waiting(policy.FEW + 2), named("other", spec=OTHERS))
    judged = gather.gather(server.connect()).judged()
    assert {one.request.name: one.verdict for one in judged} == {
        "other": Verdict.REFUSED,
        **{f"r{number}": Verdict.NOT_JUDGED for number in range(2)},
        **{f"r{number}": Verdict.VALID for number in range(2, policy.FEW + 2)},
    }


def test_one_that_is_named_is_judged_however_many_newer_there_are(server):
    listed(server, *waiting(policy.FEW + 1))
    (judged,) = gather.gather(server.connect()).named(["r0"])
    assert judged.verdict is Verdict.VALID


def test_thousands_that_join_with_one_token_are_all_judged(server):
    listed(server, *[with_token(f"w{number}") for number in range(10, 10 + policy.FEW + 2)])
    judged = gather.gather(server.connect()).judged()
    assert [one.verdict for one in judged] == [Verdict.VALID] * (policy.FEW + 2)
