"""scripts/pack.sh by itself: what it leaves when its reader goes away, and one that takes over."""

import hashlib
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kubectl_admin.node.framing import Framing
from kubectl_admin.node.unpacking import Tool, unpacker
from tests.fakes.host import Shell
from tests.program import Child

PIECE = 300_000  # more than a pipe holds
CONTENT = os.urandom(10 * PIECE + 17)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The operation's folder, with a file in it; both have names of the nasty kind."""
    path = tmp_path / "an operation's $(x)"
    path.mkdir()
    (path / "-a file").write_bytes(CONTENT)
    return path


@contextmanager
def packing(shell: Shell, folder: Path, first: int = 0) -> Iterator[Child[bytes]]:
    arguments = [folder, folder / "-a file", str(PIECE), str(first), "none", "-"]
    command = shell.command("pack", *arguments)
    with Child(
        command, env=shell.env(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        yield process


def left(folder: Path) -> list[str]:
    """What of a packer is in the folder."""
    return sorted(path.name for path in folder.iterdir() if path.name.startswith("packing."))


def unpacked(answer: bytes, tool: Tool, first: int = 0) -> bytes:
    framing = Framing(first, "here")
    undo = unpacker(tool)
    content = b"".join(block for piece in framing.feed(answer) for block in undo(piece.packed))
    assert framing.size == len(CONTENT)
    return content


@pytest.mark.parametrize("tool", Tool)
def test_each_tool_packs_what_is_unpacked_here(shell, folder, tool):
    done = shell.ended("pack", folder, folder / "-a file", str(PIECE), "0", tool, "-")
    assert (done.returncode, done.stderr) == (0, b"")
    assert hashlib.sha256(unpacked(done.stdout, tool)).digest() == hashlib.sha256(CONTENT).digest()
    assert left(folder) == []


@pytest.mark.parametrize("first", [1, 10, 11, 12])
def test_it_begins_where_it_is_told_to(shell, folder, first):
    done = shell.ended("pack", folder, folder / "-a file", str(PIECE), str(first), "none", "-")
    assert (done.returncode, done.stderr) == (0, b"")
    assert unpacked(done.stdout, Tool.NONE, first) == CONTENT[first * PIECE :]


def test_one_whose_reader_goes_away_ends_and_leaves_nothing(shell, folder):
    with packing(shell, folder) as process:
        assert process.stdout
        assert process.stdout.read(1000)
        process.stdout.close()
        assert process.wait(60) != 0
    assert left(folder) == []


def test_a_second_one_takes_over(shell, folder):
    with packing(shell, folder) as first:
        assert first.stdout
        begun = first.stdout.read(PIECE // 2)
        with packing(shell, folder, 1) as second:
            assert second.stdout
            whole = second.stdout.read()
            assert second.wait(60) == 0
        rest = first.stdout.read()
        assert first.wait(60) != 0
    assert unpacked(whole, Tool.NONE, 1) == CONTENT[PIECE:]
    framing = Framing(0, "here")
    assert len(list(framing.feed(begun + rest))) <= 4, "what it had packed may come, and no more"
    assert framing.size is None
    assert left(folder) == []


def test_a_file_that_is_not_there_is_said(shell, folder):
    done = shell.ended("pack", folder, folder / "none", str(PIECE), "0", "none", "-")
    assert done.returncode != 0
    assert b"none" in done.stderr
    assert left(folder) == []


def test_a_file_that_does_not_grow_is_given_up(shell, folder):
    (folder / "growing.part").write_bytes(CONTENT[: PIECE + 17])
    growing = [folder / "growing", str(PIECE), "0", "none", folder / "result", "", "1"]
    done = shell.ended("pack", folder, *growing)
    assert done.returncode == 75
    assert f"has not grown for 1s beyond {PIECE + 17} bytes" in done.stderr.decode()
    assert done.stdout.startswith(f"piece 0 {PIECE} {PIECE} ".encode())
    assert left(folder) == []


def test_a_file_that_is_complete_is_not_given_up(shell, folder):
    (folder / "growing").write_bytes(CONTENT)
    (folder / "result").write_text("0\n")
    growing = [folder / "growing", str(PIECE), "0", "none", folder / "result", "", "1"]
    done = shell.ended("pack", folder, *growing)
    assert (done.returncode, done.stderr) == (0, b"")
    assert unpacked(done.stdout, Tool.NONE) == CONTENT
