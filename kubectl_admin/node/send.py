"""A large local file sent to a node's host: in pieces, each verified there, and the whole at the end.

An exec stream may be cut at any moment by anything on its way. So every piece is announced by its SHA-256,
which the host checks before it keeps the piece; after a cut the transfer resumes with the first that the host
has not acknowledged.
"""

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from kubectl_admin.cluster.errors import BrokenStream
from kubectl_admin.cluster.exec import STDOUT, ExecResult
from kubectl_admin.cluster.retry import is_transient
from kubectl_admin.errors import AdminError
from kubectl_admin.node.framing import PIECE
from kubectl_admin.node.host import COMMAND_TIMEOUT, KILLED, Host
from kubectl_admin.node.script import END, Script

SEND, FINISH = Script("node", "send"), Script("node", "send-end")
BATCH = 16  # pieces of one stream: their checksums are in its address, which has a limit
NOT_WHOLE = 75  # the exit code of both scripts for what is not as it was sent
SILENCE_TIMEOUT = 300.0  # seconds in which a piece must have come through
HASH_RATE = 20e6  # bytes a second that a slow node's sha256sum reads
SAID = 1000  # bytes of a script's last words that are kept
ACKNOWLEDGED = b"piece "


@dataclass(frozen=True, slots=True)
class LocalFile:
    """An open file whose content is known. Made by `measure`.

    title: its name in errors. descriptor: open for reading, and kept open by the caller. size: bytes. digest:
    SHA-256 of the whole, digests: of each piece, in hex.
    """

    title: str
    descriptor: int
    size: int
    piece: int
    digest: str
    digests: tuple[str, ...]

    def read(self, number: int) -> bytes:
        """A piece; AdminError where it is not the one that was measured. Threads may share the file."""
        content = read_piece(self.descriptor, number, self.piece)
        if hashlib.sha256(content).hexdigest() != self.digests[number]:
            raise changed(self.title)
        return content


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a file goes on a host. path: its directory is there. mode: of the file.

    reserve: bytes that must stay free beside it.
    """

    path: str
    mode: int = 0o600
    reserve: int = 0


@dataclass(frozen=True, slots=True)
class Sent:
    """A transfer's cost. size, digest: of the file that the host has. cuts: streams that were cut."""

    size: int
    digest: str
    cuts: int


def measure(
    descriptor: int, title: str, *, digest: str | None = None, progress: Callable[[int], None] | None = None
) -> LocalFile:
    """Reads an open file once, piece by piece, so that all that is sent later can be held against it.

    digest: the SHA-256 in hex that it had when it was judged, if that is known; AdminError where it has
    another one now. progress: is given the bytes that have been read.
    """
    whole, size = hashlib.sha256(), 0
    digests: list[str] = []
    while content := read_piece(descriptor, len(digests), PIECE):
        whole.update(content)
        digests.append(hashlib.sha256(content).hexdigest())
        size += len(content)
        if progress:
            progress(size)
    if digest is not None and whole.hexdigest() != digest:
        raise changed(title)
    return LocalFile(title, descriptor, size, PIECE, whole.hexdigest(), tuple(digests))


def read_piece(descriptor: int, number: int, piece: int) -> bytes:
    """So many bytes from the piece's place on, fewer at the end of the file."""
    parts: list[bytes] = []
    left, offset = piece, number * piece
    while left and (part := os.pread(descriptor, left, offset)):
        parts.append(part)
        left -= len(part)
        offset += len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def changed(title: str) -> AdminError:
    """The file is not the one that was looked at."""
    return AdminError(
        f"{title} was changed while it was used",
        "does something else write to it? let it end, and run the command again",
    )


def send(host: Host, file: LocalFile, to: Destination, moved: Callable[[int, int], None]) -> Sent:
    """Sends the file, and gives it its name on the host when the whole is there as it was measured.

    moved: is given how many bytes of the file are there, and how many it has. Memory stays the same at any
    size. Raises AdminError where the host has no room or does not take it, and where the file was changed.
    """
    cuts = transfer(host, file, to, moved)
    try:
        finish(host, file, to)
    except NotWholeError:
        # A disk that has lost what it said it had, as after a node's restart: once more, from the beginning.
        host.say(f"node {host.node}: {to.path} is not what was sent; sending it again")
        cuts += transfer(host, file, to, moved)
        finish(host, file, to)
    return Sent(file.size, file.digest, cuts)


class NotWholeError(AdminError):
    """The host has other content than was sent."""


def transfer(host: Host, file: LocalFile, to: Destination, moved: Callable[[int, int], None]) -> int:
    """Sends all pieces, and returns how many streams were cut."""
    done, cuts, total = 0, 0, len(file.digests)

    def took(number: int) -> None:
        nonlocal done
        done = number + 1
        moved(min(done * file.piece, file.size), file.size)

    def gain() -> None:
        """Sends a few pieces; a cut before the first of them is raised."""
        nonlocal cuts
        began = done
        try:
            send_some(host, file, to, range(done, min(done + BATCH, total)), took)
        except AdminError as error:
            if not is_transient(error):
                raise
            cuts += 1
            if done == began:
                raise

    # Without a piece at first: where there is no room, nothing needs to come to say so.
    host.persistently(lambda: send_some(host, file, to, range(0), took))
    while done < total:
        host.persistently(gain)
    return cuts


def send_some(
    host: Host, file: LocalFile, to: Destination, numbers: range, took: Callable[[int], None]
) -> None:
    """Sends these pieces through one stream. took: is given each that the host has acknowledged.

    Raises BrokenStream where it was cut, AdminError where the host refuses.
    """
    place = [to.path, str(file.size), str(file.piece), str(to.reserve), str(numbers.start)]
    command = SEND.command([*place, *(file.digests[number] for number in numbers)])
    expected, answer, said = numbers.start, b"", b""
    with host.start(command, stdin=read_all(file, numbers)) as running:
        running.speak_within(SILENCE_TIMEOUT)
        for channel, data in running:
            if channel != STDOUT:
                said = (said + data)[-SAID:]
                continue
            *lines, answer = (answer + data).split(b"\n")
            for line in lines:
                if line == ACKNOWLEDGED + str(expected).encode() and expected < numbers.stop:
                    took(expected)
                    expected += 1
            answer = answer[-SAID:]
    refuse_failed(host, "send", ExecResult(running.exit_code or 0, b"", said))
    if expected != numbers.stop:
        raise BrokenStream(f"node {host.node}: the stream ended before piece {expected} was acknowledged")


def read_all(file: LocalFile, numbers: range) -> Iterator[bytes]:
    """The pieces, one at a time."""
    return (file.read(number) for number in numbers)


def finish(host: Host, file: LocalFile, to: Destination) -> None:
    """Gives the file its name; NotWholeError where the host has something else than was sent."""
    words = [to.path, str(file.size), file.digest, f"{to.mode:o}"]
    timeout = COMMAND_TIMEOUT + 2 * file.size / HASH_RATE

    def attempt() -> bytes:
        result = host.run(FINISH.command(words), timeout=timeout, check=False)
        if result.exit_code == NOT_WHOLE:
            raise NotWholeError(f"node {host.node}: {to.path} is not what was sent", "is its disk broken?")
        refuse_failed(host, "send-end", result)
        if not result.stdout.endswith(END):
            raise BrokenStream(f"node {host.node}: the end of what send-end said is missing")
        return result.stdout.removesuffix(END)

    answer = host.persistently(attempt).decode("utf-8", "replace").split()
    if answer != [str(file.size), file.digest]:
        raise NotWholeError(f"node {host.node}: {to.path} is not what was sent", "is its disk broken?")


def refuse_failed(host: Host, name: str, result: ExecResult) -> None:
    """Raises BrokenStream for a script that was killed or got something else than was sent, AdminError with
    its words for one that refuses.
    """
    said = (
        result.stderr.decode("utf-8", "replace").strip() or f"{name} ended with exit code {result.exit_code}"
    )
    if result.exit_code > KILLED or result.exit_code == NOT_WHOLE:
        raise BrokenStream(f"node {host.node}: {said}")
    if result.exit_code:
        raise AdminError(f"node {host.node}: {said}")
