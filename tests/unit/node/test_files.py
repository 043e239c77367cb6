"""Files of a host, read and written over streams that lose their end or are cut."""

import hashlib
import os
import stat

import pytest

from kubectl_admin.cluster.errors import BrokenStream
from kubectl_admin.errors import AdminError
from kubectl_admin.node import files
from kubectl_admin.node.files import Entry
from tests.fakes.host import Cut, host_of

CONTENT = bytes(range(256)) * 40 + b"\n# end\n"


def read_answer(content: bytes) -> bytes:
    return b"%d %s\n%s" % (len(content), hashlib.sha256(content).hexdigest().encode(), content)


@pytest.mark.parametrize("content", [b"", b"\n", b"a b", CONTENT, b"12 ab\n"])
def test_what_is_as_it_was_read_is_verified(content):
    assert files.verify(read_answer(content), "node cp-1: /x") == content


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"3\nabc",
        b"abc",
        read_answer(b"abc")[:-1],
        read_answer(b"abc") + b"d",
        read_answer(b"abc").replace(b"abc", b"abd"),
        b"\xff" + read_answer(b"abc"),
    ],
)
def test_what_is_not_is_a_broken_stream(answer):
    with pytest.raises(BrokenStream, match="node cp-1: /x: the content that arrived is not the one"):
        files.verify(answer, "node cp-1: /x")


def test_a_file_is_read_whole_through_cuts_and_lost_ends(machine, tmp_path):
    path = tmp_path / "a file"
    path.write_bytes(CONTENT)
    said: list[str] = []
    machine.cuts = [Cut(0), Cut(5000), Cut(len(CONTENT), loud=False), Cut(0, loud=False), None]
    assert files.read(host_of(machine, said), str(path)) == CONTENT
    assert len(machine.commands) == 5
    assert said == ["node cp-1: the connection was lost; trying again"]


def test_a_file_that_is_not_there_or_too_long_is_said_at_once(machine, tmp_path):
    with pytest.raises(AdminError, match=f"node cp-1: {tmp_path}/none: there is no such file"):
        files.read(host_of(machine), str(tmp_path / "none"))
    (tmp_path / "long").write_bytes(b"x" * 11)
    with pytest.raises(AdminError, match="11 bytes are more than the 10 that are read"):
        files.read(host_of(machine), str(tmp_path / "long"), limit=10)
    assert len(machine.commands) == 2


def test_a_file_that_the_kernel_makes_is_read(machine):
    assert files.read(host_of(machine), "/proc/version").startswith(b"Linux version")


@pytest.mark.parametrize("size", [0, 1, 100_000, 3_000_000])
def test_a_file_is_written_whole(machine, tmp_path, size, me):
    path = tmp_path / "new"
    content = os.urandom(size)
    uid, gid = map(int, me.split(":"))
    files.write(host_of(machine), str(path), content, mode=0o640, owner=(uid, gid))
    assert path.read_bytes() == content
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert list(tmp_path.iterdir()) == [path]


def test_an_answer_that_was_lost_makes_it_write_once_more(machine, tmp_path, me):
    path = tmp_path / "new"
    machine.cuts = [Cut(0, loud=False), Cut(3), None]
    files.write(host_of(machine), str(path), CONTENT, owner=tuple(map(int, me.split(":"))))
    assert path.read_bytes() == CONTENT
    assert len(machine.commands) == 3


def test_a_refusal_is_in_the_hosts_words(machine, tmp_path):
    with pytest.raises(AdminError, match=f"node cp-1: {tmp_path}/none/: there is no such directory"):
        files.write(host_of(machine), str(tmp_path / "none/file"), CONTENT * 100)


def test_a_folder_is_listed(machine, tmp_path):
    (tmp_path / "b").write_bytes(b"123")
    (tmp_path / "a").mkdir(mode=0o700)
    first, second = files.entries(host_of(machine), str(tmp_path))
    assert (first.name, first.is_directory, stat.S_IMODE(first.mode)) == ("a", True, 0o700)
    about = (tmp_path / "b").stat()
    assert second == Entry("b", about.st_mode, about.st_uid, about.st_gid, 3, int(about.st_mtime))
    assert not second.is_directory


def test_an_entry_is_read_whatever_its_name():
    assert files.entry("81a4 0 0 1024 1700000000  a b \n") == Entry(
        " a b \n", 0o100644, 0, 0, 1024, 1700000000
    )


@pytest.mark.parametrize(
    "text", ["", "x", "81a4 0 0 1024 1700000000", "zz 0 0 1 1 n", "81a4 a 0 1 1 n", "\n"]
)
def test_anything_else_is_no_entry(text):
    with pytest.raises(ValueError, match=r".*"):
        files.entry(text)
