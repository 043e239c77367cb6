"""A node whose ports are forwarded: what answers on each of them, what refuses, and what says nothing."""

import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.api_server import Wire

PIECE = 16_000  # bytes
V4 = "v4.channel.k8s.io"
REFUSED = (
    "failed to connect to localhost:{port}, IPv4: dial tcp4 127.0.0.1:{port}: connect: connection refused"
)
STUCK = "failed to connect to localhost:{port}: dial tcp4 127.0.0.1:{port}: connect: connection timed out"


class Packed(bytes):
    """A body that is sent as one that gzip has compressed."""


Body = bytes | str
Said = tuple[int, Body] | Body | None  # status and body; a body alone is 200; None is 404
Served = Mapping[str, Said] | Callable[[str], Said] | str  # by path; text is what the node says went wrong


@dataclass
class Node:
    """What is served on each port.

    ports: by number; one that is not named refuses. tls: of the ports that speak it.
    opened: the ports of each connection that came. asked: port, path and header lines of each question.
    users: the common names of client certificates that were shown, "" for none.
    """

    ports: dict[int, Served]
    tls: dict[int, ssl.SSLContext] = field(default_factory=dict)
    opened: list[list[int]] = field(default_factory=list)
    asked: list[tuple[int, str, list[str]]] = field(default_factory=list)
    users: list[str] = field(default_factory=list)

    def __call__(self, wire: Wire) -> None:
        """Serves one WebSocket."""
        numbers = [int(value) for name, value in wire.asked.query if name == "ports"]
        self.opened.append(numbers)
        wire.accept(V4)
        talks: dict[int, Iterator[None]] = {}
        inboxes: dict[int, list[bytes]] = {}
        for place, number in enumerate(numbers):
            channel = 2 * place
            wire.send(channel, number.to_bytes(2, "little"))
            wire.send(channel + 1, number.to_bytes(2, "little"))
            served = self.ports.get(number, REFUSED)
            if isinstance(served, str):
                wire.send(channel + 1, served.format(port=number).encode())
                continue
            inboxes[channel] = []
            talks[channel] = self._talk(wire, channel, number, served, inboxes[channel])
            next(talks[channel])
        for channel, data in wire.messages():
            if channel in talks:
                inboxes[channel].append(data)
                next(talks[channel])

    def _talk(self, wire: Wire, channel: int, number: int, served: Any, inbox: list[bytes]) -> Iterator[None]:
        """Answers on one channel; goes on each time that something has come."""
        line = Line(self.tls.get(number), self.users)
        plain = b""
        while True:
            yield
            while inbox:
                plain += line.read(inbox.pop(0))
            while b"\r\n\r\n" in plain:
                head, _, plain = plain.partition(b"\r\n\r\n")
                first, *lines = head.decode("latin-1").split("\r\n")
                path = first.split(" ")[1]
                self.asked.append((number, path, lines))
                line.write(answered(served(path) if callable(served) else served.get(path)))
            for piece in pieces(line.leaving.read()):
                wire.send(channel, piece)


class Line:
    """What is said on one connection to a port, within TLS where it is spoken."""

    def __init__(self, context: ssl.SSLContext | None, users: list[str]) -> None:
        self._arrived, self.leaving = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._arrived, self.leaving, server_side=True) if context else None
        self._users = users
        self._shaken = False

    def read(self, data: bytes) -> bytes:
        """What has been said."""
        if self._tls is None:
            return data
        self._arrived.write(data)
        said = b""
        with suppress(ssl.SSLError):  # it wants more, or the alert that goes out says why
            if not self._shaken:
                self._tls.do_handshake()
                self._shaken = True
                self._users.append(common_name(self._tls.getpeercert()))
            while piece := self._tls.read(1 << 16):
                said += piece
        return said

    def write(self, data: bytes) -> None:
        """Says something."""
        for piece in pieces(data):
            (self._tls or self.leaving).write(piece)


def pieces(data: bytes) -> Iterator[bytes]:
    """What is sent at a time."""
    for start in range(0, len(data), PIECE):
        yield data[start : start + PIECE]


def answered(said: Said) -> bytes:
    """The HTTP answer."""
    status, body = (
        (404, "404 page not found") if said is None else said if isinstance(said, tuple) else (200, said)
    )
    data = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(data)}", "Date: Mon, 30 Nov 2026 03:00:00 GMT"]
    lines += ["Content-Encoding: gzip"] if isinstance(body, Packed) else []
    return "\r\n".join([*lines, "\r\n"]).encode() + data


def common_name(certificate: Any) -> str:
    """The common name of a client certificate; "" for none."""
    names = [
        value
        for part in (certificate or {}).get("subject", ())
        for name, value in part
        if name == "commonName"
    ]
    return names[0] if names else ""


@dataclass
class Relay:
    """A command on a node's host that connects to whatever address it is given.

    served: what answers there; text is what the command writes to stderr instead, with exit code 1.
    tls: of the address that speaks it. commands: the words of each that was started. users: as of a Node.
    """

    served: Served
    tls: ssl.SSLContext | None = None
    commands: list[list[str]] = field(default_factory=list)
    users: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def __call__(self, wire: Wire) -> None:
        """Serves one command."""
        self.commands.append([value for name, value in wire.asked.query if name == "command"])
        wire.accept("v5.channel.k8s.io")
        wire.send(2, b"it runs\n")
        if isinstance(self.served, str):
            wire.send(2, self.served.encode())
            wire.end(1)
            return
        line, plain = Line(self.tls, self.users), b""
        for channel, data in wire.messages():
            if channel != 0:
                continue
            plain += line.read(data)
            while b"\r\n\r\n" in plain:
                head, _, plain = plain.partition(b"\r\n\r\n")
                path = head.decode("latin-1").split(" ")[1]
                self.asked.append(path)
                line.write(answered(self.served(path) if callable(self.served) else self.served.get(path)))
            for piece in pieces(line.leaving.read()):
                wire.send(1, piece)
