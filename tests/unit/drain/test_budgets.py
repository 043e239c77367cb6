"""Rulings one by one; beside the eviction API's own: tests/apiserver/drain/test_budgets.py."""

import pytest

from kubectl_admin.drain.budgets import Covering, Permission, rule
from kubectl_admin.drain.labels import Selector
from tests.unit.drain.samples import NOW, budget, label, pod


@pytest.mark.parametrize(
    ("name", "what", "budgets", "permission"),
    [
        ("no budget", {}, [], Permission.FREE),
        ("one can be spared", {}, [budget(numbers=(1, 3, 2, 3))], Permission.ALLOWED),
        ("one is ill", {}, [budget(numbers=(0, 2, 2, 3))], Permission.WAIT),
        ("too many are ill", {}, [budget(numbers=(0, 1, 2, 3))], Permission.WAIT),
        ("maxUnavailable 0", {}, [budget(numbers=(0, 3, 3, 3))], Permission.NEVER),
        ("more wanted than there are", {}, [budget(numbers=(0, 1, 2, 1))], Permission.NEVER),
        ("never, though one is ill as well", {}, [budget(numbers=(0, 2, 3, 3))], Permission.NEVER),
        ("not worked out yet", {}, [budget(numbers=(0, 0, 0, 0))], Permission.WAIT),
        ("numbers of before", {}, [budget(numbers=(1, 3, 2, 3), stale=True)], Permission.WAIT),
        ("can't be worked out", {}, [budget(numbers=(0, 0, 0, 0), failure="no scale")], Permission.NEVER),
        ("two", {}, [budget("a"), budget("b")], Permission.SEVERAL),
        ("two, but not started", {"phase": "Pending"}, [budget("a"), budget("b")], Permission.FREE),
        ("finished", {"phase": "Failed"}, [budget(numbers=(0, 3, 3, 3))], Permission.FREE),
        ("ending already", {"deleted": NOW}, [budget(numbers=(0, 3, 3, 3))], Permission.FREE),
        ("ill among the healthy", {"ready": False}, [budget(numbers=(0, 2, 2, 3))], Permission.FREE),
        ("ill among the ill", {"ready": False}, [budget(numbers=(0, 1, 2, 3))], Permission.WAIT),
        ("ill where none is wanted", {"ready": False}, [budget(numbers=(0, 0, 0, 0))], Permission.WAIT),
        ("ill, always free", {"ready": False}, [budget(numbers=(0, 0, 3, 3), always_unhealthy=True)],
         Permission.FREE),
        ("healthy, not always free", {}, [budget(numbers=(0, 3, 3, 3), always_unhealthy=True)],
         Permission.NEVER),
    ],
)  # fmt: skip
def test_what_budgets_say(name, what, budgets, permission):
    assert rule(pod(**what), budgets).permission is permission, name


def test_the_numbers_are_told():
    ruling = rule(pod(), [budget(numbers=(0, 2, 2, 3))])
    assert ruling.why == "minAvailable 2: needs 2 healthy of 3, has 2"


@pytest.mark.parametrize(
    ("what", "numbers", "unready"),
    [
        ({"ready": False}, (0, 0, 1, 2), True),
        ({"ready": False}, (0, 0, 1, 1), True),
        ({}, (0, 0, 1, 2), False),
        ({"ready": False}, (1, 2, 1, 2), False),
        ({"ready": False}, (0, 2, 2, 3), False),
    ],
)
def test_a_pod_that_is_held_since_it_is_not_ready_is_told_so(what, numbers, unready):
    ruling = rule(pod(**what), [budget(numbers=numbers)])
    assert ruling.unready is unready
    assert ("the pod itself is not Ready" in ruling.why) is unready


def test_numbers_that_are_not_worked_out_yet_say_nothing_of_the_pod():
    assert not rule(pod(ready=False), [budget(numbers=(0, 0, 1, 2), stale=True)]).unready


def test_a_budget_counts_pods_of_its_own_namespace_that_its_selector_selects():
    budgets = [
        budget("all"),
        budget("web", selector=Selector((label("app", "web"),))),
        budget("other", selector=Selector((label("app", "db"),))),
        budget("nothing", selector=None),
    ]
    covering = Covering(budgets)
    assert [each.name for each in covering.of(pod(labels={"app": "web"}))] == ["all", "web"]
    assert Covering([]).of(pod()) == ()
