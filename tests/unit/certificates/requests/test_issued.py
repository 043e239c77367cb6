"""The certificate is compared with what was judged: all that gives it power."""

import base64
from dataclasses import replace
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from kubectl_admin.certificates.requests.facts import request_of
from kubectl_admin.certificates.requests.issued import of_pem, remedy
from kubectl_admin.certificates.requests.policy import judge
from tests.unit.certificates.requests.samples import DEFAULT, NODES, SUBJECT, csr, document, made, pem

JUDGED = judge(request_of(document(pem(csr()))), NODES)
MASTERS = (NameOID.ORGANIZATION_NAME, "system:masters")
DAY = 24 * 3600


def differences(*certificates: str, judged=JUDGED):
    text = b"".join(map(base64.b64decode, certificates)).decode()
    return of_pem(judged, text).differences


def test_a_certificate_as_it_was_judged_is_no_difference():
    issued = of_pem(JUDGED, base64.b64decode(made()).decode())
    assert (issued.serial, issued.seconds, issued.differences) == ("abc", 365 * DAY, ())
    assert len(issued.key) == 64


@pytest.mark.parametrize(
    ("certificate", "told"),
    [
        (made(key=ec.generate_private_key(ec.SECP256R1())), "another key"),
        (made(subject=(*SUBJECT, MASTERS)), "«organizationName=system:masters»"),
        (made(subject=SUBJECT[1:]), "its subject is «commonName=system:node:w1»"),
        (made(subject=(SUBJECT[0], (NameOID.COMMON_NAME, "system:node:cp1"))), "system:node:cp1"),
        (made(names=[*DEFAULT, x509.DNSName("cp1")]), "it also names cp1"),
        (made(names=[*DEFAULT, x509.IPAddress(ip_address("10.96.0.1"))]), "it also names 10.96.0.1"),
        (made(names=[*DEFAULT, x509.RFC822Name("a@b.c")]), "it also names email a@b.c"),
        (made(names=DEFAULT[:1]), "it does not name 10.0.0.11"),
        (made(names=()), "it does not name 10.0.0.11, w1"),
        (made(purposes=[ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), "its purpose is"),
        (made(purposes=[ExtendedKeyUsageOID.CLIENT_AUTH]), "its purpose is 1.3.6.1.5.5.7.3.2"),
        (made(purposes=()), "its purpose is any"),
        (made(key_cert_sign=True), "«key cert sign»"),
        (made(digital_signature=False), "its key may be used for none"),
        (made(ca=True), "it may sign other certificates"),
    ],
)
def test_each_difference_is_told(certificate, told):
    found = "; ".join(differences(certificate))
    assert told in found


def test_another_certificate_that_comes_with_it_is_told_unless_it_is_an_authoritys():
    foreign = made(names=[x509.DNSName("kubernetes")], subject=(SUBJECT[0],))
    assert differences(made(), made(ca=True)) == ()
    assert differences(made(), foreign) == ("another certificate comes with it, for O=system:nodes",)


@pytest.mark.parametrize(
    ("asked", "days", "told"),
    [(DAY, 1, ()), (60, 1, ("it lasts 24 hours, not 60 seconds",)), (DAY, 365, None), (None, 3650, ())],
    ids=["as asked", "an hour asked", "a year instead of a day", "left to the signer"],
)
def test_how_long_it_lasts_is_what_was_asked_for(asked, days, told):
    judged = replace(JUDGED, request=replace(JUDGED.request, expiration=asked))
    found = differences(made(days=days), judged=judged)
    assert found == told if told is not None else "it lasts 365 days" in found[0]


def test_an_address_written_as_ipv6_is_the_one_that_is_issued():
    mapped = x509.IPAddress(ip_address("::ffff:10.0.0.11"))
    judged = judge(request_of(document(pem(csr(names=[DEFAULT[0], mapped])))), NODES)
    assert differences(made(), judged=judged) == ()


def test_what_can_not_be_compared_is_a_difference():
    text = base64.b64decode(made())
    lines = text.splitlines()
    der = base64.b64decode(b"".join(lines[1:-1]))
    odd = der.replace(b"\x06\x03\x55\x1d\x11", b"\x06\x03\x55\x1d\x0f")  # the usage of the key, twice
    (found,) = differences(base64.b64encode(armored(odd)).decode())
    assert found.startswith("it can't be compared: ")


def armored(der: bytes) -> bytes:
    body = base64.encodebytes(der)
    return b"-----BEGIN CERTIFICATE-----\n" + body + b"-----END CERTIFICATE-----\n"


def test_what_is_no_certificate_at_all_is_a_difference_too():
    """Another parser may well read it."""
    issued = of_pem(JUDGED, "nothing")
    assert issued.differences[0].startswith("it can't be read: ")
    assert "until it expires" in remedy(JUDGED, issued)
