"""An archive is opened without this program, as docs/backup.md shows: by tar, age and zstd alone."""

import os
import subprocess

import pyrage

from kubectl_admin.backup.facts import Kind
from tests.unit.backup.archive import control_plane
from tests.unit.backup.archive.archives import heads, written, written_under

OURS = pyrage.x25519.Identity.generate()
FILES = control_plane.files()
CONTENT = {Kind.FILES: control_plane.tar(FILES), Kind.ETCD: b"a snapshot" * 100_000}


def shell(directory, line):
    subprocess.run(["bash", "-euo", "pipefail", "-c", line], cwd=directory, check=True, timeout=300)


def is_opened(directory):
    shell(directory, "age -d -i key.txt files-cp-1.tar.zst.age | zstd -d | tar x")
    shell(directory, "age -d -i key.txt etcd.db.zst.age | zstd -d > etcd.db")
    assert (directory / "etcd.db").read_bytes() == CONTENT[Kind.ETCD]
    for path, content in FILES.items():
        assert (directory / path[1:]).read_bytes() == content


def test_with_a_key(tmp_path):
    written(tmp_path / "a.tar", heads((str(OURS.to_public()),)), CONTENT)
    (tmp_path / "key.txt").write_text(f"# mine\n{OURS}\n")
    shell(tmp_path, "tar xf a.tar")
    is_opened(tmp_path)


def test_with_a_passphrase(tmp_path):
    written_under(tmp_path / "a.tar", "correct horse", CONTENT)
    shell(tmp_path, "tar xf a.tar")
    typed(tmp_path, "age -d key.age > key.txt", "correct horse")
    is_opened(tmp_path)


def test_without_encryption(tmp_path):
    written(tmp_path / "a.tar", heads(), CONTENT)
    shell(tmp_path, "tar xf a.tar && zstd -d < files-cp-1.tar.zst | tar x && zstd -dq etcd.db.zst")
    assert (tmp_path / "etcd.db").read_bytes() == CONTENT[Kind.ETCD]


def typed(directory, line, words):
    """Runs a line on a terminal of its own, at which somebody types."""
    child, terminal = os.forkpty()
    if child == 0:
        os.chdir(directory)
        os.execvp("bash", ["bash", "-c", line])  # noqa: S606 - a shell it is
    seen = b""
    while b"assphrase" not in seen:
        seen += os.read(terminal, 1000)
    os.write(terminal, f"{words}\n".encode())
    try:
        while os.read(terminal, 1000):
            pass
    except OSError:  # the terminal has ended
        pass
    assert os.waitpid(child, 0)[1] == 0, seen
    os.close(terminal)
