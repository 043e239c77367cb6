"""How a WebSocket to the API server comes about: through the proxy, TLS and the server's own consent.

The socket is made here, since websocket-client would trust, send and follow otherwise than requests do.
"""

import http.client
import logging
import socket
import ssl
import time
from typing import Any
from urllib.parse import urlsplit

import websocket
from websocket._abnf import frame_buffer

from kubectl_admin.cluster import proxy, socks
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
from kubectl_admin.cluster.relay import relayed
from kubectl_admin.cluster.requests import retried
from kubectl_admin.cluster.transport import CONNECT_TIMEOUT, READ_TIMEOUT, Transport

FRAME_LIMIT = 1 << 20  # bytes
log = logging.getLogger("kubectl_admin.cluster")


def websocket_to(
    transport: Transport, location: str, protocols: list[str], timeout: float | None = None
) -> Any:
    """A WebSocket at this path and query that speaks one of the protocols.

    timeout: seconds for the server's consent, 30 at most. Raises ApiError if it refuses, Unreachable if it is
    not there; only what never reached it is tried again.
    """

    def once(_end: float | None) -> Any:
        identity = transport.authenticate()
        try:
            return consented(transport, location, protocols, identity, timeout)
        except Unauthorized:
            if not transport.credentials.renew(identity):
                raise
            renewed = transport.authenticate()
            if renewed == identity:
                raise
        return consented(transport, location, protocols, renewed, timeout)

    return retried(transport, "CONNECT", once, timeout=timeout)


def consented(
    transport: Transport, location: str, protocols: list[str], identity: Identity, timeout: float | None
) -> Any:
    """The WebSocket after a handshake with these credentials."""
    patience = min(timeout or READ_TIMEOUT, READ_TIMEOUT)
    url = transport.server + location
    connection: Any = websocket.WebSocket(skip_utf8_validation=True, enable_multithread=False)
    connection.frame_buffer = Frames(connection.frame_buffer.recv, skip_utf8_validation=True)
    start = time.monotonic()
    transport.begin()
    raw = dialled(transport, min(CONNECT_TIMEOUT, patience))
    raw.settimeout(patience)
    try:
        connection.connect(
            "ws" + url.removeprefix("http"),
            socket=raw,
            header=[
                f"{name}: {value}"
                for name, value in [("User-Agent", transport.user_agent), *identity.headers]
            ],
            subprotocols=protocols,
            suppress_origin=True,
            redirect_limit=0,  # the credentials are for this server only
        )
        transport.heard = True
    except websocket.WebSocketBadStatusException as error:
        if not error.status_code:
            raise unreachable(transport.server, error) from error  # what it said is no HTTP
        transport.heard = True
        took = (time.monotonic() - start) * 1000
        log.debug("CONNECT %s %d in %.0f ms", transport.shown + location, error.status_code, took)
        raise refused(error, location, known=transport.known) from None
    except (websocket.WebSocketException, OSError) as error:
        raise unreachable(transport.server, error) from error
    finally:
        if not connection.connected:
            raw.close()
    took = (time.monotonic() - start) * 1000
    log.debug("CONNECT %s 101 %s in %.0f ms", transport.shown + location, connection.subprotocol, took)
    return connection


class Frames(frame_buffer):
    """Frames as they come, none longer than FRAME_LIMIT: what a node announces is not believed.

    An API server hands on what a kubelet sends, in pieces of 32 KiB at most.
    """

    def recv_length(self) -> None:
        """Reads how long the next frame is."""
        super().recv_length()
        if (self.length or 0) > FRAME_LIMIT:
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


def dialled(transport: Transport, timeout: float) -> socket.socket:
    """A connection to the server, encrypted if it wants https; raises NothingSent or Unreachable."""
    parts = urlsplit(transport.server)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    try:
        raw = (
            tunnelled(transport, host, port, timeout)
            if transport.proxy
            else socket.create_connection((host, port), timeout)
        )
    except (OSError, http.client.HTTPException) as error:
        by = proxy.host_of(transport.proxy) if isinstance(error, ssl.SSLError) else ""
        said = unreachable(transport.server, error, by=by)
        # A proxy's refusal has no number, and neither has a time limit: both would come again.
        passing = getattr(error, "errno", None) and not isinstance(said, Untrusted)
        raise (NothingSent(said.what) if passing else said) from error
    for option in tcp_keepalive_socket_options():
        raw.setsockopt(*option)
    if isinstance(raw, ssl.SSLSocket):
        raw = relayed(raw)
    if parts.scheme != "https":
        return raw
    try:
        return transport.context.wrap_socket(raw, server_hostname=transport.server_name or host)
    except OSError as error:
        raw.close()
        said = unreachable(transport.server, error)
        # Nobody has heard of anything yet; only a certificate that is not the server's would be so again.
        raise (said if isinstance(said, Untrusted) else NothingSent(said.what)) from error


def tunnelled(transport: Transport, host: str, port: int, timeout: float) -> socket.socket:
    """A connection through the proxy: an SSLSocket where what is said to the proxy is encrypted."""
    if transport.proxy and socks.is_socks(transport.proxy):
        return socks.connect(transport.proxy, host, port, timeout)
    parts, context = urlsplit(transport.proxy or ""), transport.proxy_context
    tunnel: Any = http.client.HTTPConnection(
        parts.hostname or "", parts.port or (443 if context else 80), timeout=timeout
    )
    if context:
        # Where it takes its socket from: CONNECT is said within TLS, which http.client has no other way for.
        tunnel._create_connection = lambda *where: context.wrap_socket(
            socket.create_connection(*where), server_hostname=parts.hostname
        )
    tunnel.set_tunnel(host, port, transport.proxy_headers)
    try:
        tunnel.connect()
    except Exception:
        tunnel.close()
        raise
    if not isinstance(tunnel.sock, socket.socket):
        raise Unreachable(f"Unable to connect to the server: proxy {proxy.shown(transport.proxy or '')}")
    return tunnel.sock
