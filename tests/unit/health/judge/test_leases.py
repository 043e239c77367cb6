"""Leaders by their Leases, corrected by their holders' clocks."""

import pytest

from kubectl_admin.health.asking import judged_metrics as names
from kubectl_admin.health.facts import Clock
from kubectl_admin.health.flaps import Flaps
from kubectl_admin.health.judge import judge
from tests.unit.health.made import (
    MANAGER,
    SCHEDULER,
    ago,
    brief,
    facts,
    lease,
    metrics,
    no_reply,
    node,
    process,
)

EXACT = Clock(0.0, 0.0)
CLUSTER = ("cp-1", "cp-2", "cp-3")


def manager(name, master=None, replies=None, **fields):
    """A controller-manager that says whether it leads; None for one that does not say."""
    said = None if master is None else metrics((names.LEADER, {"name": str(MANAGER)}, master))
    return process(MANAGER, name, replies, metrics=said, **fields)


def elected(held, *managers, clock=EXACT, **fields):
    """Three control planes with this Lease of the controller-managers; the first node has the clock."""
    given = {one.node: one for one in managers}
    nodes = [
        node(name, [given.get(name, manager(name))], clock if name == "cp-1" else Clock(0.0, 0.0))
        for name in CLUSTER
    ]
    return facts(*nodes, leaders={MANAGER: held}, **fields)


@pytest.mark.parametrize(
    ("age", "expected"), [(2, []), (19, []), (20, []), (20.5, [("leader-lost", "violation")])]
)
def test_a_lease_that_nobody_renews(age, expected):
    assert brief(judge(elected(lease(renewed=ago(age))))) == expected


@pytest.mark.parametrize(
    ("age", "duration", "expected"), [(64, 60.0, 0), (66, 60.0, 1), (19, 1.0, 0), (21, 1.0, 1), (21, None, 1)]
)
def test_the_limit_is_its_own_duration_and_5_seconds(age, duration, expected):
    assert len(judge(elected(lease(renewed=ago(age), duration=duration)))) == expected


@pytest.mark.parametrize(
    ("age", "offset", "error", "expected"),
    [
        (620, -600.0, 0.0, 0),
        (621, -600.0, 0.0, 1),
        (-590, 600.0, 0.0, 0),
        (-579, 600.0, 0.0, 1),
        (22, 0.0, 3.0, 0),
    ],
)
def test_its_age_is_corrected_by_its_holders_clock(age, offset, error, expected):
    found = judge(elected(lease(renewed=ago(age)), clock=Clock(offset, error)))
    assert len([one for one in found if one.rule == "leader-lost"]) == expected


def test_a_holder_whose_clock_was_not_measured_is_a_warning():
    found = judge(elected(lease(renewed=ago(30)), clock=None))
    assert ("leader-lost", "warning") in brief(found)


def test_without_any_clock_nothing_is_said_of_its_age():
    one = facts(node("cp-1", clock=None), leaders={MANAGER: lease(renewed=ago(300))})
    assert judge(one) == []


def test_the_holder_and_its_state_are_told():
    (finding,) = judge(elected(lease(renewed=ago(60))))
    assert finding.evidence.startswith(
        "Lease kube-system/kube-controller-manager is held by cp-1_0f62c528, and was renewed 60 seconds ago; "
    )
    assert finding.objects == ("node/cp-1",)
    assert finding.since == ago(60)


def test_a_lease_that_was_given_up_and_not_taken():
    (finding,) = judge(elected(lease("", ago(60))))
    assert "held by nobody" in finding.evidence


def test_a_leader_that_hangs_alone_is_one_finding():
    one = facts(
        node("cp-1", [manager("cp-1", replies=no_reply("silent"))]), leaders={MANAGER: lease(renewed=ago(60))}
    )
    assert brief(judge(one)) == [("component-hangs", "violation")]


def test_others_that_do_not_take_over_are_a_finding_of_their_own():
    hanging = manager("cp-1", replies=no_reply("silent"))
    assert brief(judge(elected(lease(renewed=ago(60)), hanging))) == [
        ("component-hangs", "violation"),
        ("leader-lost", "violation"),
    ]


def test_a_leader_that_hangs_while_the_others_wait_for_its_lease_to_end():
    hanging = manager("cp-1", replies=no_reply("silent"))
    assert brief(judge(elected(lease(renewed=ago(12)), hanging))) == [("component-hangs", "violation")]


def test_a_leader_that_says_so_and_is_well_is_not_lost():
    assert judge(elected(lease(renewed=ago(60)), manager("cp-1", 1))) == []


@pytest.mark.parametrize("holder", ["cp-1_0f62", "CP-1_0f62", "cp-1.example.com_0f62", "cp-1"])
def test_a_host_may_have_its_domain_in_its_name(holder):
    said = [manager(name, name == "cp-1") for name in CLUSTER]
    assert judge(elected(lease(holder), *said)) == []


def test_a_holder_outside_of_the_cluster_is_a_ghost_when_all_say_that_they_do_not_lead():
    found = judge(elected(lease("laptop_1"), *(manager(name, 0) for name in CLUSTER)))
    assert brief(found) == [("leader-ghost", "violation")]
    assert "held by laptop_1" in found[0].evidence


@pytest.mark.parametrize("masters", [(None, 0, 0), (1, 0, 0)])
def test_a_hosts_name_that_is_not_its_nodes_is_no_ghost(masters):
    said = [manager(name, master) for name, master in zip(CLUSTER, masters, strict=True)]
    assert judge(elected(lease("ip-10-0-0-11_1"), *said)) == []


def test_two_that_lead_are_a_warning():
    said = [manager("cp-1", 1), manager("cp-2", 1), manager("cp-3", 0)]
    assert brief(judge(elected(lease(), *said))) == [("two-leaders", "warning")]


@pytest.mark.parametrize(
    ("acquired", "last", "expected"),
    [(ago(3600), 0, [("two-leaders", "violation")]), (ago(59), 0, []), (None, 0, []), (ago(3600), None, [])],
)
def test_none_that_leads(acquired, last, expected):
    said = [manager("cp-1", 0), manager("cp-2", 0), manager("cp-3", last)]
    assert brief(judge(elected(lease(acquired=acquired), *said))) == expected


@pytest.mark.parametrize(
    ("transitions", "window", "expected"),
    [
        (3, 60.0, []),
        (4, 60.0, [("leader-flapping", "warning")]),
        (4, 900.0, [("leader-flapping", "warning")]),
        (4, 901.0, []),
        (9, None, []),
    ],
)
def test_a_leader_that_changes_again_and_again(transitions, window, expected):
    seen = elected(
        lease(transitions=5 + transitions), window=window, earlier_leaders={MANAGER: lease(transitions=5)}
    )
    assert brief(judge(seen)) == expected


@pytest.mark.parametrize(("changed", "expected"), [(3, []), (4, [("leader-flapping", "warning")])])
def test_a_leader_that_changes_while_a_watch_looks_on(changed, expected):
    # All within 15 minutes count, and not only those since the look before.
    seen = elected(
        lease(transitions=9),
        window=60.0,
        earlier_leaders={MANAGER: lease(transitions=9)},
        flaps=Flaps(900.0, {}, {MANAGER: changed}, {}),
    )
    assert brief(judge(seen)) == expected


@pytest.mark.parametrize(
    ("before", "window", "expected"),
    [("cp-2_1", 60.0, [("leader-lost", "warning")]), ("cp-2_1", 59.0, []), ("", 60.0, [])],
)
def test_a_leader_that_is_not_the_one_that_was_chosen(before, window, expected):
    seen = elected(
        lease(preferred="cp-2_1", strategy="OldestEmulationVersion"),
        window=window,
        earlier_leaders={MANAGER: lease(preferred=before)},
    )
    assert brief(judge(seen)) == expected


def test_the_scheduler_has_a_leader_as_well():
    seen = facts(node(), leaders={SCHEDULER: lease(renewed=ago(60))})
    assert [finding.subject for finding in judge(seen)] == ["leader of kube-scheduler"]


def test_leases_that_could_not_be_read_are_not_judged():
    assert judge(facts(leaders={})) == []


@pytest.mark.parametrize(("given", "expected"), [("false", []), ("true", [("leader-lost", "violation")])])
def test_an_instance_that_takes_no_part_in_elections_leaves_an_old_lease_behind(given, expected):
    only = process(MANAGER, "cp-1", flags={"leader-elect": given})
    assert brief(judge(facts(node("cp-1", [only]), leaders={MANAGER: lease(renewed=ago(90000))}))) == expected
