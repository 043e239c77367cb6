"""The message mvccpb.KeyValue, which is what a value of bucket «key» is.

Source: etcd-io/etcd api/mvccpb/kv.proto.
"""

import re
from dataclasses import dataclass

from kubectl_admin.etcd.snapshot.bolt.leaf import Stored
from kubectl_admin.etcd.snapshot.protobuf import Undecodable, fields

# As etcd writes it: key, revisions and version, value, lease, each left out where it is empty or 0. Nearly
# all are taken apart by the first of these, behind the key; others by the second, or field by field.
NUMBER = rb"[\x80-\xff]{0,9}+[\x00-\x7f]"
PLAIN = re.compile(rb"\x10(%b)\x18(%b)\x20(%b)\x2a(%b)" % ((NUMBER,) * 4))
NUMBERS = re.compile(rb"(?:\x10(%b))?(?:\x18(%b))?(?:\x20(%b))?(?:\x2a(%b))?" % ((NUMBER,) * 4))
LEASE = re.compile(rb"\x30%b" % NUMBER)
KEY, CREATED, MODIFIED, VERSION, VALUE = range(1, 6)  # its fields
KEY_TAG = 0x0A  # that of the key, a text
SHORT = 0x80  # a number below this is one byte
LONG = 16 << 20  # bytes of a key; etcd takes 1.5 MiB for a whole request by default


@dataclass(slots=True)  # not frozen, which takes three times as long; there are millions
class KeyValue:
    """A key as it was written at a revision.

    created: the main revision at which the key came to be; 0 in a tombstone.
    modified: that of this entry. version: how often it was written since it came to be.
    value: in memory, or still in the file where its page is long.
    """

    key: bytes
    created: int
    modified: int
    version: int
    value: bytes | Stored


def user_key(message: bytes | Stored) -> bytes:
    """The key; "" if the message has none. Raises Undecodable for another message."""
    if isinstance(message, bytes) and len(message) > 1 and message[0] == KEY_TAG and message[1] < SHORT:
        plain = PLAIN.match(message, end := message[1] + 2)
        if (plain and plain.end() + _value(plain[4]) == len(message)) or _spelled(message):
            return message[2:end]
    key = b""
    for field, _, start, end in fields(message):
        if field == KEY:
            key = _key(message, start, end)
    return key


def key_value(message: bytes | Stored) -> KeyValue:
    """All of it but the lease; raises Undecodable for another message."""
    if isinstance(message, bytes) and (found := _spelled(message)):
        end, numbers, behind = found
        created, modified, version, _ = numbers.groups()
        content = message[numbers.end() : behind]
        return KeyValue(message[2:end], _value(created), _value(modified), _value(version), content)
    numbers_of, texts = {CREATED: 0, MODIFIED: 0, VERSION: 0}, {KEY: (0, 0), VALUE: (0, 0)}
    for field, number, start, end in fields(message):
        if field in numbers_of:
            numbers_of[field] = number
        elif field in texts:
            texts[field] = start, end
    value, behind = texts[VALUE]
    return KeyValue(
        key=_key(message, *texts[KEY]),
        created=numbers_of[CREATED],
        modified=numbers_of[MODIFIED],
        version=numbers_of[VERSION],
        value=_part(message, value, behind),
    )


def _spelled(message: bytes) -> "tuple[int, re.Match[bytes], int] | None":
    """Of a message as etcd spells it: where its key ends, its numbers, and where its value ends."""
    if len(message) > 1 and message[0] == KEY_TAG and message[1] < SHORT:
        end = message[1] + 2
        numbers = PLAIN.match(message, end) or NUMBERS.match(message, end)
        if numbers and end <= len(message):
            behind = numbers.end()
            behind += _value(numbers[4])
            if behind == len(message) or (behind < len(message) and LEASE.fullmatch(message, behind)):
                return end, numbers, behind
    return None


def _value(number: bytes | None) -> int:
    """The value of a number that is known to end where it does; 0 for one that was left out."""
    if not number:
        return 0
    if len(number) == 1:
        return number[0]
    if len(number) == 2:
        return number[0] & 0x7F | number[1] << 7
    value = 0
    for byte in reversed(number):
        value = value << 7 | byte & 0x7F
    return value & 0xFFFF_FFFF_FFFF_FFFF


def _key(message: bytes | Stored, start: int, end: int) -> bytes:
    if end - start > LONG:
        raise Undecodable(f"a key of {end - start} bytes")
    return message[start:end]


def _part(message: bytes | Stored, start: int, end: int) -> bytes | Stored:
    if isinstance(message, Stored):
        return Stored(message.source, message.offset + start, end - start)
    return message[start:end]
