"""What a value of bucket «key» is."""

import pytest

from kubectl_admin.etcd.snapshot import key_value as key_value_module
from kubectl_admin.etcd.snapshot.bolt.leaf import Stored
from kubectl_admin.etcd.snapshot.bolt.source import opened
from kubectl_admin.etcd.snapshot.key_value import KeyValue, key_value, user_key
from kubectl_admin.etcd.snapshot.protobuf import Undecodable
from tests.unit.etcd.snapshot.bolt_file import varint

NUMBERS = b"\x10\x02\x18" + varint(1 << 40) + b"\x20\x03"


@pytest.mark.parametrize(
    ("value", "key"),
    [
        (b"", b""),
        (b"\x0a\x01k", b"k"),  # a tombstone has no more
        (b"\x0a\x01k" + NUMBERS, b"k"),
        (b"\x0a\x01k" + NUMBERS + b"\x2a\x02vv", b"k"),
        (b"\x0a\x01k" + NUMBERS + b"\x2a\x02vv\x30" + varint(1 << 62), b"k"),
        (b"\x0a\x01k" + NUMBERS + b"\x2a" + varint(3000) + b"v" * 3000, b"k"),
        (b"\x0a\x01k" + NUMBERS + b"\x2a" + varint(3000) + b"v" * 3000 + b"\x30\x07", b"k"),
        (b"\x0a" + varint(200) + b"k" * 200 + NUMBERS + b"\x2a\x01v", b"k" * 200),
        (b"\x0a\x00" + NUMBERS, b""),
        (NUMBERS + b"\x0a\x01k", b"k"),  # in another order
        (b"\x0a\x01k" + NUMBERS + b"\x3a\x01x", b"k"),  # with a field of a later etcd
        (b"\x0a\x01k" + NUMBERS + b"\x2a\x01v\x3a\x01x", b"k"),
    ],
)
def test_the_key_of_a_value(value, key):
    assert user_key(value) == key
    assert key_value(value).key == key


@pytest.mark.parametrize(
    "value",
    [
        b"\x0a",
        b"\x0a\x02k",
        b"\x0a\x01k\x10",
        b"\x0a\x01k\x2a\x05vv",
        b"\x0a\x01k\x2a" + b"\xff" * 9 + b"\x01v",
        b"\x0a\x01k\x30",
        b"\x0a\x01k\x2a\x01v\x30\x80",
        b"\x0a\x01k" + NUMBERS + b"\xff",
        b"\xff\xff",
    ],
)
def test_what_is_no_key_and_value(value):
    with pytest.raises(Undecodable):
        user_key(value)
    with pytest.raises(Undecodable):
        key_value(value)


@pytest.mark.parametrize(
    ("message", "found"),
    [
        (b"\x0a\x01k", KeyValue(b"k", 0, 0, 0, b"")),  # a tombstone
        (b"\x0a\x01k" + NUMBERS, KeyValue(b"k", 2, 1 << 40, 3, b"")),
        (b"\x0a\x01k" + NUMBERS + b"\x2a\x02vv\x30\x07", KeyValue(b"k", 2, 1 << 40, 3, b"vv")),
        (NUMBERS + b"\x2a\x02vv\x0a\x01k", KeyValue(b"k", 2, 1 << 40, 3, b"vv")),
        (b"\x0a\x01k\x2a\x02vv\x3a\x01x", KeyValue(b"k", 0, 0, 0, b"vv")),
        (
            b"\x0a" + varint(200) + b"k" * 200 + NUMBERS + b"\x2a" + varint(300) + b"v" * 300,
            KeyValue(b"k" * 200, 2, 1 << 40, 3, b"v" * 300),
        ),
    ],
)
def test_all_of_a_value(message, found, tmp_path):
    assert key_value(message) == found
    (tmp_path / "file").write_bytes(b"--" + message)
    with opened(tmp_path / "file") as source:
        stored = key_value(Stored(source, 2, len(message)))
        assert (stored.key, stored.created, stored.modified) == (found.key, found.created, found.modified)
        assert stored.value[:] == found.value


def test_an_absurdly_long_key_is_not_read(monkeypatch):
    monkeypatch.setattr(key_value_module, "LONG", 100)
    message = b"\x0a" + varint(101) + b"k" * 101
    for read in (user_key, key_value):
        with pytest.raises(Undecodable, match="a key of 101 bytes"):
            read(message + b"\x3a\x01x")
