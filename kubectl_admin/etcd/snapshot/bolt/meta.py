"""The two meta pages: where everything else begins."""

from dataclasses import dataclass
from struct import Struct, pack

from kubectl_admin.etcd.snapshot.bolt.damage import Damages
from kubectl_admin.etcd.snapshot.bolt.source import Source

MAGIC = 0xED0CDAED
VERSION = 2
# magic, version, page size, flags, root page, root sequence, freelist page, high-water mark, transaction
FIELDS = Struct("<IIIIQQQQQ")
CHECKSUM = Struct("<Q")
AT = 16  # behind the page's header
LENGTH = FIELDS.size + CHECKSUM.size
FEWEST = 3  # pages: two of meta and one root
NO_FREELIST = 0xFFFF_FFFF_FFFF_FFFF
PAGE_SIZES = tuple(1024 << power for power in range(15))  # those that bbolt itself tries, 1 KiB to 16 MiB


@dataclass(frozen=True, slots=True)
class Meta:
    """The content of a meta page.

    page_size: bytes, that of the operating system on which the database was made.
    root: the page where the bucket of buckets begins.
    freelist: the page with the list of free pages; None where none was written, as etcd does.
    pages: the high-water mark: the database is this many pages long.
    transaction: of the two meta pages the one with the larger number counts.
    """

    page_size: int
    root: int
    freelist: int | None
    pages: int
    transaction: int

    @property
    def size(self) -> int:
        """Bytes of the database."""
        return self.pages * self.page_size


def chosen(source: Source, damages: Damages) -> Meta | None:
    """The meta page that counts; None where neither can be used.

    A damaged one is noted even where the other is whole: etcd writes both for every snapshot.
    """
    first = _parsed(source, 0)
    # Where the first does not give the length of a page, the second is looked for as bbolt does.
    sizes = (first.page_size,) if isinstance(first, Meta) else PAGE_SIZES
    seconds = [(size, _parsed(source, size)) for size in sizes if size + AT + LENGTH <= source.size]
    second = next((meta for _, meta in seconds if isinstance(meta, Meta)), None)
    if isinstance(first, Meta) and second is None:
        for offset, wrong in seconds:
            damages.add(1, offset, f"the second meta page: {wrong}")
    if second and not isinstance(first, Meta):
        damages.add(0, 0, f"the first meta page: {first}")
    metas = [meta for meta in (first, second) if isinstance(meta, Meta)]
    return max(metas, key=lambda meta: meta.transaction, default=None)


def has_magic(start: bytes) -> bool:
    """Whether these first bytes of a file are those of a bolt database, sound or not."""
    return start[AT : AT + 4] == pack("<I", MAGIC)


def has_big_endian_magic(start: bytes) -> bool:
    """The same, written on a machine of the other byte order."""
    return start[AT : AT + 4] == pack(">I", MAGIC)


def _parsed(source: Source, offset: int) -> Meta | str:
    """The meta page at this offset, or what is wrong with it."""
    if offset + AT + LENGTH > source.size:
        return "the file ends before it"
    data = source.read(offset + AT, LENGTH)
    magic, version, page_size, _, root, _, freelist, pages, transaction = FIELDS.unpack_from(data)
    (checksum,) = CHECKSUM.unpack_from(data, FIELDS.size)
    for holds, wrong in (
        (magic == MAGIC, f"its magic number is {magic:08x}, not {MAGIC:08x}"),
        (checksum == fnv1a(data[: FIELDS.size]), "its checksum is wrong"),
        (version == VERSION, f"its format is version {version}, not {VERSION}"),
        (page_size in PAGE_SIZES and offset in (0, page_size), f"a page has {page_size} bytes by it"),
        (pages >= FEWEST, f"the database has {pages} pages by it"),
    ):
        if not holds:
            return wrong
    return Meta(page_size, root, None if freelist == NO_FREELIST else freelist, pages, transaction)


def fnv1a(data: bytes) -> int:
    """FNV-1a of 64 bits, the checksum of a meta page."""
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 & 0xFFFF_FFFF_FFFF_FFFF
    return value
