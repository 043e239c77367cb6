"""An API server that answers what a test told it to and fails the test on every other request.

Real HTTP and HTTPS, real WebSocket frames, on a port of 127.0.0.1.
"""

import base64
import hashlib
import json
import socket
import ssl
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from kubectl_admin.clock import Clock
from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.kubeconfig import Target
from kubectl_admin.cluster.objects import depth

END_TIMEOUT = 10  # seconds; nothing here takes so long
CLOSE, PING, PONG, BINARY, CONTINUED = 8, 9, 10, 2, 0


@dataclass(frozen=True)
class Asked:
    """A request as it came; headers by their names in small letters, with all their values."""

    method: str
    path: str
    query: list[tuple[str, str]]
    headers: dict[str, list[str]]
    body: Any
    client: str | None = None  # the common name of the client certificate

    def header(self, name: str) -> str | None:
        """The one value of a header."""
        values = self.headers.get(name.lower(), [])
        assert len(values) <= 1, f"{name} came {len(values)} times"
        return values[0] if values else None


@dataclass(frozen=True)
class Says:
    """An answer. body: bytes, or what JSON can say, or an iterator of chunks as they are sent."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


def status(code: int, reason: str, message: str, **more: Any) -> Says:
    """A refusal with a Status object."""
    return Says(code, refusal(code, reason, message, **more))


def refusal(code: int, reason: str, message: str, **more: Any) -> dict[str, Any]:
    """A Status object."""
    return {"kind": "Status", "status": "Failure", "code": code, "reason": reason, "message": message, **more}


class HangUp:
    """Instead of an answer: the connection is closed."""


Talk = Callable[["Wire"], None]
Answer = Says | HangUp | Talk | Callable[[Asked], Says]


class StandIn:
    """The server. `on` says what is answered; `asked` is what has come. clock: its clients' own."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.clock: Clock = time
        self.asked: list[Asked] = []
        self.unexpected: list[str] = []
        self.cuts = 0  # connections that are still hung up on, once the client has said something
        self.cut = 0  # those that were
        self._answers: dict[tuple[str, str], list[Answer]] = {}
        self._server = Server(("127.0.0.1", 0), type("Mine", (Handler,), {"stand_in": self}))
        self._server.unexpected = self.unexpected
        self._server.stand_in = self
        scheme = "http"
        if context:
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
            scheme = "https"
        self.host = f"127.0.0.1:{self._server.server_port}"
        self.url = f"{scheme}://{self.host}"

    def on(self, method: str, path: str, *answers: Answer) -> None:
        """What is answered to this method and path, one after another; the last one again and again."""
        self._answers[method, path] = list(answers)

    def answer_to(self, asked: Asked) -> Answer:
        """What a test wants to be answered. Ready it is, unless a test wants otherwise."""
        answers = self._answers.get((asked.method, asked.path))
        if not answers and asked.path == "/readyz":
            return Says(body=b"ok")
        self.asked.append(asked)
        if not answers:
            self.unexpected.append(f"{asked.method} {asked.path} {asked.query}")
            return status(501, "Unexpected", f"unexpected request: {asked.method} {asked.path}")
        return answers.pop(0) if len(answers) > 1 else answers[0]

    @contextmanager
    def serving(self) -> Iterator["StandIn"]:
        """Inside, the server is there; at the end, every unexpected request fails the test."""
        thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self.close()
            thread.join(END_TIMEOUT)
        assert not self.unexpected, self.unexpected

    def close(self) -> None:
        """Gives the port up."""
        self._server.server_close()

    def target(self, *, cluster: Any = None, user: Any = None, **more: Any) -> Target:
        """What a kubeconfig that names this server says."""
        entry = {"server": self.url, **(cluster or {})}
        return Target("here", "cluster", "user", "default", entry, user or {}, **more)

    def connect(self, **more: Any) -> Cluster:
        """A connection to this server, with the entries of a kubeconfig as `target` takes them."""
        return Cluster.connect(self.target(**more), user_agent="kubectl-admin/test", clock=self.clock)


class Server(ThreadingHTTPServer):
    """The listening socket and a thread for each connection."""

    daemon_threads = True
    request_queue_size = 64
    unexpected: list[str]
    stand_in: StandIn

    def verify_request(self, request: Any, _address: Any) -> bool:
        """Whether a connection is answered at all: one that is not is hung up on after its first words."""
        if self.stand_in.cuts:
            self.stand_in.cuts -= 1
            self.stand_in.cut += 1
            request.settimeout(END_TIMEOUT)  # until it has spoken, no other connection is taken
            socket.socket.recv(request, 1 << 16)  # beneath TLS
            return False
        return True

    def handle_error(self, _request: Any, _address: Any) -> None:
        """A client may hang up at any time; whatever else goes wrong fails the test."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            self.unexpected.append(repr(error))


class Handler(BaseHTTPRequestHandler):
    """One connection to the server."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # header and body in one packet
    stand_in: StandIn

    def answer(self) -> None:
        """Answers one request."""
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        asked = Asked(
            self.command,
            parts.path,
            parse_qsl(parts.query, keep_blank_values=True),
            {name.lower(): self.headers.get_all(name) or [] for name in self.headers},
            json.loads(body) if body else None,
            common_name(self.connection),
        )
        answer = self.stand_in.answer_to(asked)
        if callable(answer) and self.headers.get("Upgrade") == "websocket":
            answer(Wire(self, asked))
            self.close_connection = True
        else:
            self.say(completed(answer(asked) if callable(answer) else answer, asked))

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815 - http.server's names

    def say(self, answer: Says | HangUp) -> None:
        """Sends an answer."""
        if isinstance(answer, HangUp):
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if isinstance(answer.body, Iterator):
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for chunk in answer.body:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
                self.wfile.flush()
            self.wfile.write(b"0\r\n\r\n")
        else:
            ready = answer.body is None or isinstance(answer.body, bytes)
            body = answer.body or b"" if ready else json.dumps(answer.body).encode()
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, *_: Any) -> None:
        """Says nothing on stderr."""


def completed(answer: Says | HangUp, asked: Asked) -> Says | HangUp:
    """The answer with the names that objects have and a test may leave out; bytes are sent as they are."""
    if isinstance(answer, HangUp) or not isinstance(answer.body, dict) or answer.status >= 300:
        return answer
    body, place = dict(answer.body), depth(asked.path)
    if place == 1 and asked.method == "GET" and body.get("kind") != "Table" and "type" not in body:
        body["items"] = [named(item, f"item-{each}") for each, item in enumerate(body.get("items") or ())]
    elif place > 1 or (place and asked.method == "POST"):
        body = named(body, asked.path.rpartition("/")[2])
    return replace(answer, body=body)


def named(item: dict[str, Any], name: str) -> dict[str, Any]:
    """The object with this name, unless it has one."""
    return {**item, "metadata": {"name": name, **item.get("metadata", {})}}


def common_name(connection: Any) -> str | None:
    """The common name of the client certificate."""
    certificate = connection.getpeercert() if isinstance(connection, ssl.SSLSocket) else None
    names = [value for part in (certificate or {}).get("subject", ()) for key, value in part]
    return names[0] if names else None


class Wire:
    """The server's end of a WebSocket."""

    def __init__(self, handler: Handler, asked: Asked) -> None:
        self.asked = asked
        self._handler = handler

    def accept(self, protocol: str, more: dict[str, str] | None = None, behind: bytes = b"") -> None:
        """Consents to the WebSocket with this subprotocol, and further headers.

        behind: frames that come in the same packet.
        """
        offered = (self.asked.header("Sec-WebSocket-Protocol") or "").replace(" ", "").split(",")
        assert protocol in offered, f"{protocol} is not among {offered}"
        key = (self.asked.header("Sec-WebSocket-Key") or "") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        self._handler.send_response(101)
        self._handler.send_header("Upgrade", "websocket")
        self._handler.send_header("Connection", "Upgrade")
        accepted = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()  # noqa: S324 - RFC 6455
        self._handler.send_header("Sec-WebSocket-Accept", accepted)
        self._handler.send_header("Sec-WebSocket-Protocol", protocol)
        for name, value in (more or {}).items():
            self._handler.send_header(name, value)
        self._handler.end_headers()
        self._handler.wfile.write(behind)
        self._handler.wfile.flush()

    def say(self, data: bytes) -> None:
        """Answers the handshake with just this."""
        self._handler.wfile.write(data)
        self._handler.wfile.flush()
        self._handler.connection.shutdown(socket.SHUT_RDWR)

    def refuse(self, answer: Says) -> None:
        """Answers the handshake with a refusal."""
        self._handler.say(answer)

    def send(self, channel: int, data: bytes) -> None:
        """Sends a message on a channel."""
        self.frame(BINARY, bytes([channel]) + data)

    def frame(self, opcode: int, data: bytes, *, final: bool = True) -> None:
        """Sends a frame."""
        self.raw(framed(opcode, data, final=final))

    def raw(self, data: bytes) -> None:
        """Sends bytes as they are."""
        self._handler.wfile.write(data)
        self._handler.wfile.flush()

    def receive(self) -> tuple[int, bytes] | None:
        """The next frame: its opcode and data, unmasked; None at the end. A frame without a mask is wrong."""
        head = self._handler.rfile.read(2)
        if len(head) < 2:
            return None
        assert head[1] & 0x80, "clients must mask what they send"
        length = head[1] & 0x7F
        if length == 126:
            (length,) = struct.unpack("!H", self._handler.rfile.read(2))
        elif length == 127:
            (length,) = struct.unpack("!Q", self._handler.rfile.read(8))
        mask = self._handler.rfile.read(4)
        data = self._handler.rfile.read(length)
        assert len(data) == length, "the client hung up in the middle of a frame"
        pattern = int.from_bytes((mask * (length // 4 + 1))[:length])
        return head[0] & 0x0F, (int.from_bytes(data) ^ pattern).to_bytes(length)

    def messages(self) -> Iterator[tuple[int, bytes]]:
        """What comes on the channels, until the client closes."""
        while (frame := self.receive()) and frame[0] != CLOSE:
            if frame[0] == BINARY:
                yield frame[1][0], frame[1][1:]

    def end(self, code: int = 0) -> None:
        """Tells a command's exit code and closes, as API servers do."""
        self.send(3, json.dumps(ended(code)).encode())
        self.frame(CLOSE, struct.pack("!H", 1000))


def framed(opcode: int, data: bytes, *, final: bool = True) -> bytes:
    """A frame as a server sends it."""
    head = bytes([opcode | (0x80 if final else 0)])
    if len(data) < 126:
        head += bytes([len(data)])
    elif len(data) < 1 << 16:
        head += bytes([126]) + struct.pack("!H", len(data))
    else:
        head += bytes([127]) + struct.pack("!Q", len(data))
    return head + data


def ended(code: int) -> dict[str, Any]:
    """The Status at the end of a command."""
    if code == 0:
        return {"kind": "Status", "status": "Success", "metadata": {}}
    return {
        "kind": "Status",
        "status": "Failure",
        "reason": "NonZeroExitCode",
        "message": f"command terminated with non-zero exit code: exit status {code}",
        "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
    }
