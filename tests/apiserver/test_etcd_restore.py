"""A snapshot restored aside by every supported etcdutl, and the word to begin in a real etcd."""

import base64
import json
import os
import subprocess
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest

from kubectl_admin.cluster.exec import ExecResult
from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.members.etcdctl import PROGRAM
from kubectl_admin.etcd.members.flags import Access
from kubectl_admin.etcd.restore.go import Answer, FullError, Go, Talker, absent, transaction
from kubectl_admin.etcd.restore.on_nodes import prepare as module
from kubectl_admin.etcd.restore.on_nodes.plan import BUMP, NodePlan, node_plans
from kubectl_admin.etcd.restore.on_nodes.prepare import (
    Prepared,
    Seed,
    Watch,
    prepare,
    refuse_full,
    refuse_unlike,
)
from kubectl_admin.etcd.snapshot.verify import verify
from kubectl_admin.node.operation import Operation
from kubectl_admin.node.send import measure
from tests.fakes import control_plane_host
from tests.fakes.control_plane_host import CONTAINER, ControlPlaneHost
from tests.fakes.host import host_of, inline
from tests.lab.api import etcd_process
from tests.lab.api.etcd_process import Etcd, await_health, own_address, process, text
from tests.lab.progress import Progress
from tests.lab.recipes import binaries
from tests.lab.versions import MORE_ETCD, RELEASES
from tests.unit.etcd.restore.control_planes import control_plane, found, on_disk
from tests.unit.node.conftest import SYSTEM

pytestmark = pytest.mark.lab

VERSIONS = sorted({*MORE_ETCD, *(release.etcd for release in RELEASES)})
NODES = ("cp-1", "cp-2", "cp-3")
ID = "0123456789"
P = f"/kubectl-admin/restore/{ID}"


@pytest.fixture(scope="module", params=VERSIONS)
def etcd(request: Any, tmp_path_factory: Any) -> Iterator[Etcd]:
    """A member of this version with some keys, one of them with a lease as Kubernetes' events have."""
    folder = tmp_path_factory.mktemp("etcd")
    programs = binaries.etcd(request.param, Progress("etcd", folder / "logs"))
    with etcd_process.running(programs, folder) as (etcd,):
        lease = etcd.call("lease/grant", TTL=3600)["ID"]
        etcd.put((b"/registry/events/a", b"x"), lease=lease)
        for number in range(200):
            etcd.put((b"/registry/pods/%d" % (number % 50), b"value %d" % number))
        yield etcd


def plans(folder: Path, urls: dict[str, str]) -> dict[str, NodePlan]:
    """Of as many nodes as there are peer URLs."""
    pods = control_plane(*(int(node[-1]) for node in urls))
    made = node_plans(ID, found(pods), on_disk(pods))
    return {
        node: replace(plan, data=str(folder / node / "data"), members=urls) for node, plan in made.items()
    }


def prepared_on(folder: Path, etcd: Etcd, plans: dict[str, NodePlan], seed: Seed) -> dict[str, Prepared]:
    """What each of these nodes has made of it."""
    prepared = {}
    for node, plan in plans.items():
        control_plane_host.make(folder / node, etcd.programs)
        host = host_of(ControlPlaneHost(folder / node, SYSTEM), operation=replace(Operation.begin(), id=ID))
        host.node = node
        prepared[node] = prepare(host, plan, seed, Watch())
    return prepared


@pytest.fixture(autouse=True)
def _worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WORKER", inline("exit 0\n"))


def seed_of(etcd: Etcd, folder: Path) -> tuple[Seed, int]:
    """A snapshot of it, held open by the descriptor that is returned as well."""
    descriptor = os.open(etcd.save(folder / "snapshot.db"), os.O_RDONLY)
    verdict = verify(folder / "snapshot.db")
    assert verdict.snapshot
    revision = verdict.snapshot.contents.revision
    return Seed(
        measure(descriptor, "snapshot.db"), BUMP, revision, dict.fromkeys(NODES, CONTAINER)
    ), descriptor


def test_three_nodes_restore_the_same_with_a_lease_in_it(etcd, tmp_path):
    seed, descriptor = seed_of(etcd, tmp_path)
    urls = {node: f"https://192.0.2.{node[-1]}:2380" for node in NODES}
    prepared = prepared_on(tmp_path, etcd, plans(tmp_path, urls), seed)
    os.close(descriptor)
    refuse_unlike(prepared, seed)
    assert len({one.hash for one in prepared.values()}) == 1
    assert {one.revision for one in prepared.values()} == {seed.revision + BUMP}
    for node in NODES:
        fresh = tmp_path / node / f"data/.kubectl-admin-{ID}-new"
        assert fresh.stat().st_mode & 0o777 == 0o750
        assert sorted(path.name for path in fresh.iterdir()) == ["snap", "wal"]
        restored = verify(fresh / "snap/db")
        assert {member.name for member in restored.snapshot.contents.members} == set(NODES)
        assert (tmp_path / node / "data/member/snap/db").read_bytes() == b"live"


def test_a_database_that_is_mostly_free_is_made_smaller_by_all_alike(etcd, tmp_path):
    with etcd_process.running(etcd.programs, tmp_path) as (large,):
        for number in range(40):
            large.put((b"/registry/large/%d" % number, os.urandom(500_000)))
        large.put((b"/registry/pods/kept", b"kept"))
        revision = large.call(
            "kv/deleterange", key=text(b"/registry/large/"), range_end=text(b"/registry/large0")
        )
        large.call("kv/compaction", revision=revision["header"]["revision"], physical=True)
        seed, descriptor = seed_of(large, tmp_path)
    whole = verify(tmp_path / "snapshot.db").snapshot
    urls = {node: f"https://192.0.2.{node[-1]}:2380" for node in NODES}
    seed = replace(seed, defrag=True, limits=dict.fromkeys(NODES, whole.in_use + (1 << 20)))
    prepared = prepared_on(tmp_path, etcd, plans(tmp_path, urls), seed)
    os.close(descriptor)
    refuse_unlike(prepared, seed)
    refuse_full(prepared, seed)
    assert whole.database_size > 20_000_000
    assert {one.revision for one in prepared.values()} == {seed.revision + BUMP}
    for node, one in prepared.items():
        restored = verify(tmp_path / node / f"data/.kubectl-admin-{ID}-new/snap/db").snapshot
        assert restored.database_size == one.size
        assert one.size < 1_000_000


def test_restored_data_are_served_with_the_later_revision_and_none_before(etcd, tmp_path):
    seed, descriptor = seed_of(etcd, tmp_path)
    address = own_address()
    client, peer = f"http://{address}:2379", f"http://{address}:2380"
    prepared_on(tmp_path, etcd, plans(tmp_path, {"cp-1": peer}), seed)
    os.close(descriptor)
    data = tmp_path / "served"
    data.mkdir()
    (tmp_path / f"cp-1/data/.kubectl-admin-{ID}-new").rename(data / "member")
    command = [
        etcd.programs / "etcd",
        "--name=cp-1",
        f"--data-dir={data}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=cp-1={peer}",
    ]
    with process(command, tmp_path / "log") as server:
        await_health(client, server, tmp_path / "log")
        served = Etcd(etcd.programs, client, data / "member/snap/db")
        answer = served.call("kv/range", key=text(b"/registry/pods/7"))
        assert base64.b64decode(answer["kvs"][0]["value"]) == b"value 157"
        assert int(answer["header"]["revision"]) >= seed.revision + BUMP
        assert int(served.call("kv/range", key=text(b"/registry/events/a"))["kvs"][0]["lease"]) > 0
        with pytest.raises(etcd_process.LabError, match="required revision has been compacted"):
            served.ctl("get", "--rev", str(seed.revision), "x")


def test_a_truncated_snapshot_is_refused_in_etcdutls_own_words(etcd, tmp_path):
    etcd.save(tmp_path / "whole.db")
    (tmp_path / "snapshot.db").write_bytes((tmp_path / "whole.db").read_bytes()[:-4096])
    descriptor = os.open(tmp_path / "snapshot.db", os.O_RDONLY)
    seed = Seed(measure(descriptor, "snapshot.db"), BUMP, None, {"cp-1": CONTAINER})
    with pytest.raises(AdminError, match=r"node cp-1: etcdutl could not restore .*: Error: "):
        prepared_on(tmp_path, etcd, plans(tmp_path, {"cp-1": "https://192.0.2.1:2380"}), seed)
    os.close(descriptor)
    assert [path.name for path in (tmp_path / "cp-1/data").iterdir() if "new" not in path.name] == ["member"]


# ---- The word to begin ----


class Way:
    """etcdctl as a process. killed: the numbers of runs whose answers are lost; never: of those not run."""

    def __init__(self, etcd: Etcd, killed: Sequence[int] = (), never: Sequence[int] = ()) -> None:
        self.etcd, self.killed, self.never, self.runs = etcd, killed, never, 0

    def run(self, words: Sequence[str], stdin: Iterable[bytes] | None) -> ExecResult:
        assert words[0] == PROGRAM
        self.runs += 1
        if self.runs in self.never:
            raise AdminError("the connection was refused")
        given = None if stdin is None else b"".join(stdin)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("ETCD")}
        done = subprocess.run(
            [self.etcd.programs / PROGRAM, *words[1:]],
            input=given,
            capture_output=True,
            check=False,
            env=environment,
        )
        if self.runs in self.killed:
            raise AdminError("the connection was lost")
        return ExecResult(done.returncode, done.stdout, done.stderr)


class Clock:
    """Nothing here waits."""

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, _seconds: float) -> None:
        pass


@pytest.fixture
def clean(etcd: Etcd) -> Etcd:
    """The same without any word of a restore."""
    etcd.ctl("del", "--prefix", "/kubectl-admin/")
    return etcd


def go(way: Way) -> Go:
    return Go([Talker("cp-1", Access(way.etcd.url), way.run)], ID, NODES, Clock())


def keys(etcd: Etcd) -> dict[str, int]:
    """The keys of the restore, and their leases."""
    answer = json.loads(etcd.ctl("get", "--prefix", P, "-w", "json"))
    return {
        base64.b64decode(one["key"]).decode().removeprefix(f"{P}/"): one.get("lease", 0)
        for one in answer.get("kvs", ())
    }


def test_the_word_is_a_key_with_a_lease(clean):
    assert go(Way(clean)).give() is Answer.YES
    there = keys(clean)
    assert list(there) == ["asked", "go"]
    assert there["go"] == there["asked"] != 0
    left = json.loads(clean.ctl("lease", "timetolive", f"{there['go']:x}", "-w", "json"))
    assert 500 < left["ttl"] <= 600


def test_no_word_where_a_node_is_back(clean):
    clean.ctl("put", f"{P}/back/cp-3", "1")
    assert go(Way(clean)).give() is Answer.NO
    assert "go" not in keys(clean)


def test_a_lost_answer_is_yes(clean):
    assert go(Way(clean, killed=[3])).give() is Answer.YES
    assert "stop" not in keys(clean)


def test_a_word_that_was_not_given_is_forbidden_for_good(clean):
    assert go(Way(clean, never=[3])).give() is Answer.NO
    # The transaction comes after all.
    compares = [*(absent(f"{P}/back/{node}") for node in NODES), absent(f"{P}/stop")]
    late = transaction(compares, [f"put {P}/go x"])
    way = Way(clean)
    way.run([PROGRAM, f"--endpoints={clean.url}", "txn"], [late.encode()])
    assert sorted(keys(clean)) == ["asked", "stop"]
    assert go(way).give() is Answer.NO


def fill(etcd: Etcd) -> None:
    """Writes more than its quota."""
    for number in range(100):
        etcd.put((b"k%d" % number, b"x" * 500_000))


def test_a_full_etcd_takes_no_word(tmp_path, etcd):
    with etcd_process.running(etcd.programs, tmp_path, "--quota-backend-bytes=4000000") as (small,):
        with pytest.raises(HTTPError):
            fill(small)
        with pytest.raises(FullError, match="NOSPACE"):
            go(Way(small)).give()
