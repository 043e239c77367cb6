from dataclasses import replace

import pytest

from kubectl_admin.drain.labels import Selector
from kubectl_admin.health.facts import Condition, Container, Pod
from kubectl_admin.health.judge import workloads
from kubectl_admin.health.object_facts import Budget, Objects, Workload
from tests.unit.health.made import (
    APISERVER,
    KUBE_PROXY,
    YESTERDAY,
    ago,
    container,
    facts,
    no_reply,
    node,
    pod,
    process,
)

CALICO = "calico-system"


def short(found):
    """Severity, rule and objects of each finding."""
    return [(str(one.severity), one.rule, one.objects) for one in found]


def one(name="web-1", ready=False, seconds=600, namespace="kube-system", **fields):
    """A critical pod on w1, not Ready for so many seconds."""
    standing = {
        "node": "w1",
        "phase": "Running",
        "since": ago(seconds),
        "created": YESTERDAY,
        "priority_class": "system-cluster-critical",
        "owner": "ReplicaSet",
        "owner_name": "web",
        "message": "ContainersNotReady: containers with unready status: [web]",
    }
    return Pod(**({"namespace": namespace, "name": name, "ready": ready} | standing | fields))


def crashing(**fields):
    """Such a pod whose program does not stay up."""
    here = Container("web", False, 7, "CrashLoopBackOff", exit_code=1, reason="Error")
    return one(containers=(here,), **fields)


def judged(check, *nodes, **objects):
    """What a check finds in these objects, on cp-1 and w1 where nothing else is said."""
    return list(check(facts(*nodes, objects=Objects(**objects))))


@pytest.mark.parametrize(
    ("here", "severity"),
    [
        (one(ready=True), None),
        (one(), "violation"),
        (one(namespace=CALICO), "warning"),
        (one(priority_class="system-node-critical"), "violation"),
        (one(priority_class=""), None),
        (one(priority_class="high"), None),
        (one(seconds=61), "violation"),
        (one(seconds=59), None),
        (one(ready=None, since=None, created=ago(59), phase="Pending"), None),
        (one(ready=None, since=None, created=ago(61), phase="Pending", node=""), "violation"),
        (one(phase="Succeeded"), None),  # its work is done
        (one(phase="Failed", message="Evicted: low on memory"), None),  # another stands in its place
        (one(deleted=ago(30)), None),
        (crashing(), "violation"),
        (crashing(seconds=5), "violation"),
        (crashing(created=ago(50)), None),
        (crashing(namespace=CALICO), "warning"),
    ],
)
def test_critical_pods_are_ready_within_a_minute(here, severity):
    found = short(judged(workloads.critical, pods=(here,)))
    assert found == ([(severity, "critical-pod", (f"pod/{here.namespace}/web-1",))] if severity else [])


def test_a_pod_says_why_it_is_not_well():
    waiting, unready, unscheduled = (
        judged(workloads.critical, pods=(here,))[0]
        for here in (
            crashing(),
            one(),
            one(phase="Pending", node="", message="Unschedulable: 0/4 nodes are available"),
        )
    )
    assert waiting.evidence == "container web: CrashLoopBackOff, 7 restarts, exit code 1"
    assert unready.evidence == "not Ready: ContainersNotReady: containers with unready status: [web]"
    assert unscheduled.evidence == "not Ready: Unschedulable: 0/4 nodes are available"
    assert unready.since == ago(600)


def test_pods_of_one_owner_are_one_finding():
    pods = (one("web-1"), one("web-2", seconds=900), crashing(name="web-3"), one("db-1", owner_name="db"))
    found = judged(workloads.critical, pods=pods)
    assert [each.subject for each in found] == [
        "2 pods of ReplicaSet kube-system/web",
        "pod kube-system/web-3",
        "pod kube-system/db-1",
    ]
    assert found[0].since == ago(900)


def test_pods_on_a_node_that_is_not_ready_follow_from_it():
    off = replace(node("w1"), conditions=(Condition("Ready", "Unknown", since=ago(600)),))
    assert judged(workloads.critical, node("cp-1"), off, pods=(one(),)) == []


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({}, False),  # it answers that it is well: a contradiction is told elsewhere
        ({"replies": {"/livez": no_reply("refused"), "/readyz": no_reply("refused")}}, False),  # port-closed
        ({"replies": {"/livez": no_reply("forbidden"), "/readyz": no_reply("forbidden")}}, True),
    ],
)
def test_a_component_that_was_asked_has_a_finding_of_its_own(fields, found):
    shown = pod(APISERVER, "cp-1", ready=False, since=ago(600))
    here = node("cp-1", [process(APISERVER, "cp-1", pod=shown, **fields)])
    assert bool(judged(workloads.critical, here, pods=(shown,))) is found


def test_a_component_on_a_node_that_was_not_asked_is_judged_by_its_pod():
    here = node("cp-1", way=no_reply("left out"))
    shown = pod(APISERVER, "cp-1", ready=False, since=ago(600), message="ContainersNotReady")
    here = replace(here, processes=(process(APISERVER, "cp-1", {}, pod=shown),))
    assert short(judged(workloads.critical, here, pods=(shown,))) == [
        ("violation", "critical-pod", ("pod/kube-system/kube-apiserver-cp-1",))
    ]


PROXY = Workload("DaemonSet", "kube-system", "kube-proxy", 2, 2, 2, 2, 2, YESTERDAY, Selector())


def proxies(*given, names=("cp-1", "w1")):
    """kube-proxy's pods, well on each of these nodes unless they are given."""
    standing = [pod(KUBE_PROXY, name, owner_name="kube-proxy", since=ago(7200)) for name in names]
    return (*standing[: len(names) - len(given)], *given)


def proxy(ready=False, seconds=1000, **fields):
    """kube-proxy's pod on w1."""
    return pod(KUBE_PROXY, "w1", ready=ready, since=ago(seconds), owner_name="kube-proxy", **fields)


@pytest.mark.parametrize(
    ("workload", "pods", "found"),
    [
        (PROXY, proxies(), False),
        # One pod is not Ready.
        (replace(PROXY, available=1), proxies(proxy(seconds=901)), True),
        (replace(PROXY, available=1), proxies(proxy(seconds=899)), False),
        (replace(PROXY, available=1), proxies(proxy(seconds=901, deleted=ago(5))), False),
        # A roll-out goes on as long as pods begin.
        (replace(PROXY, updated=1, changed=ago(960)), proxies(), True),
        (replace(PROXY, updated=1, changed=ago(600)), proxies(), False),
        (replace(PROXY, updated=1, changed=ago(3600)), proxies(proxy(ready=True, seconds=300)), False),
        (replace(PROXY, updated=1, changed=ago(3600), on_delete=True), proxies(), False),
        # A pod is not there.
        (replace(PROXY, available=1, current=1), proxies(names=("cp-1",)), True),
        # Other DaemonSets.
        (replace(PROXY, available=1, namespace=CALICO), proxies(proxy()), False),
        (replace(PROXY, available=1, kind="Deployment"), proxies(proxy()), False),
        # Nobody knows for how long.
        (replace(PROXY, available=1), None, False),
    ],
)
def test_daemonsets_that_stand_still(workload, pods, found):
    seen = short(judged(workloads.daemonsets, pods=pods, workloads=(workload,)))
    assert seen == ([("warning", "daemonset-stuck", ("daemonset/kube-system/kube-proxy",))] if found else [])


def test_the_pod_of_a_node_that_has_just_joined_is_not_missing():
    here = replace(PROXY, desired=3)
    young = node("w2", created=ago(20), conditions=(Condition("Ready", "True", since=ago(5)),))
    back = node("w2", conditions=(Condition("Ready", "True", since=ago(5)),))
    for last in (young, back):
        nodes = (node("cp-1"), node("w1"), last)
        assert judged(workloads.daemonsets, *nodes, pods=proxies(), workloads=(here,)) == []


def test_nodes_that_hold_up_a_roll_out_are_named():
    off = replace(node("w1"), conditions=(Condition("Ready", "Unknown", since=ago(3600)),))
    here = replace(PROXY, updated=1, available=1, changed=ago(3600))
    (found,) = judged(
        workloads.daemonsets, node("cp-1"), off, pods=proxies(proxy(seconds=3600)), workloads=(here,)
    )
    assert found.evidence == (
        "of 2 pods 1 are of its present template and 1 available; none has begun or become Ready for"
        " 15 minutes; nodes that are not Ready: w1"
    )
    assert found.fix.startswith("bring those nodes back")


def guarded(name, ready=True, seconds=3600, **fields):
    """A pod that a budget counts."""
    return one(name, ready, seconds, "default", priority_class="", **fields)


@pytest.mark.parametrize(
    ("pods", "found"),
    [
        ((guarded("a"), guarded("b", ready=False, seconds=901)), True),
        ((guarded("a"), guarded("b", ready=False, seconds=899)), False),  # an update, a drain
        ((guarded("a"), guarded("b", ready=None, since=None, created=ago(901), phase="Pending")), True),
        ((guarded("a"), guarded("b", ready=None, since=None, created=ago(30), phase="Pending")), False),
        ((guarded("a"), guarded("b", ready=False, seconds=901, deleted=ago(10))), False),
        ((guarded("a"), guarded("b", ready=False, phase="Failed")), False),
        # A third is coming, with which there would be enough.
        ((guarded("a"), guarded("b", False, 901), guarded("c", False, 30)), False),
        ((guarded("a"),), False),  # too few for what it wants: no pod is unwell
        ((), False),
    ],
)
def test_budgets_that_are_short_for_long(pods, found):
    budget = Budget("default", "web", 2, 1, YESTERDAY, pods)
    seen = short(judged(workloads.budgets, budgets=(budget,)))
    assert seen == ([("warning", "budget-short", ("poddisruptionbudget/default/web",))] if found else [])


def test_a_budget_is_short_since_the_last_pod_that_it_lacks():
    pods = (guarded("a"), guarded("b", ready=False, seconds=7200), guarded("c", ready=False, seconds=1200))
    (found,) = judged(workloads.budgets, budgets=(Budget("default", "web", 2, 1, YESTERDAY, pods),))
    assert found.since == ago(1200)
    assert found.evidence == "it needs 2 healthy pods and has 1; not Ready: b, c"


def test_a_container_that_runs_is_no_reason():
    here = one(containers=(container("web", ready=False),))
    assert judged(workloads.critical, pods=(here,))[0].evidence.startswith("not Ready: ")
