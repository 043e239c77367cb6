"""The stream of packed pieces: however it is split, whatever is wrong with it."""

import hashlib
import random

import pytest

from kubectl_admin.cluster.errors import BrokenStream
from kubectl_admin.node.framing import LINE, PIECE, SURPLUS, Framing

PIECES = [b"first\n", b"", b"end 1\npiece 2 3 x\n", bytes(range(256)), b"\n" * 40]


SIZE = 12345  # of the file; whether the pieces make that up, is not looked at here


def announced(number: int, piece: bytes) -> bytes:
    """The line of a piece that holds a hundred bytes for each of its own."""
    digest = hashlib.sha256(piece).hexdigest().encode()
    return b"piece %d %d %d %s\n" % (number, len(piece) * 100, len(piece), digest)


def stream(pieces: list[bytes], first: int = 0) -> bytes:
    return body(pieces, first) + b"end %d %d\n" % (first + len(pieces), SIZE)


def body(pieces: list[bytes], first: int = 0) -> bytes:
    return b"".join(announced(number, piece) + piece for number, piece in enumerate(pieces, first))


def taken(framing: Framing, *parts: bytes) -> list[bytes]:
    return [piece.packed for part in parts for piece in framing.feed(part)]


def test_a_piece_says_how_much_of_the_file_is_in_it():
    (piece,) = Framing(0, "node cp-1").feed(announced(0, b"abc") + b"abc")
    assert (piece.packed, piece.bytes) == (b"abc", 300)


@pytest.mark.parametrize("first", [0, 7])
def test_a_stream_as_a_whole(first):
    framing = Framing(first, "node cp-1")
    assert taken(framing, stream(PIECES, first)) == PIECES
    assert framing.size == SIZE
    assert framing.number == first + len(PIECES)


def test_a_stream_split_anywhere():
    whole = stream(PIECES)
    for place in range(len(whole) + 1):
        framing = Framing(0, "node cp-1")
        assert taken(framing, whole[:place], whole[place:]) == PIECES
        assert framing.size == SIZE


def test_a_stream_byte_by_byte():
    framing = Framing(0, "node cp-1")
    whole = stream(PIECES)
    assert taken(framing, *(whole[place : place + 1] for place in range(len(whole)))) == PIECES
    assert framing.size == SIZE


def test_a_stream_that_stops_anywhere_gives_the_pieces_before_that_and_is_not_complete():
    whole = stream(PIECES)
    ends = [len(body(PIECES[:number])) for number in range(len(PIECES) + 1)]
    for place in range(len(whole)):
        framing = Framing(0, "node cp-1")
        got = taken(framing, whole[:place])
        assert got == PIECES[: len(got)]
        assert len(got) == max(number for number, end in enumerate(ends) if end <= place)
        assert framing.size is None


def test_a_stream_with_any_byte_changed_never_gives_a_wrong_piece():
    whole = stream(PIECES)
    for place in range(len(whole)):
        damaged = whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]
        framing = Framing(0, "node cp-1")
        got: list[bytes] = []
        try:
            for piece in framing.feed(damaged):
                got.append(piece.packed)
        except BrokenStream:
            pass
        assert got == PIECES[: len(got)]
        assert framing.size is None or got == PIECES


def test_what_comes_after_the_end_is_no_piece():
    framing = Framing(0, "node cp-1")
    assert taken(framing, stream(PIECES) + b"surplus", announced(5, b"x") + b"x") == PIECES
    assert framing.size == SIZE


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"hello\n",
        b"piece\n",
        b"piece 1 3 3 abc\n",  # another number than the awaited
        b"piece 0 3 -3 abc\n",
        b"piece 0 -3 3 abc\n",
        b"piece 0 3 3.5 abc\n",
        b"piece 0 3 0x10 abc\n",
        b"piece 0 3 \xb2 abc\n",
        b"piece 0 3 abc\n",
        b"piece 0 3 3 abc def\n",
        b"piece 00 3 3 abc\n",
        b"end 1 3\n",
        b"end 0\n",
        b"end 0 -1\n",
        b"end\n",
        b"end 0 0 0\n",
        b"\x00" * LINE,
        b"x" * (LINE + 1),
        b"piece 0 3 " + b"9" * 100 + b" abc\n",
        b"piece 0 3 %d abc\n" % (PIECE + SURPLUS + 1),
        b"piece 0 %d 3 abc\n" % (PIECE + 1),
    ],
)
def test_what_announces_nothing_sensible_is_a_broken_stream(line):
    with pytest.raises(BrokenStream, match="node cp-1: the announcement of piece 0 is malformed"):
        taken(Framing(0, "node cp-1"), line)


def test_a_huge_announcement_takes_no_memory_before_it_is_refused():
    framing = Framing(0, "node cp-1")
    with pytest.raises(BrokenStream):
        taken(framing, b"piece 0 1 99999999999999 %s\n" % (b"a" * 64))


def test_a_piece_of_noise_may_be_a_little_longer_than_it_was():
    framing = Framing(0, "node cp-1")
    packed = b"x" * (PIECE + SURPLUS)
    line = b"piece 0 %d %d %s\n" % (PIECE, len(packed), hashlib.sha256(packed).hexdigest().encode())
    assert taken(framing, line + packed) == [packed]


def test_noise_never_passes():
    noise = random.Random(1)
    for _ in range(300):
        framing = Framing(0, "node cp-1")
        try:
            got = taken(framing, noise.randbytes(noise.randrange(400)))
        except BrokenStream:
            continue
        assert got == []
        assert framing.size is None
