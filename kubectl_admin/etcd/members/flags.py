"""A member's flags, and how it is reached from its own node by them. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

from kubectl_admin.control_plane.component import ETCD, ETCD_PORT
from kubectl_admin.control_plane.flags import is_true, listed, url_parts
from kubectl_admin.control_plane.pod import settings_of


@dataclass(frozen=True, slots=True)
class Flags:
    """A member's settings by flags and variables, with etcd's own defaults for the rest.

    wal_dir: "" where it is inside of data_dir (member/wal).
    cert_file, key_file: the pair that the member shows to clients. client_cert_file, client_key_file: the one
        for when it is a client itself; "" where it takes the same.
    client_cert_auth: whether clients need a certificate that trusted_ca_file trusts.
    quota: --quota-backend-bytes; 0 for etcd's default (2 GiB), less than 0 for none.
    config_file: "" but where the member reads a file on its node, and none of this.

    Source: etcd server/embed/config.go.
    """

    name: str = "default"
    data_dir: str = "default.etcd"
    wal_dir: str = ""
    listen_client_urls: tuple[str, ...] = ("http://localhost:2379",)
    advertise_client_urls: tuple[str, ...] = ("http://localhost:2379",)
    advertise_peer_urls: tuple[str, ...] = ("http://localhost:2380",)
    listen_metrics_urls: tuple[str, ...] = ()
    trusted_ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    client_cert_file: str = ""
    client_key_file: str = ""
    client_cert_auth: bool = False
    quota: int = 0
    config_file: str = ""


@dataclass(frozen=True, slots=True)
class Access:
    """How a member is spoken to from its own node: an address, and files there (or in its container).

    endpoint: a URL, the loopback's where it listens there.
    tls: whether it is spoken to with TLS.
    ca, cert, key: paths; ca "" where the member names no authority, cert and key "" where it asks for no
        client certificate.
    """

    endpoint: str
    tls: bool = False
    ca: str = ""
    cert: str = ""
    key: str = ""


def member_flags(pod: Mapping[str, Any]) -> Flags:
    """A member's settings. A flag wins over its variable; a configuration file over everything."""
    return flags_of(settings_of(pod, ETCD))


def flags_of(settings: Mapping[str, str]) -> Flags:
    """The same from the flags and variables that its pod gives, by their names without dashes."""

    def urls(name: str, default: str) -> tuple[str, ...]:
        return listed(settings.get(name, default))

    name = settings.get("name", "default")
    return Flags(
        name=name,
        data_dir=settings.get("data-dir") or f"{name}.etcd",
        wal_dir=settings.get("wal-dir", ""),
        listen_client_urls=urls("listen-client-urls", "http://localhost:2379"),
        advertise_client_urls=urls("advertise-client-urls", "http://localhost:2379"),
        advertise_peer_urls=urls("initial-advertise-peer-urls", "http://localhost:2380"),
        listen_metrics_urls=urls("listen-metrics-urls", ""),
        trusted_ca_file=settings.get("trusted-ca-file", ""),
        cert_file=settings.get("cert-file", ""),
        key_file=settings.get("key-file", ""),
        client_cert_file=settings.get("client-cert-file", ""),
        client_key_file=settings.get("client-key-file", ""),
        # A trusted authority alone already makes etcd ask: client/pkg/transport/listener.go, ServerConfig.
        client_cert_auth=is_true(settings.get("client-cert-auth", ""))
        or bool(settings.get("trusted-ca-file")),
        quota=_number(settings.get("quota-backend-bytes", "")),
        config_file=settings.get("config-file", ""),
    )


def access(flags: Flags) -> Access:
    """How a member with these flags is spoken to from its own node.

    The pair of the server serves as the client's, as etcd itself uses it, unless one is named for it.
    """
    endpoint = next(iter(sorted(map(_reachable, flags.listen_client_urls), key=_distance)), "")
    if parts(endpoint)[0] not in ("https", "unixs"):
        return Access(endpoint)
    pair = (flags.client_cert_file, flags.client_key_file)
    if not all(pair):
        pair = (flags.cert_file, flags.key_file)
    return Access(endpoint, True, flags.trusted_ca_file, *(pair if flags.client_cert_auth else ("", "")))


def _reachable(url: str) -> str:
    """The URL as it is dialled from the node itself: one that listens everywhere listens on the loopback."""
    scheme, host, port = parts(url)
    match _address(host):
        case IPv4Address(is_unspecified=True):
            return f"{scheme}://127.0.0.1:{port}"
        case IPv6Address(is_unspecified=True):
            return f"{scheme}://[::1]:{port}"
    return url


def _distance(url: str) -> int:
    """How far an endpoint is from the node: 0 for its loopback, 1 for others, 2 for anything but TCP."""
    scheme, host, _ = parts(url)
    address = _address(host)
    if scheme.startswith("unix"):
        return 2
    return 0 if host == "localhost" or (address and address.is_loopback) else 1


def parts(url: str) -> tuple[str, str, int]:
    """Scheme, host and port of a URL, etcd's port where it names none; "" and 0 where it is not a URL."""
    return url_parts(url, ETCD_PORT)


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _number(text: str) -> int:
    """A whole number; 0 for other text."""
    try:
        return int(text)
    except ValueError:
        return 0
