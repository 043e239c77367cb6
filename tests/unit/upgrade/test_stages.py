"""The steps of a node's upgrade, and which are over wherever a run was cut."""

import pytest

from kubectl_admin.upgrade import stages, target
from kubectl_admin.upgrade.facts import Mark, Target
from tests.unit.upgrade.cases import CONTROL_PLANES, NEW, around, disk

GOAL = Target(NEW, "1.37.2-1.1")
MARK = Mark("1.37.2", "2026-11-25T12:00:00+00:00", uncordon=True)
ALL = ["packages", "snapshot", "kubeadm", "drain", "kubelet", "settle"]


def left(here, host, *, snapshot=True, drain=True):
    steps = stages.stages(here, host, target.role(here, NEW), GOAL, snapshot=snapshot, drain=drain)
    return [step.name for step in steps if not step.done]


@pytest.mark.parametrize(
    ("why", "here", "host", "names"),
    [
        ("nothing is done", around("cp-1"), disk(), ALL),
        ("kubeadm is installed", around("cp-1"), disk(kubeadm="1.37.2-1.1"), ALL),
        ("kubeadm was cut in the middle", around("cp-1", moved=("cp-1",)), disk(kubeadm="1.37.2-1.1"), ALL),
        (
            "kubeadm is through",
            around("cp-1", moved=("cp-1",), written=NEW),
            disk(kubeadm="1.37.2-1.1"),
            ["packages", "drain", "kubelet", "settle"],
        ),
        (
            "the packages are there, and the old kubelet still runs",
            around("cp-1", moved=("cp-1",), written=NEW, cordoned=True, mark=MARK),
            disk("1.37.2-1.1"),
            ["drain", "kubelet", "settle"],
        ),
        (
            "only the uncordon is missing",
            around("cp-1", moved=("cp-1",), written=NEW, kubelet=NEW, cordoned=True, mark=MARK),
            disk("1.37.2-1.1"),
            ["settle"],
        ),
        ("all is done", around("cp-1", moved=("cp-1",), written=NEW, kubelet=NEW), disk("1.37.2-1.1"), []),
        (
            "a worker has no etcd",
            around("worker-1", moved=CONTROL_PLANES, written=NEW),
            disk(),
            ["packages", "kubeadm", "drain", "kubelet", "settle"],
        ),
        (
            "a worker that is through",
            around("worker-1", moved=CONTROL_PLANES, written=NEW, kubelet=NEW),
            disk("1.37.2-1.1"),
            [],
        ),
    ],
)
def test_what_is_left(why, here, host, names):
    assert left(here, host) == names, why


def test_what_is_not_wanted():
    assert left(around("cp-1"), disk(), snapshot=False, drain=False) == [
        "packages",
        "kubeadm",
        "kubelet",
        "settle",
    ]


def test_a_node_that_was_cordoned_before_is_not_uncordoned():
    def title(here):
        return stages.stages(here, disk(), target.role(here, NEW), GOAL, snapshot=True, drain=True)[-1].title

    assert title(around("cp-1")).endswith("uncordoned")
    assert not title(around("cp-1", cordoned=True)).endswith("uncordoned")
    assert title(around("cp-1", cordoned=True, mark=MARK)).endswith("uncordoned")
