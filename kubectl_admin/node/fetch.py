"""A large file brought home from a node's host: in pieces, each packed there and verified here.

An exec stream may end early with exit code 0, and be cut at any moment by anything on its way. So every
piece comes with its length and SHA-256, and after a cut the transfer resumes with the first that is missing.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from kubectl_admin.clock import Clock
from kubectl_admin.cluster.errors import BrokenStream
from kubectl_admin.cluster.exec import STDOUT
from kubectl_admin.cluster.retry import is_transient
from kubectl_admin.errors import AdminError
from kubectl_admin.node.framing import PIECE, Framing, Piece
from kubectl_admin.node.host import Host
from kubectl_admin.node.script import Script
from kubectl_admin.node.unpacking import Tool, Unpacking

PACK = Script("node", "pack")
STALLED = 75  # the exit code of scripts/pack.sh for a file that does not grow
# Seconds in which a node that packs and sends what has grown must have said something, beyond those in which
# it must have grown: of growth that is waited for, pack.sh gives a sign.
MARGIN = 60.0
SURPLUS = 1 << 30  # bytes that a file may have beyond twice what was known of it
SAID = 1000  # bytes of a script's last words that are kept


class RefusedError(AdminError):
    """The host does not give the file: its own words."""


class StalledError(RefusedError):
    """A file that should grow does not."""


@dataclass(frozen=True, slots=True)
class Transfer:
    """How a file is fetched.

    tool: what packs it on the host. moved: is given how many bytes of the file are here, and how many it has.
    rate: bytes a second on the wire at most; None: no limit.
    """

    tool: Tool
    moved: Callable[[int, int], None]
    rate: float | None = None


@dataclass(frozen=True, slots=True)
class Fetched:
    """A transfer's cost. size: of the file. wire: bytes that came over it. cuts: streams that were cut."""

    size: int
    wire: int
    cuts: int


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file on a host.

    directory: there, for what is packed ahead.
    size: of the file, as far as is known.
    result: a file that holds «0» when the file is complete, and until then it grows as PATH.part; «-» for one
    that is complete and does not change.
    unit: the systemd unit that makes it grow.
    stall: seconds in which it must have grown while it is waited for; 0 for any number.
    """

    path: str
    directory: str
    size: int
    result: str = "-"
    unit: str = ""
    stall: int = 0


def fetch(
    host: Host, file: RemoteFile, transfer: Transfer, sink: Callable[[bytes | bytearray], object]
) -> Fetched:
    """Hands the file to `sink`, piece by piece in order, and returns what that took.

    Memory stays the same at any size. Raises RefusedError where the host does not give it, StalledError where
    it does not grow, other AdminErrors where it can't be had, and whatever sink raises.
    """
    done, cuts, came, announced = 0, 0, 0, 0
    size: int | None = None
    wire = Wire(transfer.rate, host.clock)

    def moved(here: int) -> None:
        nonlocal came
        came = here
        transfer.moved(here, max(here, file.size))

    with Unpacking(transfer.tool, sink, moved) as unpacking:

        def gain() -> int | None:
            """Takes from one stream as many pieces as come; a cut before the first is raised.

            The file's size, if its end has come.
            """
            nonlocal done, cuts, announced
            began = done
            place = [file.directory, file.path, str(PIECE), str(done)]
            growing = [file.result, file.unit, str(file.stall)]
            command = PACK.command([*place, transfer.tool, *growing])
            framing = Framing(done, f"node {host.node}")
            silence = file.stall + MARGIN if file.stall else None
            try:
                for piece in pieces(host, command, framing, wire, silence):
                    announced += piece.bytes
                    refuse_endless(host, file, piece, announced)
                    unpacking.take(piece)
                    done += 1
            except AdminError as error:
                if not is_transient(error):
                    raise
                cuts += 1
                if done == began:
                    raise
            return framing.size

        while size is None:
            size = host.persistently(gain)
    if came != size:
        raise AdminError(
            f"node {host.node}: {came} bytes of {file.path} have come, and it has {size}",
            "something on the node changes it, or its disk can't be read",
        )
    return Fetched(size, wire.bytes, cuts)


def refuse_endless(host: Host, file: RemoteFile, piece: Piece, announced: int) -> None:
    """Raises AdminError where pieces bring nothing, or more than the file can have.

    announced: bytes of the file in all pieces so far, this one included.
    """
    if not piece.bytes:
        raise AdminError(f"node {host.node}: a piece of {file.path} has nothing in it")
    if announced > 2 * file.size + SURPLUS:
        raise AdminError(
            f"node {host.node}: {announced} bytes of {file.path} have come, and {file.size} were expected",
            "the node sends something else than what it was asked for",
        )


class Wire:
    """Counts what comes over the wire, and slows it to `rate` bytes a second; None is as fast as it goes."""

    def __init__(
        self,
        rate: float | None,
        clock: Clock = time,
    ) -> None:
        self.bytes = 0
        self._rate = rate
        self._clock = clock
        self._due = clock.monotonic()

    def took(self, length: int) -> None:
        """So many bytes have come: waits until more may. The other end does not send more than is read."""
        self.bytes += length
        if self._rate:
            now = self._clock.monotonic()
            self._due = max(self._due, now) + length / self._rate
            if self._due > now:
                self._clock.sleep(self._due - now)


def pieces(
    host: Host, command: Sequence[str], framing: Framing, wire: Wire, silence: float | None
) -> Iterator[Piece]:
    """The pieces that one stream brings; BrokenStream if it is cut.

    silence: seconds in which the node must have said something; None for any number.
    """
    said = b""
    with host.start(command) as running:
        if silence is not None:
            running.speak_within(silence)
        for channel, data in running:
            if channel == STDOUT:
                wire.took(len(data))
                yield from framing.feed(data)
                if framing.size is not None:
                    return
            else:
                said = (said + data)[-SAID:]
    words = said.decode("utf-8", "replace").strip()
    if running.exit_code == STALLED:
        raise StalledError(f"node {host.node}: {words}")
    if running.exit_code and words:
        raise RefusedError(f"node {host.node}: {words}")
    raise BrokenStream(f"node {host.node}: the stream ended before piece {framing.number}")
