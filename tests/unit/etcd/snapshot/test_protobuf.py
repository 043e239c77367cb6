"""Messages of protobuf, read field by field."""

import pytest

from kubectl_admin.etcd.snapshot.protobuf import MANY, Undecodable, fields, varint
from tests.unit.etcd.snapshot.bolt_file import varint as written


@pytest.mark.parametrize(("number", "length"), [(0, 1), (127, 1), (128, 2), ((1 << 64) - 1, 10)])
def test_a_number(number, length):
    assert varint(b"x" + written(number) + b"x", 1) == (number, 1 + length)
    with pytest.raises(Undecodable):
        varint(written(number)[:-1])


def test_a_number_without_an_end():
    with pytest.raises(Undecodable):
        varint(b"\x80" * 10 + b"\x01")


def test_fields_of_every_type():
    message = b"\x08\x96\x01" + b"\x12\x02hi" + b"\x19" + bytes(8) + b"\x25" + bytes(4)
    assert [*fields(message)] == [(1, 150, 1, 3), (2, 0, 5, 7), (3, 0, 8, 16), (4, 0, 17, 21)]
    assert [*fields(b"")] == []


@pytest.mark.parametrize(
    "message",
    [b"\x08", b"\x12\x02h", b"\x12\xff\xff\xff\xff\x0f", b"\x19" + bytes(7), b"\x0b", b"\x0f", b"\xff" * 20],
)
def test_what_is_no_message(message):
    with pytest.raises(Undecodable):
        list(fields(message))


def test_a_message_of_endless_fields():
    assert len([*fields(b"\x08\x01" * (MANY - 1))]) == MANY - 1
    with pytest.raises(Undecodable):
        list(fields(b"\x08\x01" * (MANY + 1)))
