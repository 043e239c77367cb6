"""Whose turn it is, on a clock that the tests move."""

import math
from dataclasses import replace
from datetime import timedelta

import pytest

from kubectl_admin.drain.answers import Answer, Kind
from kubectl_admin.drain.board import Board
from kubectl_admin.drain.facts import SYSTEM_CRITICAL
from tests.unit.drain.samples import NOW, budget, pod

HELD = Answer(Kind.BUDGET, "The disruption budget guard needs 2 healthy pods and has 2 currently")
FULL, SPARE = budget(numbers=(0, 2, 2, 3)), budget(numbers=(1, 3, 2, 3))


def board_of(*pods, **more):
    board = Board(**more)
    board.add(pods, 0.0)
    return board


def names(pods):
    return [each.name for each in pods]


def present(*pods):
    return {each.key: each for each in pods}


def test_the_lowest_priority_is_asked_first_as_far_as_there_is_room():
    board = board_of(pod("b", priority=5), pod("c", priority=0), pod("a", priority=5))
    assert names(board.due(0.0, 2)) == ["c", "a"]
    assert names(board.due(0.0, 2)) == ["b"]
    assert board.due(0.0, 2) == []


def test_critical_pods_are_asked_when_all_others_are_gone():
    dns, web = pod("dns", priority=SYSTEM_CRITICAL), pod("web", priority=SYSTEM_CRITICAL - 1)
    board = board_of(dns, web)
    assert names(board.due(0.0, 8)) == ["web"]
    board.answered(web, Answer(Kind.ACCEPTED), 1.0)
    assert board.due(1.0, 8) == []
    board.seen(present(dns), 2.0, NOW)
    assert names(board.due(2.0, 8)) == ["dns"]


def test_critical_pods_that_wait_for_others_are_not_due():
    web = pod("web")
    board = board_of(pod("dns", priority=SYSTEM_CRITICAL), web)
    board.due(0.0, 8)
    board.answered(web, Answer(Kind.ACCEPTED), 1.0)
    assert board.next_due() == math.inf


def test_a_pod_that_was_seen_to_go_while_it_was_asked_goes_once():
    one = pod()
    board = board_of(one)
    board.due(0.0, 1)
    assert board.expects(one)
    board.seen({}, 1.0, NOW)
    assert not board.expects(one)


def test_a_pod_that_was_let_go_is_gone_when_it_is_no_longer_there():
    one = pod()
    board = board_of(one)
    board.due(0.0, 1)
    board.answered(one, Answer(Kind.ACCEPTED), 1.0)
    assert board.seen(present(one), 2.0, NOW) == ([], [])
    (gone,), _ = board.seen({}, 5.0, NOW)
    assert (gone.pod, gone.seconds) == (one, 4.0)
    assert board.done


def test_another_pod_of_the_same_name_is_not_the_one_that_leaves():
    board = board_of(pod())
    gone, _ = board.seen(present(replace(pod(), uid="another")), 1.0, NOW)
    assert names(each.pod for each in gone) == ["one"]
    assert board.done


def test_a_pod_that_the_server_does_not_know_is_gone():
    one = pod()
    board = board_of(one)
    board.due(0.0, 1)
    assert board.answered(one, Answer(Kind.GONE), 1.0) is False
    assert board.done


def test_what_holds_a_pod_is_told_when_it_changes():
    one = pod()
    board = board_of(one)
    board.due(0.0, 1)
    assert board.answered(one, HELD, 1.0) is True
    board.due(10.0, 1)
    assert board.answered(one, HELD, 11.0) is False
    board.due(30.0, 1)
    assert board.answered(one, Answer(Kind.BUDGET, "other numbers"), 31.0) is True
    (waiting,) = board.waiting(32.0)
    assert (waiting.why, waiting.seconds) == ("other numbers", 32.0)


def test_a_refused_pod_is_asked_again_after_a_pause_that_grows():
    one = pod()
    board = board_of(one)
    pauses, now = [], 0.0
    for _ in range(4):
        assert names(board.due(now, 1)) == ["one"]
        assert board.next_due() == math.inf
        board.answered(one, HELD, now)
        pauses.append(board.next_due() - now)
        assert board.due(now + pauses[-1] - 0.1, 1) == []
        now += pauses[-1]
    assert pauses == [5.0, 7.5, 11.25, 15.0]
    board.due(now, 1)
    board.answered(one, Answer(Kind.UNREACHABLE), now)
    assert board.next_due() - now == 0.5, "another kind of answer begins anew"


def held_at(board, now, view):
    board.known(view, now)
    (one,) = board.due(now, 1)
    board.answered(one, HELD, now)


def test_a_budget_that_comes_to_spare_a_pod_has_it_asked_at_once():
    board = board_of(pod())
    held_at(board, 0.0, [FULL])
    board.known([FULL], 1.0)
    assert board.due(1.0, 1) == []
    board.known([SPARE], 2.0)
    assert names(board.due(2.0, 1)) == ["one"]


def test_a_budget_that_lets_go_of_what_is_not_ready_has_it_asked_at_once():
    board = board_of(pod(ready=False))
    ill = budget(numbers=(0, 0, 1, 2))
    held_at(board, 0.0, [ill])
    board.known([replace(ill, expected=3)], 1.0)
    assert board.due(1.0, 1) == []
    board.known([replace(ill, always_unhealthy=True)], 2.0)
    assert names(board.due(2.0, 1)) == ["one"]


def test_a_budget_changed_while_the_pod_was_being_asked_has_it_asked_again():
    one = pod()
    board = board_of(one)
    board.known([FULL], 0.0)
    board.due(0.0, 1)
    board.known([SPARE], 1.0)
    board.answered(one, HELD, 2.0)
    board.known([SPARE], 2.0)
    assert names(board.due(2.0, 1)) == ["one"]


def test_a_budget_that_seems_to_spare_a_pod_all_along_does_not_have_it_asked_again_and_again():
    board = board_of(pod())
    held_at(board, 0.0, [SPARE])
    board.known([SPARE], 1.0)
    assert board.due(1.0, 1) == []
    board.known([FULL], 2.0)
    assert board.due(2.0, 1) == []
    board.known([SPARE], 3.0)
    assert names(board.due(3.0, 1)) == ["one"]


@pytest.mark.parametrize(
    "others",
    [
        [],
        [replace(SPARE, namespace="other")],
        [replace(SPARE, stale=True)],
        [SPARE, replace(SPARE, selector=None)],
    ],
)
def test_only_a_budget_of_the_pod_counts(others):
    board = board_of(pod())
    held_at(board, 0.0, [FULL])
    board.known(others, 1.0)
    assert (board.due(1.0, 1) == []) is (SPARE not in others)


def test_a_pod_that_somebody_else_has_deleted_is_not_asked():
    board = board_of(pod())
    board.seen(present(pod(deleted=NOW)), 1.0, NOW)
    assert board.due(9.0, 1) == []
    assert board.waiting(9.0)[0].why == "is ending (grace 30s)"


def test_a_pod_whose_grace_ended_long_ago_is_given_up():
    late = pod(deleted=NOW - timedelta(seconds=61))
    board = board_of(pod(), skip_wait=60)
    gone, given_up = board.seen(present(late), 1.0, NOW)
    assert (gone, given_up) == ([], [late])
    assert board.done


@pytest.mark.parametrize(
    ("seconds", "finalizers", "why"),
    [
        (45.0, ("example.com/hold",), "is ending (grace 30s)"),
        (45.1, (), "should have ended after 30s; its kubelet still holds it"),
        (
            45.1,
            ("example.com/hold",),
            "should have ended after 30s; finalizer example.com/hold still holds it",
        ),
    ],
)
def test_what_keeps_a_pod_from_ending_is_said(seconds, finalizers, why):
    one = pod(finalizers=finalizers)
    board = board_of(one)
    board.due(0.0, 1)
    board.answered(one, Answer(Kind.ACCEPTED), 0.0)
    assert board.waiting(seconds)[0].why == why


def test_a_grace_that_all_pods_are_given_counts_in_the_place_of_their_own():
    one = pod()
    board = board_of(one, grace=300)
    board.due(0.0, 1)
    board.answered(one, Answer(Kind.ACCEPTED), 0.0)
    assert board.waiting(100.0)[0].why == "is ending (grace 5m0s)"


def test_an_answer_for_a_pod_that_is_no_longer_there_changes_nothing():
    board = board_of(pod())
    board.seen({}, 1.0, NOW)
    assert board.answered(pod(), HELD, 2.0) is False


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (HELD, "budget guard needs 2 healthy pods and has 2 currently"),
        (Answer(Kind.WEBHOOK, "will be rolled"), "not yet: will be rolled"),
        (Answer(Kind.NAMESPACE, "x"), "its namespace is being deleted"),
        (Answer(Kind.BUSY, "later"), "the API server is too busy: later"),
        (Answer(Kind.UNREACHABLE, "refused"), "the API server can't be reached: refused"),
        (
            Answer(Kind.SEVERAL_BUDGETS, "x"),
            "more than one disruption budget selects it, which the eviction API refuses",
        ),
        (Answer(Kind.FAILED, "no leader"), "no leader"),
        (Answer(Kind.ACCEPTED), "is ending (grace 30s)"),
    ],
)
def test_what_a_pod_waits_for_is_said(answer, why):
    one = pod()
    board = board_of(one)
    board.due(0.0, 1)
    assert board.waiting(0.0)[0].why == "its eviction is being requested"
    board.answered(one, answer, 1.0)
    assert board.waiting(1.0)[0].why == why
