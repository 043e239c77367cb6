"""Ports of pods over real WebSocket frames, and HTTP with and without TLS through them."""

import base64
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kubectl_admin.cluster.errors import BrokenStream, Forbidden, Unauthorized
from kubectl_admin.cluster.portforward import PortError, answer_to, http_get
from kubectl_admin.errors import AdminError
from tests.fakes.api_server import CLOSE, StandIn, Wire, status
from tests.unit.cluster.conftest import Authority

PATH = "/api/v1/namespaces/kube-system/pods/etcd-cp/portforward"
V4 = "v4.channel.k8s.io"
PORT = (2381).to_bytes(2, "little")


def forwarded(*answers: bytes, close: bool = False) -> Callable[[Wire], None]:
    """A node that forwards a port on which this is answered to the first thing said."""

    def talk(wire: Wire) -> None:
        wire.accept(V4)
        wire.send(0, PORT)
        wire.send(1, PORT)
        next(wire.messages())
        for answer in answers:
            wire.send(0, answer)
        if close:
            wire.frame(CLOSE, b"")
        else:
            list(wire.messages())  # as real ones do, it keeps the connection until the client hangs up

    return talk


def get(server: StandIn, path: str = "/health", **more: Any) -> Any:
    """The answer on the forwarded port."""
    return http_get(server.connect(), "kube-system", "etcd-cp", 2381, path, **more)


def test_an_answer_ends_where_its_length_says(server: StandIn) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 17\r\n\r\n"
    server.on("GET", PATH, forwarded(head + b'{"health":"', b'true"}'))
    answer = get(server)
    assert (answer.status, answer.reason, answer.body) == (200, "OK", b'{"health":"true"}')
    assert answer.headers["content-type"] == "application/json"
    assert server.asked[0].query == [("ports", "2381")]


def test_an_answer_ends_with_its_last_chunk(server: StandIn) -> None:
    chunks = (
        b"HTTP/1.1 503 Unavailable\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
        b"2\r\nde\r\n0\r\n\r\n",
    )
    server.on("GET", PATH, forwarded(*chunks))
    answer = get(server)
    assert (answer.status, answer.body) == (503, b"abcde")


def test_an_answer_without_a_length_ends_with_the_connection(server: StandIn) -> None:
    server.on("GET", PATH, forwarded(b"HTTP/1.0 200 OK\r\n\r\nabc", b"def", close=True))
    assert get(server).body == b"abcdef"


def test_a_connection_that_is_lost_is_no_end(server: StandIn) -> None:
    def talk(wire: Wire) -> None:
        wire.accept(V4)
        next(wire.messages())
        wire.send(0, PORT + b"HTTP/1.0 200 OK\r\n\r\nabc")

    server.on("GET", PATH, talk)
    with pytest.raises(BrokenStream):
        get(server)


def test_what_is_asked(server: StandIn) -> None:
    said: list[bytes] = []

    def talk(wire: Wire) -> None:
        wire.accept(V4)
        channel, data = next(wire.messages())
        assert channel == 0
        said.append(data)
        wire.send(0, PORT + b"HTTP/1.1 204 No Content\r\n\r\n")

    server.on("GET", PATH, talk)
    assert get(server, "/metrics?a=b").status == 204
    assert said[0].startswith(b"GET /metrics?a=b HTTP/1.1\r\nHost: localhost\r\n")


def test_a_kubelet_that_does_not_know_the_api_server_may_be_behind_a_401(server: StandIn) -> None:
    server.on("GET", PATH, lambda wire: wire.refuse(status(401, "Unauthorized", "Unauthorized")))
    with pytest.raises(Unauthorized) as caught:
        get(server)
    assert caught.value.hint == (
        "where other requests are answered, the kubelet refuses the API server: kubectl admin certs"
    )


def test_nothing_listens(server: StandIn) -> None:
    said = b"error forwarding port 2381 to pod x, uid : dial tcp4 127.0.0.1:2381: connect: connection refused"

    def talk(wire: Wire) -> None:
        wire.accept(V4)
        wire.send(0, PORT)
        wire.send(1, PORT)
        wire.send(1, said)
        wire.frame(CLOSE, b"")

    server.on("GET", PATH, talk)
    with pytest.raises(PortError) as caught:
        get(server)
    assert caught.value.what == "port 2381 of pod kube-system/etcd-cp: nothing listens there"
    assert caught.value.said == said.decode()


def test_no_permission(server: StandIn) -> None:
    server.on("GET", PATH, lambda wire: wire.refuse(status(403, "Forbidden", "pods is forbidden")))
    with pytest.raises(Forbidden):
        get(server)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", "not an HTTP answer to /health"),
        (b"", "not an HTTP answer to /health"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nabc", "lacks its last 5 bytes"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabcdefghi", "longer than 8 bytes"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n",
            "not an HTTP answer to /health",
        ),
        (b"HTTP/1.1 " + b"word " * 9000 + b"\r\n", r"not an HTTP answer to /health: .{1,300}$"),
    ],
)
def test_what_is_no_answer(server: StandIn, answer: bytes, told: str) -> None:
    server.on("GET", PATH, forwarded(answer, close=True))
    with pytest.raises(AdminError, match=told):
        get(server, limit=8)


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
    ],
)
def test_an_answer_without_an_end_is_not_read_to_it(head: bytes) -> None:
    stream = Endless(head)
    with pytest.raises(AdminError, match="the answer to / is longer than 8 bytes"):
        answer_to(stream, "/", 8, "port 1")
    assert stream.given < 3 << 20


class Endless:
    """A stream that says the same again and again, up to 16 MiB."""

    def __init__(self, head: bytes) -> None:
        self._parts = iter([head])
        self._more = (head if b"100" in head else b"X: y\r\n") * 1000
        self.given = 0

    def send(self, data: bytes) -> None:
        pass

    def recv(self) -> bytes:
        data = next(self._parts, self._more) if self.given < 16 << 20 else b""
        self.given += len(data)
        return data


def test_a_time_limit(server: StandIn) -> None:
    server.on("GET", PATH, forwarded())
    with pytest.raises(BrokenStream, match="not done within 2s"):
        get(server, timeout=2)


def tls_server(context: ssl.SSLContext, seen: list[Any], said: list[bytes]) -> Callable[[Wire], None]:
    """A node that forwards a port on which TLS is spoken."""

    def talk(wire: Wire) -> None:
        wire.accept(V4)
        wire.send(0, PORT)
        arrived, leaving = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(arrived, leaving, server_side=True)
        messages = wire.messages()

        def step(action: Callable[[], Any]) -> Any:
            while True:
                try:
                    return action()
                except ssl.SSLWantReadError:
                    if data := leaving.read():
                        wire.send(0, data)
                    arrived.write(next(messages)[1])
                finally:
                    if data := leaving.read():
                        wire.send(0, data)

        step(tls.do_handshake)
        said.append(step(lambda: tls.read(4096)))
        seen.append(tls.getpeercert())
        body = b"m" * 100_000
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        for start in range(0, len(answer), 16_000):
            step(lambda start=start: tls.write(answer[start : start + 16_000]))
        list(messages)

    return talk


@pytest.fixture
def component(authority: Authority, server_pair: Path) -> ssl.SSLContext:
    """The TLS of a component that asks for client certificates."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server_pair)
    context.load_verify_locations(cadata=authority.pem.decode())
    context.verify_mode = ssl.CERT_OPTIONAL
    return context


def test_tls_shows_the_certificate_and_never_the_token(
    secure: StandIn, trusting: dict[str, Any], authority: Authority, component: ssl.SSLContext
) -> None:
    seen: list[Any] = []
    said: list[bytes] = []
    secure.on("GET", PATH, tls_server(component, seen, said))
    pair = authority.issue("admin")
    user = {
        "client-certificate-data": b64(pair.certificate),
        "client-key-data": b64(pair.key),
        "token": "s3cret",
    }
    cluster = secure.connect(cluster=trusting, user=user)
    answer = http_get(cluster, "kube-system", "etcd-cp", 2381, "/metrics", tls=True)
    assert len(answer.body) == 100_000
    assert seen[0]["subject"] == ((("commonName", "admin"),),)
    assert secure.asked[0].header("Authorization") == "Bearer s3cret"
    assert b"s3cret" not in said[0]


def test_tls_where_none_is_spoken(server: StandIn) -> None:
    server.on("GET", PATH, forwarded(b"HTTP/1.1 400 Bad Request\r\n\r\n"))
    with pytest.raises(AdminError, match="port 2381 of pod kube-system/etcd-cp: it does not speak TLS"):
        get(server, tls=True)


def b64(pem: bytes) -> str:
    """As it stands in a kubeconfig."""
    return base64.b64encode(pem).decode()
