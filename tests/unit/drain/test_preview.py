"""What a preview comes to, and the findings that it is told in."""

from dataclasses import replace

import pytest

from kubectl_admin.drain.budgets import Permission
from kubectl_admin.drain.facts import Member, Owner, Scale
from kubectl_admin.drain.filters import Action, Flags
from kubectl_admin.drain.judge import findings, stayed
from kubectl_admin.drain.labels import Selector
from kubectl_admin.drain.preview import preview
from kubectl_admin.finding import Gap, Severity
from tests.unit.drain.samples import AGENT, NOW, WEB, asking, budget, facts, label, node, pod

NEVER = budget(numbers=(0, 3, 3, 3))
PRIMARY = {"cnpg.io/cluster": "pg", "cnpg.io/podRole": "instance", "cnpg.io/instanceRole": "primary"}
KAFKA = {"strimzi.io/cluster": "k", "strimzi.io/broker-role": "true"}
OSD = {"app": "rook-ceph-osd", "rook_cluster": "rook"}


def seen(*pods, flags=None, **more):
    return preview(facts(*pods, **more), flags or Flags(), NOW)


def told(what, **more):
    return {finding.rule: finding for finding in findings(what, **more)}


def members(*nodes, operator="CloudNativePG", names=("pg-1", "pg-2"), first_leads=True):
    return tuple(
        Member(operator, "shop/pg", ("shop", name), node, first_leads and name == names[0], ready=True)
        for name, node in zip(names, nodes, strict=False)
    )


def test_a_node_of_healthy_replicated_pods_has_nothing_to_be_said_of():
    what = seen(pod(), budgets=(budget(),), scales={WEB.uid: Scale(3, 3)})
    assert findings(what) == []
    assert (what.refused, what.blocked) == ([], {})


def test_pods_are_shown_with_those_first_that_forbid_the_drain():
    what = seen(
        pod("left", controller=AGENT),
        pod("later", priority=5),
        pod("done", phase="Succeeded"),
        pod("sooner"),
        pod("bare", controller=None),
        flags=Flags(ignore_daemonsets=True),
    )
    assert [(each.pod.name, each.action) for each in what.verdicts] == [
        ("bare", Action.REFUSE),
        ("sooner", Action.EVICT),
        ("later", Action.EVICT),
        ("done", Action.DELETE),
        ("left", Action.LEAVE),
    ]


def test_refused_pods_of_a_kind_are_one_violation_that_names_the_flag():
    what = seen(pod("a", controller=None), pod("b", controller=None), pod("c", empty_dirs=("x",)))
    by_rule = told(what)
    assert by_rule["refused-no-controller"].objects == ("pod/shop/a", "pod/shop/b")
    assert "--force" in by_rule["refused-no-controller"].fix
    assert by_rule["refused-emptydir"].fix == "add --delete-emptydir-data"
    assert {finding.severity for finding in by_rule.values()} == {Severity.VIOLATION}


def test_a_budget_that_can_never_be_met_is_a_violation_with_its_numbers():
    what = seen(pod("a"), pod("b"), budgets=(NEVER,))
    finding = told(what)["budget-never-met"]
    assert finding.severity is Severity.VIOLATION
    assert finding.evidence == "minAvailable 2: needs 3 healthy of 3, has 3"
    assert finding.objects == ("pod/shop/a", "pod/shop/b")
    assert told(what, waits=True)["budget-never-met"].severity is Severity.WARNING


def test_budgets_do_not_count_for_pods_that_stay():
    what = seen(pod(controller=AGENT), budgets=(NEVER,), flags=Flags(ignore_daemonsets=True))
    assert what.blocked == {}


def test_budgets_do_not_count_where_pods_are_deleted():
    what = seen(pod(), budgets=(NEVER,), flags=Flags(disable_eviction=True))
    assert what.rulings["shop", "one"].permission is Permission.FREE
    assert findings(what) == []


def test_two_budgets_on_one_pod_are_a_violation():
    finding = told(seen(pod(), budgets=(budget("a"), budget("b"))))["several-budgets"]
    assert finding.subject == "disruption budgets shop/a, shop/b"


def test_a_budget_that_can_come_to_allow_it_is_a_warning():
    finding = told(seen(pod(), budgets=(budget(numbers=(0, 2, 2, 3)),)))["budget-not-yet"]
    assert finding.severity is Severity.WARNING


@pytest.mark.parametrize(
    ("name", "labels", "members", "permission"),
    [
        ("its operator moves the primary", PRIMARY, members("w1", "w2"), Permission.WAIT),
        ("no second instance", PRIMARY, members("w1"), Permission.NEVER),
        ("a replica's budget is meant", PRIMARY, members("w1", "w2", first_leads=False), Permission.NEVER),
        ("a webhook has it rolled", KAFKA, (), Permission.WAIT),
        ("storage lifts it between nodes", OSD, (), Permission.WAIT),
        ("any other", {"app": "web"}, (), Permission.NEVER),
    ],
)
def test_what_operators_do_about_a_budget_counts(name, labels, members, permission):
    what = seen(pod("pg-1", labels=labels), budgets=(NEVER,), members=members)
    assert what.rulings["shop", "pg-1"].permission is permission, name


def test_a_database_without_a_second_instance_is_warned_of():
    finding = told(seen(pod("pg-1", labels=PRIMARY), members=members("w1")))["database-alone"]
    assert finding.severity is Severity.WARNING
    assert finding.subject == "CloudNativePG shop/pg"


@pytest.mark.parametrize(
    ("operator", "says"),
    [
        ("CloudNativePG", "its operator moves it once the node is cordoned"),
        ("Patroni", "another instance takes over when this one is terminated"),
    ],
)
def test_what_becomes_of_a_primary_is_said(operator, says):
    found = told(seen(pod("pg-1"), members=members("w1", "w2", operator=operator)))["primary"]
    assert says in found.evidence


def test_what_to_wait_for_before_the_next_node_is_said():
    what = seen(pod("osd-1"), members=members("w1", "w2", operator="Rook Ceph", names=("osd-1", "osd-2")))
    assert "rook-ceph-osd" in told(what)["before-the-next-node"].evidence


def test_a_database_whose_pods_stay_is_not_spoken_of():
    what = seen(pod("pg-1", controller=AGENT), members=members("w1"), flags=Flags(ignore_daemonsets=True))
    assert findings(what) == []


@pytest.mark.parametrize(
    ("scale", "ready", "down"),
    [
        (Scale(1, 1), True, True),
        (Scale(2, 1), True, True),
        (Scale(2, 2), True, False),
        (Scale(1, 0), False, False),
    ],
)
def test_work_whose_ready_pods_are_all_here_will_be_down(scale, ready, down):
    what = seen(pod(ready=ready), scales={WEB.uid: scale})
    assert bool(what.down) is down
    assert ("down-meanwhile" in told(what)) is down


def test_a_pod_that_nothing_else_can_take_is_warned_of():
    pinned = asking(node_selector=(label("metadata.name", "w1"),))
    finding = told(seen(pod(demands=pinned)))["nowhere-to-go"]
    assert finding.evidence.startswith("0 of 1 other nodes: 1 without label metadata.name=w1")


@pytest.mark.parametrize(
    ("numbers", "rule"), [((0, 0, 1, 2), "budget-not-yet"), ((0, 0, 1, 1), "budget-never-met")]
)
def test_a_pod_that_is_not_ready_itself_is_said_with_the_way_out(numbers, rule):
    finding = told(seen(pod(ready=False), budgets=(budget(numbers=numbers),)))[rule]
    assert "the pod itself is not Ready" in finding.evidence
    assert "AlwaysAllow" in finding.fix
    assert "delete the pod" in finding.fix
    assert "add a replica" not in finding.fix


def test_pods_that_a_cluster_can_not_say_of_stay_in_a_finding_of_their_own():
    found = stayed("w1", [pod("late")])
    assert (found.severity, found.objects) == (Severity.VIOLATION, ("pod/shop/late",))


KRUISE = Owner("DaemonSet", "agent", "uid-kruise", "apps.kruise.io/v1alpha1")


@pytest.mark.parametrize(
    ("controller", "affinity", "pending"),
    [
        (KRUISE, ((label("metadata.name", "w1"),),), False),
        (KRUISE, ((label("metadata.name", "w1"),), (label("zone", "a"),)), True),
        (KRUISE, ((label("metadata.name", "w9"),),), True),
        (KRUISE, (), True),
        (WEB, ((label("metadata.name", "w1"),),), True),
    ],
)
def test_a_pod_that_belongs_to_its_node_alone_needs_no_other_one(controller, affinity, pending):
    one = pod(controller=controller, demands=asking(affinity=affinity))
    assert (one.key in seen(one).pending) is pending


def test_a_pod_that_nothing_makes_anew_needs_no_place():
    pinned = asking(node_selector=(label("metadata.name", "w1"),))
    assert seen(pod(demands=pinned, controller=None), flags=Flags(force=True)).pending == {}


def test_what_is_lost_is_told_once_it_is_allowed():
    what = seen(
        pod("a", empty_dirs=("x",)),
        pod("b", empty_dirs=("y",)),
        pod("c", controller=None),
        flags=Flags(delete_emptydir_data=True, force=True),
    )
    lost = [finding for finding in findings(what) if finding.rule == "lost"]
    assert [finding.objects for finding in lost] == [("pod/shop/a", "pod/shop/b"), ("pod/shop/c",)]


def test_a_node_that_does_not_answer_is_warned_of():
    assert "node-not-ready" in told(seen(pod(), node=node("w1", ready=False)))
    assert "node-not-ready" not in told(seen(node=node("w1", ready=False))), "nobody would have to leave"


def test_what_could_not_be_seen_is_told_with_the_permission():
    finding = told(seen(gaps=(Gap("disruption budgets", "refused", "list them"),)))["not-seen"]
    assert finding.fix == "grant it: list them (docs/permissions.md)"


def test_a_budgets_selector_decides():
    other = replace(NEVER, selector=Selector((label("app", "db"),)))
    assert seen(pod(labels={"app": "web"}), budgets=(other,)).blocked == {}
