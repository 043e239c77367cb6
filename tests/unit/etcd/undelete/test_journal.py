import os
import stat
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kubectl_admin.errors import UsageError
from kubectl_admin.etcd.undelete.entries import Chain, Deed, Entry, Head, Intent, read
from kubectl_admin.etcd.undelete.journal import Journal, beside
from kubectl_admin.etcd.undelete.undo import pending
from tests.unit.etcd.undelete.things import BY_KIND, thing

BEGAN = datetime(2026, 11, 30, 16, 59, tzinfo=UTC)
HEAD = Head("0123456789", "snapshot.db", "ab", "uid-1", BEGAN)


def made(journal: Journal, *names: str) -> list[Entry]:
    """Changes that are begun: ConfigMaps of these names are made."""
    return journal.intend([Intent(Deed.CREATE, BY_KIND["ConfigMap"], "shop", name) for name in names])


def test_what_was_noted_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "j.jsonl"
    before, after = thing("Secret", "s", data={"a": "MQ=="}), thing("Secret", "s", data={"a": "Mg=="})
    with Journal.begin(path, HEAD) as journal:
        first, second = made(journal, "a", "b")
        journal.note([replace(first, uid="u1"), replace(second, refused=True)])
        (third,) = journal.intend([Intent(Deed.REPLACE, BY_KIND["Secret"], "shop", "s", before)])
        journal.note([replace(third, uid="u3", after=after)])
        kept = journal.entries
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    head, entries = read(path, Chain())
    assert head == HEAD
    bare = {number: replace(one, resource=entries[number].resource) for number, one in kept.items()}
    assert entries == bare
    assert [entry.uid for entry in entries.values()] == ["u1", "", "u3"]
    assert (entries[3].before, entries[3].after) == (before, after)
    assert entries[1].path == "/api/v1/namespaces/shop/configmaps/a"


def test_changes_are_taken_back_from_the_last_to_the_first_and_once(tmp_path: Path) -> None:
    path = tmp_path / "j.jsonl"
    with Journal.begin(path, HEAD) as journal:
        entries = made(journal, "a", "b", "c")
        journal.note([replace(entries[1], refused=True)])
    with Journal.resume(path) as journal:
        assert [entry.name for entry in pending(journal)] == ["c", "a"]
        journal.note([replace(pending(journal)[0], undone=True)])
    with Journal.resume(path) as journal:
        assert [entry.name for entry in pending(journal)] == ["a"]


@pytest.mark.parametrize("length", range(1, 40, 7))
def test_a_line_that_is_cut_off_counts_as_not_written(tmp_path: Path, length: int) -> None:
    path = tmp_path / "j.jsonl"
    with Journal.begin(path, HEAD) as journal:
        made(journal, "a")
        size = path.stat().st_size
        made(journal, "b")
    os.truncate(path, size + length)
    with Journal.resume(path) as journal:
        (entry,) = pending(journal)
        assert entry.name == "a"
        journal.note([replace(entry, undone=True)])
    with Journal.resume(path) as journal:
        assert pending(journal) == []


def a_name(lines: list[bytes]) -> list[bytes]:
    return [line.replace(b'"name":"b"', b'"name":"../../secrets/x"') for line in lines]


def a_cluster(lines: list[bytes]) -> list[bytes]:
    return [lines[0].replace(b"uid-1", b"uid-2"), *lines[1:]]


@pytest.mark.parametrize(
    "change",
    [a_name, a_cluster, lambda lines: [lines[0], *lines[2:]], lambda lines: [lines[0], lines[2], lines[1]]],
)
def test_a_journal_that_was_changed_is_refused(
    tmp_path: Path, change: Callable[[list[bytes]], list[bytes]]
) -> None:
    path = tmp_path / "j.jsonl"
    with Journal.begin(path, HEAD) as journal:
        made(journal, "a", "b")
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(change(lines)))
    with pytest.raises(UsageError, match="was changed since it was written"):
        Journal.resume(path)


def test_a_run_that_changes_nothing_leaves_no_journal(tmp_path: Path) -> None:
    path = tmp_path / "j.jsonl"
    with Journal.begin(path, HEAD):
        assert path.exists()
    assert not path.exists()


def test_no_file_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "j.jsonl"
    path.write_text("kept")
    with pytest.raises(UsageError, match="is there already"):
        Journal.begin(path, HEAD)
    assert path.read_text() == "kept"


@pytest.mark.parametrize("content", ["", "{}\n", "snapshot\n", '{"format": "another/v1"}\n', "[]\n"])
def test_another_file_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "j.jsonl"
    path.write_text(content)
    with pytest.raises(UsageError, match="is not a journal of etcd-undelete"):
        Journal.resume(path)


@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_what_is_no_regular_file_is_refused_and_not_waited_for(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "j.jsonl" if kind == "pipe" else Path("/dev/zero")
    if kind == "pipe":
        os.mkfifo(path)
    with pytest.raises(UsageError, match="is not a regular file"):
        Journal.resume(path)


def test_a_volume_that_is_kept_is_noted_with_its_claim(tmp_path: Path) -> None:
    path = tmp_path / "j.jsonl"
    with Journal.begin(path, HEAD) as journal:
        intent = Intent(Deed.FREE, BY_KIND["PersistentVolume"], "", "v", {}, claim=("shop", "data"))
        journal.intend([intent])
    with Journal.resume(path) as journal:
        assert [entry.claim for entry in pending(journal)] == [("shop", "data")]


def test_a_journal_has_its_name_of_the_snapshot(tmp_path: Path) -> None:
    snapshot = tmp_path / "snapshot.db"
    first = beside(snapshot, BEGAN)
    assert first.name == "snapshot.db.undelete-20261130T165900Z.jsonl"
    first.touch()
    assert beside(snapshot, BEGAN).name == "snapshot.db.undelete-20261130T165900Z-2.jsonl"
