"""What is asked of hosts before a restore, and what is made of their answers."""

from dataclasses import replace

import pytest

from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.restore.on_nodes import arm
from kubectl_admin.etcd.restore.on_nodes.manifests import Manifests
from kubectl_admin.etcd.restore.on_nodes.plan import node_plans
from kubectl_admin.etcd.restore.on_nodes.prepare import (
    Prepared,
    Seed,
    prepared_of,
    refuse_full,
    refuse_other_program,
    refuse_unable,
    refuse_unlike,
    time_for,
)
from kubectl_admin.etcd.restore.on_nodes.status import Earlier, Stage
from kubectl_admin.etcd.restore.on_nodes.survey import Survey, survey_of
from kubectl_admin.node.send import LocalFile
from tests.unit.etcd.restore.control_planes import control_plane, found, on_disk

ID = "0123456789"
MIB = 1 << 20
PODS = control_plane(1)
PLAN = node_plans(ID, found(PODS), on_disk(PODS))["cp-1"]
ABLE = Survey(
    node="cp-1",
    manifests=Manifests("/etc/kubernetes/manifests", {}),
    beside=True,
    etcdctl="/proc/1/root/usr/local/bin/etcdctl",
    etcdutl="/proc/1/root/usr/local/bin/etcdutl",
    same=True,
    member="0:0 700",
    mount=False,
    database=100,
    free_data=10_000 * MIB,
    free_state=10_000 * MIB,
    shared=True,
    earlier=Earlier(Stage.NONE),
    unit="inactive",
    systemd=True,
)
ANSWER = {
    "manifests": "/etc/kubernetes/manifests",
    "beside": "yes",
    "etcdctl": "/proc/1/root/usr/local/bin/etcdctl",
    "etcdutl": "/proc/1/root/usr/local/bin/etcdutl",
    "same": "yes",
    "database": "100",
    "member": "0:0 700",
    "free-data": f"{10_000 * MIB} 2049",
    "free-state": f"{10_000 * MIB} 2049",
    "restore": "none - -",
    "unit": "inactive",
    "systemd": "yes",
}


def test_the_answer_of_a_host():
    assert survey_of("cp-1", ANSWER, ABLE.manifests) == ABLE


def test_what_has_no_line_is_not_there():
    lean = {name: ANSWER[name] for name in ("free-data", "free-state", "restore", "unit")}
    seen = survey_of("cp-1", {**lean, "free-state": "5 7", "mount": "yes"}, ABLE.manifests)
    assert (seen.etcdutl, seen.same, seen.member, seen.beside, seen.systemd) == ("", False, "", False, False)
    assert (seen.mount, seen.shared, seen.free_state) == (True, False, 5)


@pytest.mark.parametrize(
    "change", [{"restore": "none"}, {"restore": "well - -"}, {"free-data": "x 1"}, {"free-state": "5"}]
)
def test_an_answer_that_makes_no_sense_is_an_error(change):
    with pytest.raises(AdminError, match="unexpected answer"):
        survey_of("cp-1", ANSWER | change, ABLE.manifests)


def test_a_host_that_can_carry_it_out_is_not_refused():
    refuse_unable(ABLE, PLAN, 1000 * MIB)
    for stage in (Stage.OVER, Stage.UNBEGUN):
        refuse_unable(replace(ABLE, earlier=Earlier(stage, "aaaaaaaaaa", "x")), PLAN, 1000 * MIB)


# A snapshot of 1000 MiB: 1000 + 64 for programs, 1000 + 61.04 of log, and 512 that stay free.
@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"earlier": Earlier(Stage.UNDERWAY, ID, "going")}, "restore 0123456789 is under way there .*going"),
        ({"earlier": Earlier(Stage.UNDERWAY)}, "restore <unknown> is under way"),
        ({"unit": "active"}, "under way"),
        ({"systemd": False}, "systemd"),
        ({"beside": False}, "mount of its own"),
        ({"same": False}, "not the directory that etcd runs with"),
        ({"member": ""}, "not the directory"),
        ({"mount": True}, "mount of its own"),
        ({"free_data": 2636 * MIB}, r"2636 MiB are free for /var/lib/etcd, .* 2638 MiB"),
        ({"free_state": 2637 * MIB}, "/var/lib/kubectl-admin/restore"),
        ({"free_data": 1573 * MIB, "shared": False}, r"1573 MiB .* 1574 MiB"),
        ({"free_state": 1575 * MIB, "shared": False}, r"1575 MiB .* 1576 MiB"),
    ],
)
def test_a_host_that_can_not_carry_it_out_is_refused(change, said):
    with pytest.raises(AdminError, match=f"node cp-1.*{said}"):
        refuse_unable(replace(ABLE, **change), PLAN, 1000 * MIB)


@pytest.mark.parametrize(
    "change",
    [
        {"free_data": 1574 * MIB, "free_state": 1576 * MIB, "shared": False},
        {"free_data": 2638 * MIB, "free_state": 2638 * MIB},
    ],
)
def test_just_enough_room_is_enough(change):
    refuse_unable(replace(ABLE, **change), PLAN, 1000 * MIB)


def test_a_smaller_database_is_written_beside_the_restored_one():
    just = replace(ABLE, free_data=2574 * MIB, free_state=1576 * MIB, shared=False)
    refuse_unable(just, PLAN, 1000 * MIB, defrag=True)
    with pytest.raises(AdminError, match=r"2573 MiB are free for /var/lib/etcd, .* 2574 MiB"):
        refuse_unable(replace(just, free_data=2573 * MIB), PLAN, 1000 * MIB, defrag=True)


LOG = """\
2026-11-30T09:49:58Z	info	snapshot/v3_snapshot.go:333	restored snapshot	{"path": "x"}
restored {"hash":881853398,"revision":1000000074,"totalKey":248,"totalSize":315392,"version":"3.6.0"}
took 1.25
"""


def test_what_a_job_says_of_the_restored_data():
    assert prepared_of("cp-1", LOG, "3.6.8", 9) == Prepared(
        "cp-1", 881853398, 1000000074, 248, 315392, "3.6.8", 1.25, 9
    )


@pytest.mark.parametrize(
    "log", ["", "restored {}\ntook 1\n", "restored x\ntook 1\n", LOG.replace("1.25", "nan"), "restored []\n"]
)
def test_a_job_that_says_nothing_of_them_is_an_error(log):
    with pytest.raises(AdminError, match=r"node cp-1: (etcdutl gave no account|unexpected answer)"):
        prepared_of("cp-1", log, "3.6.8")


def test_programs_of_one_minor_belong_together():
    refuse_other_program("cp-1", {"etcdctl": "3.6.8", "etcdutl": "3.6.16"})
    for versions in ({"etcdctl": "3.6.8", "etcdutl": "3.5.35"}, {"etcdctl": "3.6.8"}, {"etcdutl": ""}):
        with pytest.raises(AdminError, match="node cp-1: etcdutl is"):
            refuse_other_program("cp-1", versions)


SEED = Seed(LocalFile("x", 0, 0, 1, "", ()), 1_000_000_000, 74, {})
ONE = Prepared("cp-1", 1, 1_000_000_074, 3, 9, "3.6.8", 1)


def test_nodes_with_the_same_data_are_alike():
    refuse_unlike({"cp-1": ONE, "cp-2": replace(ONE, node="cp-2", seconds=9)}, SEED)
    refuse_unlike({"cp-1": replace(ONE, revision=5)}, replace(SEED, revision=None))


@pytest.mark.parametrize("change", [{"hash": 2}, {"revision": 1_000_000_075}, {"keys": 4}])
def test_nodes_with_other_data_are_refused(change):
    with pytest.raises(AdminError, match=r"have restored different data from one snapshot .*cp-2, cp-3"):
        refuse_unlike({"cp-1": replace(ONE, **change), "cp-2": ONE, "cp-3": ONE}, SEED)


def test_data_that_end_before_the_snapshot_does_are_refused():
    with pytest.raises(AdminError, match="end with revision 1000000073, and 1000000074 was expected"):
        refuse_unlike({"cp-1": replace(ONE, revision=1_000_000_073)}, SEED)


def test_data_that_are_too_large_for_a_node_s_etcd_are_refused():
    found = {"cp-1": replace(ONE, size=9 * MIB), "cp-2": replace(ONE, node="cp-2", size=9 * MIB + 1)}
    refuse_full(found, SEED)
    refuse_full(found, replace(SEED, limits={"cp-1": 9 * MIB}))
    with pytest.raises(
        AdminError, match=r"^node cp-2: the restored database has 10 MiB, and it may have 9 MiB"
    ):
        refuse_full(found, replace(SEED, limits={"cp-1": 9 * MIB, "cp-2": 9 * MIB}))
    with pytest.raises(AdminError, match="cp-2: the restored database has 10 MiB after the defragmentation"):
        refuse_full(found, replace(SEED, limits={"cp-2": 9 * MIB}, defrag=True))


def test_the_unit_runs_before_the_kubelet_when_its_mounts_are_there():
    text = arm.unit(replace(PLAN, data="/data/50%"))
    assert "Before=kubelet.service\n" in text
    assert (
        "RequiresMountsFor=/var/lib/kubectl-admin/restore /data/50%% /etc/kubernetes/manifests "
        "/etc/kubernetes/kubectl-admin-restore\n"
    ) in text
    assert "ExecStart=/bin/sh /var/lib/kubectl-admin/restore/worker run\n" in text


def test_a_large_snapshot_over_a_slow_line_is_waited_for():
    assert time_for(8 << 30) > 8e9 / 1e6 + 3600
