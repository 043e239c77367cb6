"""A plan carried out: what is done is skipped, what fails ends it."""

import pytest

from kubectl_admin.finding import Finding, Severity
from kubectl_admin.plan import Plan, Step, Taken, carry_out

STEPS = (Step("a", "the first", "w1", done=True), Step("b", "the second", "w1"), Step("c", "the third", "w1"))


def test_what_is_done_is_skipped_and_the_rest_is_timed_in_order():
    events: list[str] = []

    def act(step: Step) -> str:
        events.append(step.name)
        return step.name.upper()

    taken = carry_out(STEPS, act, lambda step: events.append(step.title))
    assert events == ["the second", "b", "the third", "c"]
    assert [(each.step.name, each.result) for each in taken] == [("b", "B"), ("c", "C")]
    assert all(each.seconds >= 0 for each in taken)


def test_what_fails_ends_it():
    begun: list[str] = []

    def fail(_step: Step) -> None:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        carry_out(STEPS, fail, lambda step: begun.append(step.name))
    assert begun == ["b"]


def test_what_was_taken_before_is_known_also_where_one_fails():
    taken: list[Taken[str]] = []

    def act(step: Step) -> str:
        if step.name == "c":
            raise RuntimeError
        return step.name

    with pytest.raises(RuntimeError):
        carry_out(STEPS, act, taken=taken)
    assert [each.result for each in taken] == ["b"]


def test_what_may_not_begin_is_not_done():
    done: list[str] = []

    def refuse(_step: Step) -> None:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        carry_out(STEPS, lambda step: done.append(step.name), refuse)
    assert done == []


@pytest.mark.parametrize(
    ("severities", "possible"),
    [((), True), ((Severity.WARNING, Severity.NOTE), True), ((Severity.NOTE, Severity.VIOLATION), False)],
)
def test_a_violation_forbids_a_plan(severities, possible):
    findings = tuple(Finding(severity, "rule", "subject", "says", "evidence") for severity in severities)
    assert Plan("here", STEPS, findings).is_possible is possible


def test_a_plan_is_over_when_all_its_steps_are_done():
    assert not Plan("here", STEPS).is_over
    assert Plan("here", STEPS[:1]).is_over
