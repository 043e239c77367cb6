"""Whole snapshots, and all that can be wrong with a file as such."""

import gzip
import os
import random
import struct
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from kubectl_admin.errors import AdminError, UsageError
from kubectl_admin.etcd.snapshot import report as snapshot_report
from kubectl_admin.etcd.snapshot.bolt.meta import fnv1a
from kubectl_admin.etcd.snapshot.contents import Alarm, Member
from kubectl_admin.etcd.snapshot.verify import verify
from kubectl_admin.report import document, terminal
from tests import program
from tests.unit.etcd.snapshot.bolt_file import MEMBER, BoltFile, contents, key_value, revision, varint

REAL = sorted((Path(__file__).parent / "data").glob("*.db.gz"))
# What `etcdutl snapshot status` of the same version says: servers with 300 keys, some deleted,
# compacted, with a learner, two alarms and authentication, as tests/apiserver/test_etcd_verify.py makes them.
STATUS = {
    "3.5.35.db.gz": (3942939325, 74, 288, 294912, ""),
    "3.6.16.db.gz": (610337884, 74, 247, 315392, "3.6.0"),
    "3.7.3.db.gz": (696735587, 74, 247, 303104, "3.7.0"),
}


@pytest.fixture
def verdict(tmp_path):
    """Verifies these bytes as a file."""

    def verdict_of(data, **options):
        file = tmp_path / "snapshot.db"
        file.write_bytes(data)
        return verify(file, **options)

    return verdict_of


def rules(verdict):
    """What is found: severity and rule of each finding."""
    return [(str(finding.severity), finding.rule) for finding in verdict.findings]


def test_a_whole_snapshot(verdict):
    data = BoltFile().snapshot()
    found = verdict(data)
    assert found.findings == ()
    assert found.sound
    snapshot = found.snapshot
    assert snapshot.size == len(data)
    assert snapshot.database_size == len(data) - 32
    assert snapshot.sha256 == sha256(data).hexdigest()
    assert snapshot.hash_right
    assert snapshot.page_size == 4096
    assert snapshot.entries == 15
    assert snapshot.revisions == 8
    assert snapshot.full is None
    said = snapshot.contents
    assert (said.revision, said.compacted, said.consistent_index, said.term) == (9, None, 4711, 7)
    member = Member(
        MEMBER.decode(), "m1", ("http://localhost:2380",), ("http://localhost:2379",), learner=False
    )
    assert said.members == (member,)
    assert (said.removed, said.alarms, said.auth) == ((), (), False)
    assert (said.storage_version, said.cluster_version) == ("3.6.0", "3.6.0")
    assert said.raft.voters == {MEMBER.decode()}
    assert said.cluster_id == "cdf818194e3a8c32"  # as etcd names a cluster of this member


@pytest.mark.parametrize("page_size", [1024, 4096, 16384, 65536, 1 << 18])
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize(
    "shape",
    [
        {},
        {"inline": False},
        {"inline": False, "a_page": 2},
        {"inline": False, "free": 3},
        {"free": 3, "freelist": True},
        {"buckets": contents(keys=60, value=b"x" * 5000), "a_page": 3},
        {"buckets": contents(keys=0)},
    ],
)
def test_databases_of_any_shape(verdict, page_size, full, shape):
    file = BoltFile(page_size=page_size, **shape)
    found = verdict(file.snapshot(), full=full)
    assert (found.findings, found.damages) == ((), ())
    snapshot = found.snapshot
    keys = len((shape.get("buckets") or contents())[b"key"])
    assert snapshot.page_size == page_size
    assert snapshot.revisions == keys
    assert snapshot.contents.revision == (keys + 1 if keys else 0)
    assert snapshot.database_size - snapshot.in_use == shape.get("free", 0) * page_size
    assert not full or snapshot.full.live_keys == keys


def test_keys_live_until_they_are_deleted(verdict):
    entries = {
        revision(2): key_value(b"a"),
        revision(3): key_value(b"b"),
        revision(4, 0): key_value(b"a", b"again"),
        revision(4, 1, b"t"): key_value(b"b"),
        revision(5, 0, b"t"): key_value(b"never seen"),
        revision(6, 0, b"t"): key_value(b"a"),
        revision(7): key_value(b"a"),
        revision(8): key_value(b"c"),
    }
    found = verdict(BoltFile({**contents(), b"key": entries}).snapshot(), full=True)
    assert found.findings == ()
    assert found.snapshot.full.live_keys == 2
    assert found.snapshot.revisions == 8


def test_a_bumped_revision_is_an_entry_without_a_value(verdict):
    """etcdutl snapshot restore --bump-revision writes one, and counts it as a key named ""."""
    entries = contents()[b"key"] | {revision(1_000_000_009): b""}
    found = verdict(BoltFile({**contents(), b"key": entries}).snapshot(), full=True)
    assert found.findings == ()
    assert found.snapshot.contents.revision == 1_000_000_009
    assert found.snapshot.full.live_keys == 9


def test_every_changed_byte_is_noticed(verdict):
    data = BoltFile().snapshot()
    for offset in range(0, len(data), 997):
        changed = bytearray(data)
        changed[offset] ^= 1
        found = verdict(bytes(changed))
        assert not found.sound, offset
        assert found.snapshot is None or found.snapshot.hash_right is False


@pytest.mark.parametrize(
    ("length", "said"),
    [
        (-1, "1 of the 32 bytes of its sha256 are missing"),
        (-31, "31 of the 32 bytes of its sha256 are missing"),
        (-33, "33 of 53,280 bytes are missing"),
        (-4096, "4,096 of 53,280 bytes are missing"),
        (9000, "44,280 of 53,280 bytes are missing"),
        (4000, "49,280 of 53,280 bytes are missing"),
    ],
)
def test_a_file_that_is_cut_off(verdict, length, said):
    data = BoltFile(inline=False).snapshot()
    found = verdict(data[:length])
    assert rules(found) == [("violation", "truncated")]
    assert said in found.findings[0].evidence


def test_something_behind_the_snapshot(verdict):
    found = verdict(BoltFile().snapshot() + b"\n")
    assert rules(found) == [("violation", "length")]
    assert "33 bytes follow the database" in found.findings[0].evidence


def test_a_copy_of_a_members_own_file(verdict):
    """It has no sha256, and is longer than what it holds: bbolt lets the file grow in steps."""
    data = bytes(BoltFile(free=2, freelist=True).data)
    found = verdict(data + bytes(8 * 4096))
    assert rules(found) == [("warning", "no-hash")]
    assert found.sound
    assert found.snapshot.hash_right is None
    assert "--skip-hash-check" in found.findings[0].fix
    assert rules(verdict(data)) == [("warning", "no-hash")]


def test_a_damage_that_was_in_the_members_database(verdict):
    """The sha256 is right then: etcd sends what it has."""
    file = BoltFile(inline=False)
    file.patch(file.offset("key"), "<Q", 999)
    found = verdict(file.snapshot())
    assert rules(found) == [("violation", "damaged")]
    assert "another member" in found.findings[0].fix
    assert str(found.damages[0]).startswith(f"page {file.pages['key'][-1]}, byte {file.offset('key')}: ")


def test_the_other_byte_order_is_refused(verdict):
    data = bytearray(BoltFile().snapshot())
    data[16:20] = struct.pack(">I", 0xED0CDAED)
    with pytest.raises(AdminError, match="big-endian"):
        verdict(bytes(data))


def test_another_programs_database(verdict):
    found = verdict(bytes(BoltFile({b"v1": {b"a": b"b"}}).data))
    assert rules(found) == [("violation", "not-a-snapshot")]
    assert found.findings[0].evidence == "it is a bolt database of another program: its buckets are v1"


def test_what_is_no_file(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path, said in [
        (tmp_path / "nothing", "No such file"),
        (tmp_path, "is a directory"),
        (tmp_path / "pipe", "not a regular file"),
        (Path("/dev/zero"), "not a regular file"),
        (tmp_path / ("x" * 300), "File name too long"),
        (tmp_path / "nothing" / "file", "No such file"),
        (Path("a\0b"), "not a file name"),
    ]:
        with pytest.raises(UsageError, match=said):
            verify(path)


def test_a_file_that_grows_meanwhile(tmp_path):
    path = tmp_path / "snapshot.db"
    path.write_bytes(BoltFile().snapshot())

    def grow(_done, _total):
        with path.open("ab") as file:
            file.write(b"more")

    with pytest.raises(AdminError, match="changed while it was read"):
        verify(path, progress=grow)


def test_a_file_that_shrinks_meanwhile(tmp_path):
    path = tmp_path / "snapshot.db"
    path.write_bytes(BoltFile(inline=False).snapshot())
    with pytest.raises(AdminError, match="changed while it was read"):
        verify(path, progress=lambda _done, _total: os.truncate(path, 100))


def test_the_program_verifies_without_what_speaks_to_clusters(tmp_path):
    file = tmp_path / "snapshot.db"
    file.write_bytes(BoltFile().snapshot())
    code = (
        "import sys; from kubectl_admin import cli; "
        f"code = cli.run(['etcd-verify', {str(file)!r}, '--full'], cli.Environment.of_process()); "
        "print(code, *sys.modules, file=sys.stderr)"
    )
    ended = program.run("-c", code, program=(sys.executable,))
    code, *modules = ended.err.split()
    assert code == "0"
    assert not {"kubernetes", "urllib3", "websocket", "cryptography"} & {*modules}
    assert "snapshot.db  ok" in ended.out


def test_what_is_wrong_makes_the_exit_code(tmp_path):
    whole = BoltFile().snapshot()
    for name, data, code in (
        ("whole", whole, 0),
        ("copied", whole[:-32], 0),
        ("cut", whole[:-40], 3),
        ("no", b"", 3),
    ):
        (tmp_path / name).write_bytes(data)
        ended = program.run("etcd-verify", str(tmp_path / name))
        assert (ended.code, ended.err) == (code, "")
    assert program.run("etcd-verify", str(tmp_path)).code == 2


def test_progress_ends_at_the_end(verdict):
    for full, passes in ((False, 1), (True, 2)):
        calls = []
        data = BoltFile(inline=False).snapshot()
        verdict(data, full=full, progress=lambda *call, calls=calls: calls.append(call))
        assert calls == sorted(calls)
        assert {total for _, total in calls} == {len(data) * passes}
        assert calls[-1][0] <= len(data) * passes


def test_alarms_and_members_are_told(verdict):
    buckets = contents()
    zombie, learner, joining = b"1111111111111111", b"2222222222222222", b"3333333333333333"
    buckets[b"members"] |= {
        zombie: b'{"id":1,"peerURLs":["http://z:2380"],"name":"z"}',
        learner: b'{"id":2,"peerURLs":["http://l:2380"],"name":"l","isLearner":true}',
        joining: b'{"id":3,"peerURLs":["http://j:2380"],"isLearner":true}',
    }
    voters = f'{{"voters":[{int(MEMBER, 16)},{int(learner, 16)}],"learners":[{int(joining, 16)}]}}'
    buckets[b"meta"] |= {b"confState": voters.encode()}
    nospace = b"\x08" + varint(int(MEMBER, 16)) + b"\x10\x01"
    buckets[b"alarm"] = {nospace: b"", b"\x08\x05\x10\x02": b""}
    buckets[b"members_removed"] = {b"4444444444444444": b"removed"}
    found = verdict(BoltFile(buckets).snapshot())
    assert found.sound
    assert [finding.rule for finding in found.findings] == [
        "alarm-corrupt",
        "alarm-nospace",
        "zombie-member",
        "unpromoted-learner",
        "learner",
    ]
    said = found.snapshot.contents
    assert said.removed == ("4444444444444444",)
    assert said.cluster_id is None
    assert set(said.alarms) == {Alarm("CORRUPT", "5"), Alarm("NOSPACE", MEMBER.decode())}


def test_a_restored_database_does_not_tell_whether_etcd_has_run_on_it(verdict):
    """Raft's list stays that of before until the members change, however long etcd runs."""
    buckets = contents()
    buckets[b"meta"] |= {b"confState": b'{"voters":[77]}'}
    (found,) = verdict(BoltFile(buckets).snapshot()).findings
    assert found.rule == "restored"
    assert found.evidence == (
        "raft has members that the list lacks: it was restored, and its members have not changed since"
    )


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.name)
def test_real_snapshots_are_as_etcdutl_says(verdict, path):
    found = verdict(gzip.decompress(path.read_bytes()), full=True)
    assert {rule for _, rule in rules(found)} == {"alarm-nospace", "alarm-corrupt", "learner"}
    assert found.sound
    snapshot = found.snapshot
    assert (
        snapshot.full.crc32c,
        snapshot.contents.revision,
        snapshot.entries if path.name.startswith("3.5.") else snapshot.full.live_keys,
        snapshot.database_size,
        snapshot.contents.storage_version or "",
    ) == STATUS[path.name]
    assert snapshot.contents.auth
    assert snapshot.contents.compacted == 54


@pytest.mark.parametrize("right", [False, True], ids=["sha256 wrong", "sha256 right"])
@pytest.mark.parametrize(
    ("source", "times"),
    [(REAL[0], 150), (REAL[-1], 150), ({}, 150), ({"a_page": 2, "freelist": True, "free": 3}, 150)],
)
def test_whatever_is_changed_there_is_a_verdict(verdict, source, times, right):
    """Bytes, fields and pages are changed at random, but each run in the same way."""
    if isinstance(source, Path):
        whole = gzip.decompress(source.read_bytes())
    else:
        whole = BoltFile(inline=False, **source).snapshot()
    chance = random.Random(times)
    for number in range(times):
        changed = changed_somewhere(whole, chance, right=right)
        found = verdict(changed, full=bool(number % 2))
        report = snapshot_report.report(found)
        terminal.render(report, wide=False, headers=True, colour=False, width=80)
        document.to_json(report)
        if not right:
            assert not found.sound or changed == whole


def changed_somewhere(whole, chance, *, right):
    """The file with some bytes changed; `right` makes its checksums right again."""
    data = bytearray(whole)
    for _ in range(chance.choice((1, 1, 2, 5))):
        page = chance.randrange(len(data) // 4096) * 4096
        offset = page + chance.choice(
            (chance.randrange(80), 16 * chance.randrange(60), chance.randrange(4064))
        )
        layout = chance.choice("BHIQ")
        limit = 1 << 8 * struct.calcsize(layout)
        value = chance.choice((0, 1, limit - 1, limit >> 1, chance.randrange(limit), chance.randrange(80)))
        struct.pack_into(f"<{layout}", data, offset, value)
        if chance.random() < 0.1:
            other = chance.randrange(len(data) // 4096) * 4096
            data[page : page + 4096] = data[other : other + 4096]
    if right:
        for meta in (0, 4096):
            struct.pack_into("<Q", data, meta + 72, fnv1a(bytes(data[meta + 16 : meta + 72])))
        data[-32:] = sha256(data[:-32]).digest()
    if chance.random() < 0.1:
        del data[chance.randrange(len(data)) :]
    return bytes(data)
