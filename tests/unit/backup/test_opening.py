"""backup show, verify and extract, as a shell runs them."""

import json
from dataclasses import replace

import pyrage
import pytest

from kubectl_admin.backup.facts import Database, Kind, SavedNode
from tests.program import run
from tests.unit.backup.archive import control_plane as made
from tests.unit.backup.archive.archives import heads, written, written_under

OURS = pyrage.x25519.Identity.generate()
HISTORY = made.history()
CONTENT = {Kind.FILES: made.tar(made.files(), [("/etc/link", "/etc/shadow")]), Kind.ETCD: HISTORY.data()}
CHANGES = {
    "uid": made.UID,
    "nodes": (SavedNode("cp-1", True),),
    "database": Database("cp-1", HISTORY.revision, 4, "3.6.0"),
    "lost": (),
    "volumes": (),
}


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """An archive; its key is beside it."""
    directory = tmp_path_factory.mktemp("archive")
    pieces = (replace(one, node="cp-1") for one in heads((str(OURS.to_public()),)))
    written(directory / "a.tar", tuple(pieces), CONTENT, **CHANGES)
    (directory / "key.txt").write_text(f"{OURS}\n")
    return directory / "a.tar"


def test_an_archive_shows_itself(archive):
    ended = run("backup", "show", archive)
    assert ended.code == 0
    assert "files-cp-1.tar.zst.age" in ended.out
    assert f"kube-system {made.UID}" in ended.out


def test_one_that_is_cut_shows_itself_and_says_so(archive, tmp_path):
    (tmp_path / "cut.tar").write_bytes(archive.read_bytes()[:-600])
    ended = run("backup", "show", tmp_path / "cut.tar", "-o", "json")
    assert ended.code == 3
    assert json.loads(ended.out)["findings"][0]["rule"] == "backup-not-verified"
    ended = run("backup", "verify", tmp_path / "cut.tar")
    assert (ended.code, ended.out) == (1, "")
    assert "were written" in ended.err


def test_it_is_verified_with_a_key_and_without(archive):
    ended = run("backup", "verify", archive)
    assert ended.code == 0
    assert "name a key with --identity" in ended.out
    ended = run("backup", "verify", archive, "-i", archive.with_name("key.txt"), "-o", "json")
    assert ended.code == 0
    (item,) = json.loads(ended.out)["items"]
    assert item["opened"] is True
    assert [(one["resource"], one["outcome"]) for one in item["encrypted"]] == [("secrets", "opened")]


def test_it_is_written_below_a_directory(archive, tmp_path):
    without = run("backup", "extract", archive, "--to", tmp_path / "out")
    assert (without.code, "no key is given" in without.err) == (2, True)
    ended = run("backup", "extract", archive, "--to", tmp_path / "out", "-i", archive.with_name("key.txt"))
    assert ended.code == 0
    assert "files-cp-1/etc/link -> /etc/shadow" in ended.out
    assert (tmp_path / "out" / "etcd.db").read_bytes() == CONTENT[Kind.ETCD]


def test_a_passphrase_comes_from_a_file_or_a_terminal_alone(tmp_path):
    written_under(tmp_path / "a.tar", "correct horse", CONTENT)
    (tmp_path / "words").write_text("correct horse\nnot this\n")
    ended = run("backup", "extract", tmp_path / "a.tar", "etcd.db", "--to", tmp_path / "out")
    assert (ended.code, "--passphrase-file" in ended.err) == (2, True)
    words = ("--passphrase-file", tmp_path / "words")
    ended = run("backup", "extract", tmp_path / "a.tar", "etcd.db", "--to", tmp_path / "out", *words)
    assert (ended.code, ended.err) == (0, "")
    assert (tmp_path / "out" / "etcd.db").read_bytes() == CONTENT[Kind.ETCD]


def test_a_file_that_is_no_archive(archive, tmp_path):
    assert run("backup", "show", archive.with_name("key.txt")).code == 1
    assert run("backup", "show", tmp_path / "none").code == 2
    assert run("backup", "verify", archive, "-i", tmp_path / "none").code == 2
