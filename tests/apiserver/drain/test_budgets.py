"""What budgets say is what the eviction API says, and what a drain does about it."""

import sys

import pytest

from kubectl_admin.cluster.errors import ApiError, TooManyRequests
from kubectl_admin.drain import drain
from kubectl_admin.drain.budgets import Permission
from tests.apiserver.drain.process import draining, ended, finished, until
from tests.apiserver.drain.world import REPLICASET, World, budget, numbers, pod

pytestmark = pytest.mark.lab

GUARDED = {
    # the pod, its budgets, and what an eviction meets
    "none": ({}, [], Permission.FREE),
    "allowed": ({}, [numbers(1, 3, 2, 3)], Permission.ALLOWED),
    "not-yet": ({}, [numbers(0, 2, 2, 3)], Permission.WAIT),
    "never": ({}, [numbers(0, 3, 3, 3)], Permission.NEVER),
    "several": ({}, [numbers(1, 3, 2, 3), numbers(1, 3, 2, 3)], Permission.SEVERAL),
    "several-pending": ({"phase": "Pending"}, [numbers(0, 3, 3, 3), numbers(0, 3, 3, 3)], Permission.FREE),
    "stale": ({}, [numbers(1, 3, 2, 3, observedGeneration=0)], Permission.WAIT),
    "finished": ({"phase": "Succeeded"}, [numbers(0, 3, 3, 3)], Permission.FREE),
    "pending": ({"phase": "Pending"}, [numbers(0, 3, 3, 3)], Permission.FREE),
    "unready-healthy-rest": ({"ready": False}, [numbers(0, 2, 2, 3)], Permission.FREE),
    "unready-too-few": ({"ready": False}, [numbers(0, 1, 2, 3)], Permission.WAIT),
    "unready-none-desired": ({"ready": False}, [numbers(0, 0, 0, 0)], Permission.WAIT),
    "unknown-phase": ({"phase": "Unknown"}, [numbers(0, 2, 3, 3)], Permission.NEVER),
}
SELECTORS = {
    "everything": ({}, Permission.NEVER),
    "in": ({"matchExpressions": [{"key": "app", "operator": "In", "values": ["a", "b"]}]}, Permission.NEVER),
    "not-in": ({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["a"]}]}, Permission.FREE),
    "not-in-without": (
        {"matchExpressions": [{"key": "no", "operator": "NotIn", "values": ["a"]}]},
        Permission.NEVER,
    ),
    "exists": ({"matchExpressions": [{"key": "app", "operator": "Exists"}]}, Permission.NEVER),
    "not-there": ({"matchExpressions": [{"key": "app", "operator": "DoesNotExist"}]}, Permission.FREE),
    "both": (
        {"matchLabels": {"app": "a"}, "matchExpressions": [{"key": "no", "operator": "Exists"}]},
        Permission.FREE,
    ),
}

# The program with so long a pause before an eviction is asked for again that none ever is by the clock.
UNHURRIED = """
from kubectl_admin.__main__ import main
from kubectl_admin.drain import answers

answers.PAUSES = {**answers.PAUSES, answers.Kind.BUDGET: (3600.0, 3600.0)}
main()
"""


def test_what_budgets_say_is_what_the_eviction_api_says(world):
    for name, (kind, statuses, _) in GUARDED.items():
        world.put(
            pod(name, world.node, owner=REPLICASET, **kind),
            *(budget(f"{name}-{at}", {"case": name}, status) for at, status in enumerate(statuses)),
        )
    seen = drain.look(world.cluster, world.node, drain.Options())
    ours = {name: seen.rulings[world.namespace, name].permission for name in GUARDED}
    assert ours == {name: permission for name, (_, _, permission) in GUARDED.items()}
    for name, permission in ours.items():
        assert permission in ruling_of_server(world, name), name


@pytest.mark.parametrize("name", SELECTORS)
def test_which_pods_a_budget_counts_is_what_the_eviction_api_says(world, name):
    selector, permission = SELECTORS[name]
    world.put(
        pod("one", world.node, owner=REPLICASET, labels={"app": "a"}),
        budget("guard", {}, numbers(0, 3, 3, 3), selector=selector),
    )
    seen = drain.look(world.cluster, world.node, drain.Options())
    assert seen.rulings[world.namespace, "one"].permission is permission
    assert permission in ruling_of_server(world, "one")


def test_an_unhealthy_pod_may_always_go_where_its_budget_says_so(world):
    world.put(
        pod("one", world.node, owner=REPLICASET, ready=False),
        budget("guard", {}, numbers(0, 0, 1, 1), selector={}, unhealthyPodEvictionPolicy="AlwaysAllow"),
    )
    seen = drain.look(world.cluster, world.node, drain.Options())
    assert seen.rulings[world.namespace, "one"].permission is Permission.FREE
    assert ruling_of_server(world, "one") == {Permission.FREE, Permission.ALLOWED}


def test_a_budget_that_can_never_be_met_is_named_before_anything_is_touched(world):
    never = budget("guard", {"case": "one"}, numbers(0, 2, 2, 2), minAvailable="100%")
    world.put(pod("one", world.node, owner=REPLICASET), never)
    answer = finished(world)
    assert answer.code == 3
    assert "violation: disruption budget moving/guard (pod/moving/one)" in answer.out
    assert not world.is_cordoned


def test_what_a_budget_holds_leaves_as_soon_as_the_budget_allows_it(world):
    """A change of the budget is what it waits for, and not the time after which it would try again."""
    world.put(pod("one", world.node, owner=REPLICASET), budget("guard", {"case": "one"}, numbers(0, 2, 2, 3)))
    with world.kubelet(), draining(world, program=(sys.executable, "-c", UNHURRIED)) as process:
        until(process, "pod moving/one waits: budget guard needs 2 healthy pods and has 2 currently")
        world.set_status("poddisruptionbudgets", "guard", numbers(1, 3, 2, 3))
        until(process, "pod moving/one is gone")
        assert ended(process).code == 0


def test_a_blocked_budget_is_waited_for_where_that_is_asked_for(world):
    world.put(pod("one", world.node, owner=REPLICASET), budget("guard", {"case": "one"}, numbers(0, 1, 1, 1)))
    with world.kubelet(), draining(world, "--wait-for-budgets") as process:
        until(process, "pod moving/one waits")
        world.cluster.delete(world.path("poddisruptionbudgets", "guard"))
        assert ended(process).code == 0


def test_with_disable_eviction_budgets_are_passed_by(world):
    world.put(pod("one", world.node, owner=REPLICASET), budget("guard", {"case": "one"}, numbers(0, 1, 1, 1)))
    with world.kubelet():
        answer = finished(world, "--disable-eviction")
    assert answer.code == 0
    assert "deleting pod moving/one" in answer.err


def ruling_of_server(world: World, name: str) -> set[Permission]:
    """What the eviction API itself says to a pod, without carrying it out."""
    body = {
        "kind": "Eviction",
        "apiVersion": "policy/v1",
        "metadata": {"name": name},
        "deleteOptions": {"dryRun": ["All"]},
    }
    try:
        world.cluster.post(f"{world.path('pods', name)}/eviction", body)
    except TooManyRequests:
        return {Permission.WAIT, Permission.NEVER}
    except ApiError as error:
        return {Permission.SEVERAL} if "more than one PodDisruptionBudget" in error.message else set()
    return {Permission.FREE, Permission.ALLOWED}
