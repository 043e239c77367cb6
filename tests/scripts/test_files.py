"""scripts/read.sh, write.sh and list.sh, by the shells and programs of two kinds of hosts."""

import hashlib
import os
import signal
import stat
import subprocess
from pathlib import Path

import pytest

from kubectl_admin.node import files
from tests.program import Child

LIMIT = str(1 << 20)
NASTY = [
    b"plain",
    b"two words",
    b" led by a space",
    b'it\'s "quoted"',
    b"$(touch evil) `touch evil` $HOME",
    b"-rf",
    b"--help",
    b"back\\slash\\n\\c",
    b"%s%d",
    b"star*?[a]",
    b"a\nb",
    b"newline at the end\n",
    b"\xff\xfe not UTF-8",
    "é€".encode(),
    b".hidden",
    b"..hidden",
    b";&|<>",
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder whose own name is nasty."""
    path = tmp_path / "a 'folder' $(x)\n-"
    path.mkdir()
    return path


def at(folder: Path, name: bytes) -> bytes:
    return os.fsencode(folder) + b"/" + name


def entries(answer: bytes) -> dict[bytes, files.Entry]:
    found = [files.entry(part.decode("utf-8", "surrogateescape")) for part in answer.split(b"\0") if part]
    return {os.fsencode(entry.name): entry for entry in found}


@pytest.mark.parametrize("name", NASTY)
def test_a_file_of_any_name_is_read(shell, folder, name):
    path = at(folder, name)
    Path(os.fsdecode(path)).write_bytes(b"content of " + name)
    assert files.verify(shell.run("read", path, LIMIT), "it") == b"content of " + name


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\0" * 1000, b"\n# end\n", os.urandom(1 << 20)])
def test_a_file_of_any_content_is_read(shell, tmp_path, content):
    (tmp_path / "file").write_bytes(content)
    assert files.verify(shell.run("read", tmp_path / "file", LIMIT), "it") == content


def test_a_link_is_followed(shell, tmp_path):
    (tmp_path / "file").write_bytes(b"content")
    (tmp_path / "link").symlink_to("file")
    assert files.verify(shell.run("read", tmp_path / "link", LIMIT), "it") == b"content"


@pytest.mark.parametrize(
    "path", ["/proc/version", "/proc/self/mounts", "/sys/kernel/mm/transparent_hugepage/enabled"]
)
def test_what_the_kernel_makes_is_read(shell, path):
    if not Path(path).exists():
        pytest.skip(f"no {path} here")
    assert files.verify(shell.run("read", path, LIMIT), "it")


@pytest.mark.parametrize("name", NASTY)
def test_a_file_that_is_not_there_is_named_as_it_is(shell, folder, name):
    done = shell.ended("read", at(folder, name), LIMIT)
    assert done.returncode == 1
    assert done.stderr == at(folder, name) + b": there is no such file\n"


def test_a_folder_a_pipe_and_a_link_to_nothing_are_no_files(shell, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("nothing")
    for path in (tmp_path, tmp_path / "pipe", tmp_path / "link"):
        assert shell.ended("read", path, LIMIT).returncode == 1


def test_a_file_that_is_too_long_is_not_read(shell, tmp_path):
    (tmp_path / "file").write_bytes(b"12345")
    done = shell.ended("read", tmp_path / "file", "4")
    assert done.returncode == 1
    assert done.stdout == b""
    assert b"5 bytes are more than the 4 that are read" in done.stderr
    assert files.verify(shell.run("read", tmp_path / "file", "5"), "it") == b"12345"


def write(shell, path, content, *, mode="600", owner="0:0", sent=None):
    """Runs write.sh; `sent` is what really comes."""
    digest = hashlib.sha256(content).hexdigest()
    given = content if sent is None else sent
    return shell.ended("write", path, str(len(content)), digest, mode, owner, given=given)


@pytest.mark.parametrize("name", NASTY)
def test_a_file_of_any_name_is_written(shell, folder, name, me):
    done = write(shell, at(folder, name), b"content", mode="640", owner=me)
    assert (done.returncode, done.stderr) == (0, b"")
    path = Path(os.fsdecode(at(folder, name)))
    assert path.read_bytes() == b"content"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert list(folder.iterdir()) == [path]


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o400, 0o755, 0o4755, 0o000])
def test_a_file_that_is_there_keeps_its_mode(shell, tmp_path, mode, me):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    path.chmod(mode)
    assert write(shell, path, b"new", mode="777", owner=me).returncode == 0
    assert stat.S_IMODE(path.stat().st_mode) == mode
    path.chmod(0o600)
    assert path.read_bytes() == b"new"


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives files away")
def test_a_file_that_is_there_keeps_its_owner(shell, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    os.chown(path, 12, 34)
    path.chmod(0o4750)
    assert write(shell, path, b"new", owner="0:0").returncode == 0
    about = path.stat()
    assert (about.st_uid, about.st_gid, stat.S_IMODE(about.st_mode)) == (12, 34, 0o4750)


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives files away")
def test_a_new_file_gets_the_owner_that_was_asked_for(shell, tmp_path):
    assert write(shell, tmp_path / "file", b"new", mode="4711", owner="12:34").returncode == 0
    about = (tmp_path / "file").stat()
    assert (about.st_uid, about.st_gid, stat.S_IMODE(about.st_mode)) == (12, 34, 0o4711)


@pytest.mark.parametrize("name", NASTY)
def test_a_link_stays_and_what_it_leads_to_is_replaced(shell, folder, tmp_path, name, me):
    target = Path(os.fsdecode(at(folder, name)))
    target.write_bytes(b"old")
    (tmp_path / "link").symlink_to(target)
    assert write(shell, tmp_path / "link", b"new", owner=me).returncode == 0
    assert (tmp_path / "link").is_symlink()
    assert target.read_bytes() == b"new"


def test_a_link_to_what_is_not_there_yet_makes_it(shell, tmp_path, me):
    (tmp_path / "link").symlink_to("new")
    assert write(shell, tmp_path / "link", b"new", owner=me).returncode == 0
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "new").read_bytes() == b"new"


def test_links_are_followed_through_folders_and_one_after_another(shell, tmp_path, me):
    (tmp_path / "deep/er").mkdir(parents=True)
    (tmp_path / "deep/er/link").symlink_to("../other")
    (tmp_path / "deep/other").symlink_to(tmp_path / "file")
    (tmp_path / "link").symlink_to("deep/er/link")
    assert write(shell, tmp_path / "link", b"new", owner=me).returncode == 0
    assert (tmp_path / "file").read_bytes() == b"new"


@pytest.mark.parametrize(
    ("target", "said"), [("none/new", "none/: there is no such directory"), ("link", "link leads nowhere")]
)
def test_a_link_that_leads_nowhere_is_said(shell, tmp_path, target, said, me):
    (tmp_path / "link").symlink_to(target)
    done = write(shell, tmp_path / "link", b"new", owner=me)
    assert (done.returncode, done.stderr.decode()) == (1, f"{tmp_path}/{said}\n")


@pytest.mark.parametrize("sent", [b"", b"conten", b"contenT", b"content and more"])
def test_what_did_not_come_as_it_was_sent_leaves_the_old_file(shell, tmp_path, sent, me):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    done = write(shell, path, b"content", owner=me, sent=sent)
    assert done.returncode == 1
    assert b"is as it was" in done.stderr
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGHUP])
def test_a_write_that_is_killed_leaves_the_old_file(shell, tmp_path, number, me):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    command = shell.command("write", path, "1000000", "0" * 64, "600", me)
    with Child(
        command, stdin=subprocess.PIPE, env=shell.env(), stderr=subprocess.DEVNULL, start_new_session=True
    ) as process:
        assert process.stdin
        process.stdin.write(b"x" * 500_000)
        process.stdin.flush()
        os.killpg(process.pid, number)
    assert path.read_bytes() == b"old"
    assert all(left.name.startswith(".kubectl-admin.") for left in tmp_path.iterdir() if left != path)


def test_what_a_killed_write_has_left_is_removed_when_it_is_old(shell, tmp_path, me):
    for name, age in {
        ".kubectl-admin.aaaaaa": 7200,
        ".kubectl-admin.bbbbbb": 60,
        ".kubectl-admin.cc": 7200,
    }.items():
        (tmp_path / name).write_bytes(b"half")
        then = tmp_path.stat().st_mtime - age
        os.utime(tmp_path / name, (then, then))
    assert write(shell, tmp_path / "file", b"new", owner=me).returncode == 0
    assert sorted(left.name for left in tmp_path.iterdir()) == [
        ".kubectl-admin.bbbbbb",
        ".kubectl-admin.cc",
        "file",
    ]


@pytest.mark.parametrize("what", ["folder", "pipe", "none/file"])
def test_what_can_not_be_replaced_is_said_after_all_was_read(shell, tmp_path, what, me):
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    # Much more than a pipe holds: who is not read to the end would be told of it by EPIPE.
    done = write(shell, tmp_path / what, b"x" * 3_000_000, owner=me)
    assert done.returncode == 1
    assert b"is not a regular file" in done.stderr or b"there is no such directory" in done.stderr
    assert sorted(left.name for left in tmp_path.iterdir()) == ["folder", "pipe"]


def test_its_end_is_told_only_when_all_is_done(shell, tmp_path, me):
    assert write(shell, tmp_path / "file", b"new", owner=me).stdout == b"\n# end\n"
    assert write(shell, tmp_path / "file", b"new", owner=me, sent=b"").stdout == b""


def test_a_folder_is_listed_with_whatever_names(shell, folder):
    for name in NASTY:
        Path(os.fsdecode(at(folder, name))).write_bytes(name)
    found = entries(shell.run("list", folder))
    assert sorted(found) == sorted(NASTY)
    for name, entry in found.items():
        about = Path(os.fsdecode(at(folder, name))).stat()
        assert (entry.size, entry.mode, entry.uid, entry.gid) == (
            len(name),
            about.st_mode,
            about.st_uid,
            about.st_gid,
        )
        assert entry.changed == int(about.st_mtime)


def test_folders_links_and_pipes_are_listed_as_what_they_are(shell, tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("nothing")
    os.mkfifo(tmp_path / "pipe")
    found = entries(shell.run("list", tmp_path))
    assert {name: stat.S_IFMT(entry.mode) for name, entry in found.items()} == {
        b"folder": stat.S_IFDIR,
        b"link": stat.S_IFLNK,
        b"pipe": stat.S_IFIFO,
    }


def test_an_empty_folder_has_nothing_in_it(shell, tmp_path):
    assert shell.run("list", tmp_path) == b""


@pytest.mark.parametrize("name", [b"none", b"-x", b"a\\n"])
def test_a_folder_that_is_not_there_is_named(shell, tmp_path, name):
    done = shell.ended("list", at(tmp_path, name))
    assert done.returncode == 1
    assert done.stderr == at(tmp_path, name) + b": there is no such directory\n"
