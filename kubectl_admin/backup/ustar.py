"""The headers of a tar archive (ustar), written so that any tar reads them, and read strictly. Pure.

Python's tarfile reads every kind of entry there is, follows what they say, and takes memory for headers as
long as an archive says that they are. Here a header is one block, and holds a file, a directory or a link.

Source: POSIX.1-2017, pax, «ustar Interchange Format»; sizes from 8 GiB on as GNU tar and star write them.
"""

from dataclasses import dataclass
from enum import Enum

BLOCK = 512  # bytes
END = bytes(2 * BLOCK)  # behind the last entry
NAME, PREFIX, TARGET = 100, 155, 100  # bytes of the fields
MAGIC = b"ustar\x0000"
CHECKSUM = slice(148, 156)
OCTAL_SIZE = 8**11  # the first size that has no room in the field
HIGHEST = 1 << 62
# What others may put into an archive, by their type, and nothing here makes.
OTHERS = {
    b"\0": "a file as tar wrote it before 1988",
    b"1": "a hard link",
    b"3": "a character device",
    b"4": "a block device",
    b"6": "a named pipe",
    b"7": "a contiguous file",
    b"g": "an extended header for all entries",
    b"x": "an extended header",
    b"K": "a long link of GNU tar",
    b"L": "a long name of GNU tar",
    b"S": "a sparse file of GNU tar",
}


class Type(Enum):
    """What an entry is."""

    FILE = b"0"
    LINK = b"2"
    DIRECTORY = b"5"


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of an archive.

    name: bytes that are not UTF-8 as surrogates, as the `os` module has them; no «/» at the end.
    size: bytes of a file. mode: permissions. changed: seconds since the epoch. target: of a link.
    """

    name: str
    size: int = 0
    mode: int = 0o600
    uid: int = 0
    gid: int = 0
    changed: int = 0
    type: Type = Type.FILE
    target: str = ""


class Unfit(ValueError):  # noqa: N818 - not a failure of the program
    """An entry has no room in a header; says why."""


class Unreadable(ValueError):  # noqa: N818 - not a failure of the program
    """A block is no header that is taken; says why."""


def padded(size: int) -> int:
    """Bytes that content of this size takes in an archive: whole blocks."""
    return -(-size // BLOCK) * BLOCK


def archive_size(sizes: list[int]) -> int:
    """Bytes of an archive of files of these sizes."""
    return sum(BLOCK + padded(size) for size in sizes) + len(END)


def header(entry: Entry) -> bytes:
    """The entry's header. Raises Unfit."""
    ending = "/" if entry.type is Type.DIRECTORY else ""
    prefix, name = _split(_bytes(entry.name + ending))
    target = _bytes(entry.target)
    if len(target) > TARGET:
        raise Unfit(f"the target of a link has {len(target)} bytes, and {TARGET} at most have room")
    block = b"".join(
        (
            name.ljust(NAME, b"\0"),
            _octal(entry.mode & 0o7777, 8),
            _octal(entry.uid, 8),
            _octal(entry.gid, 8),
            _size(entry.size),
            _octal(entry.changed, 12),
            b" " * 8,
            entry.type.value,
            target.ljust(TARGET, b"\0"),
            MAGIC,
            bytes(32 + 32),  # names of owners, which mean nothing elsewhere
            bytes(8 + 8),  # numbers of devices
            prefix.ljust(PREFIX, b"\0"),
        )
    ).ljust(BLOCK, b"\0")
    return block[: CHECKSUM.start] + b"%06o\0 " % sum(block) + block[CHECKSUM.stop :]


def read(block: bytes) -> Entry | None:
    """The entry of a header; None for the block of zeros behind the last one. Raises Unreadable."""
    if len(block) != BLOCK:
        raise Unreadable("the archive is cut off in a header")
    if not any(block):
        return None
    blank = block[: CHECKSUM.start] + b" " * 8 + block[CHECKSUM.stop :]
    if _number(block[CHECKSUM]) != sum(blank):
        raise Unreadable("a header is damaged: its checksum is another")
    if block[257:265] != MAGIC:
        raise Unreadable("a header is not of the kind ustar")
    kind = block[156:157]
    if kind not in {each.value for each in Type}:
        raise Unreadable(f"an entry is {OTHERS.get(kind, 'of an unknown type')}")
    name, prefix, target = (_text(block[start:end]) for start, end in ((0, 100), (345, 500), (157, 257)))
    whole = f"{prefix}/{name}" if prefix else name
    size = _read_size(block[124:136])
    if size and Type(kind) is not Type.FILE:
        raise Unreadable("an entry that is no file has a size")
    if target and Type(kind) is not Type.LINK:
        raise Unreadable("an entry that is no link has a target")
    return Entry(
        name=whole.removesuffix("/") if Type(kind) is Type.DIRECTORY else whole,
        size=size,
        mode=_number(block[100:108]) & 0o7777,
        uid=_number(block[108:116]),
        gid=_number(block[116:124]),
        changed=_number(block[136:148]),
        type=Type(kind),
        target=target,
    )


def _bytes(text: str) -> bytes:
    try:
        encoded = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise Unfit("a name is no text of the file system") from None
    if b"\0" in encoded:
        raise Unfit("a name has a NUL in it")
    return encoded


def _split(name: bytes) -> tuple[bytes, bytes]:
    """Prefix and name; between them is a «/» that is in neither."""
    if not name.strip(b"/"):
        raise Unfit("a name is empty")
    if len(name) <= NAME:
        return b"", name
    place = name.find(b"/", len(name) - NAME - 1, len(name) - 1)
    if not 0 < place <= PREFIX:
        raise Unfit(f"a path of {len(name)} bytes has no room: {name[:40].decode('utf-8', 'replace')}…")
    return name[:place], name[place + 1 :]


def _octal(value: int, width: int) -> bytes:
    if not 0 <= value < 8 ** (width - 1):
        raise Unfit(f"the number {value} has no room in {width} bytes")
    return b"%0*o\0" % (width - 1, value)


def _size(value: int) -> bytes:
    if 0 <= value < OCTAL_SIZE:
        return _octal(value, 12)
    if not 0 <= value < HIGHEST:
        raise Unfit(f"a file of {value} bytes has no room")
    return b"\x80" + value.to_bytes(11)


def _read_size(field: bytes) -> int:
    if field[:1] != b"\x80":
        return _number(field)
    value = int.from_bytes(field[1:])
    if not OCTAL_SIZE <= value < HIGHEST:
        raise Unreadable("a size in a header is none")
    return value


def _number(field: bytes) -> int:
    digits = field.rstrip(b"\0 ")
    if not digits or digits.strip(b"01234567"):
        raise Unreadable("a number in a header is none")
    return int(digits, 8)


def _text(field: bytes) -> str:
    text, _, rest = field.partition(b"\0")
    if rest.strip(b"\0"):
        raise Unreadable("a name in a header goes on behind its end")
    return text.decode("utf-8", "surrogateescape")
