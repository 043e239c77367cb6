"""Approvals, against a server that conflicts, hangs up, refuses, and a signer that does what it likes."""

import base64
import json
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from kubectl_admin.certificates.requests import approve as approval
from kubectl_admin.certificates.requests.approve import Outcome, approve, await_issued
from kubectl_admin.certificates.requests.facts import request_of
from kubectl_admin.certificates.requests.nodes import Nodes
from kubectl_admin.certificates.requests.policy import Verdict, judge
from kubectl_admin.errors import AdminError
from tests.fakes.api_server import HangUp, Says, StandIn, status
from tests.fakes.clock import Clock
from tests.unit.certificates.requests.samples import NODES, csr, document, made, pem

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


class Census:
    """The nodes as they are listed now: those of the samples, and more."""

    def __init__(self, **more):
        self.now = Nodes({**NODES, **more})

    def nodes(self):
        return self.now


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
    outcome = approve(server.connect(), JUDGED, Census())
    assert outcome.approved
    (body,) = puts(server)
    assert (body["metadata"], body["spec"]) == (DOCUMENT["metadata"], DOCUMENT["spec"])
    (condition,) = body["status"]["conditions"]
    assert (condition["type"], condition["status"]) == ("Approved", "True")
    assert "w1" in condition["message"]


def test_a_conflict_is_looked_at_again(server):
    server.on("PUT", APPROVAL, CONFLICT, Says(body=DOCUMENT))
    assert approve(server.connect(), JUDGED, Census()).approved
    assert len(puts(server)) == 2


def test_conflicts_without_end_are_told_of_this_one_alone(server):
    server.on("PUT", APPROVAL, CONFLICT)
    outcome = approve(server.connect(), JUDGED, Census())
    assert not outcome.approved
    assert "modified" in outcome.problem
    assert len(puts(server)) == approval.TRIES


@pytest.mark.parametrize(
    "refusal",
    [
        status(422, "Invalid", "status.conditions: Forbidden"),
        status(403, "Forbidden", 'admission webhook "a.example.com" denied the request: not on Fridays'),
    ],
    ids=["invalid", "webhook"],
)
def test_a_refusal_of_one_request_stops_no_others(server, refusal):
    server.on("PUT", APPROVAL, refusal)
    outcome = approve(server.connect(), JUDGED, Census())
    assert (outcome.approved, bool(outcome.problem), len(puts(server))) == (False, True, 1)


def test_an_answer_that_was_lost_is_no_failure(server):
    """It is known again by its own words: the same of another run are not ours."""

    def after(_asked):
        sent = puts(server)
        return Says(body={**DOCUMENT, "status": sent[0]["status"]} if sent else DOCUMENT)

    server.on("PUT", APPROVAL, HangUp())
    server.on("GET", PATH, after)
    assert approve(server.connect(), JUDGED, Census()).approved
    assert len(puts(server)) == 1


def test_what_another_run_has_approved_meanwhile_is_not_taken_for_ones_own(server):
    theirs = {**APPROVED, "message": approval.message(JUDGED, "another")}
    server.on("PUT", APPROVAL, CONFLICT)
    server.on("GET", PATH, Says(body=DOCUMENT), with_status(conditions=[theirs]))
    outcome = approve(server.connect(), JUDGED, Census())
    assert (outcome.approved, outcome.problem[:42]) == (False, "somebody else was first: it was approved, ")


def test_another_doubt_than_the_one_that_was_shown_is_looked_at_again(server):
    twins = Nodes({**NODES, "w2": NODES["w1"]})
    judged = judge(request_of(DOCUMENT), twins)
    outcome = approve(server.connect(), judged, Census(w3=NODES["w1"]))
    assert outcome.problem == "it has changed since it was judged: look at it again"


@pytest.mark.parametrize(
    ("now", "problem"),
    [
        (
            with_status(conditions=[APPROVED]),
            "somebody else was first: it was approved, and has no certificate yet",
        ),
        (
            with_status(conditions=[{"type": "Denied", "status": "True", "reason": "Forged"}]),
            "somebody else was first: it was denied: Forged",
        ),
        (status(404, "NotFound", "not found"), "it no longer exists"),
        (
            Says(body={**DOCUMENT, "metadata": {**DOCUMENT["metadata"], "uid": "u2"}}),
            "it has changed since it was judged: look at it again",
        ),
        (
            Says(body=document(pem(csr()), username="system:node:cp1")),
            "it has changed since it was judged: look at it again",
        ),
    ],
    ids=["approved", "denied", "gone", "another", "changed"],
)
def test_what_was_decided_or_changed_meanwhile_is_left_alone(server, now, problem):
    server.on("GET", PATH, now)
    outcome = approve(server.connect(), JUDGED, Census())
    assert (outcome.approved, outcome.problem) == (False, problem)
    assert puts(server) == []


def test_the_node_is_looked_at_once_more(server):
    server.on("GET", "/api/v1/nodes/w1", status(404, "NotFound", "not found"))
    assert not approve(server.connect(), JUDGED, Census()).approved
    assert puts(server) == []


def test_an_address_that_another_node_has_got_since_the_listing_is_seen(server):
    outcome = approve(server.connect(), JUDGED, Census(w2=NODES["w1"]))
    assert (outcome.approved, outcome.judged.verdict) == (False, Verdict.DOUBTFUL)
    assert puts(server) == []


def test_a_signer_that_the_user_may_not_approve_for_is_named(server):
    said = 'user not permitted to approve requests with signerName "kubernetes.io/kubelet-serving"'
    server.on("PUT", APPROVAL, status(403, "Forbidden", said))
    wanted = r"^this user may not approve signers\.certificates\.k8s\.io kubernetes\.io/kubelet-serving$"
    with pytest.raises(AdminError, match=wanted):
        approve(server.connect(), JUDGED, Census())


def event(**changes):
    return {"type": "MODIFIED", "object": {**DOCUMENT, "status": changes}}


def watched(server, *events):
    server.on("GET", BASE, Says(body=iter([json.dumps(each).encode() + b"\n" for each in events])))


DONE = [Outcome(JUDGED, approved=True)]


def test_the_certificate_is_waited_for(server):
    watched(server, event(conditions=[APPROVED]), event(conditions=[APPROVED], certificate=made()))
    (outcome,) = await_issued(server.connect(), DONE)
    assert (outcome.issued.serial, outcome.problem) == ("abc", "")
    assert outcome.issued.ends == datetime(2027, 11, 25, tzinfo=UTC)
    assert ("fieldSelector", "metadata.name=csr-1") in server.asked[-1].query


def test_a_certificate_for_another_key_is_not_what_was_asked_for(server):
    other = ec.generate_private_key(ec.SECP256R1())
    watched(server, event(certificate=made(key=other)))
    (outcome,) = await_issued(server.connect(), DONE)
    assert outcome.problem == "it is for another key than the requested one"


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        (
            {"conditions": [APPROVED, {"type": "Failed", "status": "True", "message": "no usages"}]},
            "its signer has refused it: no usages",
        ),
        ({"certificate": base64.b64encode(b"nothing").decode()}, "it can't be read"),
    ],
)
def test_what_a_signer_says_against_it_is_told(server, said, problem):
    watched(server, event(**said))
    (outcome,) = await_issued(server.connect(), DONE)
    assert problem in outcome.problem


def test_a_signer_that_does_nothing_is_told_of_after_a_while(server):
    server.clock = clock = Clock()

    def approved(_asked):
        clock.now += 31
        return Says(body=iter([json.dumps(event(conditions=[APPROVED])).encode() + b"\n"]))

    server.on("GET", BASE, approved)
    (outcome,) = await_issued(server.connect(), DONE)
    assert outcome.problem.startswith("no certificate was issued within 30s")


def test_what_was_not_approved_is_not_waited_for():
    left = [Outcome(JUDGED, problem="it no longer exists")]
    with StandIn().serving() as stand_in:
        assert await_issued(stand_in.connect(), left) == left


def test_who_may_not_watch_has_approved_all_the_same(server):
    server.on(
        "GET", BASE, status(403, "Forbidden", 'User "a" cannot watch resource "x" at the cluster scope')
    )
    (outcome,) = await_issued(server.connect(), DONE)
    assert outcome.approved
    assert outcome.problem.endswith("may not watch certificatesigningrequests.certificates.k8s.io")
