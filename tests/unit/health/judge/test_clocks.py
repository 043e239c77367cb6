"""Clocks of nodes against each other; never a finding that the errors of measurement could explain."""

import pytest

from kubectl_admin.health.facts import Clock
from kubectl_admin.health.judge import clocks
from tests.unit.health.made import brief, facts, node

WARNING, VIOLATION = [("clock-differs", "warning")], [("clock-differs", "violation")]


def measured(**offsets):
    """Facts of nodes with these clocks: an offset, or a pair of it and its error."""
    nodes = []
    for name, clock in offsets.items():
        offset, error = clock if isinstance(clock, tuple) else (clock, 0.0)
        nodes.append(node(name.replace("_", "-"), clock=Clock(offset, error)))
    return facts(*nodes)


def judged(**offsets):
    """Rules and severities of the clocks."""
    return brief(clocks.differing(measured(**offsets)))


@pytest.mark.parametrize(
    ("offset", "expected"),
    [
        (0.9, []),
        (1.0, []),
        (1.1, WARNING),
        (-1.1, WARNING),
        (5.1, WARNING),
        (60.0, WARNING),
        (60.1, VIOLATION),
        (-601.0, VIOLATION),
    ],
)
def test_a_control_plane_that_differs_from_the_others(offset, expected):
    found = list(clocks.differing(measured(cp_1=0.0, cp_2=offset, cp_3=0.0, w1=0.0)))
    assert brief(found) == expected
    assert all(finding.objects == ("node/cp-2",) for finding in found)


@pytest.mark.parametrize(
    ("offset", "expected"), [(1.1, []), (5.0, []), (5.1, WARNING), (-5.1, WARNING), (60.1, VIOLATION)]
)
def test_a_worker_that_differs_from_the_median(offset, expected):
    assert judged(cp_1=0.0, cp_2=0.1, cp_3=0.0, w1=offset) == expected


@pytest.mark.parametrize(("error", "expected"), [(0.9, WARNING), (1.0, []), (2.0, [])])
def test_the_error_of_a_measurement_is_counted_in(error, expected):
    assert judged(cp_1=0.0, cp_2=(2.0, error), cp_3=0.0) == expected


def test_both_errors_are_counted_in():
    assert judged(cp_1=(0.0, 1.0), cp_2=(2.9, 1.0), cp_3=(0.0, 1.0)) == []


@pytest.mark.parametrize(("offset", "error", "expected"), [(-60.5, 0.6, WARNING), (-60.5, 0.4, VIOLATION)])
def test_a_violation_is_none_that_the_error_could_explain(offset, error, expected):
    assert judged(cp_1=0.0, cp_2=(offset, error), cp_3=0.0) == expected


def test_this_machines_clock_does_not_matter():
    assert judged(cp_1=-900.0, cp_2=-900.2, w1=-899.0) == []


def test_of_two_nobody_knows_which_is_right():
    (finding,) = clocks.differing(measured(cp_1=0.0, w1=-600.0))
    assert finding.objects == ("node/cp-1", "node/w1")
    assert "10 minutes ahead of the second" in finding.evidence


def test_of_two_control_planes_nobody_knows_which_is_right():
    (finding,) = clocks.differing(measured(cp_1=0.0, cp_2=3.0, w1=0.0))
    assert brief([finding]) == WARNING
    assert finding.objects == ("node/cp-1", "node/cp-2")


@pytest.mark.parametrize(("offset", "said"), [(-299.0, False), (-301.0, True), (301.0, False)])
def test_certificates_are_not_valid_yet_where_a_clock_is_behind_by_more_than_five_minutes(offset, said):
    (finding,) = clocks.differing(measured(cp_1=0.0, cp_2=0.0, w1=offset))
    assert ("not valid yet" in finding.evidence) is said


def test_how_far_it_is_off_is_told():
    (finding,) = clocks.differing(measured(cp_1=(0.0, 0.02), cp_2=(3.14, 0.02), cp_3=(0.0, 0.02)))
    assert finding.evidence == "it is 3.1 s ahead of the control planes' median (± 0.04 s)"


def test_one_clock_or_none_can_not_be_compared():
    assert judged(cp_1=900.0) == []
    assert not list(clocks.differing(facts(node(clock=None), node("w1", clock=None))))


@pytest.mark.parametrize(
    ("offset", "error", "expected"),
    [
        (5.0, 0.0, []),
        (5.1, 0.0, [("operator-clock", "note")]),
        (-5.1, 0.2, []),
        (-700.0, 1.0, [("operator-clock", "note")]),
    ],
)
def test_this_machines_own_clock_is_a_note(offset, error, expected):
    found = list(clocks.operator(measured(cp_1=(offset, error), w1=(offset, error))))
    assert brief(found) == expected


def test_whose_clock_is_ahead():
    (finding,) = clocks.operator(measured(cp_1=-700.0))
    assert finding.evidence.startswith("it is 11 minutes ahead of the nodes'")
