"""A node that is told that somebody looks into a snapshot there."""

from threading import Event

import pytest

from kubectl_admin.cluster.errors import BrokenStream
from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.past import heartbeat
from kubectl_admin.etcd.past.heartbeat import EndedError, Heartbeat, refuse_ended

WAIT_TIMEOUT = 60  # seconds; nothing here takes so long


@pytest.mark.parametrize(
    "answer", ["", "unit running", "unit unanswered", "unit running\nended etcdutl 0\nnetwork own"]
)
def test_it_is_open(answer):
    refuse_ended("cp-1", answer)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("unit ended", "node cp-1: the systemd unit of the opened snapshot has ended"),
        ("gone directory", "node cp-1: the directory of the opened snapshot is gone"),
        (
            "unit running\nended etcd 1\nsaid etcd a\nsaid etcd no space",
            "node cp-1: etcd has ended with exit code 1: no space",
        ),
        ("unit running\nnetwork shared", "node cp-1: its systemd gives a unit no network of its own"),
    ],
)
def test_it_is_not_open_any_more(answer, said):
    with pytest.raises(EndedError) as raised:
        refuse_ended("cp-1", answer)
    assert raised.value.what == said


@pytest.fixture
def said():
    return []


def beating(ask, said):
    return Heartbeat(ask, said.append, "node cp-1")


def test_a_word_is_said_until_the_end(said):
    asked = Event()
    beat = beating(asked.set, said)
    assert asked.wait(WAIT_TIMEOUT)
    beat.check()
    beat.end()
    assert said == []


def test_the_end_is_told_to_whoever_asks(said):
    asked = Event()

    def ask():
        asked.set()
        raise EndedError("it is over", "hint")

    beat = beating(ask, said)
    assert asked.wait(WAIT_TIMEOUT)
    beat.end()
    for _ in range(2):
        with pytest.raises(EndedError, match=r"^it is over$"):
            beat.check()


@pytest.mark.parametrize(
    ("trouble", "why"),
    [
        (BrokenStream("node cp-1: no route"), "node cp-1: no route"),
        (AdminError("node cp-1: refused"), "node cp-1: refused"),
        (ValueError("odd"), "ValueError: odd"),
    ],
)
def test_a_node_that_is_not_heard_of_is_asked_again_and_that_is_said_once(monkeypatch, said, trouble, why):
    monkeypatch.setattr(heartbeat, "RETRY_INTERVAL", 0.0)
    answers, back = [trouble] * 3, Event()

    def ask():
        if answers:
            raise answers.pop()
        back.set()

    beat = beating(ask, said)
    assert back.wait(WAIT_TIMEOUT)
    beat.end()
    beat.check()
    assert said == [
        f"node cp-1 is not heard of, and is asked again and again: {why}",
        "node cp-1 is heard of again",
    ]


def test_who_finds_no_way_has_it_asked_at_once(said):
    first, second = Event(), Event()

    def ask():
        (second if first.is_set() else first).set()

    beat = beating(ask, said)
    assert first.wait(WAIT_TIMEOUT)
    beat.wake()
    assert second.wait(WAIT_TIMEOUT)
    beat.end()
