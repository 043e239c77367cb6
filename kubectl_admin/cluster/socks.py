"""A connection through a SOCKS5 proxy; names are resolved at its end, as kubectl has them resolved.

Source: golang.org/x/net/internal/socks, which Go's http.Transport uses for socks5 and socks5h alike.
"""

import errno
import socket
from urllib.parse import unquote, urlsplit

SCHEMES = ("socks5", "socks5h")
PORT = 1080  # where none is named
# A proxy's answers about the server, in the words of the system. Source: RFC 1928, section 6.
REPLIES = {3: errno.ENETUNREACH, 4: errno.EHOSTUNREACH, 5: errno.ECONNREFUSED, 6: errno.ETIMEDOUT}


class OutOfReachError(OSError):
    """The proxy itself is not reached; a ConnectionRefusedError would be taken for the server's refusal."""


def is_socks(proxy: str | None) -> bool:
    """Whether a proxy's URL is that of a SOCKS5 proxy."""
    return proxy is not None and urlsplit(proxy).scheme in SCHEMES


def connect(proxy: str, host: str, port: int, timeout: float | None) -> socket.socket:
    """A connection to the host. timeout: seconds to connect to the proxy, and for each of its answers.

    Raises OSError: with a number for what the network says, without one for what the proxy refuses.
    """
    # Loaded here: 50 ms that only those pay who have such a proxy.
    from python_socks import ProxyConnectionError, ProxyError, ProxyType
    from python_socks.sync import Proxy

    parts = urlsplit(proxy)
    user, password = (unquote(part) if part else None for part in (parts.username, parts.password))
    host_port = parts.hostname or "", parts.port or PORT
    way = Proxy(ProxyType.SOCKS5, *host_port, username=user, password=password, rdns=True)
    try:
        return way.connect(host, port, timeout=timeout)
    except ProxyConnectionError as error:
        raise OutOfReachError(error.errno, f"proxy {parts.hostname}: {error.strerror}") from error
    except ProxyError as error:
        said = f"proxy {parts.hostname}: {str(error).lower()}"
        number = REPLIES.get(error.error_code or 0)
        raise (OSError(number, said) if number else OSError(said)) from error
