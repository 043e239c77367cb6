from dataclasses import replace
from ipaddress import ip_address
from typing import Any

import pytest

from kubectl_admin.certificates.requests import rules
from kubectl_admin.certificates.requests.facts import CLIENT, Request
from kubectl_admin.certificates.requests.nodes import Addresses, Nodes, Server, folded
from kubectl_admin.certificates.requests.policy import (
    DOUBTS,
    EVIDENCE,
    MAX_DURATION,
    Verdict,
    judge,
)
from kubectl_admin.finding import Rule
from tests.unit.certificates.requests.samples import NEW_NODE, NODES, REQUEST


def with_content(request: Request, **changes: Any) -> Request:
    return replace(request, content=replace(request.content, **changes))


RENEWAL = with_content(
    replace(REQUEST, signer=CLIENT, usages=("digital signature", "client auth")), dns_names=(), addresses=()
)
ENCIPHERING = ("digital signature", "key encipherment", "server auth")

VALID = {
    "a kubelet's own request for its serving certificate": REQUEST,
    "with a DNS name alone": with_content(REQUEST, addresses=()),
    "with an address alone": with_content(REQUEST, dns_names=()),
    "with all addresses that the node has": with_content(
        REQUEST,
        dns_names=("w1", "w1.example.com"),
        addresses=(ip_address("10.0.0.11"), ip_address("fd00::11")),
    ),
    "DNS names are the same in upper case": with_content(REQUEST, dns_names=("W1.Example.com",)),
    "an RSA key that enciphers keys": with_content(
        replace(REQUEST, usages=ENCIPHERING), rsa=True, key="RSA 2048"
    ),
    "an RSA key that does not": with_content(REQUEST, rsa=True, key="RSA 2048"),
    "the longest time that is allowed": replace(REQUEST, expiration=MAX_DURATION),
    "a new node's client certificate, asked for with a bootstrap token": NEW_NODE,
    "a token of the group of all tokens alone": replace(NEW_NODE, groups=("system:bootstrappers",)),
    "a token of a group of its own": replace(NEW_NODE, groups=("system:bootstrappers:kubeadm:x",)),
    "a node's renewal of its client certificate": RENEWAL,
}


@pytest.mark.parametrize("request_", VALID.values(), ids=VALID)
def test_what_a_kubelet_asks_for_is_valid(request_):
    judged = judge(request_, NODES)
    assert (judged.verdict, judged.breaches) == (Verdict.VALID, ())


# What is asked for -> the rules that it breaks, all of them.
REFUSED = {
    "broken": (replace(REQUEST, content=None, broken="it is no PEM"), [rules.BROKEN]),
    "signed with another key": (with_content(REQUEST, signed=False), [rules.BAD_SIGNATURE]),
    "a weak key": (with_content(REQUEST, strong=False, rsa=True, key="RSA 1024"), [rules.WEAK_KEY]),
    "asked for by another node": (replace(REQUEST, username="system:node:cp1"), [rules.REQUESTER]),
    "asked for by a user": (replace(REQUEST, username="jane", groups=("dev",)), [rules.REQUESTER]),
    "a node's name without the nodes' group": (
        replace(REQUEST, groups=("system:authenticated",)),
        [rules.REQUESTER],
    ),
    "a bootstrap token asks for a serving certificate": (
        replace(REQUEST, username=NEW_NODE.username, groups=NEW_NODE.groups),
        [rules.REQUESTER],
    ),
    "another node's name": (
        with_content(REQUEST, common_names=("system:node:cp1",)),
        [rules.REQUESTER, rules.FOREIGN_ADDRESS],
    ),
    "a name that is no node's": (
        with_content(REQUEST, common_names=("kubernetes-admin",)),
        [rules.COMMON_NAME, rules.REQUESTER],
    ),
    "an empty node's name": (
        with_content(replace(REQUEST, username="system:node:"), common_names=("system:node:",)),
        [rules.COMMON_NAME],
    ),
    "two common names, of which Go takes the last": (
        with_content(REQUEST, common_names=("system:node:w1", "system:node:cp1")),
        [rules.COMMON_NAME],
    ),
    "no common name": (with_content(REQUEST, common_names=()), [rules.COMMON_NAME, rules.REQUESTER]),
    "one organization more": (
        with_content(REQUEST, organizations=("system:nodes", "system:masters")),
        [rules.ORGANIZATION],
    ),
    "another organization": (
        with_content(REQUEST, organizations=("system:masters",)),
        [rules.ORGANIZATION],
    ),
    "the organization twice": (
        with_content(REQUEST, organizations=("system:nodes", "system:nodes")),
        [rules.ORGANIZATION],
    ),
    "no organization": (with_content(REQUEST, organizations=()), [rules.ORGANIZATION]),
    "more in the subject": (with_content(REQUEST, others=("organizationalUnitName",)), [rules.SUBJECT]),
    "an extension": (with_content(REQUEST, extensions=("basicConstraints",)), [rules.EXTENSIONS]),
    "an attribute": (with_content(REQUEST, attributes=("1.2.3",)), [rules.ATTRIBUTES]),
    "something else in its bytes": (with_content(REQUEST, exact=False), [rules.INEXACT]),
    "a name that no node can have": (
        with_content(replace(NEW_NODE), common_names=("system:node:W2\n",)),
        [rules.COMMON_NAME],
    ),
    "for clients, too": (
        replace(REQUEST, usages=("digital signature", "server auth", "client auth")),
        [rules.USAGES],
    ),
    "for clients only": (replace(REQUEST, usages=("digital signature", "client auth")), [rules.USAGES]),
    "without the digital signature": (replace(REQUEST, usages=("server auth",)), [rules.USAGES]),
    "no usages": (replace(REQUEST, usages=()), [rules.USAGES]),
    "a usage twice": (replace(REQUEST, usages=(*REQUEST.usages, "server auth")), [rules.USAGES]),
    "to sign certificates": (replace(REQUEST, usages=(*REQUEST.usages, "cert sign")), [rules.USAGES]),
    "an ECDSA key that enciphers keys": (replace(REQUEST, usages=ENCIPHERING), [rules.USAGES]),
    "no names": (with_content(REQUEST, dns_names=(), addresses=()), [rules.NO_NAMES]),
    "an email address": (with_content(REQUEST, other_names=("email a@b",)), [rules.NAMES]),
    "a URI alone": (
        with_content(REQUEST, dns_names=(), addresses=(), other_names=("URI spiffe://a",)),
        [rules.NAMES, rules.NO_NAMES],
    ),
    "a node that there is not": (
        with_content(replace(REQUEST, username="system:node:w9"), common_names=("system:node:w9",)),
        [rules.NO_NODE],
    ),
    "a foreign address": (
        with_content(REQUEST, addresses=(ip_address("10.0.0.11"), ip_address("192.0.2.1"))),
        [rules.FOREIGN_ADDRESS],
    ),
    "a foreign DNS name": (with_content(REQUEST, dns_names=("w1", "example.com")), [rules.FOREIGN_ADDRESS]),
    "a wildcard": (with_content(REQUEST, dns_names=("*.example.com",)), [rules.FOREIGN_ADDRESS]),
    "an address as a DNS name": (with_content(REQUEST, dns_names=("10.0.0.11",)), [rules.FOREIGN_ADDRESS]),
    "too long": (replace(REQUEST, expiration=MAX_DURATION + 1), [rules.EXPIRATION]),
    "a new node's client certificate for a user": (
        replace(NEW_NODE, username="jane", groups=("dev",)),
        [rules.REQUESTER],
    ),
    "a token's user outside of the tokens' group": (
        replace(NEW_NODE, groups=("system:authenticated",)),
        [rules.REQUESTER],
    ),
    "what looks like a token's user": (
        replace(NEW_NODE, username="system:bootstrap:abcdef0"),
        [rules.REQUESTER],
    ),
    "what looks like the tokens' group": (
        replace(NEW_NODE, groups=("system:bootstrappersx",)),
        [rules.REQUESTER],
    ),
    "another node's client certificate, asked for by a node": (
        replace(NEW_NODE, username="system:node:w1", groups=("system:nodes",)),
        [rules.REQUESTER],
    ),
    "a client certificate that serves": (replace(NEW_NODE, usages=REQUEST.usages), [rules.USAGES]),
    "a client certificate with a DNS name": (with_content(NEW_NODE, dns_names=("w2",)), [rules.NAMES]),
    "a client certificate with an address": (
        with_content(NEW_NODE, addresses=(ip_address("10.0.0.12"),)),
        [rules.NAMES],
    ),
    "a client certificate of an administrator": (
        with_content(NEW_NODE, organizations=("system:masters",)),
        [rules.ORGANIZATION],
    ),
    "several at once": (
        with_content(replace(REQUEST, usages=("any",)), signed=False, organizations=()),
        [rules.BAD_SIGNATURE, rules.ORGANIZATION, rules.USAGES],
    ),
}


@pytest.mark.parametrize(("request_", "broken"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_as_a_kubelet_asks_is_refused_by_each_rule_that_it_breaks(request_, broken):
    judged = judge(request_, NODES)
    assert judged.verdict is Verdict.REFUSED
    assert [breach.rule for breach in judged.breaches] == broken
    assert all(breach.evidence for breach in judged.breaches)


def test_every_rule_is_broken_by_a_row_of_the_table():
    tried = {rule for _, broken in REFUSED.values() for rule in broken}
    table = {rule for rule in vars(rules).values() if isinstance(rule, Rule)}
    approvals = {
        *(rules.PASSED_OVER, rules.NOT_APPROVED, rules.NOT_ISSUED, rules.NOT_AS_JUDGED, rules.LASTS_LONGER)
    }
    assert table - tried - approvals == DOUBTS


def test_a_bootstrap_token_for_a_node_that_exists_is_for_a_person_to_decide():
    judged = judge(with_content(NEW_NODE, common_names=("system:node:w1",)), NODES)
    assert (judged.verdict, [breach.rule for breach in judged.breaches]) == (
        Verdict.DOUBTFUL,
        [rules.NODE_EXISTS],
    )


def test_an_address_that_another_node_has_too_is_for_a_person_to_decide():
    own = NODES["w1"]
    nodes = Nodes({**NODES, "w1": Addresses(own.names, own.addresses | NODES["cp1"].addresses)})
    judged = judge(with_content(REQUEST, addresses=(ip_address("10.0.0.1"),)), nodes)
    assert (judged.verdict, [breach.rule for breach in judged.breaches]) == (
        Verdict.DOUBTFUL,
        [rules.SHARED_ADDRESS],
    )
    assert "cp1" in judged.breaches[0].evidence


@pytest.mark.parametrize(
    "name",
    [
        "localhost",
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
        "kubernetes.default.svc.x.y",
        "*.default.svc",
        "*",
        "kubernetes.",
        "webhook.default.svc",
        "db.default.svc.cluster.local",
        "10.0.0.99",
        "0x7f000001",
        "w1 ",
        "w1\0",
        "a" * 254,
        "",
    ],
)
def test_names_that_are_everybodys_are_no_nodes_own_though_its_object_says_so(name):
    nodes = Nodes({"w1": Addresses(frozenset({name, folded(name)}), frozenset({ip_address("127.0.0.1")}))})
    judged = judge(with_content(REQUEST, dns_names=(name,), addresses=()), nodes)
    assert [breach.rule for breach in judged.breaches] == [rules.FOREIGN_ADDRESS]
    judged = judge(with_content(REQUEST, dns_names=(), addresses=(ip_address("127.0.0.1"),)), nodes)
    assert [breach.rule for breach in judged.breaches] == [rules.FOREIGN_ADDRESS]


SERVICE, VIRTUAL = ip_address("10.96.0.1"), ip_address("10.0.0.5")


@pytest.mark.parametrize(
    ("asked", "known", "rules_of_worker", "rules_of_control_plane"),
    [
        ({"addresses": (SERVICE,)}, [], [rules.FOREIGN_ADDRESS], [rules.FOREIGN_ADDRESS]),
        ({"addresses": (VIRTUAL,)}, [VIRTUAL], [rules.FOREIGN_ADDRESS], []),
        ({"dns_names": ("API.example.com",)}, ["api.example.com"], [rules.FOREIGN_ADDRESS], []),
        ({"dns_names": ("api.example.com.",)}, ["api.example.com"], [rules.FOREIGN_ADDRESS], []),
        ({"dns_names": ("api.example.com",)}, ["*.example.com"], [rules.FOREIGN_ADDRESS], []),
        ({"addresses": (VIRTUAL,), "dns_names": ("api.example.com",)}, [], [], []),
    ],
    ids=[
        "its Service",
        "an address",
        "a name",
        "with a dot",
        "a wildcard of its own",
        "what it is not known by",
    ],
)
def test_what_the_api_server_is_known_by_is_no_nodes_own_though_its_object_says_so(
    asked, known, rules_of_worker, rules_of_control_plane
):
    """But where the control plane is one node, that node's own address may be the endpoint."""
    request = with_content(REQUEST, **{"addresses": (), "dns_names": ()} | asked)
    names, addresses = frozenset({"api.example.com"}), frozenset({SERVICE, VIRTUAL})
    for control_plane, broken in ((False, rules_of_worker), (True, rules_of_control_plane)):
        own = Addresses(names, addresses, control_plane)
        nodes = Nodes({"w1": own}, Server(frozenset({SERVICE}), frozenset(known)))
        assert [breach.rule for breach in judge(request, nodes).breaches] == broken


def test_how_long_is_allowed_is_an_argument():
    hour = replace(REQUEST, expiration=3600)
    assert judge(hour, NODES, 3600).verdict is Verdict.VALID
    assert (
        judge(hour, NODES, 3599).breaches[0].evidence
        == "it asks for 3600 seconds, and at most 3599 seconds is allowed"
    )


@pytest.mark.parametrize(
    "signer", ["kubernetes.io/kube-apiserver-client", "kubernetes.io/legacy-unknown", "example.com/own", ""]
)
def test_other_signers_are_left_alone(signer):
    judged = judge(replace(REQUEST, signer=signer, content=None, broken="whatever"), NODES)
    assert (judged.verdict, judged.breaches) == (Verdict.NOT_JUDGED, ())


def test_the_evidence_against_a_request_is_cut_and_a_doubt_is_shown_whole():
    many = tuple(f"n{number}.example.com" for number in range(90))
    (breach,) = judge(with_content(REQUEST, dns_names=many), NODES).breaches
    assert len(breach.evidence) == EVIDENCE + 1
    assert breach.evidence.endswith("…")
    own = Addresses(frozenset(many), NODES["w1"].addresses)
    (breach,) = judge(with_content(REQUEST, dns_names=many), Nodes({"w1": own, "w2": own})).breaches
    assert all(name in breach.evidence for name in many)
