"""The last entries of keys."""

import os
import random
from contextlib import ExitStack, contextmanager

import pytest

from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.snapshot import latest
from kubectl_admin.etcd.snapshot.bolt import leaf
from kubectl_admin.etcd.snapshot.bolt.damage import Damaged
from kubectl_admin.etcd.snapshot.bolt.leaf import Stored
from kubectl_admin.etcd.snapshot.bolt.source import opened
from kubectl_admin.etcd.snapshot.key_value import user_key
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
            latest.read([found := Latest(database.pages, bucket)], lambda _done: None)
            if found.damage:
                raise Damaged(found.damage)
            yield found

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


SHAPES = [{}, {"inline": False}, {"a_page": 2, "inline": False}, {"a_page": 3, "inline": False}]


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("piece", [8, latest.PIECE])
@pytest.mark.parametrize("in_memory", [0, 4096, leaf.IN_MEMORY])
def test_two_side_by_side(tmp_path, monkeypatch, seed, piece, in_memory):
    """Entries of both have one identity if they have one revision and the same bytes, and else none."""
    monkeypatch.setattr(latest, "PIECE", piece)
    monkeypatch.setattr(leaf, "IN_MEMORY", in_memory)
    chance = random.Random(seed)
    written = [{}, {}]
    for number in range(2, chance.randrange(3, 60)):
        message = key_value(b"k%d" % number, chance.randbytes(chance.choice((9, 3000))), modified=number)
        other = key_value(b"k%d" % number, chance.randbytes(chance.choice((9, 3000))), modified=number)
        of_a, of_b = chance.choice(
            [(message, message), (message, other), (message, None), (None, other), (None, None)]
        )
        for entries_of, own in zip(written, (of_a, of_b), strict=True):
            if own:
                entries_of[revision(number)] = own
    a, b = read_together(tmp_path, written, chance)
    assert [found.count for found in (a, b)] == [len(entries_of) for entries_of in written]
    identities = [
        {
            hashed: identity
            for shard in found.shards
            for hashed, identity in zip(shard.hashes, shard.identities, strict=True)
        }
        for found in (a, b)
    ]
    equal = {hash(user_key(message)) for _, message in written[0].items() & written[1].items()}
    assert {hashed for hashed, _ in identities[0].items() & identities[1].items()} == equal
    assert len({*identities[0].values(), *identities[1].values()}) == sum(map(len, identities)) - len(equal)


def read_together(tmp_path, written, chance):
    """Two databases with these entries, each with pages of its own form."""
    with ExitStack() as stack:
        found = []
        for second, each in enumerate(written):
            path = tmp_path / f"{second}.db"
            path.write_bytes(BoltFile({**contents(), b"key": each}, **chance.choice(SHAPES)).snapshot())
            database = stack.enter_context(opened_database(path))
            bucket = next(bucket for bucket in database.buckets if bucket.name == b"key")
            found.append(Latest(database.pages, bucket, second=bool(second)))
        latest.read(found, lambda _done: None)
    return found


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
