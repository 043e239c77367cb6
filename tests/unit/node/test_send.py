"""A file sent to a host that is this machine, with its own send.sh, over streams that are cut."""

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubectl_admin.cluster.errors import BrokenStream
from kubectl_admin.errors import AdminError
from kubectl_admin.node import send as module
from kubectl_admin.node.debug_pod import Options
from kubectl_admin.node.send import Destination, LocalFile, Sent, measure, send
from tests.fakes.host import Cut, Machine, host_of, inline

PIECE = 2000
SIZE = 41_345  # 21 pieces, the last one short


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PIECE", PIECE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The operation's folder on the host, with a name of the nasty kind."""
    path = tmp_path / "an operation's $(x)"
    path.mkdir()
    return path


@pytest.fixture
def source(tmp_path: Path) -> Iterator["Source"]:
    """Files on the operator's disk."""
    source = Source(tmp_path / "source")
    yield source
    source.close()


class Source:
    """One file, held open."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.descriptor = -1

    def holding(self, content: bytes) -> LocalFile:
        """It has this content."""
        self.path.write_bytes(content)
        self.close()
        self.descriptor = os.open(self.path, os.O_RDONLY)
        return measure(self.descriptor, "source.db")

    def close(self) -> None:
        if self.descriptor >= 0:
            os.close(self.descriptor)


def sent(
    machine: Machine, file: LocalFile, folder: Path, said: list[str] | None = None, reserve: int = 0
) -> tuple[bytes, Sent]:
    """What the host has, and what it took."""
    moved: list[tuple[int, int]] = []
    answer = send(
        host_of(machine, said),
        file,
        Destination(str(folder / "-a file"), reserve=reserve),
        lambda *how: moved.append(how),
    )
    assert all(here <= size for here, size in moved)
    if moved:
        assert moved[-1] == (file.size, file.size)
    assert [path.name for path in folder.iterdir()] == ["-a file"]
    return (folder / "-a file").read_bytes(), answer


def firsts(machine: Machine) -> list[int]:
    """The pieces with which streams began."""
    return [int(command[8]) for command in machine.commands if command[3] == "kubectl-admin-send"]


@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, SIZE])
def test_a_file_of_any_length_arrives_whole(machine, folder, source, size):
    content = os.urandom(size)
    got, answer = sent(machine, source.holding(content), folder)
    assert got == content
    assert (answer.size, answer.cuts) == (size, 0)
    assert (folder / "-a file").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("seed", range(4))
def test_streams_that_are_cut_anywhere_change_nothing(machine, folder, source, seed):
    chance = random.Random(seed)
    content = chance.randbytes(SIZE)
    machine.cuts = [Cut(chance.randrange(80), loud=chance.random() < 0.7) for _ in range(12)]
    got, answer = sent(machine, source.holding(content), folder)
    assert got == content
    assert answer.cuts > 1


def test_no_piece_that_was_acknowledged_is_sent_again(machine, folder, source):
    machine.cuts = [None, Cut(len(b"piece 0\n" * 3)), Cut(len(b"piece 3\n" * 2), loud=False), None]
    _, answer = sent(machine, source.holding(os.urandom(SIZE)), folder)
    assert firsts(machine) == [0, 0, 3, 5]
    assert answer.cuts == 2


def test_streams_in_which_no_piece_goes_through_end_it_after_a_while(machine, folder, source, clock):
    machine.cuts = [None, *[Cut(0)] * 1000]
    with pytest.raises(BrokenStream):
        send(
            host_of(machine, options=Options(patience=3)),
            source.holding(os.urandom(SIZE)),
            Destination(str(folder / "file")),
            lambda *_: None,
        )
    assert 1 < sum(clock.slept) <= 3


def test_a_file_that_was_changed_meanwhile_is_not_given_its_name(machine, folder, source):
    file = source.holding(os.urandom(SIZE))
    with source.path.open("r+b") as other:
        other.seek(3 * PIECE + 7)
        other.write(b"other")
    with pytest.raises(AdminError, match=r"source\.db was changed while it was used"):
        sent(machine, file, folder)
    assert not (folder / "-a file").exists()


def test_a_file_that_was_changed_since_it_was_judged_is_refused(source):
    file = source.holding(b"content")
    assert measure(source.descriptor, "source.db", digest=file.digest) == file
    with pytest.raises(AdminError, match="was changed"):
        measure(source.descriptor, "source.db", digest="0" * 64)


def test_a_host_without_room_says_so_before_anything_is_sent(machine, folder, source):
    with pytest.raises(AdminError, match=r"node cp-1: \d+ MiB are free in .* MiB are needed there"):
        sent(machine, source.holding(os.urandom(SIZE)), folder, reserve=1 << 60)
    assert len(machine.commands) == 1


def test_a_disk_that_loses_pieces_is_filled_once_more(machine, folder, source, monkeypatch):
    content = os.urandom(SIZE)
    file = source.holding(content)
    # Between the last piece and the end.
    lost = 'if rm "$1.lost"; then :; else : > "$1.lost"; : > "$1.part"; fi 2> /dev/null'
    monkeypatch.setattr(module, "FINISH", inline(f"{lost}\n{module.FINISH.text()}"))
    said: list[str] = []
    got, _ = sent(machine, file, folder, said)
    assert got == content
    assert "sending it again" in said[0]
    assert firsts(machine) == [0, 0, 16, 0, 0, 16]


def test_a_disk_that_loses_them_again_is_an_error(machine, folder, source, monkeypatch):
    monkeypatch.setattr(module, "FINISH", inline(f': > "$1.part"\n{module.FINISH.text()}'))
    with pytest.raises(AdminError, match="is not what was sent"):
        sent(machine, source.holding(os.urandom(SIZE)), folder)
    assert not (folder / "-a file").exists()


def test_the_answer_to_the_end_may_be_lost(machine, folder, source):
    machine.cuts = [None, None, None, Cut(3), None]
    got, _ = sent(machine, source.holding(b"x" * SIZE), folder)
    assert got == b"x" * SIZE


def test_a_directory_that_is_not_there_is_said(machine, tmp_path, source):
    with pytest.raises(AdminError, match="there is no such directory"):
        send(host_of(machine), source.holding(b"x"), Destination(str(tmp_path / "no/file")), lambda *_: None)
