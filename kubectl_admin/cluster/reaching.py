"""Connections of the REST client that tell whether a request has been sent at all, and know SOCKS proxies.

urllib3 raises the same for a server that hangs up in the handshake and for one that hangs up in the middle
of an answer. The first has heard of nothing, so whatever was to be asked may be asked again.
"""

import socket
import ssl
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from kubectl_admin.cluster import socks


class Reaching(HTTPConnection):
    """One that raises NewConnectionError for whatever cuts it off before a request can be sent.

    _socks_options: urllib3's own name for what says that it leads through a SOCKS proxy: {"proxy": its URL}.
    """

    def __init__(self, *args: Any, _socks_options: dict[str, str] | None = None, **more: Any) -> None:
        self._socks = _socks_options
        super().__init__(*args, **more)

    def _new_conn(self) -> socket.socket:
        """The socket to the server."""
        if not self._socks:
            return super()._new_conn()
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
            # What a proxy refuses has no number; it would refuse it again.
            if isinstance(error, ssl.SSLError | TimeoutError) or error.errno:
                raise urllib3.exceptions.NewConnectionError(self, str(error)) from error
            raise


class SecureReaching(Reaching, HTTPSConnection):
    """The same with TLS."""


class Pool(HTTPConnectionPool):
    """A pool of these."""

    ConnectionCls = Reaching


class SecurePool(HTTPSConnectionPool):
    """The same with TLS."""

    ConnectionCls = SecureReaching


POOLS: dict[str, Any] = {"http": Pool, "https": SecurePool}
