"""A control plane's keys out of its files: alike where they are alike, and nothing of a key in sight."""

from base64 import b64encode
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import NameOID

from kubectl_admin.backup.differences import judge
from kubectl_admin.backup.node_keys import is_pair, keys_of, public_keys
from kubectl_admin.control_plane.component import APISERVER, CONTROLLER_MANAGER, ETCD
from kubectl_admin.etcd.stored.encryption import Encryption
from tests.unit.backup.samples import part

PKI = "/etc/kubernetes/pki"
SECRET = b64encode(b"0123456789abcdef0123456789abcdef").decode()
ENCRYPTION = f"""
kind: EncryptionConfiguration
resources:
- resources: [secrets]
  providers:
  - aescbc: {{keys: [{{name: key1, secret: {SECRET}}}]}}
  - identity: {{}}
"""
KEYS = {name: ec.generate_private_key(ec.SECP256R1()) for name in ("ca", "front", "etcd", "sa", "other")}


def private(key, form=PrivateFormat.PKCS8):
    return key.private_bytes(Encoding.PEM, form, NoEncryption())


def public(key):
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def certificate(key):
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")])
    now = datetime(2026, 11, 30, tzinfo=UTC)
    built = x509.CertificateBuilder(name, name, key.public_key(), 7, now, now + timedelta(days=9), []).sign(
        key, SHA256()
    )
    return built.public_bytes(Encoding.PEM)


CERTIFICATES = {name: certificate(KEYS[name]) for name in ("ca", "front", "etcd", "other")}
PODS = (
    part(
        f"--client-ca-file={PKI}/ca.crt",
        f"--requestheader-client-ca-file={PKI}/front-proxy-ca.crt",
        f"--service-account-signing-key-file={PKI}/sa.key",
        f"--service-account-key-file={PKI}/sa.pub",
    ),
    part(f"--service-account-private-key-file={PKI}/sa.key", component=CONTROLLER_MANAGER),
    part(f"--trusted-ca-file={PKI}/etcd/ca.crt", component=ETCD),
)
FILES = {
    f"{PKI}/ca.crt": CERTIFICATES["ca"],
    f"{PKI}/ca.key": private(KEYS["ca"], PrivateFormat.TraditionalOpenSSL),
    f"{PKI}/front-proxy-ca.crt": CERTIFICATES["front"],
    f"{PKI}/front-proxy-ca.key": private(KEYS["front"]),
    f"{PKI}/etcd/ca.crt": CERTIFICATES["etcd"],
    f"{PKI}/sa.key": private(KEYS["sa"]),
    f"{PKI}/sa.pub": public(KEYS["sa"]),
}


def test_a_control_plane_of_kubeadm():
    found = keys_of("cp-1", PODS, FILES)
    assert found.why == ""
    assert {name: len(prints) for name, prints in found.authorities.items()} == {
        "ca": 1,
        "front-proxy-ca": 1,
        "etcd-ca": 1,
    }
    assert found.foreign == ()
    assert found.signs == found.accepts == public_keys(public(KEYS["sa"]))
    assert found.encryption == Encryption()
    assert judge([found, keys_of("cp-2", PODS, FILES)]) == []


@pytest.mark.parametrize(
    ("path", "content", "rule"),
    [
        (f"{PKI}/ca.crt", CERTIFICATES["other"], "backup-authorities-differ"),
        (f"{PKI}/front-proxy-ca.key", private(KEYS["other"]), "backup-foreign-key"),
        (f"{PKI}/sa.key", private(KEYS["other"]), "backup-signing-keys-differ"),
        (f"{PKI}/sa.pub", public(KEYS["other"]), "backup-signing-keys-differ"),
    ],
)
def test_one_that_differs_is_found(path, content, rule):
    changed = keys_of("cp-2", PODS, {**FILES, path: content})
    assert rule in {one.rule for one in judge([keys_of("cp-1", PODS, FILES), changed])}


@pytest.mark.parametrize("path", [f"{PKI}/ca.crt", f"{PKI}/sa.key", f"{PKI}/sa.pub", f"{PKI}/etcd/ca.crt"])
@pytest.mark.parametrize("content", [None, b"", b"\0\xff" * 900, b"-----BEGIN CERTIFICATE-----\nAAAA\n"])
def test_what_can_not_be_read_is_not_known_and_never_alike(path, content):
    files = {name: data for name, data in {**FILES, path: content}.items() if data is not None}
    found = keys_of("cp-1", PODS, files)
    assert path in found.why


def test_an_authority_whose_key_is_elsewhere_is_no_fault():
    files = {path: data for path, data in FILES.items() if not path.endswith("ca.key")}
    assert keys_of("cp-1", PODS, files).foreign == ()


def test_an_authoritys_key_that_can_not_be_read_is_not_known():
    found = keys_of("cp-1", PODS, {**FILES, f"{PKI}/ca.key": b"ENCRYPTED"})
    assert (found.foreign, found.why) == ((), f"{PKI}/ca.key has no key that can be read")


def test_parts_that_are_not_seen_are_not_known():
    found = keys_of("cp-1", [], FILES)
    assert "kube-apiserver is not seen" in found.why
    assert found.encryption is None


def test_several_keys_and_a_bundle():
    both = public(KEYS["sa"]) + b"\n# old\n" + public(KEYS["other"])
    assert keys_of("cp-1", PODS, {**FILES, f"{PKI}/sa.pub": both}).accepts == public_keys(both)
    assert len(public_keys(both)) == 2
    bundle = keys_of("cp-1", PODS, {**FILES, f"{PKI}/ca.crt": CERTIFICATES["other"] + CERTIFICATES["ca"]})
    assert len(bundle.authorities["ca"]) == 2
    assert bundle.foreign == ()


@pytest.mark.parametrize(
    "key", [rsa.generate_private_key(65537, 2048), KEYS["sa"], ed25519.Ed25519PrivateKey.generate()]
)
def test_every_kind_of_key_has_one_fingerprint_however_it_is_written(key):
    assert len(public_keys(public(key) + private(key))) == 1


def test_pairs():
    assert is_pair(private(KEYS["ca"]), CERTIFICATES["ca"])
    assert not is_pair(private(KEYS["ca"]), CERTIFICATES["etcd"])
    assert not is_pair(b"", b"")


def encrypted(text):
    pods = (
        part(
            *[f"--{flag}={value}" for flag, value in PODS[0].flags.items()],
            "--encryption-provider-config=/etc/kubernetes/enc.yaml",
        ),
        *PODS[1:],
    )
    files = FILES if text is None else {**FILES, "/etc/kubernetes/enc.yaml": text.encode()}
    return keys_of("cp-1", pods, files)


def test_the_configuration_of_encryption():
    found = encrypted(ENCRYPTION)
    assert found.why == ""
    assert [one.kind for one in found.encryption.providers("", "secrets")] == ["aescbc", "identity"]
    assert SECRET not in repr(found)
    assert "0123456789abcdef" not in repr(found)


@pytest.mark.parametrize("text", [None, "", "{", "kind: X", f"kind: EncryptionConfiguration\nx: {SECRET}"])
def test_a_configuration_that_is_not_understood_is_said_without_its_keys(text):
    found = encrypted(text)
    assert found.encryption is None
    assert "/etc/kubernetes/enc.yaml is not understood" in found.why
    assert SECRET not in found.why


def test_nothing_of_a_private_key_is_in_sight():
    lines = [line for name in KEYS for line in private(KEYS[name]).decode().splitlines()[1:-1]]
    said = repr(keys_of("cp-1", PODS, FILES))
    assert not [line for line in lines if line in said]
    assert APISERVER not in said
