"""Approvals, against a server that conflicts, hangs up, refuses, and a signer that does what it likes."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from kubectl_admin.certificates.requests import approve as approval
from kubectl_admin.certificates.requests.approve import Outcome, approve, await_issued
from kubectl_admin.certificates.requests.facts import request_of
from kubectl_admin.certificates.requests.policy import judge
from kubectl_admin.errors import AdminError
from tests.unit.certificates.requests.samples import KEY, NODES, csr, document, pem
from tests.unit.cluster.standin import HangUp, Says, StandIn, status

BASE = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
PATH, APPROVAL = f"{BASE}/csr-1", f"{BASE}/csr-1/approval"
CONFLICT = status(409, "Conflict", "the object has been modified")
APPROVED = {"type": "Approved", "status": "True", "message": "by a controller"}
NODE = {
    "metadata": {"name": "w1"},
    "status": {
        "addresses": [
            {"type": "Hostname", "address": "w1"},
            {"type": "InternalIP", "address": "10.0.0.11"},
        ]
    },
}
DOCUMENT = document(pem(csr()))
JUDGED = judge(request_of(DOCUMENT), NODES)


@pytest.fixture
def server():
    with StandIn().serving() as stand_in:
        stand_in.on("GET", PATH, Says(body=DOCUMENT))
        stand_in.on("GET", "/api/v1/nodes/w1", Says(body=NODE))
        stand_in.on("PUT", APPROVAL, Says(body=DOCUMENT))
        yield stand_in


def puts(server):
    return [each.body for each in server.asked if each.method == "PUT"]


def with_status(**changes):
    return Says(body={**DOCUMENT, "status": changes})


def test_the_whole_object_goes_back_with_the_condition(server):
    outcome = approve(server.connect(), JUDGED, NODES)
    assert outcome.approved
    (body,) = puts(server)
    assert (body["metadata"], body["spec"]) == (DOCUMENT["metadata"], DOCUMENT["spec"])
    (condition,) = body["status"]["conditions"]
    assert (condition["type"], condition["status"]) == ("Approved", "True")
    assert "w1" in condition["message"]


def test_a_conflict_is_looked_at_again(server):
    server.on("PUT", APPROVAL, CONFLICT, Says(body=DOCUMENT))
    assert approve(server.connect(), JUDGED, NODES).approved
    assert len(puts(server)) == 2


def test_conflicts_without_end_are_told(server):
    server.on("PUT", APPROVAL, CONFLICT)
    with pytest.raises(AdminError, match="modified"):
        approve(server.connect(), JUDGED, NODES)


def test_an_answer_that_was_lost_is_no_failure(server):
    server.on("PUT", APPROVAL, HangUp())
    mine = {**APPROVED, "message": approval.message(JUDGED)}
    server.on("GET", PATH, Says(body=DOCUMENT), with_status(conditions=[mine]))
    assert approve(server.connect(), JUDGED, NODES).approved
    assert len(puts(server)) == 1


@pytest.mark.parametrize(
    ("now", "problem"),
    [
        (with_status(conditions=[APPROVED]), "meanwhile it was approved, and has no certificate yet"),
        (
            with_status(conditions=[{"type": "Denied", "status": "True", "reason": "Forged"}]),
            "meanwhile it was denied: Forged",
        ),
        (status(404, "NotFound", "not found"), "it is gone"),
        (
            Says(body={**DOCUMENT, "metadata": {**DOCUMENT["metadata"], "uid": "u2"}}),
            "it is no longer what was judged: look at it again",
        ),
        (
            Says(body=document(pem(csr()), username="system:node:cp1")),
            "it is no longer what was judged: look at it again",
        ),
    ],
    ids=["approved", "denied", "gone", "another", "changed"],
)
def test_what_was_decided_or_changed_meanwhile_is_left_alone(server, now, problem):
    server.on("GET", PATH, now)
    outcome = approve(server.connect(), JUDGED, NODES)
    assert (outcome.approved, outcome.problem) == (False, problem)
    assert puts(server) == []


def test_the_node_is_looked_at_once_more(server):
    server.on("GET", "/api/v1/nodes/w1", status(404, "NotFound", "not found"))
    assert not approve(server.connect(), JUDGED, NODES).approved
    assert puts(server) == []


def test_a_signer_that_the_user_may_not_approve_for_is_named(server):
    said = 'user not permitted to approve requests with signerName "kubernetes.io/kubelet-serving"'
    server.on("PUT", APPROVAL, status(403, "Forbidden", said))
    with pytest.raises(AdminError, match=r"approve signers\.certificates\.k8s\.io kubernetes\.io/kubelet-s"):
        approve(server.connect(), JUDGED, NODES)


def certificate(key=KEY):
    """A certificate for this key, as a signer would make it."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "system:node:w1")])
    start = datetime(2026, 11, 25, tzinfo=UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(0xABC)
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=365))
        .sign(KEY, hashes.SHA256())
    )
    return base64.b64encode(made.public_bytes(serialization.Encoding.PEM)).decode()


def event(**changes):
    return {"type": "MODIFIED", "object": {**DOCUMENT, "status": changes}}


def watched(server, *events):
    server.on("GET", BASE, Says(body=iter([json.dumps(each).encode() + b"\n" for each in events])))


DONE = [Outcome(JUDGED, approved=True)]


def test_the_certificate_is_waited_for(server):
    watched(server, event(conditions=[APPROVED]), event(conditions=[APPROVED], certificate=certificate()))
    (outcome,) = await_issued(server.connect(), DONE)
    assert (outcome.issued.serial, outcome.problem) == ("abc", "")
    assert outcome.issued.ends == datetime(2027, 11, 25, tzinfo=UTC)


def test_a_certificate_for_another_key_is_not_what_was_asked_for(server):
    other = ec.generate_private_key(ec.SECP256R1())
    watched(server, event(certificate=certificate(other)))
    (outcome,) = await_issued(server.connect(), DONE)
    assert outcome.problem == "it is for another key than the one that was asked for"


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        (
            {"conditions": [APPROVED, {"type": "Failed", "status": "True", "message": "no usages"}]},
            "its signer has refused it: no usages",
        ),
        ({"certificate": base64.b64encode(b"nothing").decode()}, "is no certificate"),
    ],
)
def test_what_a_signer_says_against_it_is_told(server, said, problem):
    watched(server, event(**said))
    (outcome,) = await_issued(server.connect(), DONE)
    assert problem in outcome.problem


def test_a_signer_that_does_nothing_is_told_of_after_a_while(server):
    times = iter([0.0, 1.0, 31.0])
    watched(server, event(conditions=[APPROVED]))
    (outcome,) = await_issued(server.connect(), DONE, clock=lambda: next(times))
    assert outcome.problem.startswith("no certificate within 30 s")


def test_what_was_not_approved_is_not_waited_for():
    left = [Outcome(JUDGED, problem="it is gone")]
    with StandIn().serving() as stand_in:
        assert await_issued(stand_in.connect(), left) == left


def test_who_may_not_watch_has_approved_all_the_same(server):
    server.on(
        "GET", BASE, status(403, "Forbidden", 'User "a" cannot watch resource "x" at the cluster scope')
    )
    (outcome,) = await_issued(server.connect(), DONE)
    assert outcome.approved
    assert outcome.problem.endswith("may not watch certificatesigningrequests.certificates.k8s.io")
