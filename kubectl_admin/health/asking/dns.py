"""One question to a DNS server over a stream, and its answer: as much of DNS as that takes, and no more.

The answer is a stranger's: it is as long as it says and no longer, a name in it may point back only, and
anything but an answer to the question is an error.

Source: RFC 1035, section 4 (messages; over TCP each follows its length in two bytes).
"""

import secrets
import struct
from ipaddress import ip_address

from kubectl_admin.cluster.secured import Stream
from kubectl_admin.errors import AdminError

A, AAAA, IN = 1, 28, 1
HEADER = struct.Struct("!HHHHHH")
RECORD = struct.Struct("!HHIH")
RESPONSE, TRUNCATED, CODE = 0x8000, 0x0200, 0x000F  # bits of the flags
RECURSION = 0x0100
LABEL = 63  # bytes of a part of a name
POINTER = 0xC0
LONGEST = 128 << 10  # bytes that are taken; a message has half as many
ANSWERS = 64  # records that are looked at
REFUSES = "the server says"  # how the words on an answer with a code begin
CODES = {1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED"}


def ask(stream: Stream, name: str, kind: int, what: str) -> tuple[str, ...]:
    """The addresses that a server gives for a name. kind: A or AAAA. what: the server, in errors.

    Raises AdminError for anything but an answer, or one that says that there is none, and as the stream does.
    """
    number = secrets.randbelow(1 << 16)
    asked = encode_name(name) + struct.pack("!HH", kind, IN)
    question = HEADER.pack(number, RECURSION, 1, 0, 0, 0) + asked
    stream.send(struct.pack("!H", len(question)) + question)
    data = b""
    while len(data) < 2 or len(data) < 2 + int.from_bytes(data[:2]):
        more = stream.recv()
        if not more:
            raise AdminError(f"{what}: the answer has no end")
        data += more
    try:
        return addresses_in(data[2 : 2 + int.from_bytes(data[:2])], number, asked, kind)
    except (struct.error, IndexError, ValueError) as error:
        raise AdminError(f"{what}: this is not an answer of DNS: {error}") from error


def addresses_in(message: bytes, number: int, asked: bytes, kind: int) -> tuple[str, ...]:
    """The addresses of an answer to what was asked.

    Raises ValueError, IndexError or struct.error for what is none.
    """
    identity, flags, questions, answers, _, _ = HEADER.unpack_from(message)
    at = HEADER.size
    # The case of letters in a name means nothing.
    repeated = message[at : at + len(asked)].lower() == asked.lower()
    if identity != number or not flags & RESPONSE or questions != 1 or not repeated:
        raise ValueError("it is not to this question")
    if flags & CODE:
        code = flags & CODE
        raise ValueError(f"{REFUSES} {CODES.get(code, f'error {code}')}")
    if flags & TRUNCATED:
        raise ValueError("it is cut off")
    at += len(asked)
    found = []
    for _ in range(min(answers, ANSWERS)):
        at = after_name(message, at)
        its_kind, its_class, _, length = RECORD.unpack_from(message, at)
        at += RECORD.size
        data = message[at : at + length]
        if len(data) < length:
            raise ValueError("a record ends after the message")
        at += length
        if (its_kind, its_class) == (kind, IN):
            if length not in (4, 16) or (length == 4) != (kind == A):
                raise ValueError("an address has the wrong length")
            found.append(str(ip_address(data)))
    return tuple(found)


def after_name(message: bytes, at: int) -> int:
    """Where a name has ended. Its letters do not matter, so no pointer is followed."""
    while length := message[at]:
        if length & POINTER == POINTER:
            return at + 2
        if length > LABEL:
            raise ValueError("a name is not one")
        at += 1 + length
    return at + 1


def encode_name(name: str) -> bytes:
    """A name as messages have it; raises AdminError for what can't be one."""
    parts = name.rstrip(".").split(".")
    if not all(part.isascii() and 0 < len(part) <= LABEL for part in parts) or len(name) > 253:
        raise AdminError(f"{name!r} can't be asked of a DNS server")
    return b"".join(bytes([len(part)]) + part.encode() for part in parts) + b"\0"
