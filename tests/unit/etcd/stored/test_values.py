"""What the stored form of an object tells."""

import json
import tracemalloc
from uuid import UUID

import pytest

from kubectl_admin.etcd.stored import values
from kubectl_admin.etcd.stored.facts import Kind
from tests.unit.etcd.diff.history import custom, definition, stored, text

ONE = UUID(int=1)


@pytest.mark.parametrize("value", [stored(ONE), custom(ONE), stored(ONE, b"x" * 5000)])
def test_the_uid_of_an_object(value):
    assert values.uid(value) == ONE.bytes
    assert values.uid_text(values.uid(value)) == str(ONE)


def of_metadata(metadata):
    return b"k8s\x00" + text(2, text(1, metadata))


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"k8s\x00",
        b"k8s:enc:aescbc:v1:key:xxxx",
        stored(None),
        stored(ONE)[:40],
        of_metadata(text(5, b"")),
        of_metadata(text(5, b"not-a-uid")),
        of_metadata(text(5, str(ONE).upper().replace("0", "A").encode())),
        of_metadata(text(11, b"a label") * 100 + text(5, str(ONE).encode())),
        b"{}",
        b"{",
        b'{"metadata": []}',
        b'{"metadata": {"uid": 7}}',
        b'{"metadata": {"uid": "\\u00e9"}}',
        b'{"a":' * 100_000,
        b'{"a": ' + b"1" * 5000 + b"}",
        b"[1]",
        b"anything",
    ],
)
def test_values_that_tell_no_uid(value):
    assert values.uid(value) is None


def test_a_value_that_is_too_long_is_not_looked_into(monkeypatch):
    monkeypatch.setattr(values, "LONG", 100)
    assert values.uid(custom(ONE, "x" * 100)) is None


def test_a_long_value_takes_no_memory():
    """JSON takes 25 times its length."""
    value = b'{"a":[' + b"{}," * (1 << 20) + b"1]}"
    tracemalloc.start()
    try:
        assert values.uid(value) is None
        assert tracemalloc.get_traced_memory()[1] < len(value)
    finally:
        tracemalloc.stop()


def test_encryption_is_told_by_the_first_bytes():
    assert values.is_encrypted(b"k8s:enc:")
    assert not values.is_encrypted(b"k8s\x00")


@pytest.mark.parametrize("scope", ["Namespaced", "Cluster"])
def test_the_kind_that_a_definition_makes(scope):
    _, value = definition("Certificate", "cert-manager.io", "certificates", scope)
    assert values.custom_kind(value) == Kind(
        "Certificate", "cert-manager.io", "certificates", namespaced=scope == "Namespaced", custom=True
    )


@pytest.mark.parametrize(
    "spec",
    [
        None,
        {},
        {"group": "a.io", "names": {"kind": "A", "plural": "as"}},
        {"group": "a.io", "names": {"kind": "A", "plural": "as"}, "scope": "Galaxy"},
        {"group": "a.io", "names": {"kind": "A", "plural": ["as"]}, "scope": "Cluster"},
        {"group": "", "names": {"kind": "A", "plural": "as"}, "scope": "Cluster"},
        {"group": "a.io", "names": [], "scope": "Cluster"},
        {"group": "a.io", "names": {"kind": "A" * 64, "plural": "as"}, "scope": "Cluster"},
        {"group": "a.io", "names": {"kind": "A\x1b[31m", "plural": "as"}, "scope": "Cluster"},
        {"group": "a.io", "names": {"kind": "A\ud800", "plural": "as"}, "scope": "Cluster"},
        {"group": "a.io", "names": {"kind": "A", "plural": "a/s"}, "scope": "Cluster"},
        {"group": "a" * 252 + ".io", "names": {"kind": "A", "plural": "as"}, "scope": "Cluster"},
    ],
)
def test_definitions_that_make_no_kind(spec):
    assert values.custom_kind(json.dumps({"spec": spec}).encode()) is None
