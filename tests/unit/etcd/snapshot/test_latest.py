"""The last entries of keys."""

import os
from contextlib import contextmanager

import pytest

from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.snapshot import latest
from kubectl_admin.etcd.snapshot.bolt.damage import Damaged
from kubectl_admin.etcd.snapshot.bolt.leaf import Stored
from kubectl_admin.etcd.snapshot.bolt.source import opened
from kubectl_admin.etcd.snapshot.latest import Latest, fingerprint
from kubectl_admin.etcd.snapshot.verify import opened_database
from tests.unit.etcd.snapshot.bolt_file import BoltFile, contents, key_value, revision


@pytest.fixture
def opened_latest(tmp_path):
    """The last entries of a database with these entries in bucket «key»."""

    @contextmanager
    def opening(entries, **shape):
        path = tmp_path / "snapshot.db"
        path.write_bytes(BoltFile({**contents(), b"key": entries}, **shape).snapshot())
        with opened_database(path) as database:
            bucket = next(bucket for bucket in database.buckets if bucket.name == b"key")
            yield Latest(database.pages, bucket, lambda _done: None)

    return opening


def entries():
    """Keys that were written, written over, and deleted."""
    return {
        revision(2): key_value(b"kept", b"1", modified=2),
        revision(3): key_value(b"changed", b"1", modified=3),
        revision(4): key_value(b"deleted", b"1", modified=4),
        revision(5): key_value(b"changed", b"2", modified=5),
        revision(6, 0, b"t"): key_value(b"deleted"),
        revision(6, 1): key_value(b"made again", b"1", modified=6),
        revision(7, 0, b"t"): key_value(b"made again"),
        revision(8): key_value(b"made again", b"2", modified=8),
        revision(9, 0, b"t"): key_value(b"never seen"),
        revision(1_000_000): b"",  # a revision that a restore has bumped
    }


@pytest.mark.parametrize("room", [2, latest.ROOM])
@pytest.mark.parametrize("shape", [{}, {"inline": False}, {"a_page": 2, "inline": False}])
def test_the_last_entry_of_each_key_that_exists(opened_latest, monkeypatch, room, shape):
    monkeypatch.setattr(latest, "ROOM", room)
    with opened_latest(entries(), **shape) as found:
        assert (found.count, found.entries) == (3, 10)
        values = {key: found.find(key) for key in (b"kept", b"changed", b"made again")}
        assert {key: entry.value for key, entry in values.items()} == {
            b"kept": b"1",
            b"changed": b"2",
            b"made again": b"2",
        }
        assert [found.find(key) for key in (b"deleted", b"never seen", b"no", b"")] == [None] * 4


def test_marked_entries_are_read_in_their_order(opened_latest):
    with opened_latest(entries(), inline=False, a_page=2) as found:
        marks = bytearray(found.entries)
        marks[7], marks[0], marks[3] = 1, 2, 3
        assert [(mark, entry.key) for mark, entry in found.wanted(marks)] == [
            (2, b"kept"),
            (3, b"changed"),
            (1, b"made again"),
        ]


def test_a_database_without_keys(opened_latest):
    with opened_latest({}) as found:
        assert (found.count, found.entries, found.find(b"a")) == (0, 0, None)
        assert list(found.wanted(bytearray())) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {b"short": key_value(b"a")},
        {revision(2)[:8] + b"-" + bytes(8): key_value(b"a")},
        {revision(2): b"\xff\xff"},
    ],
)
def test_what_etcd_does_not_write_there_is_damage(opened_latest, wrong):
    with pytest.raises(Damaged, match="in bucket key"), opened_latest(wrong):
        pass


def test_a_file_that_changes_before_it_is_read_again(opened_latest, tmp_path):
    path = tmp_path / "snapshot.db"
    with opened_latest(entries(), inline=False) as found:
        whole, status = path.read_bytes(), path.stat()
        path.write_bytes(bytes(len(whole)))
        with pytest.raises(AdminError, match="changed while it was read"):
            found.find(b"kept")
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
        with pytest.raises(AdminError, match="gave other bytes when it was read again"):
            found.find(b"kept")


def test_a_fingerprint_is_that_of_the_bytes_wherever_they_are(monkeypatch, tmp_path):
    monkeypatch.setattr(latest, "PIECE", 10)
    data = bytes(range(99))
    (tmp_path / "file").write_bytes(data)
    with opened(tmp_path / "file") as source:
        for length in (0, 1, 9, 10, 11, 20, 25, 99):
            assert fingerprint(data[:length]) == fingerprint(Stored(source, 0, length))
        assert fingerprint(data[:25]) != fingerprint(data[1:26])
