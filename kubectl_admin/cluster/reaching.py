"""Connections of the REST client that tell whether a request has been sent at all.

urllib3 raises the same for a server that hangs up in the handshake and for one that hangs up in the middle
of an answer. The first has heard of nothing, so whatever was to be asked may be asked again.
"""

import ssl
from typing import Any

import urllib3
from urllib3.connection import HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool


class Connection(HTTPSConnection):
    """One that raises NewConnectionError for whatever cuts it off before its handshake is over."""

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


class Pool(HTTPSConnectionPool):
    """A pool of these."""

    ConnectionCls = Connection


POOLS: dict[str, Any] = {"http": HTTPConnectionPool, "https": Pool}
