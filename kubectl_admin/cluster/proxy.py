"""Whether a proxy stands between us and the API server.

Source: client-go (proxy-url), golang.org/x/net/http/httpproxy (the environment variables).
"""

from collections.abc import Mapping
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit

from kubectl_admin.cluster.address import fault_of, shown
from kubectl_admin.cluster.kubeconfig import Target
from kubectl_admin.cluster.socks import SCHEMES
from kubectl_admin.errors import AdminError


def proxy_of(target: Target, environ: Mapping[str, str]) -> str | None:
    """The proxy's URL, or None: the kubeconfig's proxy-url, or else what the environment variables name.

    Variables never send a loopback address to a proxy, and $NO_PROXY counts for them only. Raises AdminError
    for a malformed address, and for any other kind of proxy than HTTP and SOCKS5.
    """
    proxy = str(target.cluster.get("proxy-url", "")) or proxy_of_environment(target.server, environ)
    if not proxy:
        return None
    proxy = proxy if "://" in proxy else f"http://{proxy}"
    if proxy.partition("://")[0].lower() not in ("http", "https", *SCHEMES):
        raise AdminError(
            f"proxy {shown(proxy)} of {shown(target.server)}: only HTTP and SOCKS5 proxies are supported",
            "set proxy-url to one of these, or use a tunnel and --server",
        )
    if fault := fault_of(proxy):
        raise AdminError(f"proxy {shown(proxy)} of {shown(target.server)}: {fault}")
    return proxy


def proxy_of_environment(server: str, environ: Mapping[str, str]) -> str | None:
    """This server's proxy by $HTTPS_PROXY or $HTTP_PROXY and $NO_PROXY."""
    from kubectl_admin.cluster.client import should_bypass_proxies

    parts = urlsplit(server)
    proxy = variable(f"{parts.scheme}_proxy", environ)
    if not proxy or is_loopback(parts.hostname or ""):
        return None
    return None if should_bypass_proxies(server, variable("no_proxy", environ)) else proxy


def variable(name: str, environ: Mapping[str, str]) -> str:
    """An environment variable in capitals or, failing that, in small letters."""
    return environ.get(name.upper()) or environ.get(name) or ""


def is_loopback(host: str) -> bool:
    """Whether the host is this machine by its name or address."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def credentials_of(proxy: str) -> str | None:
    """«user:password» of a proxy's URL; None where it has none."""
    parts = urlsplit(proxy)
    return f"{unquote(parts.username)}:{unquote(parts.password or '')}" if parts.username else None


def is_encrypted(proxy: str | None) -> bool:
    """Whether TLS is spoken with the proxy itself."""
    return urlsplit(proxy or "").scheme == "https"


def address_of(proxy: str | None) -> str:
    """The proxy's host and port, for errors: without its password."""
    return urlsplit(proxy or "").netloc.rpartition("@")[2]
