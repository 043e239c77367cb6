"""Files of a node's host: read whole and verified, written whole or not at all, listed."""

import hashlib
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from kubectl_admin.cluster.channels import FRAME
from kubectl_admin.cluster.errors import BrokenStream
from kubectl_admin.errors import AdminError
from kubectl_admin.node.host import Host
from kubectl_admin.node.script import Script

READ, WRITE, LIST = Script("node", "read"), Script("node", "write"), Script("node", "list")
LIMIT = 8 << 20  # bytes of a file that is read into memory


@dataclass(frozen=True, slots=True)
class Entry:
    """One name in a directory.

    mode: type and permissions, as in stat(2). size: bytes. changed: seconds since the epoch.
    """

    name: str
    mode: int
    uid: int
    gid: int
    size: int
    changed: int

    @property
    def is_directory(self) -> bool:
        """Whether it is a directory."""
        return stat.S_ISDIR(self.mode)


def read(host: Host, path: str, *, limit: int = LIMIT) -> bytes:
    """The content of a file, its length and SHA-256 as the host has them; links are followed.

    Raises AdminError for none, or for one longer than `limit` bytes.
    """
    return host.persistently(lambda: verify(host.answer(READ, path, str(limit)), f"node {host.node}: {path}"))


def verify(answer: bytes, what: str) -> bytes:
    """The content that the script has answered; raises BrokenStream if it is not what the host read."""
    head, _, content = answer.partition(b"\n")
    size, _, digest = head.decode("ascii", "replace").partition(" ")
    if str(len(content)) != size or hashlib.sha256(content).hexdigest() != digest:
        raise BrokenStream(f"{what}: the content that arrived is not the one that was read")
    return content


def write(
    host: Host, path: str, content: bytes, *, mode: int = 0o600, owner: tuple[int, int] = (0, 0)
) -> None:
    """Replaces a file by this content, whole or not at all; a file that is there keeps its mode and owner.

    mode, owner: of one that is not there yet. A link stays, and its target is replaced.
    """
    digest = hashlib.sha256(content).hexdigest()
    arguments = (path, str(len(content)), digest, f"{mode:o}", f"{owner[0]}:{owner[1]}")
    host.script(WRITE, *arguments, stdin=partial(pieces, content))


def pieces(content: bytes) -> Iterator[bytes]:
    """The content in the frames that a channel sends."""
    return (content[start : start + FRAME] for start in range(0, len(content), FRAME))


def entries(host: Host, path: str) -> list[Entry]:
    """The entries of a directory, in the order of names; AdminError where there is none."""
    answer = host.script(LIST, path)
    try:
        found = [entry(part.decode("utf-8", "surrogateescape")) for part in answer.split(b"\0") if part]
    except ValueError:
        raise AdminError(f"node {host.node}: {path} can't be listed: unexpected answer of the host") from None
    return sorted(found, key=lambda each: each.name)


def entry(text: str) -> Entry:
    """An entry of «81a4 0 0 1024 1700000000 NAME»; ValueError for anything else."""
    mode, uid, gid, size, changed, name = text.split(" ", 5)
    return Entry(name, int(mode, 16), int(uid), int(gid), int(size), int(changed))
