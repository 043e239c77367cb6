"""How a WebSocket to the API server comes about: through the proxy, TLS and the server's own consent.

The socket is made here, since websocket-client would trust, send and follow otherwise than requests do.
"""

import http.client
import logging
import socket
import ssl
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from kubectl_admin.clock import Deadline
from kubectl_admin.cluster import proxy, socks
from kubectl_admin.cluster.address import shown
from kubectl_admin.cluster.client import tcp_keepalive_socket_options
from kubectl_admin.cluster.credentials import Identity
from kubectl_admin.cluster.errors import (
    ApiError,
    NothingSent,
    Unauthorized,
    Unreachable,
    Untrusted,
    refusal,
    unreachable,
)
from kubectl_admin.cluster.limits import LimitedSocket, TooLong
from kubectl_admin.cluster.relay import relay
from kubectl_admin.cluster.requests import send_with_retries
from kubectl_admin.cluster.transport import CONNECT_TIMEOUT, READ_TIMEOUT, Transport
from kubectl_admin.cluster.websockets import SimpleCookieJar, _handshake, frame_buffer, websocket
from kubectl_admin.errors import AdminError

FRAME_LIMIT = 1 << 20  # bytes
CONTROL_LIMIT = 125  # bytes of a ping, a pong or a close. Source: RFC 6455, section 5.5
HANDSHAKE = 64 << 10  # bytes of the server's consent or refusal
log = logging.getLogger("kubectl_admin.cluster")


class NoCookies(SimpleCookieJar):
    """Instead of websocket-client's jar of cookies: a cookie of one node is not sent to all others."""

    def add(self, _set_cookie: str | None) -> None:
        """Keeps nothing."""

    def get(self, _host: str) -> str:
        """Has nothing."""
        return ""


_handshake.CookieJar = NoCookies()


def websocket_to(
    transport: Transport, location: str, protocols: list[str], timeout: float | None = None
) -> Any:
    """A WebSocket at this path and query that speaks one of the protocols.

    timeout: seconds for the server's consent, 30 at most. Raises ApiError if it refuses, Unreachable if it is
    not there, AdminError if its words do not end; only a request that never reached it is tried again.
    """

    def once(end: Deadline | None) -> Any:
        left = max(end.left, 0.001) if end else None
        identity = transport.authenticate()
        try:
            return ask_consent(transport, location, protocols, identity, left)
        except Unauthorized:
            if not transport.credentials.renew(identity):
                raise
            renewed = transport.authenticate()
            if renewed == identity:
                raise
        return ask_consent(transport, location, protocols, renewed, left)

    return send_with_retries(transport, "CONNECT", once, timeout=timeout)


def ask_consent(
    transport: Transport, location: str, protocols: list[str], identity: Identity, timeout: float | None
) -> Any:
    """The WebSocket after a handshake with these credentials."""
    patience = min(timeout or READ_TIMEOUT, READ_TIMEOUT)
    url = transport.server + location
    connection: Any = websocket.WebSocket(skip_utf8_validation=True, enable_multithread=False)
    connection.frame_buffer = Frames(connection.frame_buffer.recv)
    start = transport.clock.monotonic()
    transport.begin()
    raw = dial(transport, for_dialing(patience))
    shaking = LimitedSocket(raw, Deadline.after(patience, transport.clock), HANDSHAKE)
    try:
        connection.connect(
            "ws" + url.removeprefix("http"),
            socket=shaking,
            header=[
                f"{name}: {value}"
                for name, value in [("User-Agent", transport.user_agent), *identity.headers]
            ],
            subprotocols=protocols,
            suppress_origin=True,
            redirect_limit=0,  # the credentials are for this server only
        )
        connection.sock = raw
        connection.frame_buffer.early = shaking.rest
        transport.heard = True
    except websocket.WebSocketBadStatusException as error:
        if not error.status_code:
            raise unreachable(transport.server, error) from error  # its answer is not HTTP
        transport.heard = True
        took = (transport.clock.monotonic() - start) * 1000
        log.debug("CONNECT %s %d in %.0f ms", transport.shown + location, error.status_code, took)
        raise refused(error, location, known=transport.known) from None
    except TooLong:
        raise AdminError(f"the answer to CONNECT {location} is longer than {HANDSHAKE} bytes") from None
    except (websocket.WebSocketException, OSError) as error:
        raise unreachable(transport.server, error) from error
    finally:
        if not connection.connected:
            raw.close()
    took = (transport.clock.monotonic() - start) * 1000
    log.debug("CONNECT %s 101 %s in %.0f ms", transport.shown + location, connection.subprotocol, took)
    return connection


def for_dialing(patience: float) -> float:
    """Seconds for one try to connect, of those for a channel: another try, which a balancer leads elsewhere,
    must have time as well.
    """
    return min(CONNECT_TIMEOUT, patience / 2)


class Frames(frame_buffer):
    """Frames as they come, none longer than FRAME_LIMIT, whatever a node announces.

    An API server hands on what a kubelet sends, in pieces of 32 KiB at most.

    before_reading: is called before each read of a part of a frame, and may raise. early: bytes that have
    come behind the handshake.
    """

    def __init__(self, read: Callable[[int], bytes]) -> None:
        super().__init__(self._read_on, skip_utf8_validation=True)
        self.before_reading: Callable[[], None] | None = None
        self.early = b""
        self._read = read

    def _read_on(self, size: int) -> bytes:
        if self.before_reading:
            self.before_reading()
        if self.early:
            data, self.early = self.early[:size], self.early[size:]
            return data
        return self._read(size)

    def recv_length(self) -> None:
        """Reads how long the next frame is."""
        super().recv_length()
        is_control = bool(self.header and self.header[4] & 8)
        if (self.length or 0) > (CONTROL_LIMIT if is_control else FRAME_LIMIT):
            raise websocket.WebSocketProtocolException(f"a frame of {self.length} bytes is announced")


def refused(error: websocket.WebSocketBadStatusException, location: str, *, known: bool) -> ApiError:
    """The server's refusal to open a channel, with the words of the Status that it sent.

    A kubelet that does not know the API server answers 401 as well, and the API server hands that on.
    """
    headers = {name.title(): str(value) for name, value in (error.resp_headers or {}).items()}
    told = refusal(error.status_code, error.resp_body or b"", headers, f"CONNECT {location}")
    if isinstance(told, Unauthorized):
        told.known = known
        told.hint = (
            "where other requests are answered, the kubelet refuses the API server: kubectl admin certs"
        )
    return told


def dial(transport: Transport, timeout: float) -> socket.socket:
    """A connection to the server, encrypted if it wants https; raises NothingSent or Unreachable."""
    parts = urlsplit(transport.server)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    try:
        raw = (
            open_tunnel(transport, host, port, timeout)
            if transport.proxy
            else socket.create_connection((host, port), timeout)
        )
    except (OSError, http.client.HTTPException) as error:
        raise not_reached(transport, error) from error
    for option in tcp_keepalive_socket_options():
        raw.setsockopt(*option)
    if isinstance(raw, ssl.SSLSocket):
        raw = relay(raw)
    if parts.scheme != "https":
        return raw
    try:
        return transport.context.wrap_socket(raw, server_hostname=transport.server_name or host)
    except OSError as error:
        raw.close()
        said = unreachable(transport.server, error)
        # Nobody has heard of anything yet; only a certificate that is not the server's would be so again.
        raise (said if isinstance(said, Untrusted) else NothingSent(said.what)) from error


def not_reached(transport: Transport, error: Exception, by: str = "") -> Unreachable:
    """NothingSent where another try may help. by: who could not be reached, where that is not the server."""
    said = unreachable(transport.server, error, by=by)
    # A proxy's refusal has no number, and neither has a time limit: both would come again.
    passing = getattr(error, "errno", None) and not isinstance(said, Untrusted)
    return NothingSent(said.what, said.hint) if passing else said


def open_tunnel(transport: Transport, host: str, port: int, timeout: float) -> socket.socket:
    """A connection through the proxy: an SSLSocket where traffic with the proxy is encrypted."""
    if transport.proxy and socks.is_socks(transport.proxy):
        return socks.connect(transport.proxy, host, port, timeout)
    parts, context = urlsplit(transport.proxy or ""), transport.proxy_context
    tunnel: Any = http.client.HTTPConnection(
        parts.hostname or "", parts.port or (443 if context else 80), timeout=timeout
    )

    def reach(*where: Any) -> socket.socket:
        try:
            raw = socket.create_connection(*where)
            return context.wrap_socket(raw, server_hostname=parts.hostname) if context else raw
        except OSError as error:  # later ones may be the server's: its silence, say
            raise not_reached(transport, error, proxy.address_of(transport.proxy)) from error

    # Where it takes its socket from: CONNECT is said within TLS, which http.client has no other way for.
    tunnel._create_connection = reach
    tunnel.set_tunnel(host, port, transport.proxy_headers)
    try:
        tunnel.connect()
    except Exception:
        tunnel.close()
        raise
    if not isinstance(tunnel.sock, socket.socket):
        raise Unreachable(f"Unable to connect to the server: proxy {shown(transport.proxy or '')}")
    return tunnel.sock
