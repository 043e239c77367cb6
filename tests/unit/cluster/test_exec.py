"""Commands in containers over real WebSocket frames."""

import json
import struct
import threading
from collections.abc import Iterator
from itertools import repeat

import pytest

from kubectl_admin.cluster import channels
from kubectl_admin.cluster.errors import ApiError, BrokenStream, Forbidden, Unreachable
from kubectl_admin.errors import AdminError
from tests.fakes.api_server import (
    BINARY,
    CLOSE,
    CONTINUED,
    PING,
    PONG,
    HangUp,
    Says,
    StandIn,
    Wire,
    refusal,
    status,
)
from tests.fakes.clock import Clock

PATH = "/api/v1/namespaces/ns/pods/p/exec"
V5, V4 = "v5.channel.k8s.io", "v4.channel.k8s.io"


def test_output_and_exit_code(server: StandIn) -> None:
    def talk(wire: Wire) -> None:
        wire.accept(V5)
        wire.send(1, b"")  # API servers open their channels so
        wire.send(1, b"out")
        wire.send(2, b"err")
        wire.send(1, b"\0\xff")
        wire.end(7)

    server.on("GET", PATH, talk)
    result = server.connect().exec("ns", "p", "c", ["sh", "-c", "exit 7"]).run()
    assert (result.exit_code, result.stdout, result.stderr) == (7, b"out\0\xff", b"err")
    (asked,) = server.asked
    assert asked.query == [
        ("command", "sh"),
        ("command", "-c"),
        ("command", "exit 7"),
        ("stdout", "true"),
        ("stderr", "true"),
        ("container", "c"),
    ]
    assert asked.header("Origin") is None
    assert asked.header("User-Agent") == "kubectl-admin/test"
    assert asked.header("Sec-WebSocket-Protocol") == f"{V5},{V4}"


def test_older_server(server: StandIn) -> None:
    def talk(wire: Wire) -> None:
        wire.accept(V4)
        wire.send(1, b"out")
        wire.end()

    server.on("GET", PATH, talk)
    assert server.connect().exec("ns", "p", None, ["true"]).run().stdout == b"out"
    assert "container" not in dict(server.asked[0].query)


def test_input_ends_with_a_half_close(server: StandIn) -> None:
    got: list[tuple[int, bytes]] = []

    def talk(wire: Wire) -> None:
        wire.accept(V5)
        for message in wire.messages():
            got.append(message)
            if message[0] == 255:
                break
        wire.end()

    server.on("GET", PATH, talk)
    pieces = [b"a" * 40_000, b"", b"b"]
    assert server.connect().exec("ns", "p", None, ["cat"], stdin=pieces).run().exit_code == 0
    *data, last = got
    assert last == (255, b"\0")
    assert b"".join(piece for _, piece in data) == b"".join(pieces)
    assert {channel for channel, _ in data} == {0}
    assert max(len(piece) for _, piece in data) <= channels.FRAME
    assert ("stdin", "true") in server.asked[0].query


def test_input_and_output_do_not_wait_for_each_other(server: StandIn) -> None:
    """A command that writes as much as it reads fills both directions' buffers at once."""
    size = 200 * 65_536

    def echo(wire: Wire) -> None:
        wire.accept(V5)
        for channel, data in wire.messages():
            if channel == 255:
                break
            wire.send(1, data)
        wire.end()

    server.on("GET", PATH, echo)
    command = server.connect().exec("ns", "p", None, ["cat"], stdin=repeat(b"x" * 65_536, 200))
    assert sum(len(data) for _, data in command) == size


def test_input_that_is_not_there_yet_holds_nothing_up(server: StandIn) -> None:
    """A person reads the question before there is an answer to send."""
    got: list[tuple[int, bytes]] = []
    asked = threading.Event()

    def talk(wire: Wire) -> None:
        wire.accept(V5)
        wire.send(1, b"name?")
        for message in wire.messages():
            got.append(message)
            if message[0] == 255:
                break
        wire.end()

    def typed() -> Iterator[bytes]:
        while not asked.is_set():
            yield b""
        yield b"Ann"

    server.on("GET", PATH, talk)
    for _, data in server.connect().exec("ns", "p", None, ["read"], stdin=typed()):
        if data == b"name?":
            asked.set()
    assert got == [(0, b"Ann"), (255, b"\0")]


def test_a_command_that_ends_while_input_is_waited_for(server: StandIn) -> None:
    def talk(wire: Wire) -> None:
        wire.accept(V5)
        wire.end(3)

    server.on("GET", PATH, talk)
    assert server.connect().exec("ns", "p", None, ["date"], stdin=repeat(b"")).run().exit_code == 3


def test_input_cannot_be_given_to_a_server_that_cannot_end_it(server: StandIn) -> None:
    def talk(wire: Wire) -> None:
        assert wire.asked.header("Sec-WebSocket-Protocol") == V5
        wire.refuse(Says(403))

    server.on("GET", PATH, talk)
    with pytest.raises(AdminError, match="can't tell a command that its input has ended") as caught:
        server.connect().exec("ns", "p", None, ["cat"], stdin=[b"x"])
    assert not isinstance(caught.value, Forbidden)


def test_a_command_that_does_not_want_all_its_input(server: StandIn) -> None:
    def talk(wire: Wire) -> None:
        wire.accept(V5)
        wire.receive()
        wire.end(3)

    server.on("GET", PATH, talk)
    assert server.connect().exec("ns", "p", None, ["head"], stdin=repeat(b"x" * 1000)).run().exit_code == 3


def test_an_end_without_a_status_is_no_success(server: StandIn) -> None:
    def talk(wire: Wire) -> None:
        wire.accept(V5)
        wire.send(1, b"half of i")
        wire.frame(CLOSE, struct.pack("!H", 1000))

    server.on("GET", PATH, talk)
    with pytest.raises(BrokenStream, match="sh in pod ns/p: the stream ended without saying"):
        server.connect().exec("ns", "p", None, ["sh"]).run()


def test_a_lost_connection(server: StandIn) -> None:
    def talk(wire: Wire) -> None:
        wire.accept(V5)
        wire.send(1, b"half of i")

    server.on("GET", PATH, talk)
    with pytest.raises(BrokenStream, match="the connection was lost"):
        server.connect().exec("ns", "p", None, ["sh"]).run()


def test_what_was_lost_after_the_status_is_not_missed(server: StandIn) -> None:
    def talk(wire: Wire) -> None:
        wire.accept(V5)
        wire.send(3, b'{"status":"Success"}')

    server.on("GET", PATH, talk)
    assert server.connect().exec("ns", "p", None, ["sh"]).run().exit_code == 0


def test_output_that_comes_after_the_status_counts(server: StandIn) -> None:
    def talk(wire: Wire) -> None:
        wire.accept(V5)
        wire.send(3, b'{"status":"Success"}')
        wire.send(1, b"late")
        wire.frame(CLOSE, b"")

    server.on("GET", PATH, talk)
    assert server.connect().exec("ns", "p", None, ["sh"]).run().stdout == b"late"


def test_fragments_and_pings(server: StandIn) -> None:
    pongs: list[tuple[int, bytes] | None] = []

    def talk(wire: Wire) -> None:
        wire.accept(V5)
        wire.frame(BINARY, b"\1one", final=False)
        wire.frame(PING, b"there?")
        wire.frame(CONTINUED, b"two", final=False)
        wire.frame(CONTINUED, b"three")
        pongs.append(wire.receive())
        wire.end()

    server.on("GET", PATH, talk)
    assert server.connect().exec("ns", "p", None, ["sh"]).run().stdout == b"onetwothree"
    assert pongs == [(PONG, b"there?")]


def test_a_quiet_stream_is_pinged(server: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channels, "PING_INTERVAL", 0.01)

    def talk(wire: Wire) -> None:
        wire.accept(V5)
        assert wire.receive() == (PING, b"")
        wire.frame(PONG, b"")
        wire.end()

    server.on("GET", PATH, talk)
    assert server.connect().exec("ns", "p", None, ["sleep"]).run().exit_code == 0


def test_a_dead_connection_is_noticed(server: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channels, "PING_INTERVAL", 0.01)
    monkeypatch.setattr(channels, "SILENCE_TIMEOUT", 0.05)

    def talk(wire: Wire) -> None:
        wire.accept(V5)
        while wire.receive():
            pass

    server.on("GET", PATH, talk)
    with pytest.raises(BrokenStream, match="the connection is dead"):
        server.connect().exec("ns", "p", None, ["sleep"]).run()


def test_a_command_that_is_slow_to_read_is_not_dead(server: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    """API servers answer no ping while they wait for a command to take its input."""
    monkeypatch.setattr(channels, "PING_INTERVAL", 0.01)
    monkeypatch.setattr(channels, "SILENCE_TIMEOUT", 0.02)
    pings = 0

    def talk(wire: Wire) -> None:
        nonlocal pings
        wire.accept(V5)
        while pings < 5 and (frame := wire.receive()):
            pings += frame[0] == PING
        wire.end()

    server.on("GET", PATH, talk)
    assert server.connect().exec("ns", "p", None, ["slow"], stdin=[b"x"]).run().exit_code == 0
    assert pings == 5


def test_a_time_limit(server: StandIn) -> None:
    def talk(wire: Wire) -> None:
        wire.accept(V5)
        while wire.receive():
            pass

    server.on("GET", PATH, talk)
    server.clock = clock = Clock()
    running = server.connect().exec("ns", "p", None, ["sleep"], timeout=20)
    clock.now += 21
    with pytest.raises(BrokenStream, match="sleep in pod ns/p: not done within 20s"):
        running.run()


def test_too_much_output(server: StandIn) -> None:
    def talk(wire: Wire) -> None:
        wire.accept(V5)
        wire.send(1, b"123456")
        wire.end()

    server.on("GET", PATH, talk)
    with pytest.raises(AdminError, match="more than 5 bytes"):
        server.connect().exec("ns", "p", None, ["yes"]).run(limit=5)


def test_a_command_that_could_not_be_run(server: StandIn) -> None:
    said = 'exec: "nosuch": executable file not found in $PATH'

    def talk(wire: Wire) -> None:
        wire.accept(V5)
        wire.send(3, json.dumps(refusal(500, "InternalError", said)).encode())
        wire.frame(CLOSE, b"")

    server.on("GET", PATH, talk)
    with pytest.raises(ApiError, match="executable file not found"):
        server.connect().exec("ns", "p", None, ["nosuch"]).run()


def test_a_refused_handshake_says_what_the_status_says(server: StandIn) -> None:
    said = 'pods "p" is forbidden: User "eve" cannot create resource "pods/exec" in API group ""'
    said += ' in the namespace "ns"'
    server.on("GET", PATH, lambda wire: wire.refuse(status(403, "Forbidden", said)))
    with pytest.raises(Forbidden) as caught:
        server.connect().exec("ns", "p", None, ["sh"])
    error = caught.value
    assert error.what == f"Error from server (Forbidden): {said}"
    assert (error.user, error.verb, error.resource, error.namespace) == ("eve", "create", "pods/exec", "ns")


def test_a_handshake_that_is_hung_up_on_is_not_tried_again(server: StandIn) -> None:
    server.on("GET", PATH, HangUp())
    with pytest.raises(AdminError, match="Unable to connect"):
        server.connect().exec("ns", "p", None, ["sh"])
    assert len(server.asked) == 1


@pytest.mark.parametrize("said", [b"HTTP/1.1 abc\r\n\r\n", b"HTTP/1.1 200 \xff\xfe\r\n\r\n", b"\r\n\r\n"])
def test_a_handshake_that_is_answered_with_what_is_no_http(server: StandIn, said: bytes) -> None:
    server.on("GET", PATH, lambda wire: wire.say(said))
    with pytest.raises(Unreachable):
        server.connect().exec("ns", "p", None, ["sh"])
