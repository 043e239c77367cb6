"""Small databases of bbolt, made page by page, for tests that need one of a certain shape or damage."""

import struct
from collections.abc import Mapping
from hashlib import sha256

from kubectl_admin.etcd.snapshot.bolt.meta import MAGIC, NO_FREELIST, fnv1a

BRANCH, LEAF, META, FREELIST = 1, 2, 4, 16
MEMBER = b"8e9e05c52164694d"


def revision(main: int, sub: int = 0, mark: bytes = b"") -> bytes:
    """A key of bucket «key»."""
    return struct.pack(">Q", main) + b"_" + struct.pack(">Q", sub) + mark


def key_value(key: bytes, value: bytes = b"", *, modified: int = 1) -> bytes:
    """A value of bucket «key», for keys shorter than 128 bytes."""
    text = b"\x0a" + bytes([len(key)]) + key + b"\x10\x01\x18" + bytes([modified]) + b"\x20\x01"
    return text + (b"\x2a" + varint(len(value)) + value if value else b"")


def varint(number: int) -> bytes:
    data = b""
    while number >= 0x80:
        data += bytes([number & 0x7F | 0x80])
        number >>= 7
    return data + bytes([number])


def contents(keys: int = 8, value: bytes = b"v" * 40) -> dict[bytes, dict[bytes, bytes]]:
    """What a small etcd of one member holds, by bucket."""
    return {
        b"alarm": {},
        b"auth": {b"authEnabled": b"\0"},
        b"cluster": {b"clusterVersion": b"3.6.0"},
        b"key": {revision(main): key_value(b"/k/%d" % main, value) for main in range(2, keys + 2)},
        b"lease": {},
        b"members": {
            MEMBER: b'{"id":10276657743932975437,"peerURLs":["http://localhost:2380"],"name":"m1",'
            b'"clientURLs":["http://localhost:2379"]}'
        },
        b"members_removed": {},
        b"meta": {
            b"confState": b'{"voters":[10276657743932975437],"auto_leave":false}',
            b"consistent_index": struct.pack(">Q", 4711),
            b"storageVersion": b"3.6.0",
            b"term": struct.pack(">Q", 7),
        },
    }


class BoltFile:
    """A database. `pages` has the pages of each bucket, of «root» and «freelist»; the last is its root."""

    def __init__(
        self,
        buckets: Mapping[bytes, Mapping[bytes, bytes]] | None = None,
        *,
        page_size: int = 4096,
        inline: bool = True,
        a_page: int = 4,
        free: int = 0,
        freelist: bool = False,
    ) -> None:
        """a_page: entries of a leaf, children of a branch. free: unused pages. freelist: list them."""
        self.page_size = page_size
        self.a_page = a_page
        self.data = bytearray(2 * page_size)
        self.pages: dict[str, list[int]] = {}
        loose = [self._page("free", FREELIST, 0, b"stale" * 9) for _ in range(free)]
        tops = {}
        for name, entries in sorted((contents() if buckets is None else buckets).items()):
            if inline and sum(len(key) + len(value) + 16 for key, value in entries.items()) < page_size // 4:
                page = struct.pack("<QHHI", 0, LEAF, len(entries), 0) + leaf(entries, 0)
                tops[name] = struct.pack("<QQ", 0, 0) + page
            else:
                tops[name] = struct.pack("<QQ", self._bucket(name.decode(), entries), 0)
        root = self._page("root", LEAF, len(tops), leaf(tops, 1))
        listed = NO_FREELIST
        if freelist:
            listed = self._page("freelist", FREELIST, len(loose), struct.pack(f"<{len(loose)}Q", *loose))
        self.meta(root=root, freelist=listed)

    def _bucket(self, name: str, entries: Mapping[bytes, bytes]) -> int:
        items = sorted(entries.items())
        level = []
        for at in range(0, max(len(items), 1), self.a_page):
            part = dict(items[at : at + self.a_page])
            level.append((next(iter(part), b""), self._page(name, LEAF, len(part), leaf(part, 0))))
        while len(level) > 1:
            parts = [level[at : at + self.a_page] for at in range(0, len(level), self.a_page)]
            level = [(part[0][0], self._page(name, BRANCH, len(part), branch(part))) for part in parts]
        return level[0][1]

    def _page(self, name: str, kind: int, count: int, body: bytes) -> int:
        number = len(self.data) // self.page_size
        spans = -(-(16 + len(body)) // self.page_size)
        page = struct.pack("<QHHI", number, kind, count, spans - 1) + body
        self.data += page.ljust(spans * self.page_size, b"\0")
        self.pages.setdefault(name, []).append(number)
        return number

    def meta(self, root: int, freelist: int = NO_FREELIST, **changes: int) -> None:
        """Writes both meta pages, as etcd does for a snapshot; changes: magic, version, size, pages."""
        pages = changes.get("pages", len(self.data) // self.page_size)
        for number in (0, 1):
            fields = struct.pack(
                "<IIIIQQQQQ",
                changes.get("magic", MAGIC),
                changes.get("version", 2),
                changes.get("size", self.page_size),
                0,
                root,
                0,
                freelist,
                pages,
                9 - number,
            )
            page = struct.pack("<QHHI", number, META, 0, 0) + fields + struct.pack("<Q", fnv1a(fields))
            at = number * self.page_size
            self.data[at : at + len(page)] = page

    def offset(self, name: str, index: int = -1) -> int:
        """Where a page of the bucket begins; its root without an index."""
        return self.pages[name][index] * self.page_size

    def patch(self, offset: int, layout: str, *values: int) -> "BoltFile":
        """Overwrites fields."""
        struct.pack_into(layout, self.data, offset, *values)
        return self

    def snapshot(self) -> bytes:
        """The file as etcd sends it, with its sha256."""
        return bytes(self.data) + sha256(self.data).digest()


def leaf(entries: Mapping[bytes, bytes], flags: int) -> bytes:
    """The elements of a leaf page, and their keys and values."""
    elements, body = b"", b""
    for number, (key, value) in enumerate(sorted(entries.items())):
        pos = (len(entries) - number) * 16 + len(body)
        elements += struct.pack("<IIII", flags, pos, len(key), len(value))
        body += key + value
    return elements + body


def branch(children: list[tuple[bytes, int]]) -> bytes:
    """The elements of a branch page, and their keys."""
    elements, body = b"", b""
    for number, (key, child) in enumerate(children):
        pos = (len(children) - number) * 16 + len(body)
        elements += struct.pack("<IIQ", pos, len(key), child)
        body += key
    return elements + body
