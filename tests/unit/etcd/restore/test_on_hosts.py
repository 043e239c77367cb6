"""A restore prepared on hosts that are folders, by their own scripts, armed, removed and pruned there."""

import os
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.restore.on_nodes import arm, prepare
from kubectl_admin.etcd.restore.on_nodes.plan import NodePlan, node_plans
from kubectl_admin.etcd.restore.on_nodes.prepare import Seed, Watch, prepare_all
from kubectl_admin.etcd.restore.on_nodes.status import Stage, status
from kubectl_admin.etcd.restore.on_nodes.survey import survey
from kubectl_admin.node.debug_pod import Options
from kubectl_admin.node.operation import Operation, Owner
from kubectl_admin.node.send import measure
from tests.fakes import control_plane_host
from tests.fakes.control_plane_host import CONTAINER, ControlPlaneHost
from tests.fakes.host import Cut, host_of, inline
from tests.fakes.hosts import Opened
from tests.unit.etcd.restore.control_planes import control_plane, found, on_disk
from tests.unit.node.conftest import SYSTEM

NODES = ("cp-1", "cp-2", "cp-3")
ETCDUTL = """#!/bin/sh
case "$*" in
  version) echo "etcdutl version: 3.6.8"; exit ;;
  *--help) exit ;;
  "snapshot status "*)
    size=$(stat -c %s "$3")
    echo "{\\"hash\\":HASH,\\"revision\\":1000000074,\\"totalKey\\":3,\\"totalSize\\":$size}"; exit ;;
esac
for word; do case $word in --data-dir=*) directory=${word#*=} ;; esac; done
if [ "$1" = defrag ]; then echo small > "$directory/member/snap/db"; exit; fi
mkdir -p "$directory/member/snap"
cp "$3" "$directory/member/snap/db"
"""
ETCDCTL = '#!/bin/sh\necho "etcdctl version: 3.6.8"\n'


@dataclass
class Cluster:
    """Three control planes in folders."""

    folder: Path
    descriptor: int
    operation: Operation = field(default_factory=lambda: replace(Operation.begin(), id="0123456789"))
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.machines = {node: ControlPlaneHost(self.folder / node, SYSTEM) for node in NODES}
        for node in NODES:
            control_plane_host.make(self.folder / node)
            self.program(node, "etcdutl", ETCDUTL.replace("HASH", "7"))
            self.program(node, "etcdctl", ETCDCTL)

    def program(self, node: str, name: str, text: str) -> None:
        path = control_plane_host.root(self.folder / node) / "usr/local/bin" / name
        path.write_text(text)
        path.chmod(0o755)

    def host(self, node: str, operation: Operation | None = None):
        there = host_of(self.machines[node], self.said, operation or self.operation)
        there.node = node
        return there

    @property
    def hosts(self) -> Opened:
        class Api:
            """As much of a cluster as the end of many hosts takes."""

            clock = self.machines["cp-1"].clock

            def list(self, *_: object) -> list[object]:
                return []

        return Opened(
            Api(),  # type: ignore[arg-type]
            self.operation,
            Options(),
            self.said.append,
            lambda node, operation: nullcontext(self.host(node, operation)),
        )

    @property
    def plans(self) -> dict[str, NodePlan]:
        pods = control_plane(1, 2, 3)
        made = node_plans(self.operation.id, found(pods), on_disk(pods))
        return {node: replace(plan, data=str(self.folder / node / "data")) for node, plan in made.items()}

    @property
    def seed(self) -> Seed:
        file = measure(self.descriptor, "snapshot.db")
        return Seed(file, 1_000_000_000, 74, dict.fromkeys(NODES, CONTAINER))

    def names(self, node: str) -> list[str]:
        """What is beside the data that etcd runs with."""
        return sorted(path.name for path in (self.folder / node / "data").iterdir())

    def there(self, node: str) -> Path:
        return self.folder / node / "var/restore"


@pytest.fixture(autouse=True)
def _worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepare, "WORKER", inline("echo side old\n"))
    monkeypatch.setattr(prepare, "RESERVE", 1 << 20)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    (tmp_path / "snapshot.db").write_bytes(os.urandom(300_000))
    descriptor = os.open(tmp_path / "snapshot.db", os.O_RDONLY)
    yield Cluster(tmp_path, descriptor)
    os.close(descriptor)


def test_a_database_that_is_too_large_for_one_node_leaves_nothing_on_any(cluster):
    seed = replace(cluster.seed, limits={"cp-2": 299_999})
    with pytest.raises(AdminError, match=r"^node cp-2: the restored database has 1 MiB"):
        prepare_all(cluster.hosts, cluster.plans, seed, Watch())
    assert [cluster.names(node) for node in NODES] == [["member"]] * 3
    assert not any(cluster.there(node).exists() for node in NODES)


def test_a_database_is_made_smaller_before_it_is_measured(cluster):
    seed = replace(cluster.seed, limits={"cp-2": 299_999}, defrag=True)
    prepared = prepare_all(cluster.hosts, cluster.plans, seed, Watch())
    assert {one.size for one in prepared.values()} == {len("small\n")}


def test_all_nodes_have_the_same_and_wait_for_the_word(cluster):
    moved: list[tuple[str, int, int]] = []
    checked: list[None] = []
    watch = Watch(lambda: checked.append(None), lambda *how: moved.append(how))
    prepared = prepare_all(cluster.hosts, cluster.plans, cluster.seed, watch)
    assert {node: one.hash for node, one in prepared.items()} == dict.fromkeys(NODES, 7)
    assert {(node, 300_000, 300_000) for node in NODES} == set(moved)
    assert checked
    for node, plan in cluster.plans.items():
        there = cluster.there(node)
        assert sorted(path.name for path in there.iterdir()) == [
            "etcdctl", "etcdutl", "job", "owner", "plan", "snapshot.db", "steps", "worker",
        ]  # fmt: skip
        assert (there / "snapshot.db").read_bytes() == (cluster.folder / "snapshot.db").read_bytes()
        assert (there / "worker").read_text() == "echo side old\n"
        assert "ROW" in (there / "steps").read_text() or (there / "steps").stat().st_size > 0
        assert cluster.names(node) == [".kubectl-admin-0123456789-new", "member"]
        arm.arm(cluster.host(node), plan)
        state = status(cluster.host(node))
        assert (state.earlier.stage, state.earlier.word, state.is_working) == (Stage.UNBEGUN, "armed", True)
        assert (state.side, state.node) == ("old", node)
        assert "ExecStart=" in (cluster.folder / node / "etc/kubectl-admin-restore.service").read_text()
    for node in NODES:
        assert arm.remove(cluster.host(node), "0123456789")
        assert not arm.remove(cluster.host(node), "0123456789")
        assert status(cluster.host(node)).earlier.stage is Stage.NONE


def test_streams_that_are_cut_change_nothing(cluster):
    for machine in cluster.machines.values():
        machine.cuts = [Cut(0), None, Cut(3), None, None, Cut(1), Cut(5), None, Cut(9)]
    prepared = prepare_all(cluster.hosts, cluster.plans, cluster.seed, Watch())
    assert len(prepared) == 3


def test_nodes_that_restore_other_data_are_cleared(cluster):
    cluster.program("cp-2", "etcdutl", ETCDUTL.replace("HASH", "8"))
    with pytest.raises(AdminError, match=r"different data .*cp-1, cp-3: hash 7 .*cp-2: hash 8"):
        prepare_all(cluster.hosts, cluster.plans, cluster.seed, Watch())
    for node in NODES:
        assert not cluster.there(node).exists()
        assert cluster.names(node) == ["member"]


def test_a_node_that_can_not_restore_it_clears_all(cluster):
    cluster.program("cp-3", "etcdutl", ETCDUTL.replace("mkdir", "echo Error: it is broken; exit 3;"))
    with pytest.raises(AdminError, match=r"node cp-3: .*\(exit code 3\): Error: it is broken"):
        prepare_all(cluster.hosts, cluster.plans, cluster.seed, Watch())
    assert [cluster.there(node).exists() for node in NODES] == [False] * 3


def test_a_lease_that_is_lost_ends_it(cluster):
    def check() -> None:
        raise AdminError("the lease was taken")

    with pytest.raises(AdminError, match="lease was taken"):
        prepare_all(cluster.hosts, cluster.plans, cluster.seed, Watch(check))
    assert not cluster.there("cp-1").exists()


def test_an_image_without_etcdutl_takes_the_operators(cluster, tmp_path):
    for node in NODES:
        (control_plane_host.root(cluster.folder / node) / "usr/local/bin/etcdutl").unlink()
    with pytest.raises(AdminError, match="has no etcdutl, as those of etcd 3"):
        prepare_all(cluster.hosts, cluster.plans, cluster.seed, Watch())
    (tmp_path / "etcdutl").write_text(ETCDUTL.replace("HASH", "9"))
    descriptor = os.open(tmp_path / "etcdutl", os.O_RDONLY)
    seed = replace(cluster.seed, etcdutl=measure(descriptor, "etcdutl"))
    prepared = prepare_all(cluster.hosts, cluster.plans, seed, Watch())
    os.close(descriptor)
    assert {one.hash for one in prepared.values()} == {9}


def test_one_that_is_underway_is_neither_overwritten_nor_removed(cluster):
    prepare_all(cluster.hosts, cluster.plans, cluster.seed, Watch())
    (cluster.there("cp-2") / "journal").write_text("1764500000 armed\n1764500001 going\n")
    other = replace(cluster.operation, id="aaaaaaaaaa", owner=Owner("bob@x", "b", 1, "2"))
    plans = {node: replace(plan, id=other.id) for node, plan in cluster.plans.items()}
    with pytest.raises(AdminError, match="restore 0123456789 is underway here"):
        prepare_all(replace(cluster.hosts, operation=other), plans, cluster.seed, Watch())
    assert status(cluster.host("cp-2")).earlier.word == "going"
    assert cluster.names("cp-2") == [".kubectl-admin-0123456789-new", "member"]
    with pytest.raises(AdminError, match="so it was not removed"):
        arm.remove(cluster.host("cp-2"), "0123456789")


def test_what_is_over_is_pruned(cluster):
    prepare_all(cluster.hosts, cluster.plans, cluster.seed, Watch())
    (cluster.there("cp-1") / "journal").write_text("1764500000 armed\n1764500001 as-before\n")
    assert arm.prune(cluster.host("cp-1"), cluster.plans["cp-1"].data, "/nowhere") >= 300_000
    assert cluster.names("cp-1") == ["member"]
    assert not cluster.there("cp-1").exists()


def test_a_host_is_surveyed_with_its_manifests(cluster):
    folder = cluster.folder / "cp-1"
    manifests = folder / "kubernetes/manifests"
    manifests.mkdir(parents=True)
    (manifests / "x.yaml").write_text("metadata: {labels: {component: etcd}, namespace: kube-system}\n")
    (folder / "proc/21").mkdir()
    (folder / "proc/21/cmdline").write_bytes(f"kubelet\0--pod-manifest-path={manifests}\0".encode())
    (folder / "systemd/main").write_text("21\n")
    seen = survey(cluster.host("cp-1"), CONTAINER, str(folder / "data"))
    assert seen.manifests.only("etcd").name == "x.yaml"
    assert (seen.same, seen.beside, seen.shared, seen.systemd) == (True, True, True, True)
    with pytest.raises(AdminError, match="node cp-2: its kubelet has no directory of static pods"):
        survey(cluster.host("cp-2"), CONTAINER, str(folder / "data"))


def test_a_node_that_was_told_by_a_file_is_under_way(cluster):
    prepare_all(cluster.hosts, cluster.plans, cluster.seed, Watch())
    (cluster.there("cp-1") / "go").write_text("go\n", encoding="utf-8")
    assert status(cluster.host("cp-1")).earlier.stage is Stage.UNDERWAY
    with pytest.raises(AdminError, match="so it was not removed"):
        arm.remove(cluster.host("cp-1"), "0123456789")


def test_former_data_are_found_where_etcd_has_its_data(cluster):
    data = cluster.folder / "cp-1/data"
    assert status(cluster.host("cp-1"), str(data)).old is None
    (data / ".kubectl-admin-aaaaaaaaaa-old").mkdir()
    seen = status(cluster.host("cp-1"), str(data))
    assert (seen.earlier.stage, seen.data) == (Stage.NONE, str(data))
    assert seen.old is not None
    assert status(cluster.host("cp-1")).old is None
