import base64

import pytest

from kubectl_admin.certificates import x509
from kubectl_admin.certificates.x509 import Broken
from tests.unit.certificates.samples import KINDS, NOW, certificate, key_pem, pem


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_certificate_says(kind):
    (found,) = x509.read(pem("kube:apiserver", kind=kind, names=("kubernetes", "10.0.0.11", "fd00::11")))
    assert found.key == kind
    assert (found.common_name, found.organizations) == ("kube:apiserver", ("system:masters",))
    assert found.subject == "CN=kube:apiserver,O=system:masters"
    assert found.names == ("DNS:kubernetes", "IP:10.0.0.11", "IP:fd00::11")
    assert found.usages == ("server auth",)
    assert found.serial_text == "0ABC"
    assert (found.not_after - NOW).days == 365
    assert found.signs_itself
    assert not found.authority
    assert len(found.fingerprint) == 64


def test_several_in_a_file_in_their_order_with_text_and_keys_between():
    text = b"some text\n" + pem("a") + key_pem() + b"more\n" + pem("b") + pem("c").replace(b"\n", b"\r\n")
    assert [found.common_name for found in x509.read(text)] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"", "it is empty"),
        (b" \n\n", "it is empty"),
        (b"hello", "no PEM certificate in it"),
        (b"\xff\xfe\x00", "no PEM certificate in it"),
        (key_pem(), "no PEM certificate in it"),
        (pem()[:300], "a PEM certificate in it is cut off or damaged"),
        (pem()[:300] + key_pem(), "a PEM certificate in it is cut off or damaged"),
        (pem().replace(b"MII", b"M!I"), "a PEM certificate in it is not base64"),
    ],
)
def test_what_is_no_certificate(text, why):
    assert x509.read(text) == [Broken(why)]


@pytest.mark.parametrize("place", range(0, 400, 7))
def test_a_damaged_one_is_never_a_traceback(place):
    der = base64.b64decode(b"".join(pem().splitlines()[1:-1]))
    damaged = der[:place] + bytes([der[place] ^ 0x55]) + der[place + 1 :] if place < len(der) else b""
    x509.of_der(damaged)
    x509.of_der(der[:place])


def test_a_broken_one_between_others_leaves_those():
    found = x509.read(pem("a") + pem()[:200] + b"\n" + pem("b"))
    assert [getattr(one, "common_name", "broken") for one in found] == ["a", "broken", "b"]


def test_a_bundle_in_base64():
    data = base64.b64encode(pem("a") + pem("b")).decode()
    assert [found.common_name for found in x509.of_base64(data)] == ["a", "b"]
    assert [found.common_name for found in x509.of_base64(data[:40] + "\n" + data[40:])] == ["a", "b"]
    assert x509.of_base64("!") == [Broken("it is not base64")]
    assert x509.of_base64("Cg==") == [Broken("it is empty")]


def test_who_has_signed_whom():
    one = certificate("kubernetes", issuer="CN=kubernetes", subject_key="aa", serial=1)
    assert one.signed(certificate("apiserver", authority_key="aa", serial=2))
    assert one.signed(certificate("apiserver", serial=2))
    assert not one.signed(certificate("apiserver", authority_key="bb", serial=2))
    assert not one.signed(certificate("apiserver", issuer="CN=other", authority_key="aa", serial=2))
    assert not one.signed(one)
