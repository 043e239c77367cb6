"""One loop with a deadline: when it looks, what it puts up with, and what it says in the end."""

import pytest

from kubectl_admin.cluster.wait import NotYetError, TooLateError, looks, wait_until
from kubectl_admin.errors import AdminError
from tests.fakes.clock import Clock


@pytest.fixture
def clock():
    return Clock(100.0)


def moments(clock, timeout, interval):
    """When it looked, counted from the start, and whether that was the last look."""
    times = looks(timeout, interval, clock=clock)
    return [(round(clock.now - 100, 1), last) for last in times]


def test_the_first_look_is_at_once_and_the_last_one_when_time_has_passed(clock):
    assert moments(clock, 5, 2) == [(0, False), (2, False), (4, False), (5, True)]


def test_without_time_there_is_one_look(clock):
    assert moments(clock, 0, 2) == [(0, True)]


def test_who_is_woken_up_looks_earlier(clock):
    times = looks(5, 2, clock=clock, sleep=lambda seconds: clock.sleep(min(seconds, 0.5)))
    assert next(times) is False
    assert next(times) is False
    assert clock.now == 100.5


def waited(clock, condition):
    return wait_until(condition, "node w1: it is not well", "look", timeout=5, interval=2, clock=clock)


def test_what_comes_is_returned_and_failures_before_are_put_up_with(clock):
    answers = iter([AdminError("no route"), None, "here"])

    def condition():
        answer = next(answers)
        if isinstance(answer, AdminError):
            raise answer
        return answer

    assert waited(clock, condition) == "here"
    assert clock.now == 104


def test_the_last_reason_is_told(clock):
    def condition():
        raise NotYetError(f"tried at {clock.now - 100:g} s")

    with pytest.raises(TooLateError) as late:
        waited(clock, condition)
    assert (late.value.what, late.value.hint) == ("node w1: it is not well: tried at 5 s", "look")


def test_a_reason_that_no_longer_holds_is_not_told(clock):
    def condition():
        if clock.now < 102:
            raise AdminError("no route")

    with pytest.raises(TooLateError, match=r"it is not well$"):
        waited(clock, condition)


def test_what_is_no_failure_of_the_cluster_goes_through(clock):
    with pytest.raises(ZeroDivisionError):
        waited(clock, lambda: 1 / 0)
