"""Pieces unpacked in a thread: in order, errors handed on, nobody left waiting."""

import gzip
import random
import sys
import threading
import zlib

import pytest

from kubectl_admin.errors import AdminError
from kubectl_admin.node.framing import Piece
from kubectl_admin.node.unpacking import AHEAD, Tool, Unpacking

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

PACKED = {Tool.ZSTD: zstd.compress, Tool.GZIP: gzip.compress, Tool.NONE: lambda content: content}
PIECES = [b"first" * 1000, b"", b"third" * 3000, *[bytes([number]) for number in range(50)]]


X = Piece(b"x", 1)


class Broken(Exception):  # noqa: N818 - raised by a sink
    """A disk is full, for one."""


def ignore(_: object) -> None:
    """Takes anything."""


@pytest.mark.parametrize("tool", Tool)
def test_all_is_there_in_order_when_the_block_is_left(tool):
    got: list[bytes] = []
    lengths: list[int] = []
    with Unpacking(tool, got.append, lengths.append) as unpacking:
        for piece in PIECES:
            unpacking.take(Piece(PACKED[tool](piece), len(piece)))
    assert got == PIECES
    assert lengths[-1] == sum(map(len, PIECES))
    assert lengths == sorted(lengths)


def test_nothing_taken_is_nothing_given():
    got: list[bytes] = []
    with Unpacking(Tool.NONE, got.append, ignore):
        pass
    assert got == []


def test_what_the_sink_raises_is_raised_by_the_next_take():
    failed = threading.Event()

    def sink(_content: bytes) -> None:
        failed.set()
        raise Broken("no space left on device")

    def feed() -> None:
        with Unpacking(Tool.NONE, sink, ignore) as unpacking:
            unpacking.take(X)
            assert failed.wait(10)
            while True:  # one or two may be taken before the thread has said so
                unpacking.take(X)

    with pytest.raises(Broken, match="no space left"):
        feed()


def test_what_the_sink_raises_for_the_last_piece_is_raised_at_the_end():
    def sink(_content: bytes) -> None:
        raise Broken("no space left on device")

    def feed() -> None:
        with Unpacking(Tool.NONE, sink, ignore) as unpacking:
            unpacking.take(X)

    with pytest.raises(Broken):
        feed()


def test_what_is_said_of_progress_may_fail_likewise():
    def moved(_length: int) -> None:
        raise Broken("no terminal")

    with pytest.raises(Broken), Unpacking(Tool.NONE, ignore, moved) as unpacking:
        unpacking.take(X)


def test_nobody_waits_for_ever_for_a_sink_that_has_failed():
    taken = []

    def sink(_content: bytes) -> None:
        raise Broken

    def fill() -> None:
        with Unpacking(Tool.NONE, sink, ignore) as unpacking:
            for number in range(AHEAD * 20):
                unpacking._waiting.put(X)  # as `take` does before it sees the error
                taken.append(number)

    def feed() -> None:
        with pytest.raises(Broken):
            fill()

    feeding = threading.Thread(target=feed, daemon=True)
    feeding.start()
    feeding.join(20)
    assert not feeding.is_alive()
    assert len(taken) == AHEAD * 20


def test_an_error_of_who_feeds_it_is_not_hidden_by_one_of_the_sink():
    def sink(_content: bytes) -> None:
        raise Broken

    def feed() -> None:
        with Unpacking(Tool.NONE, sink, ignore) as unpacking:
            unpacking.take(X)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        feed()


@pytest.mark.parametrize("tool", [Tool.ZSTD, Tool.GZIP])
@pytest.mark.parametrize("piece", [b"no such thing", b"\x1f\x8b\x08\xff" + b"x" * 20])
def test_what_the_tool_did_not_pack_is_an_error_and_not_one_that_passes(tool, piece):
    def feed() -> None:
        with Unpacking(tool, ignore, ignore) as unpacking:
            unpacking.take(Piece(piece, 70_000))

    with pytest.raises(AdminError, match="can't be unpacked") as raised:
        feed()
    assert type(raised.value) is AdminError


@pytest.mark.parametrize("tool", [Tool.ZSTD, Tool.GZIP])
@pytest.mark.parametrize("part", [0, 0.1, 0.5, 0.9])
def test_a_part_of_a_piece_is_an_error(tool, part):
    content = random.Random(1).randbytes(70_000)
    packed = PACKED[tool](content)

    def feed() -> None:
        with Unpacking(tool, ignore, ignore) as unpacking:
            unpacking.take(Piece(packed[: int(len(packed) * part)], len(content)))

    with pytest.raises(AdminError):
        feed()


@pytest.mark.parametrize("tool", Tool)
@pytest.mark.parametrize("announced", [0, 9, 11, 1000])
def test_a_piece_that_holds_more_or_less_than_was_announced_is_an_error(tool, announced):
    got: list[bytes] = []

    def feed() -> None:
        with Unpacking(tool, got.append, ignore) as unpacking:
            unpacking.take(Piece(PACKED[tool](b"0123456789"), announced))

    with pytest.raises(AdminError, match="does not hold what was announced"):
        feed()
    assert len(b"".join(got)) <= announced


@pytest.mark.parametrize("tool", [Tool.ZSTD, Tool.GZIP])
def test_a_piece_that_swells_is_unpacked_no_further_than_was_announced(tool):
    """A gigabyte of zeros would take minutes and all memory."""

    def feed() -> None:
        with Unpacking(tool, ignore, ignore) as unpacking:
            unpacking.take(Piece(PACKED[tool](bytes(1 << 22)), 1000))

    with pytest.raises(AdminError, match="does not hold what was announced"):
        feed()


def test_zlib_alone_is_not_gzip():
    def feed() -> None:
        with Unpacking(Tool.GZIP, ignore, ignore) as unpacking:
            unpacking.take(Piece(zlib.compress(b"x"), 1))

    with pytest.raises(AdminError):
        feed()
