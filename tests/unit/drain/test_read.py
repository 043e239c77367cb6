from datetime import UTC, datetime

import pytest

from kubectl_admin.drain import read
from kubectl_admin.drain.facts import AntiAffinity, Owner, Taint, Toleration
from kubectl_admin.drain.labels import Requirement, Selector
from kubectl_admin.errors import AdminError
from tests.unit.drain.samples import label

METADATA = {"namespace": "shop", "name": "one", "uid": "u"}


def test_a_bare_pod_without_status_is_read():
    pod = read.pod({"metadata": METADATA, "spec": {}})
    assert (pod.phase, pod.ready, pod.controller, pod.grace, pod.priority) == ("", False, None, 30, 0)
    assert pod.demands.requests == {"pods": 1.0}


@pytest.mark.parametrize("said", ["soon", 7, {"when": "now"}, "2026-13-45T00:00:00Z"])
def test_a_deletion_whose_time_can_not_be_read_is_an_error_that_names_the_pod(said):
    with pytest.raises(AdminError, match="pod shop/one: its deletionTimestamp is not a time"):
        read.pod({"metadata": METADATA | {"deletionTimestamp": said}, "spec": {}})


def test_a_pod_with_everything_is_read():
    other = {"kind": "Node", "name": "w1", "uid": "n", "apiVersion": "v1"}
    mine = {"kind": "Job", "name": "j", "uid": "j", "apiVersion": "batch/v1", "controller": True}
    pod = read.pod(
        {
            "metadata": METADATA
            | {
                "ownerReferences": [other, mine],
                "annotations": {"kubernetes.io/config.mirror": "x"},
                "deletionTimestamp": "2026-11-25T12:00:00Z",
                "labels": {"app": "web"},
            },
            "spec": {
                "nodeName": "w1",
                "priority": 7,
                "terminationGracePeriodSeconds": 0,
                "volumes": [
                    {"name": "a", "emptyDir": {}},
                    {"name": "b", "persistentVolumeClaim": {"claimName": "data"}},
                    {"name": "c", "ephemeral": {"volumeClaimTemplate": {}}},
                    {"name": "d", "hostPath": {"path": "/"}},
                ],
                "tolerations": [
                    {"key": "gpu", "value": "yes", "effect": "NoSchedule"},
                    {"operator": "Exists"},
                ],
                "nodeSelector": {"disk": "ssd"},
            },
            "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]},
        }
    )
    assert pod.controller == Owner("Job", "j", "j", "batch/v1")
    assert (pod.mirror, pod.empty_dirs, pod.claims) == (True, ("a",), ("data", "one-c"))
    assert pod.deleted == datetime(2026, 11, 25, 12, tzinfo=UTC)
    assert (pod.node, pod.ready, pod.priority, pod.grace) == ("w1", True, 7, 0)
    assert pod.demands.tolerations == (
        Toleration("gpu", "Equal", "yes", "NoSchedule"),
        Toleration("", "Exists", "", ""),
    )
    assert pod.demands.node_selector == (label("disk", "ssd"),)


def asks(cpu, **more):
    return {"resources": {"requests": {"cpu": cpu}}, **more}


@pytest.mark.parametrize(
    ("name", "spec", "cpu"),
    [
        ("containers together", {"containers": [asks("1"), asks("500m")]}, 1.5),
        ("the largest initial one", {"containers": [asks("1")], "initContainers": [asks("3"), asks("2")]},
         3.0),
        ("a sidecar with the others", {"containers": [asks("1")],
         "initContainers": [asks("1", restartPolicy="Always")]}, 2.0),
        ("overhead", {"containers": [asks("1")], "overhead": {"cpu": "250m"}}, 1.25),
        ("of the pod as a whole", {"containers": [asks("1")], "resources": {"requests": {"cpu": "4"}}}, 4.0),
        ("nothing at all", {"containers": [{"resources": None}, {}]}, 0.0),
    ],
)  # fmt: skip
def test_what_a_pod_counts_for(name, spec, cpu):
    assert read.requests(spec).get("cpu", 0.0) == cpu, name


def test_affinities_are_read():
    term = {
        "matchExpressions": [{"key": "zone", "operator": "In", "values": ["a"]}],
        "matchFields": [{"key": "metadata.name", "operator": "In", "values": ["w1"]}],
    }
    required = "requiredDuringSchedulingIgnoredDuringExecution"
    demands = read.demands(
        "shop",
        {
            "affinity": {
                "nodeAffinity": {required: {"nodeSelectorTerms": [term, {}]}},
                "podAntiAffinity": {
                    required: [
                        {"labelSelector": {"matchLabels": {"app": "db"}}, "topologyKey": "zone"},
                        {"topologyKey": "zone", "namespaces": ["other"]},
                    ]
                },
            }
        },
    )
    nothing = (Requirement("", "Exists"),)
    assert demands.affinity == ((label("zone", "a"), label("metadata.name", "w1")), nothing)
    assert demands.anti_affinity == (
        AntiAffinity(Selector((label("app", "db"),)), "zone", ("shop",)),
        AntiAffinity(Selector(nothing), "zone", ("other",)),
    )


def test_a_node_is_read():
    node = read.node(
        {
            "metadata": {"name": "w1", "uid": "u", "labels": {"a": "b"}},
            "spec": {
                "unschedulable": True,
                "taints": [
                    {"key": "k", "effect": "NoSchedule"},
                    {"key": "l", "value": "v", "effect": "NoExecute"},
                ],
            },
            "status": {
                "allocatable": {"cpu": "3800m", "memory": "1Ki"},
                "conditions": [{"type": "Ready", "status": "Unknown"}],
            },
        }
    )
    assert node.labels == {"a": "b", "metadata.name": "w1"}
    assert [str(taint) for taint in node.taints] == ["k:NoSchedule", "l=v:NoExecute"]
    assert (node.unschedulable, node.ready) == (True, False)
    assert node.allocatable == pytest.approx({"cpu": 3.8, "memory": 1024.0})
    assert read.node({"metadata": {"name": "w2"}}).taints == ()


@pytest.mark.parametrize(
    ("spec", "wants"),
    [
        ({"minAvailable": 0}, "minAvailable 0"),
        ({"minAvailable": "100%"}, "minAvailable 100%"),
        ({"maxUnavailable": 0}, "maxUnavailable 0"),
        ({}, ""),
    ],
)
def test_what_a_budget_demands(spec, wants):
    budget = read.budget({"metadata": {"namespace": "shop", "name": "b"}, "spec": spec})
    assert budget.wants == wants
    assert budget.selector is None


def test_a_budgets_numbers_are_read():
    status = {
        "disruptionsAllowed": 1,
        "currentHealthy": 3,
        "desiredHealthy": 2,
        "expectedPods": 4,
        "observedGeneration": 1,
        "conditions": [{"reason": "SyncFailed", "status": "False", "message": "no scale"}],
    }
    budget = read.budget(
        {
            "metadata": {"namespace": "shop", "name": "b", "generation": 2},
            "spec": {"selector": {}, "unhealthyPodEvictionPolicy": "AlwaysAllow"},
            "status": status,
        }
    )
    assert (budget.allowed, budget.current, budget.desired, budget.expected) == (1, 3, 2, 4)
    assert (budget.stale, budget.failure, budget.always_unhealthy) == (True, "no scale", True)
    assert budget.selector == Selector()


def test_where_a_claims_volume_can_be_used_is_read():
    term = {"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": ["w1"]}]}
    volumes = {"pv": {"spec": {"nodeAffinity": {"required": {"nodeSelectorTerms": [term]}}}}, "net": {}}
    assert read.claim({"spec": {"volumeName": "pv"}}, volumes).affinity == (
        (label("kubernetes.io/hostname", "w1"),),
    )
    assert read.claim({"spec": {"volumeName": "net"}}, volumes).affinity is None
    assert read.claim({"spec": {}}, volumes).volume == ""


@pytest.mark.parametrize(
    ("toleration", "taint", "covers"),
    [
        (Toleration("k", "Equal", "v", ""), Taint("k", "v", "NoSchedule"), True),
        (Toleration("k", "Equal", "v", "NoExecute"), Taint("k", "v", "NoSchedule"), False),
        (Toleration("k", "Equal", "", ""), Taint("k", "v", "NoSchedule"), False),
        (Toleration("k", "Exists", "", ""), Taint("k", "v", "NoSchedule"), True),
        (Toleration("other", "Exists", "", ""), Taint("k", "v", "NoSchedule"), False),
        (Toleration("", "Exists", "", ""), Taint("k", "v", "NoSchedule"), True),
        (Toleration("", "Equal", "v", ""), Taint("k", "v", "NoSchedule"), False),
    ],
)
def test_a_toleration_covers_a_taint(toleration, taint, covers):
    assert toleration.covers(taint) is covers
