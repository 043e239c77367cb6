import base64
import subprocess
import sys

import pytest

from kubectl_admin.certificates import der, x509
from kubectl_admin.certificates.der import tlv
from kubectl_admin.certificates.x509 import Broken, Certificate
from tests.unit.certificates.samples import KINDS, NOW, key_pem, pem


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


def test_of_two_common_names_the_last_is_the_user_as_in_go():
    found = x509.of_der(WHOLE.replace(b"\x55\x04\x0a", b"\x55\x04\x03"))
    assert isinstance(found, Certificate)
    assert (found.subject, found.common_name) == ("CN=kube-apiserver,CN=system:masters", "kube-apiserver")


def test_several_in_a_file_in_their_order_with_text_and_keys_between():
    text = b"some text\n" + pem("a") + key_pem() + b"more\n" + pem("b") + pem("c").replace(b"\n", b"\r\n")
    assert [found.common_name for found in x509.read(text)] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"", "it is empty"),
        (b" \n\n", "it is empty"),
        (b"hello", "it holds no PEM certificate"),
        (b"\xff\xfe\x00", "it holds no PEM certificate"),
        (key_pem(), "it holds no PEM certificate"),
        (pem()[:300], "a PEM certificate in it is cut off or damaged"),
        (pem()[:300] + key_pem(), "a PEM certificate in it is cut off or damaged"),
        (pem().replace(b"MII", b"M!I"), "a PEM certificate in it is not base64"),
    ],
)
def test_what_is_no_certificate(text, why):
    assert x509.read(text) == [Broken(why)]


def test_a_damaged_one_is_never_a_traceback():
    der = base64.b64decode(b"".join(pem().splitlines()[1:-1]))
    for place in range(0, len(der), 7):
        damaged = der[:place] + bytes([der[place] ^ 0x55]) + der[place + 1 :]
        for broken in (damaged, der[:place]):
            assert x509.of_der(broken), (place, broken.hex())  # a traceback shows both
    assert x509.of_der(b"")


def test_a_broken_one_between_others_leaves_those():
    found = x509.read(pem("a") + pem()[:200] + b"\n" + pem("b"))
    assert [getattr(one, "common_name", "broken") for one in found] == ["a", "broken", "b"]


def test_a_bundle_in_base64():
    data = base64.b64encode(pem("a") + pem("b")).decode()
    assert [found.common_name for found in x509.of_base64(data)] == ["a", "b"]
    assert [found.common_name for found in x509.of_base64(data[:40] + "\n" + data[40:])] == ["a", "b"]
    assert x509.of_base64("!") == [Broken("it is not base64")]
    assert x509.of_base64("Cg==") == [Broken("it is empty")]


def test_of_very_many_in_a_file_the_first_are_read():
    found = x509.read(pem("a") * (x509.LIMIT + 7))
    assert len(found) == x509.LIMIT + 1
    assert found[-1] == Broken(f"only the first {x509.LIMIT} certificates in it are read")
    assert len(x509.read(pem("a") * x509.LIMIT)) == x509.LIMIT


def resigned(certificate: bytes, oid: str, value: bytes) -> bytes:
    """A certificate in DER with another value of one extension, or with one more; signed no more."""
    tbs, *signature = der.parts(certificate)
    *before, last = der.parts(tbs)
    kept = [one for one in der.parts(der.content(last)) if der.identifier(der.parts(one)[0]) != oid]
    name = tlv(der.OBJECT, {"2.5.29": b"\x55\x1d"}[oid.rpartition(".")[0]] + bytes([int(oid.split(".")[3])]))
    extension = tlv(der.SEQUENCE, name, tlv(der.OCTETS, value))
    extensions = tlv(der.EXTENSIONS, tlv(der.SEQUENCE, *kept, extension))
    return tlv(der.SEQUENCE, tlv(der.SEQUENCE, *before, extensions), *signature)


WHOLE = base64.b64decode(b"".join(pem().splitlines()[1:-1]))
BASIC, USAGE, EXTENDED, SIGNER = (f"2.5.29.{number}" for number in (19, 15, 37, 35))


@pytest.mark.parametrize(
    ("oid", "value", "name"),
    [
        (BASIC, tlv(0x30, tlv(0x02, b"\0")), "basicConstraints"),  # CA:FALSE, pathlen:0
        (EXTENDED, tlv(0x30), "extendedKeyUsage"),
        (USAGE, tlv(0x03, b"\0\x81"), "keyUsage"),  # encipherOnly without keyAgreement
        (SIGNER, tlv(0x30, tlv(0x82, b"\x01")), "authorityKeyIdentifier"),  # a serial without its issuer
        ("2.5.29.99", b"junk", None),
    ],
)
def test_one_odd_extension_hides_nothing_else(oid, value, name):
    """Go reads all of these, so they work."""
    found = x509.of_der(resigned(WHOLE, oid, value))
    assert isinstance(found, Certificate)
    assert (found.common_name, found.serial_text, found.names) == (
        "kube-apiserver",
        "0ABC",
        ("DNS:kubernetes", "IP:10.0.0.11"),
    )
    assert (found.not_after - NOW).days == 365
    assert found.subject_key
    assert [each.partition(":")[0] for each in found.odd] == ([name] if name else [])


def test_an_extension_that_is_there_twice_is_no_certificate_to_go_either():
    _, one = next(der.each_extension(WHOLE))
    tbs, *signature = der.parts(one)
    *before, last = der.parts(tbs)
    (extension,) = der.parts(der.content(last))
    twice = tlv(der.EXTENSIONS, tlv(der.SEQUENCE, extension, extension))
    found = x509.of_der(tlv(der.SEQUENCE, tlv(der.SEQUENCE, *before, twice), *signature))
    assert isinstance(found, Broken)


@pytest.mark.parametrize(
    "data", [b"", b"\x30", b"\x30\x82", b"\x30\x02\x01", b"\x30\x00\x00", b"\x30\x03\x02\x05\x01"]
)
def test_what_can_not_be_taken_apart_is_said(data):
    with pytest.raises(ValueError, match="a value"):
        der.parts(data)


def test_oddities_of_a_name_or_serial_number_are_no_warnings_on_the_terminal(tmp_path):
    """Python's own, with the paths of this program, in the mail of whoever has it in cron."""
    odd = WHOLE.replace(b"\x02\x02\x0a\xbc", b"\x02\x02\x00\x80").replace(b"\x55\x04\x0a", b"\x55\x04\x06")
    (tmp_path / "odd.der").write_bytes(odd)
    words = "import sys; from kubectl_admin import cli; from kubectl_admin.certificates import x509"
    act = "print(x509.of_der(open(sys.argv[1], 'rb').read()).subject)"
    for quiet, silent in (("cli.silence_warnings()", True), ("0", False)):
        command = [sys.executable, "-c", f"{words}; {quiet}; {act}", str(tmp_path / "odd.der")]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "CN=kube-apiserver,C=system:masters"
        assert (done.stderr == "") is silent
