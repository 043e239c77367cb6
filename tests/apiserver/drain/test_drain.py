"""Whole drains: what a node is like afterwards, who leaves in which order, and what is cut short."""

import json
import re
import signal

import pytest

from kubectl_admin.cluster.connection import MERGE_PATCH
from kubectl_admin.drain import drain
from kubectl_admin.drain.cordon import Cordon
from kubectl_admin.drain.evict import DrainError
from kubectl_admin.drain.filters import Flags
from kubectl_admin.drain.progress import DrainProgress
from kubectl_admin.node import leftovers, manifest
from tests.apiserver.drain.kinds import HOUR, KINDS
from tests.apiserver.drain.process import draining, ended, finished, until
from tests.apiserver.drain.world import NOW, REPLICASET, budget, numbers, owner, pod
from tests.program import environ, run

pytestmark = pytest.mark.lab


def test_a_drained_node_is_empty_and_cordoned_until_uncordon_takes_it_back(world):
    kinds = ("replicaset", "statefulset", "bare-succeeded", "custom")
    world.put(*(pod(name, world.node, **KINDS[name]) for name in kinds))
    with world.kubelet():
        answer = finished(world)
    assert answer.code == 0, answer.err
    assert re.search(rf"node/{world.node} drained in \d+s: 4 pods gone", " ".join(answer.out.split()))
    assert world.pods() == set()
    assert world.is_cordoned
    back = run("uncordon", world.node, env=environ(KUBECONFIG=str(world.kubeconfig)))
    assert (back.code, back.out) == (0, f"node {world.node} uncordoned\n")
    assert not world.is_cordoned
    assert Cordon.of(world.node_object()) is None


def test_a_dry_run_touches_nothing(world):
    world.put(pod("one", world.node, owner=REPLICASET))
    answer = finished(world, "--dry-run")
    assert (answer.code, answer.err) == (0, "")
    assert not world.is_cordoned
    assert world.pods() == {"one"}


def test_nothing_is_done_where_nobody_can_be_asked(world):
    world.put(pod("one", world.node, owner=REPLICASET))
    answer = run(*("drain", world.node, "--ignore-daemonsets"), env=environ(KUBECONFIG=str(world.kubeconfig)))
    assert answer.code == 2
    assert f"drain node {world.node} of context kubernetes-admin@" in answer.err
    assert not world.is_cordoned


def test_the_outcome_as_a_document_is_all_that_is_on_stdout(world):
    world.put(pod("one", world.node, owner=REPLICASET))
    planned = json.loads(finished(world, "--dry-run", "-o", "json").out)
    assert planned["kind"] == "DrainPreview"
    assert [item["action"] for item in planned["items"]] == ["evict", "leave"]
    with world.kubelet():
        answer = finished(world, "-o", "json")
    document = json.loads(answer.out)
    assert (document["kind"], document["node"]) == ("NodeDrain", world.node)
    assert document["cordonedBefore"] is False
    assert [(item["name"], item["outcome"]) for item in document["items"]] == [("one", "gone")]
    assert "pod moving/one is gone" in answer.err


def test_a_pod_that_is_refused_keeps_the_node_from_being_touched(world):
    world.put(pod("one", world.node), pod("two", world.node, owner=REPLICASET))
    answer = finished(world)
    assert answer.code == 3
    assert "add --force" in answer.out
    assert "nothing was changed" in answer.err
    assert not world.is_cordoned
    assert world.pods() == {"one", "two"}


def test_a_pod_that_may_not_be_touched_and_came_before_the_cordon_ends_the_drain(world):
    """Between the preview and the cordon there is a person who thinks."""
    world.put(pod("one", world.node, owner=REPLICASET))
    seen = drain.look(world.cluster, world.node, drain.Options(Flags(ignore_daemonsets=True)))
    world.put(pod("bare", world.node))
    with pytest.raises(DrainError, match=r"moving/bare \(no controller: --force\)"):
        drain.drain(world.cluster, seen, drain.Options(seen.flags), DrainProgress())
    assert not world.is_cordoned
    assert world.pods() == {"one", "bare"}


def test_critical_pods_leave_last(world):
    critical = {"priorityClassName": "system-cluster-critical"}
    world.put(
        pod("dns", world.node, owner=REPLICASET, spec=critical), pod("web", world.node, owner=REPLICASET)
    )
    with world.kubelet():
        answer = finished(world)
    lines = [line for line in answer.err.splitlines() if "pod moving/" in line]
    assert [line.split(" (")[0] for line in lines] == [
        *("evicting pod moving/web", "pod moving/web is gone"),
        *("evicting pod moving/dns", "pod moving/dns is gone"),
    ]


def test_a_pod_that_takes_the_place_of_one_that_left_is_no_part_of_the_drain(world):
    """A StatefulSet makes a pod of the same name at once; here even on the same node, tolerating all."""
    tolerant = {"tolerations": [{"operator": "Exists"}]}
    world.put(pod("db-0", world.node, owner=owner("StatefulSet", "db")))
    with draining(world) as process:
        until(process, "evicting pod moving/db-0")
        while world.pods():
            world.cluster.delete(world.path("pods", "db-0"), NOW)
            break
        world.put(pod("db-0", world.node, owner=owner("StatefulSet", "db"), spec=tolerant))
        answer = ended(process)
    assert answer.code == 0, answer.err
    assert world.pods() == {"db-0"}


def test_a_pod_bound_before_the_scheduler_saw_the_cordon_leaves_as_well(world):
    world.put(pod("one", world.node, owner=REPLICASET), budget("guard", {"case": "one"}, numbers(0, 2, 2, 3)))
    trio = owner("ReplicaSet", "trio")
    world.put(*(pod(f"trio-{number}", world.node, owner=trio) for number in range(3)))
    with world.kubelet(), draining(world) as process:
        until(process, "pod moving/one waits")
        for number in range(3):
            world.put(pod(f"late-trio-{number}", world.node, owner=trio))
            until(process, f"pod moving/late-trio-{number} is gone")
        world.put(pod("late", world.node, owner=owner("ReplicaSet", "other")), pod("late-bare", world.node))
        alone = "pod moving/late-bare came after the cordon and is left alone (no controller)"
        until(process, alone, "pod moving/late is gone")
        # Whoever puts one here again and again, past the scheduler, would never come to an end.
        world.put(pod("again", world.node, owner=owner("ReplicaSet", "other")))
        until(process, "pod moving/again came again despite the cordon and is left alone")
        world.cluster.delete(world.path("poddisruptionbudgets", "guard"))
        answer = ended(process)
    assert answer.code == 3, answer.err
    said = " ".join(answer.out.split())
    assert "still there, since they came during the drain: moving/late-bare, moving/again" in said
    assert world.pods() == {"late-bare", "again"}


def test_a_pod_that_is_held_since_it_is_not_ready_leaves_once_its_budget_lets_it(world):
    """IfHealthyBudget holds it while too few are healthy, and nobody makes it so by waiting."""
    world.put(pod("one", world.node, owner=REPLICASET), budget("guard", {"case": "one"}, numbers(0, 0, 1, 2)))
    world.set_status("pods", "one", {"conditions": [{"type": "Ready", "status": "False"}]})
    assert "the pod itself is not Ready" in " ".join(finished(world, "--dry-run").out.split())
    with world.kubelet(), draining(world) as process:
        until(process, "pod moving/one waits")
        let = {"spec": {"unhealthyPodEvictionPolicy": "AlwaysAllow"}}
        world.cluster.patch(world.path("poddisruptionbudgets", "guard"), let, MERGE_PATCH)
        # Its numbers count again once the disruption controller, which is not there, has seen the change.
        seen = {**numbers(0, 0, 1, 2), "observedGeneration": 2}
        world.set_status("poddisruptionbudgets", "guard", seen)
        until(process, "pod moving/one is gone")
        answer = ended(process)
    assert answer.code == 0, answer.err


def test_a_pod_that_a_tenant_has_labelled_as_a_debug_pod_ends_no_look_at_them(world):
    nasty = pod("kubectl-admin-0123456789-ffff", world.node)
    nasty["metadata"]["labels"] = {**manifest.LABELS, manifest.OPERATION: "0123456789"}
    nasty["metadata"]["annotations"] = {manifest.OWNER: f"x y {'9' * 5000} z"}
    world.put(nasty)
    assert [left.owner for left in leftovers.pods(world.cluster, world.namespace)] == [None]


def test_a_pod_that_takes_its_time_is_waited_for(world):
    world.put(pod("one", world.node, owner=REPLICASET))
    with draining(world) as process:
        until(process, "evicting pod moving/one")
        while not world.cluster.get(world.path("pods", "one"))["metadata"].get("deletionTimestamp"):
            assert process.poll() is None
        world.cluster.delete(world.path("pods", "one"), NOW)
        answer = ended(process)
    assert answer.code == 0, answer.err


def test_pods_that_ended_too_long_ago_are_not_waited_for(world):
    """Nobody ends them here: the node's kubelet is away."""
    one_second = {"terminationGracePeriodSeconds": 1}
    world.put(pod("one", world.node, owner=REPLICASET, spec=one_second))
    answer = finished(world, "--skip-wait-for-delete-timeout", "1")
    assert answer.code == 0, answer.err
    assert "0 pods gone, 1 not waited for" in " ".join(answer.out.split())


def test_with_no_grace_nobody_is_waited_for(world):
    world.put(pod("one", world.node, owner=REPLICASET, spec=HOUR))
    answer = finished(world, "--grace-period", "0")
    assert answer.code == 0, answer.err
    assert world.pods() == set()


def test_at_the_end_of_its_time_a_drain_names_who_holds_it_and_takes_its_cordon_back(world):
    world.put(pod("one", world.node, owner=REPLICASET), budget("guard", {"case": "one"}, numbers(0, 2, 2, 3)))
    answer = finished(world, "--timeout", "2s", "-o", "json")
    assert answer.code == 1
    document = json.loads(answer.out)  # how far it has come, and what has failed
    assert (document["kind"], document["cordonedBefore"]) == ("NodeDrain", False)
    assert [(item["name"], item["outcome"]) for item in document["items"]] == [("one", "stillThere")]
    (failed,) = [found for found in document["findings"] if found["rule"] == "unfinished"]
    assert "the time is up and a pod is still there: moving/one" in failed["evidence"]
    said = "the time is up and a pod is still there: moving/one: budget guard needs 2 healthy pods"
    assert said in answer.err
    assert f"node {world.node} is uncordoned again" in answer.err
    assert not world.is_cordoned
    assert world.pods() == {"one"}


@pytest.mark.parametrize(
    ("before", "arguments", "after"),
    [(None, [], False), (True, [], True), (None, ["--keep-cordon"], True)],
    ids=["cordoned-by-the-run", "cordoned-before", "keep-cordon"],
)
def test_an_interrupted_drain_takes_back_no_cordon_but_its_own(world, before, arguments, after):
    world.set_cordon(before)
    world.put(pod("one", world.node, owner=REPLICASET), budget("guard", {"case": "one"}, numbers(0, 2, 2, 3)))
    with draining(world, *arguments) as process:
        until(process, "pod moving/one waits")
        assert world.is_cordoned
        process.send_signal(signal.SIGINT)
        answer = ended(process)
    assert answer.code == 130
    assert "still there: pod moving/one: budget guard" in answer.err
    assert world.is_cordoned is after
