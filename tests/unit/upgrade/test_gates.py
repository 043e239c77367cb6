"""What stands in the way of a node's upgrade."""

from dataclasses import replace

import pytest

from kubectl_admin.finding import Gap, Severity
from kubectl_admin.upgrade import gates, target
from kubectl_admin.upgrade.facts import Target
from kubectl_admin.versions import upstream
from kubectl_admin.versions.version import Version
from kubectl_admin.versions.way import way
from tests.unit.upgrade.cases import CONTROL_PLANES, NEW, OLD, ROOMY, around, disk

UPSTREAM = upstream.load()


def found(here, host=None, goal=NEW, **changes):
    """The rules that are violated."""
    role = target.role(here, goal)
    every = gates.gates(here, host or disk(), role, Target(goal, f"{goal}-1.1"), UPSTREAM, **changes)
    return [each.rule for each in every if each.severity is Severity.VIOLATION]


@pytest.mark.parametrize(
    ("why", "here", "goal", "rules"),
    [
        ("the first control plane", around("cp-1"), NEW, []),
        ("a further one", around("cp-2", moved=("cp-1",), written=NEW), NEW, []),
        ("the last", around("cp-3", moved=("cp-1", "cp-2"), written=NEW), NEW, []),
        ("a worker after all of them", around("worker-1", moved=CONTROL_PLANES, written=NEW), NEW, []),
        ("a worker before its API servers", around("worker-1"), NEW, ["kubelet-skew"]),
        (
            "a worker before one of them",
            around("worker-1", moved=("cp-1", "cp-2"), written=NEW),
            NEW,
            ["kubelet-skew"],
        ),
        ("a second control plane before the first", around("cp-2"), NEW, ["control-plane-order"]),
        ("one while another is in between", around("cp-1", moved=("cp-2",)), NEW, ["control-plane-order"]),
        ("the one in between itself", around("cp-2", moved=("cp-2",)), NEW, ["control-plane-order"]),
        ("back", around("cp-1"), Version(1, 36, 2), ["downgrade"]),
        ("back to another minor", around("worker-1", kubelet=NEW), OLD, ["downgrade"]),
        ("over a minor", around("cp-1"), Version(1, 38, 0), ["skipped-minor", "apiserver-skew"]),
        ("a node that is down", around("cp-1", ready=False), NEW, ["not-ready"]),
        ("etcd before the gate", around("cp-1", etcd="3.6.8"), NEW, ["etcd-too-old-to-upgrade"]),
        ("the same, a patch only", around("cp-1", etcd="3.6.8"), Version(1, 36, 5), []),
        (
            "another member before the gate",
            around("cp-1", etcds={"cp-3": "3.6.8"}),
            NEW,
            ["etcd-too-old-to-upgrade"],
        ),
        (
            "another member of a version that is not known",
            around("cp-1", etcds={"cp-3": ""}),
            NEW,
            ["etcd-too-old-to-upgrade"],
        ),
        (
            "a further one, and one before the gate is still to come",
            around("cp-2", moved=("cp-1",), written=NEW, etcds={"cp-1": "3.7.0", "cp-3": "3.6.8"}),
            NEW,
            ["etcd-too-old-to-upgrade"],
        ),
        (
            "a further one, all past the gate or past the step",
            around("cp-2", moved=("cp-1",), written=NEW, etcds={"cp-1": "3.7.0"}),
            NEW,
            [],
        ),
        ("one other member down", around("cp-1", up=("cp-1", "cp-2")), NEW, ["etcd-quorum"]),
        ("its own member down", around("cp-1", up=("cp-2", "cp-3")), NEW, []),
    ],
)
def test_ways(why, here, goal, rules):
    assert found(here, goal=goal) == rules, why


def test_a_member_without_a_static_pod_counts_for_the_gate():
    here = around("cp-1")
    parts = tuple(part for part in here.versions.instances if (part.component, part.node) != ("etcd", "cp-3"))
    seen = replace(here, versions=replace(here.versions, instances=parts))
    assert found(seen) == []  # it says itself that it is at 3.6.16
    assert here.etcd
    silent = replace(
        here.etcd,
        members=tuple(replace(each, status=None) for each in here.etcd.members if each.node == "cp-3"),
    )
    assert "etcd-too-old-to-upgrade" in found(replace(seen, etcd=silent))


def test_the_upgrade_and_skew_judge_etcd_alike():
    for etcds in (
        {},
        {"cp-1": "3.6.8"},
        {"cp-3": "3.6.8"},
        {"cp-2": ""},
        {"cp-1": "3.7.0", "cp-2": "3.6.10"},
    ):
        here = around("cp-1", etcds=etcds)
        illegal = [each.rule for step in way(here.versions, UPSTREAM, 37) for each in step.illegal]
        assert ("etcd-too-old-to-upgrade" in found(here)) is ("etcd-too-old-to-upgrade" in illegal), etcds


def test_what_could_not_be_seen_is_said():
    here = around("cp-1")
    here = replace(here, versions=replace(here.versions, gaps=(Gap("kube-proxy", "no rights", "list pods"),)))
    every = gates.gates(here, disk(), target.role(here, NEW), Target(NEW, f"{NEW}-1.1"), UPSTREAM)
    assert [(each.subject, each.evidence) for each in every if each.rule == "not-seen"] == [
        ("kube-proxy", "no rights")
    ]


def test_a_person_may_begin_elsewhere():
    assert found(around("cp-2"), first=True) == []
    # But not while another node is in between.
    assert found(around("cp-1", moved=("cp-2",)), first=True) == ["control-plane-order"]


def test_what_a_person_allows_is_a_warning():
    here = around("cp-1", etcd="3.6.8")
    every = gates.gates(here, disk(), target.role(here, NEW), Target(NEW, "1.37.2-1.1"), UPSTREAM)
    allowed = gates.allowed(every, ["etcd-too-old-to-upgrade"])
    assert [each.severity for each in allowed if each.rule == "etcd-too-old-to-upgrade"] == [Severity.WARNING]
    assert gates.allowed(every, ["etcd"]) == every


@pytest.mark.parametrize("folder", ROOMY)
def test_a_disk_that_is_full(folder):
    host = disk(free={**ROOMY, folder: 1 << 20}, etcd=1 << 30)
    assert found(around("cp-1"), host) == ["disk-full"]


def test_a_worker_needs_no_room_for_etcd():
    here = around("worker-1", moved=CONTROL_PLANES, written=NEW)
    assert found(here, disk(free={**ROOMY, "/etc/kubernetes": 1 << 20}, etcd=1 << 30)) == []


def test_the_drain_may_be_left_out_for_patches_alone():
    assert found(around("cp-1"), goal=Version(1, 36, 5), drained=False) == []
    assert found(around("cp-1"), drained=False) == ["drain-needed"]


def test_a_host_without_systemd():
    assert found(around("cp-1"), disk(systemd=False)) == ["no-systemd"]


def test_flags_that_the_target_does_not_know_are_found_wherever_they_are():
    flags = {"etcd": {"experimental-peer-skip-client-san-verification": "true"}}
    assert "removed-flag" in found(around("cp-1", flags=flags))
    here = disk(flags={"feature-gates": "A=true"}, gates={"B": "false"})
    assert gates.flags(around("cp-1"), here)["kubelet"]["feature-gates"] == "B=false,A=true"


def test_kubeadms_part_is_over_when_all_of_it_is():
    assert not gates.is_moved(around("cp-1", moved=("cp-1",)), NEW)  # it has not written it down
    assert gates.is_moved(around("cp-1", moved=("cp-1",), written=NEW), NEW)
    assert not gates.is_moved(around("worker-1", moved=CONTROL_PLANES, written=NEW), NEW)
