"""A proxy between us and the server, for requests and channels alike."""

import base64
import select
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import pytest

from kubectl_admin.cluster.errors import NothingSent, Unreachable, Untrusted
from kubectl_admin.cluster.kubeconfig import Target
from kubectl_admin.cluster.proxy import proxy_of
from kubectl_admin.errors import AdminError
from tests.fakes.api_server import Says, StandIn, Wire

EXEC = "/api/v1/namespaces/ns/pods/p/exec"


@dataclass
class Proxy:
    """A proxy that opens tunnels; heads: what was said to it before each."""

    url: str = ""
    heads: list[str] = field(default_factory=list)
    answer: bytes = b"HTTP/1.1 200 Connection established\r\n\r\n"

    def tunnel(self, client: socket.socket) -> None:
        """One connection, to its end."""
        with client:
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                byte = client.recv(1)
                if not byte:
                    return
                head += byte
            self.heads.append(head.decode())
            client.sendall(self.answer)
            if b" 200 " not in self.answer:
                return
            host, port = head.split()[1].decode().split(":")
            with socket.create_connection((host, int(port))) as server, suppress(ConnectionResetError):
                carry(client, server)


def carry(client: socket.socket, server: socket.socket) -> None:
    """Carries bytes both ways until one of them ends."""
    ends = {client: server, server: client}
    while True:
        decrypted = isinstance(client, ssl.SSLSocket) and client.pending()
        for end in [client] if decrypted else select.select(list(ends), [], [])[0]:
            data = end.recv(65536)
            if not data:
                return
            ends[end].sendall(data)


@contextmanager
def listening(talk: Callable[[socket.socket], None]) -> Iterator[int]:
    """Inside, this is done with every connection to a port of 127.0.0.1."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=talk, args=(client,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    """A proxy on a port of 127.0.0.1."""
    made = Proxy()
    with listening(made.tunnel) as port:
        made.url = f"http://127.0.0.1:{port}"
        yield made


def serve(server: StandIn) -> None:
    """A request and a command can be asked for."""

    def command(wire: Wire) -> None:
        wire.accept("v5.channel.k8s.io")
        wire.end()

    server.on("GET", "/version", Says(body={}))
    server.on("GET", EXEC, command)


def test_requests_and_commands_go_through_it(
    secure: StandIn, trusting: dict[str, Any], proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kubeconfig's proxy counts whatever the environment says, even for a loopback address."""
    monkeypatch.setenv("NO_PROXY", "*")
    serve(secure)
    url = proxy.url.replace("//", "//me:s%40cret@")
    cluster = secure.connect(cluster={**trusting, "proxy-url": url}, user={"token": "t"})
    cluster.get("/version")
    cluster.exec("ns", "p", None, ["true"]).run()
    assert len(proxy.heads) == 2
    expected = "Basic " + base64.b64encode(b"me:s@cret").decode()
    for head in proxy.heads:
        assert head.startswith(f"CONNECT {secure.host} HTTP/1.")
        assert [line.split(": ")[1] for line in head.splitlines() if "authorization" in line.lower()] == [
            expected
        ]
        assert "Bearer" not in head


def test_commands_over_plain_http(server: StandIn, proxy: Proxy) -> None:
    serve(server)
    server.connect(cluster={"proxy-url": proxy.url}).exec("ns", "p", None, ["true"]).run()
    assert proxy.heads[0].startswith(f"CONNECT {server.host} ")


def test_a_proxy_that_refuses(secure: StandIn, trusting: dict[str, Any], proxy: Proxy) -> None:
    proxy.answer = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
    cluster = secure.connect(cluster={**trusting, "proxy-url": proxy.url})
    with pytest.raises(Unreachable, match="407 Proxy Authentication Required"):
        cluster.get("/version")
    with pytest.raises(Unreachable, match="407 Proxy Authentication Required"):
        cluster.exec("ns", "p", None, ["true"])


def test_a_proxy_s_words_are_shown_in_part(secure: StandIn, trusting: dict[str, Any], proxy: Proxy) -> None:
    proxy.answer = b"HTTP/1.1 407 " + b"no " * 10_000 + b"\r\nContent-Length: 0\r\n\r\n"
    with pytest.raises(Unreachable, match="407 no no") as caught:
        secure.connect(cluster={**trusting, "proxy-url": proxy.url}).get("/version")
    assert len(caught.value.what) < 500


def test_what_is_no_proxy(secure: StandIn, trusting: dict[str, Any], proxy: Proxy) -> None:
    proxy.answer = b"SSH-2.0-OpenSSH_9.2\r\n\r\n"
    cluster = secure.connect(cluster={**trusting, "proxy-url": proxy.url})
    with pytest.raises(Unreachable):
        cluster.get("/version")
    with pytest.raises(Unreachable, match="OpenSSH"):
        cluster.exec("ns", "p", None, ["true"])


def target(server: str, **cluster: Any) -> Target:
    """A cluster at this address."""
    return Target("c", "c", "u", "default", {"server": server, **cluster}, {})


@pytest.mark.parametrize(
    ("server", "environ", "expected"),
    [
        ("https://api:6443", {}, None),
        ("https://api:6443", {"HTTPS_PROXY": "http://p:1"}, "http://p:1"),
        ("https://api:6443", {"https_proxy": "p:1"}, "http://p:1"),
        ("https://api:6443", {"HTTPS_PROXY": "http://upper", "https_proxy": "http://lower"}, "http://upper"),
        ("https://api:6443", {"HTTP_PROXY": "http://p:1"}, None),
        ("http://api:6443", {"HTTP_PROXY": "http://p:1"}, "http://p:1"),
        ("https://api:6443", {"HTTPS_PROXY": "http://p:1", "ALL_PROXY": "http://q:1"}, "http://p:1"),
        ("https://api:6443", {"ALL_PROXY": "http://q:1"}, None),
        ("https://127.0.0.1:6443", {"HTTPS_PROXY": "http://p:1"}, None),
        ("https://[::1]:6443", {"HTTPS_PROXY": "http://p:1"}, None),
        ("https://localhost:6443", {"HTTPS_PROXY": "http://p:1"}, None),
        ("https://10.1.2.3:6443", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "10.0.0.0/8"}, None),
        ("https://api.corp:6443", {"HTTPS_PROXY": "http://p:1", "no_proxy": "x, .corp"}, None),
        ("https://api.corp:6443", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "corp.example"}, "http://p:1"),
    ],
)
def test_the_environment(server: str, environ: dict[str, str], expected: str | None) -> None:
    """Source: golang.org/x/net/http/httpproxy, which knows no ALL_PROXY and never sends loopback away."""
    assert proxy_of(target(server), environ) == expected


@pytest.mark.parametrize("url", ["socks4://me:secret@p:1080", "ftp://me:secret@p:1080"])
def test_other_proxies_are_refused_and_no_password_is_shown(url: str) -> None:
    scheme = url.partition(":")[0]
    with pytest.raises(AdminError, match=rf"proxy {scheme}://p:1080 of https://api: only HTTP and SOCKS5"):
        proxy_of(target("https://api", **{"proxy-url": url}), {})


@dataclass
class Socks:
    """A SOCKS5 proxy (RFC 1928, 1929). asked: for which hosts, and by whom. reply: to every request."""

    url: str = ""
    asked: list[tuple[bytes, bytes, int]] = field(default_factory=list)
    reply: int = 0

    def talk(self, client: socket.socket) -> None:
        """One connection, to its end; names are resolved here, where «kubernetes» is this machine."""
        with client:
            methods = client.recv(2)[1]
            login = 2 in client.recv(methods)
            client.sendall(bytes([5, 2 if login else 0]))
            user = b""
            if login:
                user = client.recv(client.recv(2)[1])
                assert client.recv(client.recv(1)[0]) == b"s@cret"
                client.sendall(b"\1\0")
            kind = client.recv(4)[3]
            host = client.recv(client.recv(1)[0]) if kind == 3 else socket.inet_ntoa(client.recv(4)).encode()
            port = int.from_bytes(client.recv(2))
            self.asked.append((user, host, port))
            client.sendall(bytes([5, self.reply, 0, 1, 0, 0, 0, 0, 0, 0]))
            if not self.reply:
                with socket.create_connection(("127.0.0.1", port)) as server:
                    carry(client, server)


@pytest.fixture
def socks_proxy() -> Iterator[Socks]:
    made = Socks()
    with listening(made.talk) as port:
        made.url = f"socks5://me:s%40cret@127.0.0.1:{port}"
        yield made


@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
def test_requests_and_commands_go_through_a_socks_proxy_which_resolves_names(
    secure: StandIn, trusting: dict[str, Any], socks_proxy: Socks, scheme: str
) -> None:
    serve(secure)
    port = int(secure.host.rpartition(":")[2])
    url = socks_proxy.url.replace("socks5", scheme)
    cluster = secure.connect(
        cluster={**trusting, "server": f"https://kubernetes:{port}", "proxy-url": url}, user={"token": "t"}
    )
    cluster.get("/version")
    cluster.exec("ns", "p", None, ["true"]).run()
    assert socks_proxy.asked == [(b"me", b"kubernetes", port)] * 2


def test_plain_http_through_a_socks_proxy_without_a_password(server: StandIn, socks_proxy: Socks) -> None:
    serve(server)
    url = socks_proxy.url.replace("me:s%40cret@", "")
    cluster = server.connect(cluster={"proxy-url": url})
    cluster.get("/version")
    cluster.exec("ns", "p", None, ["true"]).run()
    assert [user for user, _, _ in socks_proxy.asked] == [b"", b""]


@pytest.mark.parametrize(
    ("reply", "said", "kind"),
    [
        (5, "was refused", NothingSent),
        (4, "proxy 127.0.0.1: host unreachable", NothingSent),
        (2, "not allowed", Unreachable),
    ],
)
def test_what_a_socks_proxy_says_of_the_server(
    secure: StandIn, trusting: dict[str, Any], socks_proxy: Socks, reply: int, said: str, kind: type
) -> None:
    socks_proxy.reply = reply
    cluster = secure.connect(cluster={**trusting, "proxy-url": socks_proxy.url})
    for ask in (lambda: cluster.get("/version"), lambda: cluster.exec("ns", "p", None, ["true"])):
        with pytest.raises(Unreachable, match=said) as caught:
            ask()
        assert type(caught.value) is kind
        assert "cret" not in caught.value.what


def test_a_socks_proxy_that_is_not_there(secure: StandIn, trusting: dict[str, Any]) -> None:
    cluster = secure.connect(cluster={**trusting, "proxy-url": "socks5://me:secret@127.0.0.1:1"})
    for ask in (lambda: cluster.get("/version"), lambda: cluster.exec("ns", "p", None, ["true"])):
        with pytest.raises(NothingSent) as caught:
            ask()
        assert "secret" not in caught.value.what
        assert "proxy 127.0.0.1: " in caught.value.what
        assert "refused" in caught.value.what


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_is_not_there_is_not_taken_for_the_server(
    secure: StandIn, trusting: dict[str, Any], scheme: str
) -> None:
    cluster = secure.connect(cluster={**trusting, "proxy-url": f"{scheme}://me:secret@127.0.0.1:1"})
    for ask in (lambda: cluster.get("/version"), lambda: cluster.exec("ns", "p", None, ["true"])):
        with pytest.raises(NothingSent) as caught:
            ask()
        assert caught.value.what.startswith("The connection to the proxy 127.0.0.1:1 was refused")
        assert "proxy-url" in (caught.value.hint or "")


def test_a_proxy_without_an_address_is_named(secure: StandIn, trusting: dict[str, Any]) -> None:
    cluster = secure.connect(cluster={**trusting, "proxy-url": "http://nowhere.invalid:3128"})
    for ask in (lambda: cluster.get("/version"), lambda: cluster.exec("ns", "p", None, ["true"])):
        with pytest.raises(Unreachable, match=r"proxy nowhere\.invalid:3128: lookup nowhere\.invalid: "):
            ask()


def test_a_proxy_that_waits_for_a_silent_server_is_not_blamed_for_it(
    secure: StandIn, trusting: dict[str, Any]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # it takes connections, and says nothing
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        cluster = secure.connect(cluster={**trusting, "proxy-url": url})
        for ask in (
            lambda: cluster.get("/version", timeout=0.2),
            lambda: cluster.exec("ns", "p", None, ["true"], timeout=0.2),
        ):
            with pytest.raises(Unreachable) as caught:
                ask()
            assert "proxy" not in caught.value.what


def test_a_proxy_is_not_blamed_for_the_certificate_of_the_server(secure: StandIn, proxy: Proxy) -> None:
    cluster = secure.connect(cluster={"proxy-url": proxy.url})
    for ask in (lambda: cluster.get("/version"), lambda: cluster.exec("ns", "p", None, ["true"])):
        with pytest.raises(Untrusted) as caught:
            ask()
        assert "proxy" not in caught.value.what


def reset(client: socket.socket) -> None:
    """Takes a request, and cuts the connection off without a word."""
    client.recv(1 << 14)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def test_a_proxy_is_not_blamed_for_a_connection_that_is_cut_off_behind_it(
    secure: StandIn, trusting: dict[str, Any]
) -> None:
    """The request for the tunnel has reached it; who has cut the connection off nobody says."""
    with listening(reset) as port:
        cluster = secure.connect(cluster={**trusting, "proxy-url": f"http://127.0.0.1:{port}"})
        for ask in (lambda: cluster.get("/version"), lambda: cluster.exec("ns", "p", None, ["true"])):
            with pytest.raises(Unreachable, match="reset by peer") as caught:
                ask()
            assert "proxy" not in caught.value.what
