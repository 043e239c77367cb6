"""Control planes that are each well, and are not one cluster."""

from base64 import b64encode

import pytest

from kubectl_admin.backup import rules
from kubectl_admin.backup.differences import judge
from kubectl_admin.etcd.stored.encryption import Encryption, configured
from tests.unit.backup.samples import CA, NEW, OLD, control_plane

SECRETS = {name: b64encode(name.encode().ljust(32, b"x")).decode() for name in ("one", "two")}


def aescbc(*keys, last="identity", kind="aescbc", resources=("secrets",)):
    """Providers: these keys in this order, «NAME» or «NAME=SECRET»."""
    made = [{"name": key.split("=")[0], "secret": SECRETS[key.split("=")[-1]]} for key in keys]
    providers = [{kind: {"keys": made}}, *([{last: {}}] if last else [])]
    return configured(
        {
            "kind": "EncryptionConfiguration",
            "resources": [{"resources": list(resources), "providers": providers}],
        }
    )


def kms(name):
    providers = [{"kms": {"name": name, "apiVersion": "v2", "endpoint": "unix:///x"}}, {"identity": {}}]
    return configured(
        {"kind": "EncryptionConfiguration", "resources": [{"resources": ["secrets"], "providers": providers}]}
    )


def found(*control_planes):
    return [(one.rule, str(one.severity)) for one in judge(control_planes)]


def test_the_same_on_all_is_well():
    assert found() == []
    assert found(control_plane()) == []
    assert found(control_plane("cp-1"), control_plane("cp-2"), control_plane("cp-3")) == []


@pytest.mark.parametrize("name", list(CA))
def test_another_authority(name):
    other = control_plane("cp-2", authorities={**CA, name: frozenset({NEW})})
    (one,) = judge([control_plane(), other, control_plane("cp-3")])
    assert (one.rule, str(one.severity), one.subject) == (
        rules.AUTHORITIES_DIFFER.id,
        "violation",
        f"authority {name}",
    )
    assert one.evidence == "000000000000… on cp-1, cp-3; ffffffffffff… on cp-2"


def test_an_authority_that_is_being_replaced():
    bundle = control_plane("cp-2", authorities={**CA, "ca": frozenset({OLD, NEW})})
    assert found(control_plane(), bundle) == [(rules.AUTHORITIES_DIFFER.id, "warning")]
    done = control_plane("cp-3", authorities={**CA, "ca": frozenset({NEW})})
    assert found(control_plane(), bundle, done) == [(rules.AUTHORITIES_DIFFER.id, "violation")]


def test_an_external_etcd_has_no_authority_to_compare():
    without = control_plane("cp-2", authorities={"ca": CA["ca"]})
    assert found(control_plane(), without) == []
    assert found(control_plane(), control_plane("cp-2", authorities={**CA, "ca": frozenset()})) == []


def test_a_key_that_is_not_its_certificates():
    assert found(control_plane(foreign=("etcd-ca",))) == [(rules.FOREIGN_KEY.id, "violation")]


def test_tokens_that_are_refused_elsewhere():
    other = control_plane("cp-2", signs=frozenset({NEW}), accepts=frozenset({NEW}))
    (one,) = judge([control_plane(), other])
    assert (one.rule, str(one.severity)) == (rules.SIGNING_KEYS_DIFFER.id, "violation")
    assert set(one.objects) == {"node/cp-1", "node/cp-2"}


def test_tokens_that_are_refused_at_home():
    assert found(control_plane(signs=frozenset({NEW}))) == [(rules.SIGNING_KEYS_DIFFER.id, "violation")]


def test_a_signing_key_that_is_being_replaced():
    both = frozenset({OLD, NEW})
    assert found(
        control_plane(accepts=both), control_plane("cp-2", signs=frozenset({NEW}), accepts=both)
    ) == [(rules.SIGNING_KEYS_DIFFER.id, "note")]
    half = control_plane("cp-2", signs=frozenset({NEW}), accepts=both)
    assert found(control_plane(), half) == [(rules.SIGNING_KEYS_DIFFER.id, "violation")]


def test_a_control_plane_may_sign_by_several_keys():
    both = frozenset({OLD, NEW})
    assert found(control_plane(signs=both, accepts=both)) == [(rules.SIGNING_KEYS_DIFFER.id, "note")]
    assert found(control_plane(signs=both)) == [(rules.SIGNING_KEYS_DIFFER.id, "violation")]


def test_keys_that_are_in_no_file_are_not_compared():
    assert found(control_plane(signs=frozenset(), accepts=frozenset()), control_plane("cp-2")) == []


@pytest.mark.parametrize(
    ("one", "two", "severity"),
    [
        (aescbc("one"), aescbc("one"), None),
        (aescbc("one"), Encryption(), "violation"),
        (aescbc("one", last=""), Encryption(), "violation"),
        (aescbc("one"), aescbc("two"), "violation"),
        (aescbc("one"), aescbc("one=two"), "violation"),
        (aescbc("one"), aescbc("one", kind="aesgcm"), "violation"),
        (aescbc("two", "one"), aescbc("one"), "violation"),
        (aescbc("two", "one"), aescbc("one", "two"), "warning"),
        (aescbc("one"), aescbc("one", last=""), "warning"),
        (aescbc("one", resources=("*.*",)), aescbc("one", resources=("secrets",)), None),
        (kms("vault"), kms("vault"), None),
        (kms("vault"), kms("other"), "violation"),
        (kms("vault"), aescbc("one"), "violation"),
    ],
)
def test_encryption(one, two, severity):
    expected = [(rules.ENCRYPTION_DIFFERS.id, severity)] if severity else []
    assert found(control_plane(encryption=one), control_plane("cp-2", encryption=two)) == expected
    assert found(control_plane(encryption=two), control_plane("cp-2", encryption=one)) == expected


def test_no_key_is_ever_told():
    control_planes = [
        control_plane(encryption=aescbc("one")),
        control_plane("cp-2", encryption=aescbc("one=two")),
    ]
    said = f"{judge(control_planes)} {control_planes}"
    for secret in SECRETS.values():
        assert secret not in said
    assert "xxxx" not in said


def test_what_is_not_known_is_said_and_not_taken_for_well():
    unknown = control_plane("cp-2", encryption=None, why="its keys of encryption can't be read")
    assert found(control_plane(encryption=aescbc("one")), unknown) == [("not-seen", "note")]
