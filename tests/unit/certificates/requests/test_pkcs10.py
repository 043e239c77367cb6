"""A request is judged by what is in it only where nothing else is in it."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID

from kubectl_admin.certificates.der import tlv
from kubectl_admin.certificates.requests import rules
from kubectl_admin.certificates.requests.facts import CLIENT, content_of, request_of
from kubectl_admin.certificates.requests.policy import Verdict, judge
from tests.unit.certificates.requests.hostile import Forger
from tests.unit.certificates.requests.samples import DEFAULT, NODES, csr, document, pem

FOREIGN = [x509.DNSName("kubernetes.default.svc"), x509.DNSName("cp1")]
FORGER = Forger("w1", DEFAULT, FOREIGN)
TABLE = FORGER.table()


def judged(request: bytes):
    return judge(request_of(document(request)), NODES)


def test_the_request_that_all_of_them_are_made_of_is_valid():
    assert judged(FORGER.honest()).verdict is Verdict.VALID


@pytest.mark.parametrize("request_", TABLE.values(), ids=TABLE)
def test_what_two_parsers_may_take_differently_is_refused_with_a_reason(request_):
    found = judged(request_)
    assert found.verdict is Verdict.REFUSED
    assert found.breaches
    assert all(breach.evidence for breach in found.breaches)


def test_names_that_only_the_signer_would_read_are_told_by_their_attribute():
    found = judged(FORGER.two_parsers())
    assert content_of(FORGER.two_parsers()).dns_names == ("w1",)
    assert [breach.rule for breach in found.breaches] == [rules.ATTRIBUTES]
    assert "1.3.6.1.4.1.311.2.1.14" in found.breaches[0].evidence


def test_what_nothing_else_tells_is_refused_by_its_bytes():
    found = judged(TABLE["organization and common name in one step"])
    assert [breach.rule for breach in found.breaches] == [rules.INEXACT]


def test_bytes_are_looked_at_where_all_else_is_for_a_person_to_decide():
    twin = {**NODES, "w2": NODES["w1"]}
    request = request_of(document(TABLE["organization and common name in one step"]))
    found = judge(request, type(NODES)(twin))
    assert (found.verdict, found.breaches[0].rule) == (Verdict.REFUSED, rules.INEXACT)


@pytest.mark.parametrize(
    "key",
    [
        ec.generate_private_key(ec.SECP384R1()),
        ed25519.Ed25519PrivateKey.generate(),
        rsa.generate_private_key(65537, 2048),
    ],
    ids=["P-384", "Ed25519", "RSA"],
)
def test_every_kind_of_key_is_written_as_it_was(key):
    assert content_of(pem(csr(key=key))).exact


def test_many_names_of_all_lengths_are_written_as_they_were():
    names = [x509.DNSName("w" * count + ".example.com") for count in range(1, 60)]
    assert content_of(pem(csr(names=names))).exact


def test_a_client_certificates_request_has_no_attributes():
    request = request_of(document(pem(csr(names=())), signerName=CLIENT))
    assert request.content
    assert request.content.exact


def test_a_subject_may_stand_in_either_order():
    subject = ((NameOID.COMMON_NAME, "system:node:w1"), (NameOID.ORGANIZATION_NAME, "system:nodes"))
    assert judged(pem(csr(subject))).verdict is Verdict.VALID


@pytest.mark.parametrize(
    ("length", "head"),
    [
        (0, b"\x30\0"),
        (127, b"\x30\x7f"),
        (128, b"\x30\x81\x80"),
        (256, b"\x30\x82\x01\0"),
        (65536, b"\x30\x83\x01\0\0"),
    ],
)
def test_lengths_are_as_short_as_they_can_be(length, head):
    assert tlv(0x30, bytes(length)) == head + bytes(length)
