"""DER, as far as it takes to put certificates and requests together, and to take them apart. Pure.

Source: ITU-T X.690, sections 8 and 10.1.
"""

from collections.abc import Iterator

SEQUENCE, SET = 0x30, 0x31
BOOLEAN, INTEGER, OCTETS, OBJECT = 0x01, 0x02, 0x04, 0x06
EXTENSIONS = 0xA3  # in a certificate. Source: RFC 5280, section 4.1


def tlv(tag: int, *parts: bytes) -> bytes:
    """One value in DER: its tag, its length in the shortest form, and its content."""
    content = b"".join(parts)
    length = len(content)
    if length < 0x80:
        return bytes([tag, length]) + content
    digits = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(digits)]) + digits + content


def parts(value: bytes) -> list[bytes]:
    """The values within one, each with its tag and length; raises ValueError for anything else."""
    found, rest = [], content(value)
    while rest:
        end = head(rest) + length(rest)
        found.append(rest[:end])
        rest = rest[end:]
    return found


def content(value: bytes) -> bytes:
    """The content of a value; nothing may be behind it."""
    if head(value) + length(value) != len(value):
        raise ValueError("a value has another length than it says")
    return value[head(value) :]


def head(value: bytes) -> int:
    """How many bytes tag and length take; tags of more than a byte occur in no certificate."""
    if len(value) < 2 or (value[1] & 0x80 and len(value) < 2 + (value[1] & 0x7F)):
        raise ValueError("a value is cut off")
    return 2 + (value[1] & 0x7F if value[1] & 0x80 else 0)


def length(value: bytes) -> int:
    """How many bytes are behind tag and length."""
    found = int.from_bytes(value[2 : head(value)], "big") if value[1] & 0x80 else value[1]
    if head(value) + found > len(value):
        raise ValueError("a value is cut off")
    return found


def identifier(value: bytes) -> str:
    """The object identifier of one value, «2.5.29.17»."""
    numbers, number = [], 0
    for byte in content(value):
        number = number << 7 | byte & 0x7F
        if not byte & 0x80:
            numbers.append(number)
            number = 0
    if not numbers:
        raise ValueError("an object identifier is empty")
    first = min(numbers[0] // 40, 2)
    return ".".join(map(str, (first, numbers[0] - 40 * first, *numbers[1:])))


def each_extension(certificate: bytes) -> Iterator[tuple[str, bytes]]:
    """Each extension of a certificate, with that certificate without the others; it is signed no more.

    Raises ValueError where it can't be taken apart.
    """
    tbs, *signature = parts(certificate)
    *before, last = parts(tbs)
    if last[0] != EXTENSIONS:
        return
    for one in parts(content(last)):
        alone = tlv(EXTENSIONS, tlv(SEQUENCE, one))
        yield identifier(parts(one)[0]), tlv(SEQUENCE, tlv(SEQUENCE, *before, alone), *signature)
