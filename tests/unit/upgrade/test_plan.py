"""The steps of a node's upgrade, and which are over wherever a run was cut."""

from dataclasses import replace

import pytest

from kubectl_admin.upgrade import plan, target
from kubectl_admin.upgrade.facts import Mark, Record, Role, Target
from kubectl_admin.versions.version import Version
from tests.unit.upgrade.cases import CONTROL_PLANES, NEW, OLD, disk, facts, only_one

GOAL = Target(NEW, "1.37.2-1.1")
MARK = Mark("1.37.2", "2026-11-25T12:00:00+00:00", uncordon=True)
ALL = ["packages", "snapshot", "kubeadm", "drain", "kubelet", "settle"]


def left(here, host, *, snapshot=True, drain=True):
    role = target.role(here, NEW, host.records.get("kubeadm"))
    steps = plan.steps(here, host, role, GOAL, snapshot=snapshot, drain=drain)
    return [step.name for step in steps if not step.done]


def records(kubeadm=None, *, packages=0, kubelet="-"):
    """What the jobs have written: kubeadm's mode and exit code; None is one that was killed."""
    found = {"packages": Record("1.37.2-1.1", "-", packages)}
    if kubeadm:
        found["kubeadm"] = Record("v1.37.2", *kubeadm)
    if kubelet != "-":
        found["kubelet"] = Record("1.37.2-1.1", "-", kubelet)
    return {"records": found}


def without_kubectl(package):
    """A host whose kubectl was never installed."""
    host = disk(package)
    installed = dict.fromkeys(("kubeadm", "kubelet"), package)
    return replace(host, packages=replace(host.packages, installed=installed))


MOVED = facts("cp-1", moved=("cp-1",), written=NEW)
DONE = facts("cp-1", moved=("cp-1",), written=NEW, kubelet=NEW)
WORKER_DONE = facts("worker-1", moved=CONTROL_PLANES, written=NEW, kubelet=NEW)


@pytest.mark.parametrize(
    ("why", "here", "host", "names"),
    [
        ("nothing is done", facts("cp-1"), disk(), ALL),
        ("kubeadm is installed", facts("cp-1"), disk(kubeadm="1.37.2-1.1"), ALL),
        ("kubeadm was cut in the middle", facts("cp-1", moved=("cp-1",)), disk(kubeadm="1.37.2-1.1"), ALL),
        ("static pods and kubeadm-config are no end of it", MOVED, disk(kubeadm="1.37.2-1.1"), ALL),
        (
            "kubeadm was killed when these were there",
            MOVED,
            disk(kubeadm="1.37.2-1.1", **records(("apply", None))),
            ALL,
        ),
        ("kubeadm has failed at its end", MOVED, disk(kubeadm="1.37.2-1.1", **records(("node", 1))), ALL),
        (
            "kubeadm is through",
            MOVED,
            disk(kubeadm="1.37.2-1.1", **records(("apply", 0))),
            ["packages", "drain", "kubelet", "settle"],
        ),
        (
            "another version's kubeadm was through",
            MOVED,
            disk(kubeadm="1.37.2-1.1", records={"kubeadm": Record("v1.37.1", "apply", 0)}),
            ALL,
        ),
        (
            "kubeadm was through as a further one, and is the first one now",
            facts("cp-1", moved=("cp-1",)),
            disk("1.37.2-1.1", **records(("node", 0))),
            ["snapshot", "kubeadm", "drain", "kubelet", "settle"],
        ),
        (
            "the packages are there, and the old kubelet still runs",
            facts("cp-1", moved=("cp-1",), written=NEW, cordoned=True, mark=MARK),
            disk("1.37.2-1.1", **records(("apply", 0))),
            ["drain", "kubelet", "settle"],
        ),
        (
            "a kubelet that was killed in its installation, and started by a reboot",
            DONE,
            disk("1.37.2-1.1", **records(("apply", 0), kubelet=None)),
            ["drain", "kubelet", "settle"],
        ),
        (
            "kubeadm was killed, and somebody has installed the rest",
            DONE,
            disk("1.37.2-1.1", **records(("apply", None))),
            ["snapshot", "kubeadm", "settle"],
        ),
        (
            "a worker's kubeadm was killed, and somebody has installed the rest",
            WORKER_DONE,
            disk("1.37.2-1.1", **records(("node", None))),
            ["kubeadm", "settle"],
        ),
        (
            "packages were cut, and somebody has installed them",
            WORKER_DONE,
            disk("1.37.2-1.1", **records(packages=None)),
            ["packages", "settle"],
        ),
        (
            "only the uncordon is missing",
            facts("cp-1", moved=("cp-1",), written=NEW, kubelet=NEW, cordoned=True, mark=MARK),
            disk("1.37.2-1.1", **records(("apply", 0), kubelet=0)),
            ["settle"],
        ),
        (
            "all is done but for what an earlier run has left on the node",
            DONE,
            disk("1.37.2-1.1", **records(("apply", 0), kubelet=0)),
            ["settle"],
        ),
        ("all is done, or was made so", DONE, disk("1.37.2-1.1"), []),
        ("a node without kubectl", WORKER_DONE, without_kubectl("1.37.2-1.1"), []),
        (
            "a worker has no etcd",
            facts("worker-1", moved=CONTROL_PLANES, written=NEW),
            disk(),
            ["packages", "kubeadm", "drain", "kubelet", "settle"],
        ),
        (
            "a worker that is through",
            facts("worker-1", moved=CONTROL_PLANES, written=NEW, kubelet=NEW),
            disk("1.37.2-1.1"),
            [],
        ),
    ],
)
def test_what_is_left(why, here, host, names):
    assert left(here, host) == names, why


def test_the_node_where_apply_has_begun_stays_the_first_one():
    """`upgrade node` would leave out ConfigMap kubelet-config and the rules of bootstrap tokens."""
    begun = Record("v1.37.2", "apply", None)
    later = facts("cp-1", moved=("cp-1", "cp-2"), written=NEW)
    assert target.role(later, NEW, begun) is Role.FIRST
    assert target.role(later, NEW, Record("v1.37.1", "apply", None)) is Role.FURTHER
    assert target.role(later, NEW, Record("v1.37.2", "node", None)) is Role.FURTHER
    assert target.role(WORKER_DONE, NEW, begun) is Role.WORKER


@pytest.mark.parametrize(
    ("cordoned", "wanted", "counts"), [(True, NEW, True), (False, NEW, False), (True, OLD, False)]
)
def test_a_mark_counts_while_its_cordon_is_there_and_for_its_version(cordoned, wanted, counts):
    here = facts("cp-1", cordoned=cordoned, mark=MARK)
    assert (plan.mark_that_counts(here, Target(wanted, "")) == MARK) is counts


@pytest.mark.parametrize(
    ("cordoned", "uncordon", "drained", "counts"),
    [
        (True, True, True, True),
        (False, True, True, False),
        (True, False, True, False),
        (True, True, False, False),
    ],
)
def test_a_cordon_of_ones_own_ends_also_where_the_cluster_has_gone_on_meanwhile(
    cordoned, uncordon, drained, counts
):
    mark, later = replace(MARK, uncordon=uncordon), Target(Version(1, 37, 3), "1.37.3-1.1")
    here = facts("worker-1", cordoned=cordoned, mark=mark, drained=drained)
    assert (plan.mark_that_counts(here, later) == mark) is counts
    last = plan.steps(here, disk(), Role.WORKER, later, snapshot=False, drain=True)[-1]
    assert last.title.endswith("uncordoned") is (counts or not cordoned)


def test_a_kubelet_of_a_pre_release_still_has_to_go():
    early = facts("worker-1", moved=CONTROL_PLANES, written=NEW, kubelet=Version(1, 37, 2, "-rc.1"))
    assert "kubelet" in left(early, disk("1.37.2-1.1"))
    own = facts("worker-1", moved=CONTROL_PLANES, written=NEW, kubelet=Version(1, 37, 2, "+vendor.1"))
    assert left(own, disk("1.37.2-1.1")) == []


@pytest.mark.parametrize("suffix", ["-1+1a2b3c4", "-eks-2d5f260", "-aliyun.1"])
def test_a_build_that_is_written_like_a_pre_release_is_there(suffix):
    built = facts("worker-1", moved=CONTROL_PLANES, written=NEW, kubelet=Version(1, 37, 2, suffix))
    assert left(built, disk("1.37.2-1.1")) == []


def test_what_is_not_wanted():
    assert left(facts("cp-1"), disk(), snapshot=False, drain=False) == [
        "packages",
        "kubeadm",
        "kubelet",
        "settle",
    ]


def test_what_was_not_done_is_not_said_to_be_done():
    """A node that was made at its version was neither saved before nor drained, nor had kubeadm's command."""
    for here in (DONE, only_one(DONE), WORKER_DONE):
        steps = plan.steps(here, disk("1.37.2-1.1"), target.role(here, NEW), GOAL, snapshot=True, drain=True)
        states = {step.name: plan.state(step) for step in steps}
        assert states.pop("snapshot", "not needed") == "not needed"
        assert states.pop("drain") == "not needed"
        assert set(states.values()) == {"done"}
        assert not any("kubeadm upgrade" in step.title for step in steps)


@pytest.mark.parametrize("mode", ["apply", "node"])
def test_a_command_of_kubeadm_that_is_over_is_named_by_its_record(mode):
    here = facts("cp-2", moved=("cp-1", "cp-2"), written=NEW)
    host = disk("1.37.2-1.1", **records((mode, 0)))
    steps = plan.steps(
        here, host, Role.FIRST if mode == "apply" else Role.FURTHER, GOAL, snapshot=True, drain=True
    )
    step = next(step for step in steps if step.name == "kubeadm")
    assert step.done
    assert step.title.startswith(f"kubeadm upgrade {mode}")


def test_a_node_that_was_cordoned_before_is_not_uncordoned():
    def title(here):
        return plan.steps(here, disk(), target.role(here, NEW), GOAL, snapshot=True, drain=True)[-1].title

    assert title(facts("cp-1")) == "Ready at its version, and uncordoned"
    assert not title(facts("cp-1", cordoned=True)).endswith("uncordoned")
    assert title(facts("cp-1", cordoned=True, mark=MARK)).endswith("uncordoned")
