"""What dribbles or never ends is over when its time or its bytes are used up; no time passes here."""

import fcntl
import io
import itertools
import resource
import select
import socket
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from kubectl_admin.clock import Deadline
from kubectl_admin.cluster import channels, limits, watch_events
from kubectl_admin.cluster.channels import UNSENT
from kubectl_admin.cluster.dial import HANDSHAKE
from kubectl_admin.cluster.errors import BrokenStream, Unreachable
from kubectl_admin.cluster.limits import TooSlow
from kubectl_admin.errors import AdminError
from tests.fakes.api_server import PING, PONG, Says, StandIn, Wire
from tests.fakes.clock import Clock

EXEC = "/api/v1/namespaces/ns/pods/p/exec"
FORWARD = "/api/v1/namespaces/ns/pods/p/portforward"
METRICS = "/api/v1/nodes/w/proxy/metrics"
MEBIBYTE = (1 << 20).to_bytes(8)


@pytest.fixture
def clock(server: StandIn) -> Clock:
    server.clock = clock = Clock()
    return clock


def receive(script: Iterator[int], clock: Clock) -> Callable[[Any, int], bytes]:
    """Instead of reading from a socket: a byte of the script each second, and the end of the connection."""

    def recv(_socket: Any, _size: int) -> bytes:
        clock.now += 1.0
        return bytes([next(script)])

    return recv


def accept(wire: Wire) -> None:
    wire.accept("v4.channel.k8s.io")
    list(wire.messages())


@pytest.mark.parametrize("head", [b"\x82\x7e\xff\xff", b"\x82\x7f" + MEBIBYTE])
def test_a_frame_that_dribbles_does_not_outlast_the_time_limit(
    server: StandIn, clock: Clock, monkeypatch: pytest.MonkeyPatch, head: bytes
) -> None:
    server.on("GET", FORWARD, accept)
    script = itertools.chain(head, itertools.repeat(ord("x"), 100))
    with server.connect().port_forward("ns", "p", 1, timeout=30) as forward:
        begun = clock.now
        monkeypatch.setattr("websocket._core.recv", receive(script, clock))
        with pytest.raises(BrokenStream, match="not done within 30s"):
            forward.recv()
    assert clock.now == begun + 31


def test_a_commands_end_that_dribbles_does_not_outlast_its_grace(
    server: StandIn, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.on("GET", EXEC, accept)
    running = server.connect().exec("ns", "p", None, ["true"])
    script = itertools.chain(b"\x82\x02\x03{", b"\x82\x7f" + MEBIBYTE, itertools.repeat(ord("x"), 100))
    monkeypatch.setattr("websocket._core.recv", receive(script, clock))
    with pytest.raises(BrokenStream, match="not done within"):
        running.run()
    assert clock.now < 1000 + 10


def test_a_ping_is_no_way_to_send_much(server: StandIn) -> None:
    def talk(wire: Wire) -> None:
        wire.accept("v5.channel.k8s.io")
        wire.frame(PING, b"x" * 126)
        wire.receive()

    server.on("GET", EXEC, talk)
    with pytest.raises(BrokenStream, match="a frame of 126 bytes is announced"):
        server.connect().exec("ns", "p", None, ["true"]).run()


def test_answers_to_pings_are_not_kept_for_one_that_does_not_take_them(
    server: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    pongs: list[Any] = []

    def talk(wire: Wire) -> None:
        wire.accept("v5.channel.k8s.io")
        for _ in range(200):
            wire.frame(PING, b"there?")
        wire.end()
        while frame := wire.receive():
            pongs.append(frame)

    server.on("GET", EXEC, talk)
    running = server.connect().exec("ns", "p", None, ["true"])
    line = running._channels
    monkeypatch.setattr(line, "_readable_while_sending", lambda: True)
    assert running.run().exit_code == 0
    assert len(line._unsent) == UNSENT


class Dribble(io.RawIOBase):
    """A byte each second."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def readinto(self, buffer: Any) -> int:
        self._clock.now += 1
        buffer[:1] = b"x"
        return 1


def test_a_read_of_much_does_not_wait_for_all_of_it(clock: Clock) -> None:
    near, far = socket.socketpair()
    limited = limits.LimitedFile(Dribble(clock), near, Deadline.after(10, clock))
    with near, far, io.BufferedReader(limited) as file:
        with pytest.raises(TooSlow):
            file.read(1000)
        assert clock.now == 1010


def test_an_answer_that_dribbles_is_not_waited_for(server: StandIn, clock: Clock) -> None:
    """Its head or its body: the server waits for more than the client's patience in the midst of it."""
    over = threading.Event()

    def body() -> Iterator[bytes]:
        clock.now += 11
        yield b"x"
        over.wait(60)

    server.on("GET", METRICS, lambda _: Says(body=body()))
    try:
        with pytest.raises(Unreachable, match="answers too slowly"):
            server.connect().get_text(METRICS, timeout=10)
    finally:
        over.set()


def test_an_answer_whose_compression_says_nothing_is_not_waited_for(server: StandIn, clock: Clock) -> None:
    """The name of a file in gzip's head has no end, and nothing is decoded before it."""
    over = threading.Event()

    def body() -> Iterator[bytes]:
        yield b"\x1f\x8b\x08\x08\0\0\0\0\0\xff"
        while not over.is_set() and clock.now < 1_000_000:
            clock.now += 1
            yield b"name"
        yield b"\0"

    server.on("GET", METRICS, lambda _: Says(body=body(), headers={"Content-Encoding": "gzip"}))
    try:
        with pytest.raises(Unreachable, match="answers too slowly"):
            server.connect().get_text(METRICS, timeout=100)
    finally:
        over.set()


def test_a_line_of_a_watch_has_an_end(server: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch_events, "LINE_LIMIT", 100)
    server.on("GET", METRICS, Says(body=b'{"type":"' + b"x" * 200))
    with pytest.raises(BrokenStream, match="longer than 100 bytes"):
        list(server.connect().watch(METRICS, timeout=5))


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 500 Oh\r\nContent-Length: 10000000000\r\n\r\n",
        b"HTTP/1.1 101 Yes\r\nX: ",
        b"HTTP/1.1 ",
        b"HTTP/1.1 101 Yes\r\n" + b"X: y\r\n" * 20_000,
    ],
)
@pytest.mark.usefixtures("clock")  # however slow this machine is
def test_a_handshake_has_an_end(server: StandIn, head: bytes) -> None:
    def talk(wire: Wire) -> None:
        wire.raw(head)
        for _ in range(64):  # enough to be too much
            wire.raw(b"x" * HANDSHAKE)

    server.on("GET", EXEC, talk)
    tracemalloc.start()
    try:
        with pytest.raises(AdminError, match=rf"^the answer to CONNECT {EXEC}.* is longer than {HANDSHAKE} "):
            server.connect().exec("ns", "p", None, ["true"])
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


def test_a_handshake_that_dribbles_is_not_waited_for(server: StandIn, clock: Clock) -> None:
    def talk(wire: Wire) -> None:
        for byte in b"HTTP/1.1 403 Forbidden\r\nContent-Length: 20\r\n\r\n" + b"x" * 20:
            clock.now += 1
            wire.raw(bytes([byte]))

    server.on("GET", EXEC, talk)
    with pytest.raises(Unreachable, match="i/o timeout"):
        server.connect().exec("ns", "p", None, ["true"], timeout=20)


@pytest.mark.parametrize("cookie", ["a=b; Domain=127.0.0.1", "a=\x01\x02; Domain=127.0.0.1", "a=[]{}; B"])
def test_what_a_node_sets_as_a_cookie_is_not_kept(server: StandIn, cookie: str) -> None:
    def talk(wire: Wire) -> None:
        wire.accept("v5.channel.k8s.io", {"Set-Cookie": cookie})
        wire.end()

    server.on("GET", EXEC, talk)
    cluster = server.connect()
    for _ in range(2):
        assert cluster.exec("ns", "p", None, ["true"]).run().exit_code == 0
    assert all(asked.header("Cookie") is None for asked in server.asked)


def test_a_command_that_must_speak_is_not_waited_for_because_pings_are_answered(
    server: StandIn, clock: Clock
) -> None:
    def talk(wire: Wire) -> None:
        wire.accept("v5.channel.k8s.io")
        wire.send(1, b"begun")
        for _ in range(200):
            wire.frame(PONG, b"")
        wire.receive()

    server.on("GET", EXEC, talk)
    running = server.connect().exec("ns", "p", None, ["true"])
    running.speak_within(90)
    came = iter(running)
    assert next(came) == (1, b"begun")
    read = running._channels._connection.recv_frame

    def later() -> Any:
        clock.now += 1
        return read()

    clock.now += 1000  # nobody listens: that is not the command's silence
    running._channels._connection.recv_frame = later
    begun = clock.now
    with pytest.raises(BrokenStream, match="nothing has been said for 1m30s"):
        next(came)
    assert clock.now == begun + 91


def test_files_beyond_the_first_thousand_are_waited_for() -> None:
    near, far = socket.socketpair()
    limits_ = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(limits_[0], 2048), limits_[1]))
    try:
        with near, far, socket.socket(fileno=fcntl.fcntl(near, fcntl.F_DUPFD, 1500)) as high:
            assert channels.ready(high, select.POLLIN, 0) == 0
            far.send(b"x")
            assert channels.ready(high, select.POLLIN | select.POLLOUT, 0) == select.POLLIN | select.POLLOUT
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits_)
