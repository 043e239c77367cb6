"""scripts/send.sh and send-end.sh by themselves, by the shells and programs of two kinds of hosts."""

import hashlib
import os
import stat
from pathlib import Path

import pytest

PIECE = 131_072
CONTENT = os.urandom(2 * PIECE + 17)
PIECES = [CONTENT[at : at + PIECE] for at in range(0, len(CONTENT), PIECE)]


def sum_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where it goes: names of the nasty kind."""
    folder = tmp_path / "an operation's $(x)"
    folder.mkdir()
    return folder / "-a file"


def sending(shell, file, first, pieces, *, given=None, reserve=0, piece=PIECE):
    """Runs send.sh; `given` is what really comes."""
    place = [file, str(len(CONTENT)), str(piece), str(reserve), str(first)]
    return shell.ended(
        "send", *place, *map(sum_of, pieces), given=b"".join(pieces) if given is None else given
    )


def ended(shell, file, content=CONTENT, mode="600"):
    return shell.ended("send-end", file, str(len(content)), sum_of(content), mode)


def test_pieces_come_in_several_runs_and_are_acknowledged(shell, file):
    assert sending(shell, file, 0, []).stdout == b"\n# end\n"
    assert sending(shell, file, 0, PIECES[:1]).stdout == b"piece 0\n\n# end\n"
    assert sending(shell, file, 1, PIECES[1:]).stdout == b"piece 1\npiece 2\n\n# end\n"
    assert not file.exists()
    done = ended(shell, file, mode="640")
    assert done.stdout.decode() == f"{len(CONTENT)} {sum_of(CONTENT)}\n\n# end\n"
    assert file.read_bytes() == CONTENT
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert list(file.parent.iterdir()) == [file]


def test_its_end_may_be_asked_for_again(shell, file):
    file.write_bytes(CONTENT)
    assert ended(shell, file).returncode == 0
    assert ended(shell, file, CONTENT[1:]).returncode == 75


def test_a_piece_that_comes_again_changes_nothing(shell, file):
    sending(shell, file, 0, [])
    sending(shell, file, 0, PIECES)
    assert sending(shell, file, 1, PIECES[1:2]).returncode == 0
    assert ended(shell, file).returncode == 0


@pytest.mark.parametrize(
    "given", [b"", PIECES[1][:-1], b"?" + PIECES[1][1:]], ids=["nothing", "too short", "altered"]
)
def test_a_piece_that_did_not_come_whole_is_not_kept(shell, file, given):
    sending(shell, file, 0, [])
    sending(shell, file, 0, PIECES[:1])
    done = sending(shell, file, 1, PIECES[1:2], given=given)
    assert (done.returncode, done.stdout) == (75, b"")
    assert done.stderr == b"piece 1 is not what was sent\n"
    assert file.with_name("-a file.part").read_bytes() == PIECES[0]
    assert [path.name for path in file.parent.iterdir()] == ["-a file.part"]


def test_a_last_piece_that_is_too_long_is_not_kept(shell, file):
    sending(shell, file, 0, [])
    assert sending(shell, file, 0, PIECES, given=CONTENT + b"more").returncode == 75
    assert ended(shell, file).returncode == 75
    assert not file.exists()


def test_pieces_that_are_no_multiple_of_a_block_arrive(shell, file):
    parts = [CONTENT[at : at + 100_001] for at in range(0, len(CONTENT), 100_001)]
    assert sending(shell, file, 0, parts, piece=100_001).returncode == 0
    assert ended(shell, file).returncode == 0


def test_a_full_disk_is_told_after_all_was_read(shell, file):
    # Much more than a pipe holds: who is not read to the end would be told of it by EPIPE.
    done = sending(shell, file, 0, PIECES, reserve=1 << 60)
    assert done.returncode == 1
    assert b" MiB are free in " in done.stderr
    assert not list(file.parent.iterdir())


def test_one_that_takes_over_removes_what_a_killed_one_has_left(shell, file):
    file.with_name("sending.4711").write_bytes(b"half")
    assert sending(shell, file, 0, []).returncode == 0
    assert [path.name for path in file.parent.iterdir()] == ["-a file.part"]
