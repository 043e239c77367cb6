"""A large file brought home from a node's host: in pieces, each packed there and proven here.

An exec stream may end early with exit code 0, and be cut at any moment by whatever lies between. So every
piece comes with its length and SHA-256, and after a cut the transfer goes on with the first that is missing.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from kubectl_admin.cluster.errors import BrokenStream
from kubectl_admin.cluster.exec import STDOUT
from kubectl_admin.errors import AdminError
from kubectl_admin.node.framing import PIECE, Framing
from kubectl_admin.node.host import Host, script_command
from kubectl_admin.node.persistence import is_transient
from kubectl_admin.node.unpacking import Tool, Unpacking

SAID = 1000  # bytes of a script's last words that are kept


@dataclass(frozen=True, slots=True)
class Transfer:
    """How a file is fetched.

    tool: what packs it on the host. moved: is given how many bytes of the file are here, and how many it has.
    rate: bytes a second on the wire at most; None is no limit.
    """

    tool: Tool
    moved: Callable[[int, int], None]
    rate: float | None = None


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a transfer took. wire: bytes that came over it. cuts: streams that another had to follow."""

    wire: int
    cuts: int


def fetch(
    host: Host, folder: str, path: str, size: int, transfer: Transfer, sink: Callable[[bytes], object]
) -> Fetched:
    """Hands the file to `sink`, piece by piece in order, and returns what that took.

    folder: on the host, for what is packed ahead. size: of the file, which must not change meanwhile. Memory
    stays the same at any size. Raises AdminError where it can't be had, and whatever sink raises.
    """
    total, done, cuts, left = -(-size // PIECE), 0, 0, size
    wire = Wire(transfer.rate)
    changed = AdminError(
        f"node {host.node}: {path} is not the {size} bytes any more that it was",
        "something on the node changes it, or its disk can't be read",
    )

    def checked(content: bytes) -> None:
        """Hands on what was in a piece; nothing on the host says so where it can't be read to its end."""
        nonlocal left
        if len(content) != min(PIECE, left):
            raise changed
        left -= len(content)
        sink(content)

    with Unpacking(transfer.tool, checked, lambda here: transfer.moved(here, size)) as unpacking:

        def gain() -> int:
            """Takes from one stream as many pieces as come; a cut before the first is raised."""
            nonlocal cuts
            gained = 0
            command = script_command("pack", [folder, path, str(PIECE), str(done), transfer.tool])
            try:
                for piece in pieces(host, command, done, wire):
                    unpacking.take(piece)
                    gained += 1
            except AdminError as error:
                if not is_transient(error):
                    raise
                cuts += 1
                if not gained:
                    raise
            if not gained:
                raise changed
            return gained

        while done < total:
            done += host.persistently(gain)
    return Fetched(wire.bytes, cuts)


class Wire:
    """Counts what comes over the wire, and slows it to `rate` bytes a second; None is as fast as it goes."""

    def __init__(self, rate: float | None) -> None:
        self.bytes = 0
        self._rate = rate
        self._due = time.monotonic()

    def took(self, length: int) -> None:
        """So many bytes have come: waits until more may. What is not read, the other end does not send."""
        self.bytes += length
        if self._rate:
            now = time.monotonic()
            self._due = max(self._due, now) + length / self._rate
            if self._due > now:
                time.sleep(self._due - now)


def pieces(host: Host, command: Sequence[str], first: int, wire: Wire) -> Iterator[bytes]:
    """The packed pieces that one stream brings, from number `first` on; BrokenStream if it is cut."""
    framing = Framing(first, f"node {host.node}")
    said = b""
    with host.start(command) as running:
        for channel, data in running:
            if channel == STDOUT:
                wire.took(len(data))
                yield from framing.feed(data)
                if framing.complete:
                    return
            else:
                said = (said + data)[-SAID:]
    words = said.decode("utf-8", "replace").strip()
    if running.exit_code and words:
        raise AdminError(f"node {host.node}: {words}")
    raise BrokenStream(f"node {host.node}: the stream ended before piece {framing.number}")
