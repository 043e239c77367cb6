"""A plan carried out: what is done is skipped, what fails ends it."""

import pytest

from kubectl_admin.plan import Step, carry_out

STEPS = (Step("a", "the first", "w1", done=True), Step("b", "the second", "w1"), Step("c", "the third", "w1"))


def test_what_is_done_is_skipped_and_the_rest_is_timed_in_order():
    events: list[str] = []
    actions = {name: lambda name=name: events.append(name) for name in "abc"}
    seconds = carry_out(STEPS, actions, lambda step: events.append(step.title))
    assert events == ["the second", "b", "the third", "c"]
    assert list(seconds) == ["b", "c"]
    assert all(took >= 0 for took in seconds.values())


def test_what_fails_ends_it():
    def fail() -> None:
        raise RuntimeError

    events: list[str] = []
    with pytest.raises(RuntimeError):
        carry_out(STEPS, {"b": fail, "c": lambda: events.append("c")}, lambda _: None)
    assert events == []
