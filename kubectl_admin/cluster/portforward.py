"""A port of a pod, or of the node whose network the pod shares, as a stream of bytes; and HTTP over it.

It reaches listeners on a node's loopback without any pod of our own.

Source: k8s.io/cri-streaming pkg/streaming/portforward/websocket.go (channels 0 data and 1 error, each
beginning with the port in two bytes).
"""

import http.client
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kubectl_admin.cluster import tls as trust
from kubectl_admin.cluster.channels import Channels, Closing, Message
from kubectl_admin.cluster.errors import BrokenStream
from kubectl_admin.cluster.limits import TooLong
from kubectl_admin.cluster.requests import location
from kubectl_admin.cluster.secured import Secured, Stream
from kubectl_admin.cluster.transport import Transport
from kubectl_admin.errors import AdminError

if TYPE_CHECKING:
    from kubectl_admin.cluster.connection import Cluster

PROTOCOL = "v4.channel.k8s.io"
DATA, ERROR = 0, 1
PREFIX = 2  # bytes of the port's number at the beginning of each channel
LIMIT = 64 << 20  # bytes of an answer
FRAMING = 1 << 20  # bytes of an answer besides its body: its head, and where its chunks begin and end
SAID = 300  # characters of a node's words that are shown
HTTP_TIMEOUT = 10.0  # seconds for connecting, asking and the whole answer


class PortError(AdminError):
    """The port can't be reached: nothing listens, or the node can't forward. said: the node's own words."""

    def __init__(self, what: str, said: str) -> None:
        nothing = "connection refused" in said
        super().__init__(f"{what}: {'nothing listens there' if nothing else said[:SAID]}")
        self.said = said


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer. headers: by their names in small letters."""

    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes


def http_get(  # noqa: PLR0913 - where it is, what is asked, and how
    cluster: "Cluster",
    namespace: str,
    pod: str,
    port: int,
    path: str,
    *,
    tls: bool = False,
    timeout: float = HTTP_TIMEOUT,
    limit: int = LIMIT,
) -> Answer:
    """GETs a path from a port of a pod, or of the loopback of the node whose network it shares.

    tls: speak TLS. The server's certificate is not checked, since a listener on a loopback signs its own;
    so the user's client certificate is shown, which can't be stolen, but never a token.
    timeout: seconds for everything. limit: bytes that the answer may have.

    The connection ends with the answer, although the server would keep it open. Raises PortError where
    nothing listens, ApiError where the user may not, AdminError for anything but an answer.
    """
    with cluster.port_forward(namespace, pod, port, timeout=timeout) as forward:
        stream: Stream = forward
        if tls:
            context = trust.context_to_loopback(cluster.client_certificate, cluster.target.user_name)
            stream = Secured(forward, context, None, forward.what)
        return answer_to(stream, path, limit, forward.what)


class PortForward(Closing):
    """A connection to one port, a Stream. Raises PortError and BrokenStream."""

    def __init__(self, channels: Channels) -> None:
        self.what = channels.what
        self._channels = channels
        self._coming = by_port(channels.messages(), [self.what])

    def send(self, data: bytes) -> None:
        """Sends all of it."""
        self._channels.send(DATA, data)

    def recv(self) -> bytes:
        """Waits for some bytes; none at the end. Raises PortError for what the node says went wrong."""
        for _, data in self._coming:
            if isinstance(data, PortError):
                raise data
            return data
        return b""

    def close(self) -> None:
        """Hangs up."""
        self._channels.close()


def start(
    transport: Transport, namespace: str, pod: str, port: int, *, timeout: float | None = None
) -> PortForward:
    """A connection to a port of a pod. timeout: seconds after which all must be over; None is never."""
    path = location(f"/api/v1/namespaces/{namespace}/pods/{pod}/portforward", [("ports", str(port))])
    what = f"port {port} of pod {namespace}/{pod}"
    return PortForward(Channels.open(transport, path, [PROTOCOL], what=what, timeout=timeout))


def by_port(messages: Iterable[Message], whats: Sequence[str]) -> Iterator[tuple[int, bytes | PortError]]:
    """Answers of each port, by its place among those that were named: bytes, or an error of that port.

    whats: names each port in errors. A channel of no port is passed over.
    """
    prefixes = [PREFIX] * len(whats) * 2
    for channel, message in messages:
        if channel >= len(prefixes):
            continue
        skipped = min(prefixes[channel], len(message))
        prefixes[channel] -= skipped
        if data := message[skipped:]:
            place, kind = divmod(channel, 2)
            wrong = kind == ERROR
            yield place, PortError(whats[place], data.decode("utf-8", "replace").strip()) if wrong else data


def answer_to(
    stream: Stream,
    path: str,
    limit: int,
    what: str,
    *,
    further: Sequence[tuple[str, str]] = (),
    close: bool = True,
) -> Answer:
    """The answer to a GET over the stream, read by its length or its chunks.

    further: headers of the question; it accepts everything where they don't say otherwise. close: whether
    the server is told that nothing more will be asked.
    An answer that is asked for compressed comes so. Raises AdminError for anything but an answer, and as the
    stream does.
    """
    named = {name for name, _ in further}
    headers = [] if "Accept" in named else [("Accept", "*/*")]
    headers += [*([("Connection", "close")] if close else []), *further]
    connection = http.client.HTTPConnection("localhost")
    sock: Any = AsSocket(stream, limit + FRAMING)
    connection.sock = sock
    try:
        connection.putrequest("GET", path, skip_accept_encoding="Accept-Encoding" in named)
        for name, value in headers:
            connection.putheader(name, value.encode())
        connection.endheaders()
        response = connection.getresponse()
        body = response.read(limit + 1)
        if len(body) > limit:
            raise TooLong
    except TooLong:
        raise AdminError(f"{what}: the answer to {path} is longer than {limit} bytes") from None
    # ValueError: of chunks with a length below nothing.
    except (http.client.HTTPException, OSError, ValueError) as error:
        said = " ".join((str(error) or type(error).__name__)[:SAID].split())
        raise AdminError(f"{what}: this is not an HTTP answer to {path}: {said}") from error
    if response.length:  # http.client does not mind
        raise BrokenStream(f"{what}: the answer to {path} lacks its last {response.length} bytes")
    given = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, response.reason, given, body)


class AsSocket:
    """As much of a socket as http.client needs. limit: bytes that may come."""

    def __init__(self, stream: Stream, limit: int) -> None:
        self._stream = stream
        self._limit = limit

    def sendall(self, data: bytes) -> None:
        """Sends all of it."""
        self._stream.send(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        """The answer as a file."""
        return io.BufferedReader(AsFile(self._stream, self._limit))

    def close(self) -> None:
        """The stream's opener closes it."""


class AsFile(io.RawIOBase):
    """A stream's bytes as a file without a buffer; raises TooLong beyond `limit` bytes.

    It ignores the size that is asked for: a chunk of -1 bytes would be read to the end.
    """

    def __init__(self, stream: Stream, limit: int) -> None:
        self._stream = stream
        self._left = limit
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fills the buffer with some bytes; 0 at the end."""
        data = self._rest or memoryview(self._stream.recv())
        taken = min(len(buffer), len(data))
        buffer[:taken] = data[:taken]
        self._rest = data[taken:]
        self._left -= taken
        if self._left < 0:
            raise TooLong
        return taken
