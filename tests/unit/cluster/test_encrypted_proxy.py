"""An https:// proxy: TLS to it, and the server's own within."""

import base64
import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.errors import Unreachable, Untrusted
from kubectl_admin.cluster.portforward import http_get
from kubectl_admin.cluster.relay import relay
from tests.fakes.api_server import Says, StandIn, Wire
from tests.unit.cluster.conftest import Authority, new_authority
from tests.unit.cluster.test_portforward import forwarded
from tests.unit.cluster.test_proxy import Proxy, listening

EXEC = "/api/v1/namespaces/ns/pods/p/exec"
FORWARD = "/api/v1/namespaces/ns/pods/p/portforward"
DATA = bytes(range(256)) * 4096  # more than sockets and TLS hold back on the way


@dataclass
class Encrypted(Proxy):
    """A proxy that speaks TLS. shown: the client certificates that it was shown."""

    context: ssl.SSLContext = field(default_factory=lambda: ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
    shown: list[Any] = field(default_factory=list)

    def tunnel(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError), self.context.wrap_socket(client, server_side=True) as encrypted:
            self.shown.append(encrypted.getpeercert())
            super().tunnel(encrypted)


@pytest.fixture(scope="module")
def corporate() -> Authority:
    """The authority that has signed the proxy's certificate."""
    return new_authority("corporate")


@pytest.fixture
def encrypted(corporate: Authority, authority: Authority, tmp_path: Path) -> Iterator[Encrypted]:
    """A proxy with TLS on a port of 127.0.0.1, which takes the client certificates of the cluster."""
    made = Encrypted()
    pair = corporate.issue("proxy", x509.IPAddress(ip_address("127.0.0.1")))
    (tmp_path / "proxy.pem").write_bytes(pair.certificate + pair.key)
    made.context.load_cert_chain(tmp_path / "proxy.pem")
    made.context.load_verify_locations(cadata=authority.pem.decode())
    made.context.verify_mode = ssl.CERT_OPTIONAL
    with listening(made.tunnel) as port:
        made.url = f"https://me:s%40cret@127.0.0.1:{port}"
        yield made


@pytest.fixture
def trusted(corporate: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine trusts the proxy's authority."""
    (tmp_path / "machine.pem").write_bytes(corporate.pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "machine.pem"))


def serve(server: StandIn) -> None:
    """A request, a command that answers what it was fed, and a forwarded port."""

    def command(wire: Wire) -> None:
        wire.accept("v5.channel.k8s.io")
        fed = b""
        for channel, data in wire.messages():
            if channel == 255:  # of v5: the input has ended
                break
            fed += data
        for start in range(0, len(fed), 1 << 15):
            wire.send(1, fed[start : start + (1 << 15)])
        wire.end(3)

    server.on("GET", "/version", Says(body={}))
    server.on("GET", EXEC, command)
    server.on("GET", FORWARD, forwarded(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"))


def use(cluster: Cluster) -> None:
    """A request, a command and a forwarded port."""
    cluster.get("/version")
    result = cluster.exec("ns", "p", None, ["cat"], stdin=[DATA]).run()
    assert (result.exit_code, result.stdout) == (3, DATA)
    assert http_get(cluster, "ns", "p", 2381, "/health").body == b"hi"
    assert cluster.server_certificate() is not None


@pytest.mark.usefixtures("trusted")
def test_all_goes_through_it_encrypted_twice(
    secure: StandIn, trusting: dict[str, Any], authority: Authority, encrypted: Encrypted
) -> None:
    serve(secure)
    pair = authority.issue("alice")
    user = {
        "client-certificate-data": base64.b64encode(pair.certificate).decode(),
        "client-key-data": base64.b64encode(pair.key).decode(),
    }
    use(secure.connect(cluster={**trusting, "proxy-url": encrypted.url}, user=user))
    assert len(encrypted.heads) == 4
    for head in encrypted.heads:
        assert head.startswith(f"CONNECT {secure.host} HTTP/1.")
        assert "Basic " + base64.b64encode(b"me:s@cret").decode() in head
    assert {asked.client for asked in secure.asked} == {"alice"}
    assert not any(encrypted.shown), "the client certificate is for the server alone"


def test_the_kubeconfigs_authority_may_vouch_for_it_too(
    secure: StandIn, authority: Authority, corporate: Authority, encrypted: Encrypted
) -> None:
    """As with kubectl, whose requests and commands trust nothing else at the proxy."""
    serve(secure)
    both = base64.b64encode(authority.pem + corporate.pem).decode()
    use(secure.connect(cluster={"certificate-authority-data": both, "proxy-url": encrypted.url}))


@pytest.mark.usefixtures("trusted")
def test_a_server_without_tls(server: StandIn, encrypted: Encrypted) -> None:
    serve(server)
    cluster = server.connect(cluster={"proxy-url": encrypted.url})
    assert cluster.exec("ns", "p", None, ["cat"], stdin=[DATA]).run().stdout == DATA
    assert cluster.server_certificate() is None, "the proxy's is not the server's"


def told(cluster: Cluster, kind: type[Unreachable]) -> Iterator[str]:
    """What is said of a request and of a command, neither of which comes about."""
    asks: tuple[Callable[[], Any], ...] = (
        lambda: cluster.get("/version"),
        lambda: cluster.exec("ns", "p", None, ["true"]),
    )
    for ask in asks:
        with pytest.raises(kind) as caught:
            ask()
        assert "cret" not in f"{caught.value.what} {caught.value.hint}"
        yield caught.value.what


def test_nothing_is_said_to_one_that_nobody_vouches_for(
    secure: StandIn, trusting: dict[str, Any], encrypted: Encrypted
) -> None:
    cluster = secure.connect(cluster={**trusting, "proxy-url": encrypted.url})
    for what in told(cluster, Untrusted):
        assert "server: proxy 127.0.0.1:" in what
        assert ": tls: failed to verify certificate: " in what
    assert not encrypted.heads


def test_what_the_machine_trusts_vouches_for_the_proxy_alone(
    secure: StandIn,
    authority: Authority,
    corporate: Authority,
    encrypted: Encrypted,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "machine.pem").write_bytes(authority.pem + corporate.pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "machine.pem"))
    other = new_authority("other").data
    cluster = secure.connect(cluster={"certificate-authority-data": other, "proxy-url": encrypted.url})
    for what in told(cluster, Untrusted):
        assert "server: tls: failed to verify certificate: " in what
    assert len(encrypted.heads) == 2
    assert not secure.asked


@pytest.mark.usefixtures("trusted")
def test_it_refuses(secure: StandIn, trusting: dict[str, Any], encrypted: Encrypted) -> None:
    encrypted.answer = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
    for what in told(secure.connect(cluster={**trusting, "proxy-url": encrypted.url}), Unreachable):
        assert "407 Proxy Authentication Required" in what


def test_it_speaks_no_tls(secure: StandIn, trusting: dict[str, Any]) -> None:
    def answer(client: socket.socket) -> None:
        with client:
            client.recv(1 << 16)
            client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with listening(answer) as port:
        url = f"https://me:s%40cret@127.0.0.1:{port}"
        for what in told(secure.connect(cluster={**trusting, "proxy-url": url}), Unreachable):
            assert f"server: proxy 127.0.0.1:{port}: " in what


def test_a_relay_carries_both_ways_at_once_and_ends_with_either_end(
    corporate: Authority, encrypted: Encrypted
) -> None:
    def echo(client: socket.socket) -> None:
        with encrypted.context.wrap_socket(client, server_side=True) as end:
            while data := end.recv(1000):
                end.sendall(data)
                if data.endswith(b"end"):
                    return

    context = ssl.create_default_context(cadata=corporate.pem.decode())
    with listening(echo) as port:
        for said_last in (b"", b"end"):  # who hangs up
            raw = socket.create_connection(("127.0.0.1", port))
            far = context.wrap_socket(raw, server_hostname="127.0.0.1")
            with relay(far) as near:
                said = DATA + said_last
                threading.Thread(target=near.sendall, args=(said,), daemon=True).start()
                heard = bytearray()
                while len(heard) < len(said) and (piece := near.recv(1 << 16)):
                    heard += piece
                assert heard == said
                if said_last:
                    assert near.recv(1) == b""
            for thread in threading.enumerate():
                if thread.name == "relay":
                    thread.join(60)
                    assert not thread.is_alive()
            assert far.fileno() == -1
