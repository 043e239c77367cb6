"""Many ports of a pod, or of the node whose network it shares, over one WebSocket, each with its own thread.

One thread carries between the WebSocket and the ports, so that no port waits for another: a process that
accepts a connection and says nothing holds up nobody else, and neither does a port where nothing listens.

Source: k8s.io/cri-streaming pkg/streaming/portforward/websocket.go (of the n-th port named, channel 2n is
data and 2n + 1 errors; the same port may be named again, which is a connection more; all are made at once;
that one of them has ended is not told before all have); containerd
internal/cri/server/sandbox_portforward_linux.go («localhost»).
"""

import queue
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from kubectl_admin.cluster.channels import FRAME, Channels, Closing, Message
from kubectl_admin.cluster.credentials import Headers
from kubectl_admin.cluster.errors import BrokenStream
from kubectl_admin.cluster.portforward import FRAMING, LIMIT, PROTOCOL, by_port
from kubectl_admin.cluster.requests import location
from kubectl_admin.cluster.secured import Secured
from kubectl_admin.errors import AdminError
from kubectl_admin.report.text import duration

if TYPE_CHECKING:
    from kubectl_admin.cluster.transport import Transport

PORTS = 60  # of one WebSocket; its channels are numbered in a byte
# A name that every API server's certificate has. Source: kubernetes/kubernetes cmd/kubeadm/app/util/pkiutil.
INSTANCE = "kubernetes"
ALARM = 4096  # bytes of alarms that are read at a time
NOTHING: Message = (0, b"")  # to be sent at present


class SilentError(AdminError):
    """The port has not answered in time."""


class Port:
    """One port of those that were named, a Stream; to be used by one thread at a time.

    Raises PortError for what the node says went wrong there, SilentError after its time limit, BrokenStream
    where the whole connection is lost.
    """

    def __init__(self, what: str, channel: int, outgoing: "Outgoing") -> None:
        self.what = what
        self._channel = channel
        self._outgoing = outgoing
        self._limit = LIMIT + FRAMING
        self._taken = 0
        self._came = queue.SimpleQueue[bytes | AdminError]()
        self._over: bytes | AdminError | None = None
        self._end: float | None = None
        self._seconds = 0.0
        self._closed = False
        self.heard = 0.0  # when the latest bytes had come, in time.monotonic's seconds

    def finish_within(self, seconds: float) -> None:
        """From now on all must be said within so many seconds."""
        self._seconds, self._end = seconds, time.monotonic() + seconds

    def limit(self, size: int) -> None:
        """No more than so many bytes may come in all."""
        self._limit = size

    def send(self, data: bytes) -> None:
        """Sends all of it, as soon as the connection takes it."""
        for start in range(0, len(data), FRAME):
            self._outgoing.put((self._channel, data[start : start + FRAME]))

    def recv(self) -> bytes:
        """Waits for some bytes; none at the end."""
        if self._over is None:
            try:
                left = None if self._end is None else max(self._end - time.monotonic(), 0)
                came = self._came.get(timeout=left)
            except queue.Empty:
                raise SilentError(
                    f"{self.what}: nothing answers within {duration(self._seconds, tenths=True)}"
                ) from None
            if isinstance(came, bytes) and came:
                return came
            self._over = came
        if isinstance(self._over, AdminError):
            raise self._over
        return self._over

    def end(self) -> None:
        """Nothing more will come from there: further questions have no answer."""
        self._closed, self._over = True, b""

    def hear(self, came: bytes | AdminError) -> None:
        """For the thread that carries: something has come; no bytes are the end."""
        if self._closed:
            return
        self.heard = time.monotonic()
        if isinstance(came, bytes):
            self._taken += len(came)
            if self._taken > self._limit:
                came = AdminError(f"{self.what}: more than {self._limit} bytes have come")
        # Nobody hears the rest behind an error: it would only be kept.
        self._closed = isinstance(came, AdminError)
        self._came.put(came)


class Outgoing:
    """Messages to send, from any thread, and an alarm for the one that sends them."""

    def __init__(self) -> None:
        self._messages = queue.SimpleQueue[Message | None]()
        self.alarm, self._ring = socket.socketpair()
        self.alarm.setblocking(False)
        self._ring.setblocking(False)

    def put(self, message: Message | None) -> None:
        """Something to be sent; None hangs up."""
        self._messages.put(message)
        with suppress(OSError):  # it rings already, or nobody listens any more
            self._ring.send(b"!")

    def __iter__(self) -> Iterator[Message]:
        """The messages, with NOTHING between them where there is none; an end where all is to end."""
        while True:
            with suppress(BlockingIOError):
                self.alarm.recv(ALARM)
            while True:
                try:
                    message = self._messages.get_nowait()
                except queue.Empty:
                    break
                if message is None:
                    raise HungUpError
                yield message
            yield NOTHING

    def close(self) -> None:
        """Nothing more is taken."""
        self.alarm.close()
        self._ring.close()


class HungUpError(Exception):
    """Nobody wants more answers."""


class Forwarded(Closing):
    """The ports of one WebSocket, in the order in which they were named."""

    def __init__(self, transport: "Transport", channels: Channels, ports: Sequence[int], pod: str) -> None:
        self._transport = transport
        self._channels = channels
        self._outgoing = Outgoing()
        self.ports = tuple(
            Port(f"port {port} of pod {pod}", 2 * place, self._outgoing) for place, port in enumerate(ports)
        )
        threading.Thread(target=self._carry, name="forwarded", daemon=True).start()

    def to_instance(self, port: Port) -> tuple[Secured, Headers]:
        """TLS with the API server behind a port, and the headers that show it who asks.

        Its certificate is checked by the kubeconfig's authority, as the one of the kubeconfig's server is,
        and only then a token goes there. Raises AdminError for one that is not the cluster's.
        """
        identity, context = self._transport.authenticate(), self._transport.context
        checked = context.verify_mode is ssl.CERT_REQUIRED
        shown = [one for one in identity.headers if checked or one[0].lower() != "authorization"]
        return Secured(port, context, INSTANCE if checked else None, port.what), shown

    def close(self) -> None:
        """Hangs up; the ports end."""
        self._outgoing.put(None)

    def _carry(self) -> None:
        """Carries until either end hangs up, and tells every port how it ended."""
        ended: AdminError | None = BrokenStream(f"{self._channels.what}: the connection was lost")
        try:
            with self._channels:
                messages = self._channels.messages(self._outgoing, self._outgoing.alarm)
                for place, came in by_port(messages, [port.what for port in self.ports]):
                    self.ports[place].hear(came)
            ended = None
        except HungUpError:
            pass
        except AdminError as error:
            ended = error
        finally:
            self._outgoing.close()
            for port in self.ports:
                # Each its own: who raises an error writes into it where that was.
                port.hear(BrokenStream(ended.what) if ended else b"")


def start(
    transport: "Transport",
    namespace: str,
    pod: str,
    ports: Sequence[int],
    *,
    timeout: float,
    opening: float | None = None,
) -> Forwarded:
    """Connections to these ports of a pod, PORTS at most; a port that is named twice has two.

    timeout: seconds after which all must be over. opening: those for the server's consent, where they are
    fewer. Raises ApiError if the server refuses, Unreachable if it is not there.
    """
    if not 0 < len(ports) <= PORTS:
        raise ValueError(f"{len(ports)} ports in one connection")
    where = location(
        f"/api/v1/namespaces/{namespace}/pods/{pod}/portforward", [("ports", str(port)) for port in ports]
    )
    what = f"the ports of pod {namespace}/{pod}"
    channels = Channels.open(transport, where, [PROTOCOL], what=what, timeout=timeout, opening=opening)
    return Forwarded(transport, channels, ports, f"{namespace}/{pod}")
