import json

import pytest

from kubectl_admin.drain.facts import Member, Scale
from kubectl_admin.drain.filters import Flags
from kubectl_admin.drain.outcome import recovered
from kubectl_admin.drain.preview import preview
from kubectl_admin.drain.recovery import Recovered
from kubectl_admin.drain.report import report, shortened
from kubectl_admin.report.document import to_json
from kubectl_admin.report.terminal import render
from tests.unit.drain.samples import AGENT, NOW, budget, facts, node, pod


def text(*pods, wide=False, flags=None, waits=False, **more):
    what = preview(facts(*pods, **more), flags or Flags(), NOW)
    return render(report(what, wide=wide, waits=waits), wide=wide, headers=True, colour=False, width=80)


def test_who_has_cordoned_the_node_before_is_said():
    shown = text(node=node("w1", unschedulable=True), drained_since="2026-11-25T11:00:00+00:00")
    assert "cordoned already, by a\n  drain of 2026-11-25T11:00:00+00:00, and stays so" in shown


def test_each_pod_is_a_row_with_what_happens_to_it_and_why():
    shown = text(
        pod("web-1", labels={"app": "web"}),
        pod("agent-1", controller=AGENT),
        pod("debug", controller=None),
        budgets=(budget("web"),),
        flags=Flags(ignore_daemonsets=True),
    )
    assert shown.splitlines()[:6] == [
        "ACTION   POD           WHY            BUDGET  SPARE",
        "refuse!  shop/debug    no controller  -       -",
        "evict    shop/web-1    ReplicaSet     web     1",
        "leave    shop/agent-1  DaemonSet      -       -",
        "",
        "node w1 of context here: 1 of 3 pods leave, 1 stay, 1 refused",
    ]


def test_long_names_are_shortened_to_80_columns_and_shown_whole_by_wide():
    name = "very-long-name-of-a-deployment-that-somebody-once-gave-7d764666f9-x2xkq"
    guard = "very-long-name-of-a-budget-of-that-deployment"
    pods = [pod(name), pod("debug", controller=None)]
    shown = text(*pods, budgets=(budget(guard, numbers=(0, 2, 2, 3)),))
    assert max(map(len, shown.split("\n\n")[0].splitlines())) <= 80
    assert "4666f9-x2xkq" in shown, "the end of a name tells pods apart"
    wide = text(*pods, budgets=(budget(guard),), wide=True)
    assert f"shop/{name}" in wide
    assert guard in wide


@pytest.mark.parametrize(
    ("budgets", "cells"),
    [
        ((), "-       -"),
        ((budget("guard", numbers=(0, 2, 2, 3)),), "guard   0?"),
        ((budget("guard", numbers=(0, 3, 3, 3)),), "guard   0!"),
        ((budget("a"), budget("b")), "2 budgets  -!"),
    ],
)
def test_what_budgets_say_is_marked(budgets, cells):
    assert text(pod(), budgets=budgets).splitlines()[1].endswith(f"ReplicaSet  {cells}")


def test_a_primary_is_called_one():
    lead = Member("Patroni", "shop/pg", ("shop", "one"), "w1", leads=True, ready=True)
    assert text(pod(), members=(lead,)).splitlines()[1].split() == ["evict", "shop/one", "primary", "-", "-"]


def test_a_node_without_pods_is_a_line():
    assert text(node=node("w1", unschedulable=True)) == (
        "node w1 of context here: 0 of 0 pods leave, 0 stay; it is cordoned already, and\n  stays so\n"
    )


@pytest.mark.parametrize(("waits", "violated"), [(False, True), (True, False)])
def test_a_budget_that_can_never_be_met_violates_unless_it_is_to_be_waited_for(waits, violated):
    what = preview(facts(pod(), budgets=(budget(numbers=(0, 3, 3, 3)),)), Flags(), NOW)
    assert report(what, waits=waits).violated is violated


def test_everything_is_there_for_programs():
    lead = Member("Patroni", "shop/pg", ("shop", "one"), "w1", leads=True, ready=True)
    what = preview(facts(pod(), budgets=(budget(numbers=(0, 2, 2, 3)),), members=(lead,)), Flags(), NOW)
    document = json.loads(to_json(report(what)))
    assert (document["kind"], document["node"], document["cordoned"]) == ("DrainPreview", "w1", False)
    (item,) = document["items"]
    assert (item["name"], item["action"], item["controller"]) == ("one", "evict", "ReplicaSet/web")
    assert item["budgets"]["says"] == "wait"
    assert item["budgets"]["items"] == [
        {
            "name": "guard",
            "wants": "minAvailable 2",
            "disruptionsAllowed": 0,
            "currentHealthy": 2,
            "desiredHealthy": 2,
            "expectedPods": 3,
        }
    ]
    (database,) = document["databases"]
    assert (database["operator"], database["primary"], database["elsewhere"]) == ("Patroni", "one", [])
    assert list(report(what).names()) == ["pod/one"]


@pytest.mark.parametrize(
    ("name", "room", "short"),
    [
        ("abcdef", 6, "abcdef"),
        ("abcdefgh", 7, "abc…fgh"),
        ("a" * 40 + "b" * 12, 30, "a" * 17 + "…" + "b" * 12),
    ],
)
def test_the_middle_of_a_name_is_left_out(name, room, short):
    assert shortened(name, room) == short
    assert len(short) <= room


def test_a_node_taken_back_says_what_is_not_healthy_yet():
    moved = ("ReplicaSet/shop/web", "StatefulSet/shop/db")
    back = Recovered("w1", cordoned=True, moved=moved, unhealthy=(("ReplicaSet/shop/web", Scale(3, 2)),))
    shown = recovered(back)
    assert shown.violated
    assert shown.paragraphs == ["node w1 uncordoned; 1 of 2 workloads that were moved are healthy"]
    assert shown.findings[0].evidence == "2 of 3 pods are ready"
    assert recovered(Recovered("w1", False, (), ())).paragraphs == ["node w1 was not cordoned"]
