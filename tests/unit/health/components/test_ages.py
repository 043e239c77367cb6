"""Times that other clocks wrote."""

from datetime import timedelta

import pytest

from kubectl_admin.health.components.ages import Age, age, clock_of
from kubectl_admin.health.facts import Clock
from tests.unit.health.made import AT, ago, facts, node


@pytest.mark.parametrize(("offset", "seconds"), [(0.0, 30.0), (10.0, 40.0), (-10.0, 20.0), (-60.0, 0.0)])
def test_an_age_is_corrected_by_the_clock_that_wrote_the_time(offset, seconds):
    assert age(facts(node("w1", clock=Clock(offset, 0.5))), "w1", ago(30)) == Age(seconds, 0.5)


def test_a_clock_that_was_not_measured_is_as_the_others():
    seen = facts(node("cp-1", clock=Clock(3.0, 0.1)), node("w1", clock=None))
    assert clock_of(seen, "w1") == clock_of(seen, "gone") == Clock(3.0, 0.1)


def test_without_any_the_api_servers_is_taken():
    seen = facts(node("w1", clock=None), server_time=AT + timedelta(seconds=7))
    assert clock_of(seen, "w1") == Clock(7.0, 1.0)


def test_without_that_nothing_is_known():
    assert age(facts(node("w1", clock=None)), "w1", ago(30)) == Age(30.0, None)


@pytest.mark.parametrize(
    ("error", "above", "below"), [(None, True, True), (0.0, True, True), (1.0, False, False)]
)
def test_the_error_is_counted_in(error, above, below):
    assert Age(10.5, error).is_above(10) is above
    assert Age(9.5, error).is_below(10) is below
