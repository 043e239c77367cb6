"""A file brought home from a host that is this machine, with its own pack.sh, over streams that are cut."""

import os
import random
from dataclasses import replace
from pathlib import Path

import pytest

from kubectl_admin.cluster.errors import BrokenStream
from kubectl_admin.errors import AdminError
from kubectl_admin.node import fetch as module
from kubectl_admin.node import framing
from kubectl_admin.node.debug_pod import Options
from kubectl_admin.node.fetch import Fetched, RemoteFile, Transfer, Wire, fetch
from kubectl_admin.node.unpacking import Tool
from tests.fakes.host import Cut, Machine, host_of, inline

PIECE = 2000
SIZE = 21_345  # eleven pieces, the last one short


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PIECE", PIECE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The operation's folder on the host."""
    path = tmp_path / "operation"
    path.mkdir()
    return path


def distant(folder: Path, content: bytes) -> RemoteFile:
    (folder / "file").write_bytes(content)
    return RemoteFile(str(folder / "file"), str(folder), len(content))


def fetched(machine: Machine, file: RemoteFile, tool: Tool = Tool.GZIP) -> tuple[bytes, Fetched]:
    """What came, and what it took."""
    got: list[bytes] = []
    moved: list[tuple[int, int]] = []
    answer = fetch(host_of(machine), file, Transfer(tool, lambda *how: moved.append(how)), got.append)
    assert [here for here, _ in moved] == sorted(here for here, _ in moved)
    assert all(here <= size for here, size in moved)
    content = b"".join(got)
    assert answer.size == len(content)
    if moved:
        assert moved[-1] == (len(content), len(content))
    return content, answer


@pytest.mark.parametrize("tool", Tool)
@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, SIZE])
def test_a_file_of_any_length_comes_whole(machine, folder, tool, size):
    content = os.urandom(size)
    got, answer = fetched(machine, distant(folder, content), tool)
    assert got == content
    assert answer.cuts == 0
    assert len(machine.commands) == 1


@pytest.mark.parametrize("seed", range(4))
def test_streams_that_are_cut_anywhere_change_nothing(machine, folder, seed):
    chance = random.Random(seed)
    content = chance.randbytes(SIZE)
    cuts = [Cut(chance.randrange(3 * PIECE), loud=chance.random() < 0.7) for _ in range(12)]
    machine.cuts = [*cuts]
    got, answer = fetched(machine, distant(folder, content), Tool.NONE)
    assert got == content
    assert answer.cuts == len(machine.commands) - 1
    assert answer.cuts > 3
    assert answer.wire >= SIZE


def test_no_piece_that_has_come_is_asked_for_again(machine, folder):
    machine.cuts = [Cut(3 * PIECE), Cut(2 * PIECE, loud=False), None]
    _, answer = fetched(machine, distant(folder, os.urandom(SIZE)), Tool.NONE)
    firsts = [int(command[7]) for command in machine.commands]
    assert firsts == [0, 2, 3]
    assert answer.cuts == 2


def test_streams_that_never_bring_a_piece_end_it_after_a_while(machine, folder, clock):
    machine.cuts = [Cut(10)] * 1000
    host = host_of(machine, options=Options(patience=3))
    with pytest.raises(BrokenStream):
        fetch(host, distant(folder, os.urandom(SIZE)), Transfer(Tool.NONE, lambda *_: None), lambda _: None)
    assert 1 < sum(clock.slept) <= 3


def test_what_sink_raises_ends_it_at_once(machine, folder):
    def sink(_content: bytes) -> None:
        raise OSError(28, "No space left on device")

    file = distant(folder, os.urandom(50 * PIECE))
    with pytest.raises(OSError, match="No space left"):
        fetch(host_of(machine), file, Transfer(Tool.NONE, lambda *_: None), sink)
    assert len(machine.commands) == 1


def test_a_file_that_is_not_there_is_said_in_the_hosts_words(machine, folder):
    with pytest.raises(AdminError, match=r"node cp-1: .*No such file"):
        fetched(machine, RemoteFile(str(folder / "none"), str(folder), 10))


def test_a_host_without_the_tool_says_so(machine, folder, tmp_path):
    (tmp_path / "bin").mkdir()
    for name in ("stat", "mkdir", "rm", "cat", "dd", "sha256sum", "sh", "env", "ln", "sleep"):
        (tmp_path / "bin" / name).symlink_to(f"/usr/bin/{name}")
    machine.path = str(tmp_path / "bin")
    with pytest.raises(AdminError, match="gzip"):
        fetched(machine, distant(folder, os.urandom(SIZE)))


def test_a_file_that_became_shorter_between_two_streams_is_an_error(machine, folder):
    file = distant(folder, os.urandom(SIZE))
    machine.cuts = [Cut(3 * PIECE), None]
    shorten = folder / "file"

    def sink(_content: bytes) -> None:
        shorten.write_bytes(b"x" * 100)

    with pytest.raises(AdminError, match=r"does not hold what was announced|bytes of .* have come"):
        fetch(host_of(machine), file, Transfer(Tool.NONE, lambda *_: None), sink)


@pytest.mark.parametrize("answer", [b"end 0 5\n", b"end 0 %d\n" % SIZE])
def test_an_end_that_comes_too_soon_is_never_taken_for_the_file(machine, folder, monkeypatch, answer):
    monkeypatch.setattr(module, "PACK", inline(f"printf %s '{answer.decode()}'"))
    with pytest.raises(AdminError, match="0 bytes of"):
        fetched(machine, distant(folder, os.urandom(SIZE)))
    assert len(machine.commands) == 1


def test_a_file_that_still_grows_is_fetched_as_it_is_saved(machine, folder):
    content = os.urandom(SIZE)
    (folder / "file.part").write_bytes(content[: 3 * PIECE + 7])
    pieces = []

    def sink(piece: bytes) -> None:
        """With the third piece the rest is saved."""
        pieces.append(piece)
        if len(pieces) == 3:
            with (folder / "file.part").open("ab") as part:
                part.write(content[3 * PIECE + 7 :])
            (folder / "file.part").rename(folder / "file")
            (folder / "result").write_text("0\n")

    file = RemoteFile(str(folder / "file"), str(folder), 0, str(folder / "result"))
    answer = fetch(host_of(machine), file, Transfer(Tool.ZSTD, lambda *_: None), sink)
    assert b"".join(pieces) == content
    assert answer.size == SIZE


def test_a_file_whose_saving_failed_is_said(machine, folder):
    (folder / "file.part").write_bytes(b"x" * 10)
    (folder / "result").write_text("1\n")
    file = RemoteFile(str(folder / "file"), str(folder), 0, str(folder / "result"))
    with pytest.raises(AdminError, match="file was not completed"):
        fetch(host_of(machine), file, Transfer(Tool.ZSTD, lambda *_: None), lambda _: None)


def test_pieces_are_no_larger_than_what_may_be_announced():
    assert framing.PIECE >= PIECE


def test_the_wire_is_slowed_to_its_rate(clock):
    wire = Wire(1000, clock)
    began = clock.now
    for _ in range(10):
        wire.took(500)
    assert wire.bytes == 5000
    assert clock.now - began == pytest.approx(5)


def test_a_wire_that_was_slow_may_not_catch_up(clock):
    wire = Wire(1000, clock)
    clock.now += 100
    began = clock.now
    wire.took(2000)
    assert clock.now - began == pytest.approx(2)


def test_a_wire_without_a_limit_waits_for_nothing(clock):
    Wire(None, clock).took(1 << 40)
    assert clock.slept == []


def test_pieces_that_bring_nothing_or_too_much_are_refused(machine, folder, monkeypatch):
    file = distant(folder, os.urandom(SIZE))
    monkeypatch.setattr(module, "SURPLUS", 100)
    with pytest.raises(AdminError, match=r"bytes of .* have come, and 1000 were expected"):
        fetched(machine, replace(file, size=1000))
    with pytest.raises(AdminError, match="has nothing in it"):
        module.refuse_endless(host_of(machine), file, framing.Piece(b"", 0), 0)
