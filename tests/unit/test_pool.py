import threading
from functools import partial

import pytest

from kubectl_admin.errors import AdminError
from kubectl_admin.pool import LateError, OddError, ask_all


def test_answers_come_in_the_order_of_the_questions():
    last = threading.Event()

    def wait():
        last.wait(10)
        return "slow"

    def release():
        last.set()
        return "quick"

    assert list(ask_all({"a": wait, "b": release}, deadline=10).items()) == [("a", "slow"), ("b", "quick")]


def test_an_error_is_the_answer_of_its_question_alone():
    def fail():
        raise AdminError("forbidden")

    answers = ask_all({"a": fail, "b": lambda: 1}, deadline=10)
    assert str(answers["a"]) == "forbidden"
    assert answers["b"] == 1


def test_one_that_never_answers_is_late_and_holds_nobody():
    never = threading.Event()
    answers = ask_all({"a": never.wait, "b": lambda: 1}, deadline=0.2)
    never.set()
    assert isinstance(answers["a"], LateError)
    assert answers["b"] == 1


def test_no_more_than_the_workers_run_at_once():
    running, most, lock, both = 0, 0, threading.Lock(), threading.Barrier(2)

    def work():
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        both.wait(10)
        with lock:
            running -= 1

    ask_all(dict.fromkeys(range(6), work), deadline=30, workers=2)
    assert most == 2


def test_a_bug_is_not_taken_for_an_answer():
    with pytest.raises(ZeroDivisionError):
        ask_all({"a": lambda: 1 // 0}, deadline=10)


@pytest.mark.parametrize("text", ["x", "9" * 5000])
def test_an_answer_that_is_not_understood_is_that_of_its_question_alone(text, caplog):
    caplog.set_level("DEBUG")
    answers = ask_all({"w1": lambda: int(text), "w2": lambda: 2}, deadline=10)
    assert answers["w2"] == 2
    assert isinstance(answers["w1"], OddError)
    assert answers["w1"].what.startswith("w1: unexpected answer (ValueError: ")
    assert len(answers["w1"].what) < 150
    assert "Traceback" in caplog.text


def test_nothing_to_ask():
    assert ask_all({}, deadline=1) == {}


def test_after_an_interruption_no_question_is_begun():
    begun, go = [], threading.Event()

    class Interrupted(BaseException):
        pass

    def work(number):
        begun.append(number)
        if number:
            assert go.wait(10)

    def interrupt(_total):
        raise Interrupted

    questions = {number: partial(work, number) for number in range(10)}
    others = set(threading.enumerate())
    with pytest.raises(Interrupted):
        ask_all(questions, deadline=10, workers=2, answered=interrupt)
    known = len(begun)
    go.set()
    for thread in set(threading.enumerate()) - others:
        thread.join(10)
    assert known <= 3
    assert len(begun) <= 3
