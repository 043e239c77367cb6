"""Connections of the REST client that tell whether a request has been sent at all, know SOCKS proxies, and
end what does not end in time.

urllib3 raises the same for a server that hangs up in the handshake and for one that hangs up in the middle
of an answer. The first has heard of nothing, so whatever was to be asked may be asked again.
"""

import http.client
import io
import socket
import ssl
from contextvars import ContextVar
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from kubectl_admin.clock import Deadline
from kubectl_admin.cluster import socks
from kubectl_admin.cluster.limits import LimitedFile

# When answers must have come whole to what is asked from here; None is never.
END: ContextVar[Deadline | None] = ContextVar("END", default=None)


class Timely(http.client.HTTPResponse):
    """An answer, its head included, that is read until the moment END and no longer."""

    def __init__(self, sock: Any, *args: Any, **more: Any) -> None:
        super().__init__(sock, *args, **more)
        end = END.get()
        if end is not None:
            self.fp = io.BufferedReader(LimitedFile(self.fp.detach(), sock, end))


class ProxyNotReachedError(urllib3.exceptions.NewConnectionError):
    """The proxy itself could not be spoken to; whatever else fails on the way is not its fault."""


class Reaching(HTTPConnection):
    """One that raises NewConnectionError for whatever cuts it off before a request can be sent.

    _socks_options: urllib3's own name for what says that it leads through a SOCKS proxy: {"proxy": its URL}.
    """

    response_class = Timely

    def __init__(self, *args: Any, _socks_options: dict[str, str] | None = None, **more: Any) -> None:
        self._socks = _socks_options
        super().__init__(*args, **more)

    def _new_conn(self) -> socket.socket:
        """The socket to the server, or to its HTTP proxy."""
        if not self._socks:
            try:
                return super()._new_conn()
            except urllib3.exceptions.HTTPError as error:
                if self.proxy:
                    raise ProxyNotReachedError(self, str(error)) from error
                raise
        timeout = self.timeout if isinstance(self.timeout, int | float) else None
        try:
            return socks.connect(self._socks["proxy"], self.host, self.port or 0, timeout)
        except OSError as error:
            if error.errno or isinstance(error, TimeoutError):
                raise
            raise urllib3.exceptions.ProxyError("refused", error) from error

    def connect(self) -> None:
        """Connects and shakes hands."""
        try:
            super().connect()
        except ssl.SSLCertVerificationError:
            raise
        except OSError as error:
            # A proxy's refusal has no number; it would refuse again.
            if isinstance(error, ssl.SSLError | TimeoutError) or error.errno:
                raise urllib3.exceptions.NewConnectionError(self, str(error)) from error
            raise


class SecureReaching(Reaching, HTTPSConnection):
    """The same with TLS."""

    def _connect_tls_proxy(self, hostname: str, sock: socket.socket) -> ssl.SSLSocket:
        """The same socket once TLS is spoken with the proxy."""
        try:
            return super()._connect_tls_proxy(hostname, sock)
        except OSError as error:
            raise ProxyNotReachedError(self, str(error)) from error


class Pool(HTTPConnectionPool):
    """A pool of these."""

    ConnectionCls = Reaching


class SecurePool(HTTPSConnectionPool):
    """The same with TLS."""

    ConnectionCls = SecureReaching


POOLS: dict[str, Any] = {"http": Pool, "https": SecurePool}
