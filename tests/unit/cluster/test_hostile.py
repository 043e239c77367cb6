"""What a hostile node, server or neighbour may send: it ends in a sentence, and costs next to nothing."""

import json
import struct
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from kubectl_admin.cluster import channels
from kubectl_admin.cluster.decode import (
    decode_date,
    decode_json,
    decode_moment,
    decode_object,
    decode_yaml,
    whole_number,
)
from kubectl_admin.cluster.errors import ApiError, BrokenStream, refusal
from kubectl_admin.cluster.exec import STATUS_LIMIT
from kubectl_admin.cluster.portforward import PortError
from kubectl_admin.errors import AdminError
from tests.fakes.api_server import BINARY, CLOSE, Says, StandIn, Wire, ended
from tests.fakes.clock import Clock

EXEC = "/api/v1/namespaces/ns/pods/p/exec"
NODES = "/api/v1/nodes"
DEEP = b"[" * 20_000 + b"]" * 20_000
DIGITS = b"9" * 5_000
NO_JSON = [DEEP, DIGITS, b'{"a": "\xff"}', b"{", b"", b"\xff\xfe", b'{"a":' + DIGITS + b"}"]


@pytest.mark.parametrize("data", NO_JSON)
def test_what_is_no_json_is_told_in_a_line(data: bytes) -> None:
    with pytest.raises(AdminError, match=r"^the answer is not JSON: ") as caught:
        decode_json(data, "the answer")
    assert len(caught.value.what) < 500


@pytest.mark.parametrize(
    "text",
    [
        "[" * 20_000,
        "a: " + "9" * 5000,
        "a: [",
        "!!bool x",
        "!!int ''",
        "!!timestamp x",
        "2001-99-99",
        "? {}\n: 1",
    ],
)
def test_what_is_no_yaml_is_told_in_a_line(text: str) -> None:
    with pytest.raises(AdminError, match=r"^the file is not YAML$"):
        decode_yaml(text, "the file")


@pytest.mark.parametrize("data", [b"[]", b"null", b"7", b'"text"'])
def test_what_is_no_object_is_told(data: bytes) -> None:
    with pytest.raises(AdminError, match=r"^the answer is not a JSON object"):
        decode_object(data, "the answer")


@pytest.mark.parametrize(
    ("said", "number"),
    [
        *[(0, 0), ("7", 7), ("0042", 42), ("9999999999", 9_999_999_999), (137, 137)],
        *[("99999999999", None), ("9" * 5000, None), (10**300, None), ("-1", None), (-1, None)],
        *[("٣", None), ("²", None), ("", None), ("1e3", None)],
        *[(1.5, None), (True, None), (None, None), ([], None)],
    ],
)
def test_a_number_from_elsewhere_has_ten_digits(said: object, number: int | None) -> None:
    assert whole_number(said) == number


def test_a_size_may_have_more() -> None:
    assert whole_number("99999999999", 15) == 99_999_999_999
    assert whole_number("9" * 16, 15) is None


def test_the_date_of_an_answer() -> None:
    assert decode_date("Sun, 06 Nov 1994 08:49:37 GMT") == datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)


@pytest.mark.parametrize(
    "said", ["", "yesterday", "Sun, 06 Nov 1994 08:49:37", "Sun, 32 Nov 1994 08:49:37 GMT", "\0"]
)
def test_what_is_not_a_date_is_none(said: str) -> None:
    assert decode_date(said) is None


@pytest.mark.parametrize("said", [None, "", "yesterday", 5, {}, "2026-01-01T00:00:61Z", "9" * 5000])
def test_what_is_not_a_time_of_the_api_is_none(said: object) -> None:
    assert decode_moment(said) is None


@pytest.mark.parametrize("said", ["12:00:00Z", "12:00:00.000000Z", "13:00:00+01:00"])
def test_a_time_of_the_api(said: str) -> None:
    assert decode_moment(f"2026-01-01T{said}") == datetime(2026, 1, 1, 12, tzinfo=UTC)


def says(*statuses: bytes) -> Any:
    """A command that writes nothing and ends with these messages on its status channel."""

    def talk(wire: Wire) -> None:
        wire.accept("v5.channel.k8s.io")
        for status in statuses:
            wire.send(3, status)
        wire.frame(CLOSE, struct.pack("!H", 1000))

    return talk


def code(text: object) -> bytes:
    status = ended(1)
    status["details"]["causes"][0]["message"] = text
    return json.dumps(status).encode()


@pytest.mark.parametrize(
    "status",
    [
        *[data for data in NO_JSON if data],
        *[b"[]", b"null", b"7"],
        *[code("9" * 5000), code("-1"), code("one"), code(None), code([])],
        b'{"status":"Failure","reason":"NonZeroExitCode","details":[1]}',
        b'{"status":"Failure","reason":"NonZeroExitCode","details":{"causes":{"a":1}}}',
        b'{"status":"Failure","reason":"NonZeroExitCode","details":{"causes":[1,null]}}',
    ],
)
def test_an_end_that_makes_no_sense_is_no_end(server: StandIn, status: bytes) -> None:
    server.on("GET", EXEC, says(status))
    with pytest.raises(BrokenStream):
        server.connect().exec("ns", "p", None, ["true"]).run()


@pytest.mark.parametrize(
    "status",
    [
        b'{"status":"Failure","code":' + b"9" * 400 + b"}",
        b'{"status":"Failure","code":"none","details":[]}',
        b'{"status":"Failure","code":410,"metadata":[]}',
        b"{}",
    ],
)
def test_an_end_that_says_that_nothing_ran(server: StandIn, status: bytes) -> None:
    server.on("GET", EXEC, says(status))
    with pytest.raises(ApiError):
        server.connect().exec("ns", "p", None, ["true"]).run()


def test_an_end_may_come_in_pieces(server: StandIn) -> None:
    status = json.dumps(ended(3)).encode()
    server.on("GET", EXEC, says(*[status[place : place + 1] for place in range(len(status))]))
    assert server.connect().exec("ns", "p", None, ["true"]).run().exit_code == 3


def test_an_end_without_an_end(server: StandIn) -> None:
    server.on("GET", EXEC, says(*[b"[" * 1000] * 100))
    with pytest.raises(BrokenStream, match=f"longer than {STATUS_LIMIT} bytes"):
        server.connect().exec("ns", "p", None, ["true"]).run()


def test_a_frame_is_not_kept_for_as_long_as_it_announces(server: StandIn) -> None:
    def talk(wire: Wire) -> None:
        wire.accept("v5.channel.k8s.io")
        wire.raw(bytes([0x80 | BINARY, 127]) + struct.pack("!Q", 1 << 40))
        wire.raw(b"\1" * (1 << 16))
        wire.receive()

    server.on("GET", EXEC, talk)
    tracemalloc.start()
    try:
        with pytest.raises(BrokenStream, match="a frame of 1099511627776 bytes is announced"):
            server.connect().exec("ns", "p", None, ["true"]).run()
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


def test_the_largest_frame_that_is_sent_is_taken(server: StandIn) -> None:
    def talk(wire: Wire) -> None:
        wire.accept("v5.channel.k8s.io")
        wire.send(1, b"x" * (512 << 10))
        wire.end()

    server.on("GET", EXEC, talk)
    assert len(server.connect().exec("ns", "p", None, ["cat"]).run().stdout) == 512 << 10


def test_a_nodes_words_are_shown_in_part(server: StandIn) -> None:
    def talk(wire: Wire) -> None:
        wire.accept("v4.channel.k8s.io")
        wire.send(1, b"\0\1" + b"no " * 200_000)

    server.on("GET", "/api/v1/namespaces/ns/pods/p/portforward", talk)
    with server.connect().port_forward("ns", "p", 1) as forward, pytest.raises(PortError) as caught:
        forward.recv()
    assert len(caught.value.what) < 400


@pytest.mark.parametrize("body", [*[data for data in NO_JSON if data], b"[]", b'"text"', b"7"])
def test_an_answer_that_makes_no_sense(server: StandIn, body: bytes) -> None:
    server.on("GET", NODES, Says(body=body))
    cluster = server.connect()
    for ask in (cluster.get, lambda path: list(cluster.list(path)), cluster.table):
        with pytest.raises(AdminError, match="the answer to /api/v1/nodes is no"):
            ask(NODES)


@pytest.mark.parametrize("line", [*[data for data in NO_JSON if data], b"[]", b"{}", b'{"type":"ADDED"}'])
def test_an_event_that_makes_no_sense_ends_the_watch(server: StandIn, line: bytes) -> None:
    def events() -> Iterator[bytes]:
        yield line + b"\n"

    server.on("GET", NODES, lambda _: Says(body=events()))
    with pytest.raises(BrokenStream):
        list(server.connect().watch(NODES, timeout=1))


@pytest.mark.parametrize("body", [*NO_JSON, b"[]", b'{"kind":"Status","code":"x","details":[],"metadata":7}'])
@pytest.mark.parametrize("wait", ["", "soon", "9" * 5000, "-1", "²"])
def test_a_refusal_that_makes_no_sense_is_still_one(body: bytes, wait: str) -> None:
    error = refusal(503, body, {"Retry-After": wait}, "GET /")
    assert (error.status, error.retry_after) == (503, None)
    assert error.details == {}


def test_who_does_not_listen_hears_no_silence(server: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    """As behind a pager: nothing was heard for minutes, since nobody listened, and no ping was ever sent."""
    server.clock = clock = Clock()

    def talk(wire: Wire) -> None:
        wire.accept("v5.channel.k8s.io")
        wire.send(1, b"line")
        wire.end()

    server.on("GET", EXEC, talk)
    line = server.connect().exec("ns", "p", None, ["yes"])._channels
    messages = line.messages()
    assert next(messages) == (1, b"line")
    clock.now += channels.SILENCE_TIMEOUT * 2
    received = line._received

    def after_a_silence() -> tuple[int, bytes] | None:
        line._check_time()
        return received()

    monkeypatch.setattr(line, "_received", after_a_silence)
    assert [channel for channel, _ in messages] == [3]
    line.close()


def test_a_connection_is_not_dead_before_a_ping_went_unanswered(server: StandIn) -> None:
    server.on("GET", EXEC, says(b'{"status":"Success"}'))
    line = server.connect().exec("ns", "p", None, ["true"])._channels
    line._heard -= channels.SILENCE_TIMEOUT * 2
    line._pinged = line._heard
    line._check_time()  # asks
    line._heard -= channels.SILENCE_TIMEOUT
    with pytest.raises(BrokenStream, match="the connection is dead"):
        line._check_time()
    line.close()
