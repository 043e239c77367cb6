"""Requests for certificates on a real API server and a real signer; the tests play kubelets and forgers."""

import base64
import contextlib
import itertools
import json
import signal
from collections.abc import Iterator, Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from kubectl_admin.certificates.requests import gather
from kubectl_admin.certificates.requests.approve import changes
from kubectl_admin.certificates.requests.facts import request_of
from kubectl_admin.certificates.requests.issued import of_pem
from kubectl_admin.certificates.requests.nodes import is_address
from kubectl_admin.certificates.requests.policy import Judged, Verdict
from kubectl_admin.cluster import kubeconfig as kubeconfigs
from kubectl_admin.cluster.connection import MERGE_PATCH, Cluster
from kubectl_admin.cluster.errors import ApiError
from tests import permissions
from tests.apiserver.conftest import NAME
from tests.lab.api import api_only
from tests.lab.keys import EXTRA_NAME
from tests.program import END_TIMEOUT, Ended, environ, run, signalled, start
from tests.unit.certificates.requests.hostile import Forger
from tests.unit.certificates.requests.samples import badly_signed, bits, csr, made, pem

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("signer")]

BASE = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
SERVING, CLIENT = "kubernetes.io/kubelet-serving", "kubernetes.io/kube-apiserver-client-kubelet"
NODES, MASTERS = ["system:nodes"], ["system:masters"]
TOKENS = ["system:bootstrappers", "system:bootstrappers:kubeadm:default-node-token"]
SERVES, CALLS = ["digital signature", "server auth"], ["digital signature", "client auth"]
ORGANIZATION, NAME_OF = NameOID.ORGANIZATION_NAME, NameOID.COMMON_NAME
NUMBERS = itertools.count()
SIGN_TIMEOUT = 120.0  # seconds in which a signer that has just been started must sign
WATCH_TIMEOUT = 120.0  # seconds in which a watch must have told what is there
FOREIGN = [x509.DNSName("worker-1"), x509.DNSName("kubernetes")]


class World:
    """The API server, spoken to as its administrator and as whoever is to ask for a certificate."""

    def __init__(self, kubeconfig: Path) -> None:
        self.kubeconfig = kubeconfig
        self.cluster = self.as_user(None)
        node = self.cluster.get("/api/v1/nodes/worker-1")
        self.address = next(
            each["address"] for each in node["status"]["addresses"] if each["type"] == "InternalIP"
        )

    def as_user(self, who: str | None, groups: Sequence[str] = ()) -> Cluster:
        """A connection as this user."""
        overrides = kubeconfigs.Overrides(
            kubeconfig=str(self.kubeconfig), as_user=who, as_groups=tuple(groups)
        )
        return Cluster.connect(kubeconfigs.resolve(overrides, {}))

    def ask(
        self,
        request: bytes,
        who: str = "system:node:worker-1",
        groups: Sequence[str] = tuple(NODES),
        *,
        usages: Sequence[str] = tuple(SERVES),
        **spec: Any,
    ) -> str:
        """Creates a request as this user; its name."""
        name = f"csr-{next(NUMBERS)}"
        body = {
            "apiVersion": "certificates.k8s.io/v1",
            "kind": "CertificateSigningRequest",
            "metadata": {"name": name},
            "spec": {
                "request": base64.b64encode(request).decode(),
                "signerName": SERVING,
                "usages": list(usages),
                **spec,
            },
        }
        self.as_user(who, [*groups, "system:authenticated"]).post(BASE, body)
        return name

    def serving(self, **changes: Any) -> str:
        """A kubelet's own request for the serving certificate of worker-1."""
        return self.ask(pem(self.csr()), **changes)

    def csr(
        self, names: Sequence[x509.GeneralName] | None = None, *more: tuple[x509.ObjectIdentifier, str]
    ) -> x509.CertificateSigningRequest:
        """What the kubelet of worker-1 puts into its request."""
        own = [x509.DNSName("worker-1"), x509.IPAddress(ip_address(self.address))]
        subject = ((ORGANIZATION, "system:nodes"), (NAME_OF, "system:node:worker-1"), *more)
        return csr(subject, own if names is None else names)

    def conditions(self, name: str) -> list[dict[str, Any]]:
        """What has been said of a request so far."""
        return (self.cluster.get(f"{BASE}/{name}")["status"] or {}).get("conditions") or []

    def approve(self, name: str) -> None:
        """Approves a request without looking at it, as `kubectl certificate approve` does."""
        document = self.cluster.get(f"{BASE}/{name}")
        condition = {"type": "Approved", "status": "True", "reason": "Test"}
        self.cluster.put(f"{BASE}/{name}/approval", {**document, "status": {"conditions": [condition]}})

    def issued(self, name: str) -> str:
        """The certificate of an approved request, as soon as the signer has made it."""
        query = [("fieldSelector", f"metadata.name={name}")]
        for event in self.cluster.watch(BASE, query, timeout=SIGN_TIMEOUT):
            if encoded := (event["object"].get("status") or {}).get("certificate"):
                return base64.b64decode(encoded).decode()
        raise AssertionError(f"{name} is not signed after {SIGN_TIMEOUT:.0f} s")

    def forger(self) -> Forger:
        """The kubelet of worker-1, taken over: it asks for the names of the API server."""
        own = [x509.DNSName("worker-1"), x509.IPAddress(ip_address(self.address))]
        foreign = [x509.DNSName("kubernetes.default.svc"), x509.DNSName("cp-1")]
        return Forger("worker-1", own, foreign)

    def clear(self) -> None:
        """Removes all requests."""
        for each in self.cluster.list(BASE):
            self.cluster.delete(f"{BASE}/{each['metadata']['name']}")


@pytest.fixture(scope="module")
def signer(kubeconfig: Path) -> Iterator[None]:
    """What is approved gets its certificate from the cluster's own signer."""
    start_signer(World(kubeconfig))
    yield
    api_only.stop_signer(NAME)


def start_signer(world: World) -> None:
    """Starts it, and returns when it has signed: a program gives it half a minute, and it begins slowly."""
    api_only.start_signer(NAME)
    name = world.serving()
    world.approve(name)
    world.issued(name)
    world.cluster.delete(f"{BASE}/{name}")


@pytest.fixture
def world(kubeconfig: Path) -> Iterator[World]:
    """The server without any request, and a signer."""
    world = World(kubeconfig)
    world.clear()
    yield world
    world.clear()


def certs_csr(world: World, *arguments: str) -> Ended:
    return run("certs", "csr", *arguments, env=environ(KUBECONFIG=str(world.kubeconfig)))


def new_node(world: World, name: str) -> str:
    """A machine with a bootstrap token asks to become this node."""
    request = csr(((ORGANIZATION, "system:nodes"), (NAME_OF, f"system:node:{name}")), ())
    return world.ask(pem(request), "system:bootstrap:abcdef", TOKENS, usages=CALLS, signerName=CLIENT)


@pytest.fixture
def bootstrappers(world: World) -> Iterator[None]:
    """Bootstrap tokens may ask, as kubeadm has it."""
    group = "rbac.authorization.k8s.io"
    path = f"/apis/{group}/v1/clusterrolebindings"
    binding = {
        "metadata": {"name": "test-bootstrappers"},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": "system:node-bootstrapper"},
        "subjects": [{"apiGroup": group, "kind": "Group", "name": TOKENS[1]}],
    }
    world.cluster.post(path, binding)
    yield
    world.cluster.delete(f"{path}/test-bootstrappers")


def test_a_kubelets_own_request_is_approved_and_seen_issued(world):
    name = world.serving()
    assert certs_csr(world).code == 0
    ended = certs_csr(world, "approve", name, "--yes", "-o", "json")
    assert ended.code == 0, ended.err
    (item,) = json.loads(ended.out)["items"]
    assert (item["verdict"], item["approved"], item["problem"]) == ("valid", True, None)
    made = x509.load_pem_x509_certificate(
        base64.b64decode(world.cluster.get(f"{BASE}/{name}")["status"]["certificate"])
    )
    assert item["certificate"]["serial"] == f"{made.serial_number:x}"
    (condition,) = world.conditions(name)
    assert (condition["type"], condition["reason"]) == ("Approved", "KubectlAdminApprove")


def forgeries(world: World) -> dict[str, list[str]]:
    """Requests that are not as a kubelet makes them -> the rules that each breaks."""
    own = [x509.DNSName("worker-1"), x509.IPAddress(ip_address(world.address))]
    other = csr(((ORGANIZATION, "system:nodes"), (NAME_OF, "system:node:cp-1")), own[:1])
    foreign = [*own, x509.IPAddress(ip_address("192.0.2.1"))]
    return {
        # A node itself is kept from asking for another one by the admission plugin NodeRestriction.
        world.ask(pem(other), "jane", MASTERS): ["requester", "foreign-address"],
        world.ask(pem(world.csr(foreign))): ["foreign-address"],
        world.ask(pem(world.csr([*own, x509.DNSName("kubernetes")]))): ["foreign-address"],
        world.ask(pem(world.csr(None, (ORGANIZATION, "system:masters")))): ["organization"],
        world.serving(usages=[*SERVES, "client auth"]): ["usages"],
        world.serving(usages=[*SERVES, "key encipherment"]): ["usages"],
        world.serving(who="jane", groups=MASTERS): ["requester"],
        world.serving(expirationSeconds=10 * 366 * 86400): ["expiration"],
        world.ask(pem(world.csr([]))): ["no-names"],
        world.ask(pem(world.csr([*own, x509.RFC822Name("a@example.com")]))): ["names"],
    }


def test_forged_requests_are_refused_each_with_its_reason(world):
    rules, good = forgeries(world), world.serving()
    other = world.ask(pem(csr()), signerName="example.com/own")
    listed = certs_csr(world, "-o", "json")
    assert listed.code == 3
    told = {item["name"]: item for item in json.loads(listed.out)["items"]}
    assert {name: [each["rule"] for each in told[name]["reasons"]] for name in rules} == rules
    assert {told[name]["verdict"] for name in rules} == {"refused"}
    assert (told[good]["verdict"], told[other]["verdict"]) == ("valid", "not judged")
    assert certs_csr(world, "approve", "--all-valid", "--yes").code == 3
    assert certs_csr(world, "approve", *rules, "--yes").code == 3
    assert [name for name in (*rules, good, other) if world.conditions(name)] == [good]


@contextlib.contextmanager
def listing(world: World, *addresses: str) -> Iterator[None]:
    """While this lasts the object of worker-1 has these addresses, too; its kubelet may write them."""
    path = "/api/v1/nodes/worker-1/status"
    before = world.cluster.get("/api/v1/nodes/worker-1")["status"]["addresses"]
    more = [
        {"type": "InternalIP" if is_address(each) else "ExternalDNS", "address": each} for each in addresses
    ]
    world.cluster.patch(path, {"status": {"addresses": [*before, *more]}}, MERGE_PATCH)
    try:
        yield
    finally:
        world.cluster.patch(path, {"status": {"addresses": before}}, MERGE_PATCH)


def test_what_the_api_server_is_known_by_is_no_nodes_though_its_object_says_so(world):
    service = world.cluster.get("/api/v1/namespaces/default/services/kubernetes")["spec"]["clusterIP"]
    other = world.cluster.get("/api/v1/nodes/worker-2")["status"]["addresses"]
    address = next(each["address"] for each in other if each["type"] == "InternalIP")
    asked = [service, f"::ffff:{service}", "::ffff:127.0.0.1", f"::ffff:{address}"]
    with listing(world, *asked):
        names = [world.ask(pem(world.csr([x509.IPAddress(ip_address(each))]))) for each in asked]
        told = {item["name"]: item for item in json.loads(certs_csr(world, "-o", "json").out)["items"]}
    rules = [[each["rule"] for each in told[name]["reasons"]] for name in names]
    assert rules == [["foreign-address"]] * 3 + [["shared-address"]]


def test_what_only_the_api_servers_certificate_tells_is_no_workers_and_a_control_planes_own_is(world):
    first = world.cluster.get("/api/v1/nodes/cp-1")["status"]["addresses"]
    address = ip_address(next(each["address"] for each in first if each["type"] == "InternalIP"))
    with listing(world, EXTRA_NAME, str(address)):
        asked = [x509.DNSName(EXTRA_NAME), x509.IPAddress(address)]
        workers = [world.ask(pem(world.csr([each]))) for each in asked]
        own = csr(((ORGANIZATION, "system:nodes"), (NAME_OF, "system:node:cp-1")), asked[1:])
        planes = world.ask(pem(own), "system:node:cp-1")
        told = {item["name"]: item for item in json.loads(certs_csr(world, "-o", "json").out)["items"]}
    assert [told[name]["verdict"] for name in workers] == ["refused", "refused"]
    for name in workers:
        assert "used for the API server" in told[name]["reasons"][0]["evidence"]
    # The address is the worker's, too, by what that says: for a person to decide.
    assert [each["rule"] for each in told[planes]["reasons"]] == ["shared-address"]


def test_one_that_no_parser_here_can_read_is_refused_and_the_others_are_judged(world):
    """Its common name is a BIT STRING, which Go reads over, so that the API server lets it in."""
    forged, good = world.ask(bits(csr()), "jane", MASTERS), world.serving()
    listed = certs_csr(world, "-o", "json")
    assert listed.code == 3, listed.err
    told = {item["name"]: item["verdict"] for item in json.loads(listed.out)["items"]}
    assert told == {forged: "refused", good: "valid"}


def test_what_the_signer_could_read_otherwise_is_never_approved(world):
    """And whatever is approved carries exactly what was judged."""
    forger, came_in = world.forger(), {}
    good = world.ask(forger.honest())
    for wrong, request in forger.table().items():
        with contextlib.suppress(ApiError):  # what the API server itself refuses
            came_in[world.ask(request)] = wrong
    assert {"Microsoft's attribute first", "a common name in IA5", "a challenge password"} <= {
        *came_in.values()
    }
    told = {item["name"]: item["verdict"] for item in json.loads(certs_csr(world, "-o", "json").out)["items"]}
    assert {came_in[name] for name in came_in if told[name] != "refused"} == set()
    assert certs_csr(world, "approve", "--all-valid", "--yes").code == 3
    assert certs_csr(world, "approve", *came_in, "--yes").code == 3
    assert [name for name in (*came_in, good) if world.conditions(name)] == [good]
    made = x509.load_pem_x509_certificate(world.issued(good).encode())
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(each.value) for each in names] == ["worker-1", world.address]
    assert made.subject.rfc4514_string() == "CN=system:node:worker-1,O=system:nodes"


@pytest.mark.usefixtures("bootstrappers")
def test_only_requests_to_one_signer_are_listed_and_watched_where_one_is_asked_for(world):
    """As a rotation of one kubelet does, beside thousands of others."""
    mine, other = world.serving(), new_node(world, "worker-98")
    assert [each.name for each in gather.outlines(world.cluster, SERVING)] == [mine]
    assert [each.name for each in gather.outlines(world.cluster, CLIENT)] == [other]
    with contextlib.closing(changes(world.cluster, WATCH_TIMEOUT, f"spec.signerName={SERVING}")) as events:
        seen = [next(events)]
        world.cluster.delete(f"{BASE}/{mine}")  # of what is there, a watch tells before it tells of a change
        seen.append(next(events))
    assert [(deleted, each["metadata"]["name"]) for deleted, each in seen] == [(False, mine), (True, mine)]


def test_a_signer_reads_what_the_judge_did_not_and_the_certificate_shows_it(world):
    """Approved with nobody looking: this is what the rules are for, and the second look that is left."""
    name = world.ask(world.forger().two_parsers())
    request = request_of(world.cluster.get(f"{BASE}/{name}"))
    assert request.content
    assert request.content.dns_names == ("worker-1",)
    world.approve(name)
    issued = of_pem(Judged(request, Verdict.REFUSED, (), "worker-1"), world.issued(name))
    assert "it also names cp-1, kubernetes.default.svc" in issued.differences


def test_a_certificate_that_is_not_what_was_judged_ends_the_watch(world):
    """Some other signer, which is quicker than the cluster's own, puts more names into it."""
    api_only.stop_signer(NAME)
    try:
        env = environ(KUBECONFIG=str(world.kubeconfig))
        with start("certs", "csr", "approve", "--all-valid", "--watch", "--yes", env=env) as process:
            name = world.serving()
            while not world.conditions(name):
                assert process.poll() is None, process.communicate()
            world.cluster.patch(
                f"{BASE}/{name}/status", {"status": {"certificate": made(names=FOREIGN)}}, MERGE_PATCH
            )
            out, err = process.communicate(timeout=END_TIMEOUT)
    finally:
        start_signer(world)
    assert process.returncode == 1
    assert "not as judged" in out
    assert f"request {name} of node worker-1: its certificate is not what was judged" in err
    assert "it also names kubernetes" in " ".join(err.split())
    assert "kubectl delete node worker-1" in " ".join(err.split())


def test_a_broken_request_does_not_even_come_in(world):
    """So these rules are a second look; the API server has had the first."""
    for request in (badly_signed(world.csr()), b"no PEM"):
        with pytest.raises(ApiError, match=r"spec\.request"):
            world.ask(request, "jane", MASTERS)


@pytest.mark.usefixtures("bootstrappers")
def test_a_bootstrap_token_gets_a_new_node_and_an_old_one_only_by_name(world):
    new, old = new_node(world, "worker-99"), new_node(world, "worker-1")
    listed = certs_csr(world, "-o", "json")
    assert listed.code == 0
    told = {item["name"]: item["verdict"] for item in json.loads(listed.out)["items"]}
    assert told == {new: "valid", old: "doubtful"}
    assert certs_csr(world, "approve", "--all-valid", "--yes").code == 0
    assert (len(world.conditions(new)), world.conditions(old)) == (1, [])
    assert certs_csr(world, "approve", old, "--yes").code == 0
    assert len(world.conditions(old)) == 1


def test_a_dry_run_approves_nothing(world):
    name = world.serving()
    ended = certs_csr(world, "approve", "--all-valid", "--dry-run")
    assert (ended.code, world.conditions(name)) == (0, [])
    assert name in ended.out


def test_what_is_not_there_or_decided_is_said(world):
    name = world.serving()
    missing = certs_csr(world, "approve", "nobody", "--yes")
    assert (missing.code, 'no request "nobody"' in missing.err) == (1, True)
    certs_csr(world, "approve", name, "--yes")
    again = certs_csr(world, "approve", name, "--yes")
    assert (again.code, "it was approved" in again.err) == (1, True)


@pytest.mark.parametrize("arguments", [(), ("--all-valid", "csr-1"), ("csr-1", "--watch")])
def test_what_is_meant_must_be_said(world, arguments):
    assert certs_csr(world, "approve", *arguments, "--yes").code == 2


def test_what_comes_is_approved_until_somebody_ends_it(world):
    forged = world.ask(pem(world.csr([x509.DNSName("example.com")])))
    env = environ(KUBECONFIG=str(world.kubeconfig))
    with start("certs", "csr", "approve", "--all-valid", "--watch", "--yes", env=env) as process:
        told(process, forged, "left alone")
        name = world.serving()
        told(process, name, "issued")
        with signalled(process, signal.SIGINT):
            _, err = process.communicate(timeout=END_TIMEOUT)
    assert process.returncode == 130, err
    assert len(world.conditions(name)) == 1
    assert world.conditions(forged) == []


def told(process: Any, *words: str) -> None:
    """Returns when a line on stdout has all of these words; a process that ends instead fails the test."""
    for line in process.stdout:
        if all(word in line for word in words):
            return
    raise AssertionError(f"ended without {words}: {process.stderr.read()}")


@pytest.mark.usefixtures("bootstrappers")
def test_the_rights_of_the_page_are_what_it_takes(world, stage):
    def act(path: Path) -> Ended:
        """Both kinds, each anew, since what was approved can't be approved again."""
        world.clear()
        names = world.serving(), new_node(world, f"worker-{next(NUMBERS)}-new")
        ended = [
            run("certs", "csr", "approve", name, "--yes", "--no-headers", env=environ(KUBECONFIG=str(path)))
            for name in names
        ]
        words = ["".join(parts) for parts in zip(*((each.out, each.err) for each in ended), strict=True)]
        return Ended(max(each.code for each in ended), *words)

    permissions.check(permissions.try_out(stage, "certs csr", act))
