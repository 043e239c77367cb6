"""Snapshots for tests: what was written and deleted, as etcd keeps it."""

import json
from pathlib import Path
from uuid import UUID

from tests.unit.etcd.snapshot.bolt_file import BoltFile, contents, revision, varint

SYSTEM = b"/registry/namespaces/kube-system"
CLUSTER = UUID(int=7)


def text(field: int, value: bytes) -> bytes:
    """A field of protobuf."""
    return bytes([field << 3 | 2]) + varint(len(value)) + value


def stored(uid: UUID | None, rest: bytes = b"") -> bytes:
    """An object as the API server stores its own kinds; it holds no more than its UID and `rest`."""
    metadata = text(1, b"name") + (text(5, str(uid).encode()) if uid else b"")
    return b"k8s\x00" + text(1, b"\x0a\x02v1") + text(2, text(1, metadata) + text(2, rest))


def custom(uid: UUID, rest: str = "") -> bytes:
    """A custom resource as it is stored."""
    return json.dumps({"metadata": {"uid": str(uid), "name": "name"}, "rest": rest}).encode()


def definition(kind: str, group: str, resource: str, scope: str = "Namespaced") -> tuple[bytes, bytes]:
    """Key and value of a CustomResourceDefinition."""
    names = {"kind": kind, "plural": resource}
    key = f"/registry/apiextensions.k8s.io/customresourcedefinitions/{resource}.{group}"
    return key.encode(), json.dumps({"spec": {"group": group, "names": names, "scope": scope}}).encode()


class History:
    """What became of the keys of an etcd; it begins with the namespace that names the cluster."""

    def __init__(self, cluster: UUID | None = CLUSTER) -> None:
        self.revision = 1
        self.entries: dict[bytes, bytes] = {}
        self.living: dict[bytes, tuple[int, int, int]] = {}  # created, version, modified
        if cluster:
            self.put(SYSTEM, stored(cluster))

    def copy(self) -> "History":
        """The same etcd, to go on with."""
        other = History(None)
        other.revision, other.entries, other.living = self.revision, {**self.entries}, {**self.living}
        return other

    def put(self, key: bytes, value: bytes) -> "History":
        """Writes a key."""
        self.revision += 1
        created, version, _ = self.living.get(key, (self.revision, 0, 0))
        self.living[key] = (created, version + 1, self.revision)
        numbers = (0x10, created), (0x18, self.revision), (0x20, version + 1)
        message = text(1, key) + b"".join(bytes([tag]) + varint(number) for tag, number in numbers)
        self.entries[revision(self.revision)] = message + (text(5, value) if value else b"")
        return self

    def delete(self, key: bytes) -> "History":
        """Deletes it."""
        self.revision += 1
        del self.living[key]
        self.entries[revision(self.revision, mark=b"t")] = text(1, key)
        return self

    def compact(self) -> "History":
        """Drops every entry that is not the last of its key, and the deletions."""
        last = {self._key(message): name for name, message in self.entries.items()}
        self.entries = {name: self.entries[name] for name in sorted(last.values()) if not name.endswith(b"t")}
        return self

    @staticmethod
    def _key(message: bytes) -> bytes:
        return message[2 : 2 + message[1]]

    def data(self, **shape: int) -> bytes:
        """The snapshot."""
        return BoltFile({**contents(), b"key": self.entries}, **shape).snapshot()

    def save(self, path: Path) -> Path:
        """The snapshot as a file."""
        path.write_bytes(self.data())
        return path
