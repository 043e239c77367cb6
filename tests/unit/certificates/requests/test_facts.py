from datetime import UTC, datetime
from ipaddress import ip_address, ip_network

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID

from kubectl_admin.certificates.requests import rules
from kubectl_admin.certificates.requests.facts import (
    MOST_NAMES,
    SIZE_LIMIT,
    content_of,
    outline_of,
    request_of,
)
from kubectl_admin.certificates.requests.nodes import Nodes, addresses_of
from kubectl_admin.certificates.requests.policy import Verdict, judge
from tests.unit.certificates.requests.samples import (
    DEFAULT,
    NODES,
    armored,
    badly_signed,
    bits,
    csr,
    document,
    pem,
)

RSA = rsa.generate_private_key(65537, 2048)
NODE_SUBJECT = ((NameOID.ORGANIZATION_NAME, "system:nodes"), (NameOID.COMMON_NAME, "system:node:w1"))


def rules_of(request: bytes, **spec):
    return [breach.rule for breach in judge(request_of(document(request, **spec)), NODES).breaches]


def test_a_kubelets_request_is_read_as_it_was_made():
    request = request_of(document(pem(csr())))
    content = request.content
    assert (content.common_names, content.organizations) == (("system:node:w1",), ("system:nodes",))
    assert (content.dns_names, content.addresses) == (("w1",), (ip_address("10.0.0.11"),))
    assert (content.key, content.strong, content.rsa, content.signed) == (
        "ECDSA P-256",
        True,
        False,
        True,
    )
    assert (content.others, content.extensions, content.other_names) == ((), (), ())
    assert request.pending
    assert request.created == datetime(2026, 11, 25, 12, tzinfo=UTC)
    assert judge(request, NODES).verdict is Verdict.VALID


@pytest.mark.parametrize(
    ("key", "says", "strong"),
    [
        (RSA, "RSA 2048", True),
        (rsa.generate_private_key(65537, 1024), "RSA 1024", False),  # noqa: S505
        (ec.generate_private_key(ec.SECP384R1()), "ECDSA P-384", True),
        (ec.generate_private_key(ec.SECP192R1()), "ECDSA secp192r1", False),
        (ed25519.Ed25519PrivateKey.generate(), "Ed25519", True),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_kinds_of_keys(key, says, strong):
    content = content_of(pem(csr(key=key)))
    assert (content.key, content.strong) == (says, strong)
    assert content.public_key == key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def test_key_encipherment_is_for_rsa_alone():
    usages = ["digital signature", "key encipherment", "server auth"]
    assert rules_of(pem(csr(key=RSA)), usages=usages) == []
    assert rules_of(pem(csr()), usages=usages) == [rules.USAGES]


def test_a_signature_that_is_not_by_the_key_of_the_request_proves_nothing():
    assert rules_of(badly_signed(csr())) == [rules.BAD_SIGNATURE]


@pytest.mark.parametrize(
    ("names", "rules"),
    [
        ([*DEFAULT, x509.RFC822Name("a@example.com")], [rules.NAMES]),
        ([*DEFAULT, x509.UniformResourceIdentifier("spiffe://a")], [rules.NAMES]),
        ([*DEFAULT, x509.RegisteredID(x509.ObjectIdentifier("1.2.3"))], [rules.NAMES]),
        ([*DEFAULT, x509.DirectoryName(x509.Name([]))], [rules.NAMES]),
        ([*DEFAULT, x509.OtherName(x509.ObjectIdentifier("1.2.3"), b"\x05\x00")], [rules.NAMES]),
        ([*DEFAULT, x509.IPAddress(ip_address("fd00::12"))], [rules.FOREIGN_ADDRESS]),
        ([x509.DNSName("W1.example.com")], []),
        ((), [rules.NO_NAMES]),
    ],
    ids=["email", "uri", "registered", "directory", "other", "address", "upper", "none"],
)
def test_alternative_names_of_every_kind_are_seen(names, rules):
    assert rules_of(pem(csr(names=names))) == rules


@pytest.mark.parametrize(
    ("subject", "rules"),
    [
        ((*NODE_SUBJECT, (NameOID.ORGANIZATION_NAME, "system:masters")), [rules.ORGANIZATION]),
        ((*NODE_SUBJECT, (NameOID.COMMON_NAME, "system:node:cp1")), [rules.COMMON_NAME]),
        ((*NODE_SUBJECT, (NameOID.ORGANIZATIONAL_UNIT_NAME, "x")), [rules.SUBJECT]),
        ((), [rules.COMMON_NAME, rules.ORGANIZATION, rules.REQUESTER]),
    ],
)
def test_all_of_the_subject_is_seen(subject, rules):
    assert rules_of(pem(csr(subject))) == rules


def test_other_extensions_are_seen():
    assert rules_of(pem(csr(ca=True))) == [rules.EXTENSIONS]


GOOD = pem(csr())
DER = csr().public_bytes(serialization.Encoding.DER)


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"no PEM",
        GOOD + GOOD,
        b"surplus\n" + GOOD,
        GOOD.replace(b"CERTIFICATE REQUEST", b"CERTIFICATE"),
        GOOD.replace(b"CERTIFICATE REQUEST", b"NEW CERTIFICATE REQUEST"),
        GOOD.replace(b"REQUEST-----\n", b"REQUEST-----\nProc-Type: 4\n\n", 1),
        GOOD.replace(b"\n", b"=\n", 2),
        armored(b""),
        armored(DER[:-1]),
        armored(DER + b"\0"),
        armored(b"\x30\x03\x02\x01\x01"),
        armored(DER.replace(b"w1", b"\xff\xff")),
        bits(csr()),
        b"-----BEGIN CERTIFICATE REQUEST-----\n" + b"A" * (65 << 10) + b"-----END CERTIFICATE REQUEST-----\n",
    ],
    # Names of their own, since a signature's length, and so a request's, differs from run to run.
    ids=(
        "nothing",
        "no PEM",
        "two",
        "surplus",
        "a certificate",
        "another label",
        "headers",
        "padding",
        "empty",
        "cut short",
        "too long",
        "no request",
        "no text",
        "bits for a name",
        "no end in sight",
    ),
)
def test_what_is_not_exactly_one_request_is_refused_with_the_reason(broken):
    request = request_of(document(broken))
    assert request.content is None
    assert request.broken
    judged = judge(request, NODES)
    assert (judged.verdict, [breach.rule for breach in judged.breaches]) == (Verdict.REFUSED, [rules.BROKEN])


def test_no_change_of_a_byte_is_more_than_a_refusal():
    """A request with one byte changed is broken, not proven, or asks for something else; never an error."""
    for place in range(len(DER)):
        changed = bytearray(DER)
        changed[place] ^= 0x55
        judged = judge(request_of(document(armored(bytes(changed)))), NODES)
        assert judged.verdict is Verdict.REFUSED, place


def test_what_is_no_base64_in_the_object_is_broken():
    found = document(GOOD)
    found["spec"]["request"] = "%%%"
    assert request_of(found).broken


@pytest.mark.parametrize(
    ("status", "pending", "why"),
    [
        ({}, True, ""),
        ({"conditions": [{"type": "Approved", "status": "True", "message": "fine"}]}, False, "fine"),
        ({"conditions": [{"type": "Denied", "status": "True", "reason": "No"}]}, False, "No"),
        ({"conditions": [{"type": "Failed", "status": "True", "message": "bad"}]}, False, "bad"),
        ({"conditions": [{"type": "Approved"}]}, False, ""),
        ({"certificate": "QQ=="}, False, ""),
        ({"conditions": [{"type": "example.com/Seen", "status": "True"}]}, True, ""),
    ],
)
def test_who_waits_is_pending(status, pending, why):
    request = request_of({**document(GOOD), "status": status})
    assert (request.pending, request.why) == (pending, why)


def test_a_network_is_no_address():
    names = [*DEFAULT, x509.IPAddress(ip_network("10.0.0.0/8"))]
    assert rules_of(pem(csr(names=names))) == [rules.NAMES]


def test_an_ipv4_address_written_as_ipv6_is_that_ipv4_address():
    """Go takes ::ffff:10.0.0.9 for 10.0.0.9 in a request as in a Node object, and issues it as that."""
    mapped = [x509.IPAddress(ip_address("::ffff:10.0.0.9"))]
    content = content_of(pem(csr(names=mapped)))
    assert (content.addresses, content.other_names) == ((ip_address("10.0.0.9"),), ())
    found = addresses_of({"status": {"addresses": [{"type": "InternalIP", "address": "::ffff:10.0.0.9"}]}})
    assert found.addresses == {ip_address("10.0.0.9")}


@pytest.mark.parametrize(
    ("written", "rule"),
    [("::ffff:10.0.0.9", rules.SHARED_ADDRESS), ("::ffff:127.0.0.1", rules.FOREIGN_ADDRESS)],
)
def test_no_address_gets_past_a_rule_by_being_written_as_ipv6(written, rule):
    """A node that was taken over adds addresses to its own object: w2 has one, everybody the other."""
    nodes = {
        name: addresses_of({"status": {"addresses": [{"type": "InternalIP", "address": address}]}})
        for name, address in (("w1", written), ("w2", "10.0.0.9"))
    }
    request = request_of(document(pem(csr(names=[x509.IPAddress(ip_address(written))]))))
    assert [breach.rule for breach in judge(request, Nodes(nodes)).breaches] == [rule]


@pytest.mark.parametrize(
    ("names", "why"),
    [
        ([x509.DNSName(f"n{number}") for number in range(MOST_NAMES + 1)], "it has 101 alternative names"),
        ([x509.DNSName("n" * 200) for _ in range(50)], f"it has more than {SIZE_LIMIT} bytes"),
    ],
    ids=["many names", "long"],
)
def test_what_is_far_larger_than_a_kubelets_is_not_taken_apart(names, why):
    request = request_of(document(pem(csr(names=names))))
    assert request.content is None
    assert why in request.broken


def test_a_node_may_have_many_names_and_a_large_key():
    names = [x509.DNSName(f"n{number}.example.com") for number in range(MOST_NAMES)]
    assert len(content_of(pem(csr(names=names))).dns_names) == MOST_NAMES
    key = rsa.generate_private_key(65537, 4096)
    assert content_of(pem(csr(key=key))).strong


def test_an_outline_keeps_nothing_that_is_too_long():
    outline = outline_of(document(b"A" * (SIZE_LIMIT + 10)))
    assert outline.encoded == ""
    assert outline.broken == f"it has more than {SIZE_LIMIT} bytes"
