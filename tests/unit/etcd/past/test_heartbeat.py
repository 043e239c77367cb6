"""A node that is told that somebody looks into a snapshot there."""

from threading import Event

import pytest

from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.past.heartbeat import Heartbeat, refuse_ended

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
        (
            "unit running\nended etcd 1\nsaid etcd a\nsaid etcd no space",
            "node cp-1: etcd has ended with exit code 1: no space",
        ),
        ("unit running\nnetwork shared", "node cp-1: its systemd gives a unit no network of its own"),
    ],
)
def test_it_is_not_open_any_more(answer, said):
    with pytest.raises(AdminError) as raised:
        refuse_ended("cp-1", answer)
    assert raised.value.what == said


def test_a_word_is_said_until_the_end():
    said = Event()
    heartbeat = Heartbeat(said.set)
    assert said.wait(WAIT_TIMEOUT)
    heartbeat.check()
    heartbeat.end()


def test_the_problem_is_told_to_whoever_asks():
    said = Event()

    def ask():
        said.set()
        raise AdminError("it is over", "hint")

    heartbeat = Heartbeat(ask)
    assert said.wait(WAIT_TIMEOUT)
    heartbeat.end()
    for _ in range(2):
        with pytest.raises(AdminError, match=r"^it is over$"):
            heartbeat.check()
