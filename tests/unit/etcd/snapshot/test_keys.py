"""Which keys live, and what a value of bucket «key» is."""

import pytest

from kubectl_admin.etcd.snapshot.keys import Living, user_key
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


def test_what_was_written_last_counts():
    living = Living()
    for key, lives in ((b"a", True), (b"b", True), (b"a", False), (b"c", False), (b"b", True), (b"a", True)):
        living.note(key, lives=lives)
    assert living.count() == 2


def test_many_keys():
    living = Living()
    for number in range(30_000):
        living.note(b"%d" % number, lives=True)
    for number in range(0, 30_000, 3):
        living.note(b"%d" % number, lives=False)
    assert living.count() == 20_000
