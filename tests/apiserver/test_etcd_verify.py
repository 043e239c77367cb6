"""`kubectl admin etcd-verify` on snapshots of real etcds, beside etcdutl of the same version."""

import json
import random
import shutil
import struct
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from kubectl_admin.etcd.snapshot.bolt.meta import fnv1a
from kubectl_admin.etcd.snapshot.verify import verify
from tests.lab.api import etcd_process
from tests.lab.api.etcd_process import Etcd, text
from tests.lab.errors import LabError
from tests.lab.progress import Progress
from tests.lab.recipes import binaries
from tests.lab.versions import MORE_ETCD, RELEASES
from tests.program import Ended, run, run_on_terminal

pytestmark = pytest.mark.lab

VERSIONS = sorted({*MORE_ETCD, *(release.etcd for release in RELEASES)})
KEYS = 2000


@dataclass(frozen=True)
class Filled:
    """An etcd of this version that holds something, and its snapshots by the state they were taken in."""

    version: str
    etcd: Etcd
    snapshots: dict[str, Path]


@pytest.fixture(scope="module", params=VERSIONS)
def filled(request: Any, tmp_path_factory: Any) -> Iterator[Filled]:
    """One etcd of each version, filled and snapped once."""
    folder = tmp_path_factory.mktemp("etcd")
    programs = binaries.etcd(request.param, Progress("etcd", folder / "logs"))
    with etcd_process.running(programs, folder) as (etcd,):
        snapshots = {"new": etcd.save(folder / "new.db")}
        revision = fill(etcd)
        snapshots["filled"] = etcd.save(folder / "filled.db")
        etcd.call("kv/compaction", revision=str(revision - 300), physical=True)
        snapshots["compacted"] = etcd.save(folder / "compacted.db")
        etcd.ctl("defrag")
        snapshots["defragmented"] = etcd.save(folder / "defragmented.db")
        troubled(etcd)
        snapshots["troubled"] = etcd.save(folder / "troubled.db", "--user=root:secret")
        yield Filled(request.param, etcd, snapshots)


def fill(etcd: Etcd) -> int:
    """Keys that are written, overwritten, deleted and leased, small ones and one of many pages."""
    values = random.Random(1)
    lease = etcd.call("lease/grant", TTL=3600)["ID"]
    for first in range(0, KEYS, 100):
        pairs = [
            (key(n), values.randbytes(values.choice((0, 10, 300, 2000)))) for n in range(first, first + 100)
        ]
        etcd.put(*pairs, lease=lease if first % 300 else "0")
    for number in range(0, KEYS, 5):
        etcd.call("kv/deleterange", key=text(key(number)))
    for number in range(0, KEYS, 50):
        etcd.put((key(number), b"again"))
    etcd.call("kv/deleterange", key=text(key(1990)), range_end=text(key(1999)))
    return etcd.put((b"big", values.randbytes(1_200_000)))


def key(number: int) -> bytes:
    return b"/registry/configmaps/default/%05d" % number


def troubled(etcd: Etcd) -> None:
    """A learner that never started, both alarms, and users."""
    member = etcd.call("cluster/member/list")["members"][0]["ID"]
    etcd.call("cluster/member/add", peerURLs=["http://127.0.0.1:1"], isLearner=True)
    etcd.ctl("user", "add", "root:secret")
    etcd.ctl("user", "grant-role", "root", "root")
    for alarm in ("NOSPACE", "CORRUPT"):
        etcd.call("maintenance/alarm", action="ACTIVATE", memberID=member, alarm=alarm)
    etcd.ctl("auth", "enable")


def etcdutl(filled: Filled, file: Path, timeout: float = 120) -> dict[str, Any]:
    """What `etcdutl snapshot status` of the same version says."""
    command = [filled.etcd.programs / "etcdutl", "snapshot", "status", file, "-w", "json"]
    status: dict[str, Any] = json.loads(etcd_process.run(command, timeout))
    return status


def ours(ended: Ended, version: str) -> dict[str, Any]:
    """The same out of our document."""
    snapshot = json.loads(ended.out)["items"][0]["snapshot"]
    numbers = {
        "hash": snapshot["crc32c"],
        "revision": snapshot["revision"],
        "totalKey": snapshot["entries" if version.startswith("3.5.") else "liveKeys"],
        "totalSize": snapshot["databaseBytes"],
    }
    return numbers if version.startswith("3.5.") else {**numbers, "version": snapshot["storageVersion"]}


@pytest.mark.parametrize("state", ["new", "filled", "compacted", "defragmented", "troubled"])
def test_it_says_what_etcdutl_says(filled, state):
    file = filled.snapshots[state]
    ended = run("etcd-verify", str(file), "--full", "-o", "json")
    assert (ended.code, ended.err) == (0, "")
    assert ours(ended, filled.version) == etcdutl(filled, file)


def test_a_snapshot_is_whole_without_the_full_look(filled):
    for file in filled.snapshots.values():
        assert run("etcd-verify", str(file)).code == 0


def test_what_it_says_of_the_cluster(filled):
    member = filled.etcd.ctl("--user=root:secret", "member", "list", "-w", "json")
    header = json.loads(member)["header"]
    document = json.loads(run("etcd-verify", str(filled.snapshots["compacted"]), "-o", "json").out)
    snapshot = document["items"][0]["snapshot"]
    assert snapshot["clusterID"] == f"{header['cluster_id']:x}"
    assert [each["id"] for each in snapshot["members"]] == [f"{header['member_id']:x}"]
    assert snapshot["members"][0]["clientURLs"] == [filled.etcd.url]
    assert snapshot["raft"]["voters"] == [f"{header['member_id']:x}"]
    assert snapshot["compactedRevision"] == snapshot["revision"] - 300
    assert snapshot["clusterVersion"].startswith(filled.version[:3])
    assert document["findings"] == []


def test_alarms_and_a_learner_are_warned_of(filled):
    document = json.loads(run("etcd-verify", str(filled.snapshots["troubled"]), "-o", "json").out)
    assert {finding["rule"] for finding in document["findings"]} == {
        "alarm-nospace",
        "alarm-corrupt",
        "learner",
    }
    snapshot = document["items"][0]["snapshot"]
    assert snapshot["authEnabled"]
    assert snapshot["clusterID"] is None
    assert sorted(alarm["alarm"] for alarm in snapshot["alarms"]) == ["CORRUPT", "NOSPACE"]
    assert [member["name"] for member in snapshot["members"] if member["isLearner"]] == [""]


def test_in_use_is_what_defragmentation_leaves(filled):
    """To the page: etcd makes a file without free pages but for some of its own."""
    before = verify(filled.snapshots["compacted"]).snapshot
    after = verify(filled.snapshots["defragmented"]).snapshot
    assert before.in_use < before.database_size
    assert after.in_use <= before.in_use
    assert after.database_size - after.in_use <= 4 * after.page_size


def test_a_restored_member_and_its_bumped_revision(filled, tmp_path):
    """Its file has no sha256; the bump is an entry without a value, which etcdutl counts as a key."""
    command = [filled.etcd.programs / "etcdutl", "snapshot", "restore", filled.snapshots["filled"]]
    etcd_process.run(
        [*command, f"--data-dir={tmp_path / 'd'}", "--bump-revision=1000000", "--mark-compacted"]
    )
    database = tmp_path / "d/member/snap/db"
    ended = run("etcd-verify", str(database), "--full", "-o", "json")
    assert ended.code == 0
    document = json.loads(ended.out)
    assert [finding["rule"] for finding in document["findings"]] == ["no-hash", "restored"]
    assert document["items"][0]["snapshot"]["revision"] > 1_000_000
    assert ours(ended, filled.version) == etcdutl(filled, database)


def test_a_running_members_file(filled, tmp_path):
    file = shutil.copy(filled.etcd.database, tmp_path)
    document = json.loads(run("etcd-verify", str(file), "-o", "json").out)
    assert "no-hash" in [finding["rule"] for finding in document["findings"]]


def test_the_log_of_a_member_is_named(filled):
    log = next((filled.etcd.database.parents[1] / "wal").glob("*.wal"))
    ended = run("etcd-verify", str(log))
    assert ended.code == 3
    assert "a write-ahead log of etcd" in " ".join(ended.out.split())


def test_on_a_terminal_the_progress_line_is_gone_at_the_end(filled):
    ended = run_on_terminal("etcd-verify", str(filled.snapshots["filled"]))
    assert ended.code == 0
    assert "verifying filled.db" in ended.out
    assert ended.out.rpartition("\x1b[K")[2].startswith("FILE ")


def test_it_finds_what_etcdutl_finds(filled, tmp_path):
    """Pages are damaged, and all checksums made right again: etcdutl then goes by the structure alone.

    Some of what etcdutl takes is refused here: what etcd never writes, and bbolt does not look at.
    """
    whole = filled.snapshots["new"].read_bytes(), filled.snapshots["defragmented"].read_bytes()
    file = tmp_path / "damaged.db"
    seen = {True: 0, False: 0}
    for seed in range(60):
        file.write_bytes(damaged(whole[seed % 2], random.Random(seed)))
        verdict = verify(file, full=True)
        assert verdict.snapshot is None or verdict.snapshot.hash_right
        try:
            status = etcdutl(filled, file, timeout=20)
        except subprocess.TimeoutExpired:
            pass  # there are files that etcdutl never comes to an end with
        except (LabError, ValueError):
            assert not verdict.sound, seed
        else:
            full = verdict.snapshot and verdict.snapshot.full
            assert not full or full.crc32c == status["hash"]
        seen[verdict.sound] += 1
    assert all(seen.values())


def damaged(data: bytes, chance: random.Random) -> bytes:
    """A snapshot with some bytes of a page's header or elements changed, its checksums right."""
    changed = bytearray(data)
    page = chance.randrange(2, len(data) // 4096) * 4096
    place = page + chance.choice((chance.randrange(16), chance.randrange(16, 200), chance.randrange(4096)))
    changed[place] = chance.randrange(256)
    for meta in (0, 4096):
        struct.pack_into("<Q", changed, meta + 72, fnv1a(bytes(changed[meta + 16 : meta + 72])))
    changed[-32:] = sha256(changed[:-32]).digest()
    return bytes(changed)


def test_three_members(tmp_path):
    """Their snapshots differ, their data does not."""
    programs = binaries.etcd(VERSIONS[-1], Progress("etcd", tmp_path / "logs"))
    with etcd_process.running(programs, tmp_path, members=3) as etcds:
        etcds[0].put(*((key(number), b"value") for number in range(100)))
        verdicts = [verify(etcd.save(tmp_path / f"{n}.db"), full=True) for n, etcd in enumerate(etcds)]
    for verdict in verdicts:
        assert verdict.findings == ()
        assert sorted(member.name for member in verdict.snapshot.contents.members) == ["m1", "m2", "m3"]
        assert len(verdict.snapshot.contents.raft.voters) == 3
        assert verdict.snapshot.contents.cluster_id is None
        assert verdict.snapshot.full.live_keys == 100
