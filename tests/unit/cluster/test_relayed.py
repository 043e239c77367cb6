"""A connection that a command's standard streams carry."""

import threading
from collections.abc import Callable, Iterator

import pytest

from kubectl_admin.cluster.errors import BrokenStream, Forbidden
from kubectl_admin.cluster.forwarded import SilentError
from kubectl_admin.cluster.portforward import PortError, answer_to
from kubectl_admin.cluster.relayed import Relayed, RelayError
from kubectl_admin.pool import LateError
from tests.fakes.api_server import StandIn, Wire, status

PATH = "/api/v1/namespaces/ns/pods/p/exec"
V5 = "v5.channel.k8s.io"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
FOREVER = 60.0  # seconds; no test waits for so long


def opened(server: StandIn) -> Relayed:
    cluster = server.connect()
    return Relayed(
        lambda pieces: cluster.exec("ns", "p", "c", ["relay"], stdin=pieces, timeout=FOREVER),
        "port 1 of 10.0.0.1",
    )


def running(*further: bytes, code: int | None = None) -> Callable[[Wire], None]:
    """A command that has begun, writes this to stderr, and ends with the code or goes on."""

    def talk(wire: Wire) -> None:
        wire.accept(V5)
        wire.send(2, b"it runs\n")
        for said in further:
            wire.send(2, said)
        if code is not None:
            wire.end(code)
            return
        for channel, _ in wire.messages():
            if channel == 0:
                wire.send(1, OK)

    return talk


def test_bytes_go_both_ways(server: StandIn) -> None:
    server.on("GET", PATH, running())
    with opened(server) as relayed:
        relayed.wait_until_started(FOREVER)
        for _ in range(2):
            assert answer_to(relayed.port, "/", 1000, relayed.port.what, close=False).body == b"ok"
    assert ("stdin", "true") in server.asked[0].query


@pytest.mark.parametrize(
    "said",
    [
        [b"relay: connect: Connection refused\nrelay: line 1: /dev/tcp/10.0.0.1/1: Connection refused\n"],
        [b"2026/11/30 socat[1] E connect(5, AF=2 10.0.0.1:1, 16): Connection ", b"refused\n"],
        [b"nc: can't connect to remote host (10.0.0.1): Connection refused\n"],
    ],
)
def test_where_nothing_listens_it_is_as_with_a_forwarded_port(server: StandIn, said: list[bytes]) -> None:
    server.on("GET", PATH, running(*said, code=1))
    with opened(server) as relayed, pytest.raises(PortError, match=r"^port 1 of 10\.0\.0\.1: nothing "):
        relayed.port.recv()


@pytest.mark.parametrize(
    ("said", "code", "words"),
    [
        (b"its host has none of bash, socat and nc\n", 127, "its host has none of bash, socat and nc"),
        (b"relay: connect: No route to host\n", 1, "relay: connect: No route to host"),
        (b"", 1, "the command that connects ended with exit code 1"),
    ],
)
def test_what_keeps_the_command_from_connecting_says_nothing_of_the_other_end(
    server: StandIn, said: bytes, code: int, words: str
) -> None:
    server.on("GET", PATH, running(said, code=code))
    with opened(server) as relayed:
        with pytest.raises(RelayError) as found:
            relayed.port.recv()
        assert found.value.said == words


def test_the_end_of_the_other_end_is_an_end(server: StandIn) -> None:
    server.on("GET", PATH, running(b"cat: write error: Connection reset\n", code=0))
    with opened(server) as relayed:
        assert relayed.port.recv() == b""


def test_a_connection_that_is_lost_is_no_end(server: StandIn) -> None:
    def talk(wire: Wire) -> None:
        wire.accept(V5)
        wire.send(2, b"it runs\n")

    server.on("GET", PATH, talk)
    with opened(server) as relayed, pytest.raises(BrokenStream):
        relayed.port.recv()


def test_a_refusal_comes_at_once(server: StandIn) -> None:
    said = 'pods "p" is forbidden: User "jane" cannot create resource "pods/exec" in API group ""'
    server.on("GET", PATH, lambda wire: wire.refuse(status(403, "Forbidden", said)))
    with pytest.raises(Forbidden):
        opened(server)


@pytest.fixture
def over() -> Iterator[threading.Event]:
    """Set at the end of the test."""
    event = threading.Event()
    yield event
    event.set()


def test_a_command_that_does_not_begin_is_late(server: StandIn, over: threading.Event) -> None:
    def talk(wire: Wire) -> None:
        wire.accept(V5)
        over.wait(FOREVER)

    server.on("GET", PATH, talk)
    with opened(server) as relayed:
        with pytest.raises(LateError, match="has not begun in time"):
            relayed.wait_until_started(0.0)
        relayed.port.finish_within(0.0)
        with pytest.raises(SilentError):
            relayed.port.recv()


def test_hanging_up_ends_the_connection(server: StandIn) -> None:
    ended = threading.Event()

    def talk(wire: Wire) -> None:
        wire.accept(V5)
        wire.send(2, b"it runs\n")
        list(wire.messages())
        ended.set()

    server.on("GET", PATH, talk)
    with opened(server) as relayed:
        relayed.wait_until_started(FOREVER)
    assert relayed.port.recv() == b""
    assert ended.wait(FOREVER)
