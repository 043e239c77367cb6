"""Messages of protobuf, as far as an etcd's database needs them read: numbers and texts by their field.

Source: protobuf.dev/programming-guides/encoding.
"""

from collections.abc import Iterator
from typing import Protocol

VARINT, TEXT = 0, 2  # types of fields, in the lowest three bits of a tag
FIXED = {1: 8, 5: 4}  # bytes of the other types that there are
LONGEST = 10  # bytes of a number
MANY = 64  # fields; etcd's messages have six at most


class Undecodable(ValueError):  # noqa: N818 - not a failure of the program
    """The database has something that etcd does not write there."""


class Bytes(Protocol):
    """Bytes, in memory or in a file."""

    def __len__(self) -> int: ...
    def __getitem__(self, part: slice, /) -> bytes: ...


def fields(message: Bytes) -> Iterator[tuple[int, int, int, int]]:
    """Of each field its number, its value if that is a number (else 0), and where its bytes begin and end.

    Fields of any number and type are given, so that one that etcd may get one day is nothing wrong.
    Raises Undecodable where no field begins, or one ends behind the message.
    """
    return ((tag >> 3, value, start, end) for tag, value, start, end in tagged(message))


def tagged(message: Bytes, most: int = MANY) -> Iterator[tuple[int, int, int, int]]:
    """The same with the whole tag of each: its number times 8, and its type.

    most: fields of which a message with more is refused.
    """
    at = 0
    for _ in range(most):
        if at == len(message):
            return
        tag, start = _number(message, at)
        value, length = 0, FIXED.get(tag & 7)
        if tag & 7 == TEXT:
            length, start = _number(message, start)
        elif tag & 7 == VARINT:
            value, end = _number(message, start)
            length = end - start
        if length is None or length > len(message) - start:
            raise Undecodable(f"a field at byte {at} of a message of {len(message)} does not end in it")
        yield tag, value, start, start + length
        at = start + length
    if at < len(message):
        raise Undecodable(f"a message of more than {most} fields")


def _number(message: Bytes, at: int) -> tuple[int, int]:
    start = message[at : at + LONGEST]
    if start and start[0] < 0x80:  # nearly all
        return start[0], at + 1
    value, length = varint(start)
    return value, at + length


def varint(data: bytes, at: int = 0) -> tuple[int, int]:
    """A number, and where it ends; raises Undecodable."""
    value = shift = 0
    while at < len(data) and shift < 7 * LONGEST:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, at
        shift += 7
    raise Undecodable("a number that does not end")
