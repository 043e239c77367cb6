"""Encrypted values, decrypted as an API server would."""

from base64 import b64encode

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from kubectl_admin.etcd.stored import secretbox
from kubectl_admin.etcd.stored.encryption import Encryption, Trial, Unconfigured, configured, opened
from tests.unit.etcd.diff.history import text

KEY, OTHER = b"k" * 32, b"o" * 32
AT = b"/registry/secrets/shop/s"
PLAIN = b"k8s\x00the object"

# From NaCl's own tests/secretbox.c.
BOX_KEY = bytes.fromhex("1b27556473e985d462cd51197a9a46c76009549eac6474f206c4ee0844f68389")
BOX_NONCE = bytes.fromhex("69696ee955b62b73cd62bda875fc73d68219e0036b7a0b37")
BOX_PLAIN = bytes.fromhex(
    "be075fc53c81f2d5cf141316ebeb0c7b5228c52a4c62cbd44b66849b64244ffce5ecbaaf33bd751a1ac728d45e6c61296cdc"
    "3c01233561f41db66cce314adb310e3be8250c46f06dceea3a7fa1348057e2f6556ad6b1318a024a838f21af1fde048977eb"
    "48f59ffd4924ca1c60902e52f0a089bc76897040e082f937763848645e0705"
)
BOX = bytes.fromhex(
    "f3ffc7703f9400e52a7dfb4b3d3305d98e993b9f48681273c29650ba32fc76ce48332ea7164d96a4476fb8c531a1186ac0df"
    "c17c98dce87b4da7f011ec48c97271d2c20f9b928fe2270d6fb863d51738b48eeee314a7cc8ab932164548e526ae90224368"
    "517acfeabd6bb3732bc0e9da99832b61ca01b6de56244a9e88d5f9b37973f622a43d14a6599b1f654cb45a74e355a5"
)


def gcm(key, plain=PLAIN, at=AT):
    return b"n" * 12 + AESGCM(key).encrypt(b"n" * 12, plain, at)


def cbc(key, plain=PLAIN):
    pad = 16 - len(plain) % 16
    encryptor = Cipher(AES(key), CBC(b"v" * 16)).encryptor()
    return b"v" * 16 + encryptor.update(plain + bytes([pad]) * pad) + encryptor.finalize()


def provider(kind, *keys):
    return {kind: {"keys": [{"name": name, "secret": b64encode(key).decode()} for name, key in keys]}}


def configuration(*providers, resources=("secrets",)):
    entry = {"resources": list(resources), "providers": list(providers)}
    return configured({"kind": "EncryptionConfiguration", "resources": [entry]})


def tried(encryption, value, at=AT):
    return opened(encryption.providers("", "secrets"), at, value)


@pytest.mark.parametrize("size", [16, 24, 32])
@pytest.mark.parametrize(("kind", "seal"), [("aesgcm", gcm), ("aescbc", cbc)])
def test_aes(kind, seal, size):
    value = f"k8s:enc:{kind}:v1:key1:".encode() + seal(KEY[:size])
    right = configuration(provider(kind, ("key0", OTHER), ("key1", KEY[:size])))
    assert tried(right, value).trial is Trial.OPENED
    assert tried(right, value).plain == PLAIN
    wrong = tried(configuration(provider(kind, ("key1", OTHER[:size]))), value)
    assert (wrong.trial, wrong.plain) == (Trial.REFUSED, None)
    assert wrong.why == f"key key1 of provider {kind} is another one"
    missing = tried(configuration(provider(kind, ("key2", KEY[:size]))), value)
    assert missing.why == f"provider {kind} has no key of that name"


def test_the_place_of_a_value_is_part_of_it_with_gcm_alone():
    """Source: aes.go: authenticated data are the key in etcd; AES-CBC has none."""
    value = b"k8s:enc:aesgcm:v1:key1:" + gcm(KEY)
    elsewhere = b"/registry/secrets/shop/t"
    assert tried(configuration(provider("aesgcm", ("key1", KEY))), value, elsewhere).trial is Trial.REFUSED
    value = b"k8s:enc:aescbc:v1:key1:" + cbc(KEY)
    assert tried(configuration(provider("aescbc", ("key1", KEY))), value, elsewhere).trial is Trial.OPENED


def test_a_wrong_key_of_cbc_that_pads_well_is_still_wrong():
    """One of 256 wrong keys gives a padding that looks right."""
    value = b"k8s:enc:aescbc:v1:key1:" + cbc(KEY)
    for number in range(2000):
        wrong = number.to_bytes(32)
        assert tried(configuration(provider("aescbc", ("key1", wrong))), value).trial is Trial.REFUSED


def test_secretbox_of_nacl():
    assert secretbox.opened(BOX_KEY, BOX_NONCE + BOX) == BOX_PLAIN
    assert secretbox.opened(OTHER, BOX_NONCE + BOX) is None
    assert secretbox.opened(BOX_KEY[:31], BOX_NONCE + BOX) is None
    assert secretbox.opened(BOX_KEY, BOX_NONCE + BOX[:15]) is None
    for at in (0, 30, len(BOX) + 23):
        changed = bytearray(BOX_NONCE + BOX)
        changed[at] ^= 1
        assert secretbox.opened(BOX_KEY, bytes(changed)) is None


@pytest.mark.parametrize("data", [b"", b"v" * 16, b"v" * 27, b"v" * 33])
@pytest.mark.parametrize("kind", ["aesgcm", "aescbc", "secretbox"])
def test_values_that_are_too_short(kind, data):
    value = f"k8s:enc:{kind}:v1:key1:".encode() + data
    assert tried(configuration(provider(kind, ("key1", KEY))), value).trial is Trial.REFUSED


def test_keys_of_no_size():
    for kind in ("aesgcm", "aescbc", "secretbox"):
        value = f"k8s:enc:{kind}:v1:key1:".encode() + b"v" * 64
        assert tried(configuration(provider(kind, ("key1", b"short"))), value).trial is Trial.REFUSED


def test_a_name_with_a_colon_and_two_keys_of_one_name():
    value = b"k8s:enc:aesgcm:v1:a:b:" + gcm(KEY)
    assert tried(configuration(provider("aesgcm", ("a", OTHER), ("a:b", KEY))), value).trial is Trial.OPENED
    value = b"k8s:enc:aesgcm:v1:key1:" + gcm(KEY)
    twice = configuration(provider("aesgcm", ("key1", OTHER)), provider("aesgcm", ("key1", KEY)))
    assert tried(twice, value).trial is Trial.OPENED


def test_what_is_not_encrypted():
    assert tried(Encryption(), PLAIN).plain == PLAIN
    assert tried(configuration(provider("aescbc", ("a", KEY)), {"identity": {}}), PLAIN).trial is Trial.OPENED
    refused = tried(configuration(provider("aescbc", ("a", KEY))), PLAIN)
    assert (refused.trial, refused.why) == (Trial.REFUSED, "only encrypted values are configured")
    sealed = b"k8s:enc:aesgcm:v1:key1:" + gcm(KEY)
    assert tried(Encryption(), sealed).why == "no provider of its kind is configured"
    assert tried(configuration({"identity": {}}), sealed).trial is Trial.REFUSED


def test_plugins():
    value = b"k8s:enc:kms:v2:vault:..."
    ours = {"kms": {"apiVersion": "v2", "name": "vault"}}
    near = {"kms": {"apiVersion": "v2", "name": "v"}}
    assert tried(configuration(ours), value).trial is Trial.UNKNOWN
    assert tried(configuration(ours), value).why == "only KMS plugin vault can decrypt it"
    told = b"k8s:enc:kms:v2:vault:" + text(1, b"sealed") + text(2, b"key-7")
    assert tried(configuration(ours), told).why == "only KMS plugin vault can decrypt it, by its key key-7"
    assert tried(configuration(near), value).trial is Trial.REFUSED
    assert tried(configuration({"kms": {"name": "vault"}}), value).trial is Trial.REFUSED  # it is v1
    assert tried(configuration(near, ours), value).trial is Trial.UNKNOWN


@pytest.mark.parametrize(
    ("resources", "group", "resource", "expected"),
    [
        (["secrets"], "", "secrets", True),
        (["secrets"], "a.io", "secrets", False),
        (["*."], "", "secrets", True),
        (["*."], "apps", "deployments", False),
        (["*.apps"], "apps", "deployments", True),
        (["*.*"], "apps", "deployments", True),
        (["pandas.awesome.bears.example"], "awesome.bears.example", "pandas", True),
        (["configmaps"], "", "secrets", False),
    ],
)
def test_the_providers_of_a_resource(resources, group, resource, expected):
    found = configuration(provider("aescbc", ("a", KEY)), resources=resources).providers(group, resource)
    assert [each.kind for each in found] == (["aescbc"] if expected else ["identity"])


def test_an_exact_name_counts_before_a_wildcard():
    document = {
        "kind": "EncryptionConfiguration",
        "resources": [
            {"resources": ["events"], "providers": [{"identity": {}}]},
            {"resources": ["*.*"], "providers": [provider("aescbc", ("a", KEY))]},
        ],
    }
    assert [each.kind for each in configured(document).providers("", "events")] == ["identity"]
    assert [each.kind for each in configured(document).providers("", "pods")] == ["aescbc"]


SECRET = b64encode(KEY).decode()


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {"kind": "Secret"},
        {"kind": "EncryptionConfiguration"},
        {"kind": "EncryptionConfiguration", "resources": [7]},
        {"kind": "EncryptionConfiguration", "resources": [{"providers": 7}]},
        {"kind": "EncryptionConfiguration", "resources": [{"providers": [{}]}]},
        {"kind": "EncryptionConfiguration", "resources": [{"providers": [{"rot13": {}}]}]},
        {"kind": "EncryptionConfiguration", "resources": [{"providers": [{"aescbc": {"keys": [7]}}]}]},
        {
            "kind": "EncryptionConfiguration",
            "resources": [{"providers": [{"aescbc": {"keys": [{"name": "a", "secret": f"{SECRET}!"}]}}]}],
        },
    ],
)
def test_documents_that_are_no_configuration(document):
    with pytest.raises(Unconfigured) as told:
        configured(document)
    assert SECRET not in str(told.value)


def test_keys_are_not_shown():
    encryption = configuration(provider("aescbc", ("key1", KEY)))
    value = b"k8s:enc:aescbc:v1:key1:" + cbc(KEY)
    shown = f"{encryption!r} {tried(encryption, value)!r}"
    assert "key1" in shown
    for secret in (KEY.decode(), SECRET, "the object"):
        assert secret not in shown
