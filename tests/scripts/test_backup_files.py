"""scripts/backup-files.sh, and how its answer is read."""

import os
import socket
import stat

import pytest

from kubectl_admin.backup.gather.host_files import parsed
from kubectl_admin.backup.ustar import Type

EACH, TOGETHER, MANY = 1000, 5000, 100


@pytest.fixture
def ask(shell, tmp_path):
    def ask(*paths, each=EACH, together=TOGETHER, many=MANY, path=""):
        numbers = [str(number) for number in (each, together, many)]
        words = [f"{tmp_path}/{name}" for name in paths]
        ended = shell.ended("backup-files", *numbers, f"{tmp_path}/k/tmp", *words, path=path)
        assert (ended.returncode, ended.stderr) == (0, b"")
        answer = parsed(ended.stdout.removesuffix(b"\n# end\n"), "node cp-1")
        cut = len(str(tmp_path)) + 1
        found = {one.path[cut:]: one for one in answer.found}
        assert len(found) == len(answer.found)
        unread = {path[cut:]: why for path, why in answer.unread.items()}
        return found, unread, [path[cut:] for path in answer.changed]

    return ask


def make(root, **files):
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(text if isinstance(text, bytes) else text.encode())


def test_files_and_directories_as_they_are(ask, tmp_path):
    names = {"k/a": "one\n", "k/d/no end": "x", "k/d/.hidden": "", "k/new\nline\n": b"\0\xff\n# end\n"}
    make(tmp_path, **names)
    make(tmp_path, **{"k/tmp/old": "old", "beside": "x"})
    (tmp_path / "k/a").chmod(0o640)
    os.utime(tmp_path / "k/a", (1_700_000_000, 1_700_000_000))
    found, unread, changed = ask("k/", "k/a", "nothing")
    assert (unread, changed) == ({}, [])
    files = {path: one.content for path, one in found.items() if one.entry.type is Type.FILE}
    assert files == {name: text if isinstance(text, bytes) else text.encode() for name, text in names.items()}
    assert {path for path, one in found.items() if one.entry.type is Type.DIRECTORY} == {"k", "k/d"}
    entry = found["k/a"].entry
    assert (entry.mode, entry.changed, entry.uid, entry.size) == (0o640, 1_700_000_000, os.getuid(), 4)


def test_a_name_that_is_no_utf8_is_kept(ask, tmp_path):
    make(tmp_path, **{"k/a": "1"})
    with open(os.fsencode(tmp_path) + b"/k/\xff", "wb") as file:  # noqa: PTH123 - a name of bytes
        file.write(b"2")
    assert ask("k/")[0]["k/\udcff"].content == b"2"


def test_links_are_kept_as_links_and_what_they_lead_to_as_files(ask, tmp_path):
    make(tmp_path, **{"real/z": "z", "k/a": "a", "real/deep/x": "x"})
    (tmp_path / "k/to-file").symlink_to("../real/z")
    (tmp_path / "k/to-directory").symlink_to("../real/deep")
    (tmp_path / "k/circle").symlink_to("circle")
    (tmp_path / "k/nowhere").symlink_to("/nowhere\n")
    found, unread, _ = ask("k/")
    links = {path: one.entry.target for path, one in found.items() if one.entry.type is Type.LINK}
    assert links == {
        "k/to-file": "../real/z",
        "k/to-directory": "../real/deep",
        "k/circle": "circle",
        "k/nowhere": "/nowhere\n",
    }
    assert found["real/z"].content == b"z"
    assert "real/deep/x" not in found  # a link to «/» would bring the whole disk
    assert unread == {"k/circle": "it can't be read"}
    assert ask("k/to-directory/x")[0].keys() == {"k/to-directory", "real/deep/x"}
    assert ask("k/to-directory/")[0].keys() == {"k/to-directory", "real/deep", "real/deep/x"}
    assert ask("k/to-directory")[0].keys() == {"k/to-directory"}


def test_what_is_no_file_is_never_opened(ask, tmp_path):
    make(tmp_path, **{"k/a": "a"})
    os.mkfifo(tmp_path / "k/pipe")  # whoever opens it waits for ever
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(os.path.relpath(tmp_path / "k/socket"))
        (tmp_path / "k/null").symlink_to("/dev/null")
        found, unread, _ = ask("k/", "k/pipe")
    assert {"k/pipe", "k/socket"} < {*unread}
    assert {*unread.values()} == {"it is a socket, a pipe or a device"}
    assert len(unread) == 3
    assert found["k/a"].content == b"a"


def test_limits(ask, tmp_path):
    make(
        tmp_path,
        **{f"k/{name}": "x" * length for name, length in (("a", 400), ("b", 1001), ("c", 700), ("d", 300))},
    )
    found, unread, _ = ask("k/d", "k/", together=1000)
    assert [path for path, one in found.items() if one.entry.type is Type.FILE] == ["k/d", "k/a"]
    assert unread == {
        "k/b": "it is longer than 8 MiB",
        "k/c": "the files of its node have more than 15 MiB together",
    }
    found, unread, _ = ask("k/", many=2)
    assert found.keys() == {"k", "k/a"}
    assert {*unread.values()} == {"there are more than 2000 files"}


def test_a_file_that_changes_or_goes_meanwhile_is_told_apart(ask, shell, tmp_path):
    make(tmp_path, **{"k/changes": "before", "k/goes": "before", "k/stays": "before", "k/shorter": "before"})
    (tmp_path / "bin").mkdir()
    # Between its sum and its content a file is written, or removed.
    program = tmp_path / "bin/cat"
    program.write_text(
        f"#!/bin/sh\ncase $2 in *changes) echo AFTER > $2 ;; *shorter) echo > $2 ;; *goes) rm -f $2 ;; esac\n"
        f'PATH={shell.path}\nexec cat "$@"\n'
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    found, unread, changed = ask("k/", path=str(tmp_path / "bin"))
    assert sorted(changed) == ["k/changes", "k/goes", "k/shorter"]
    assert found["k/stays"].content == b"before"
    assert unread == {}
