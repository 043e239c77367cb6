"""A node's clock against this machine's, by an answer."""

from datetime import timedelta

import pytest

from kubectl_admin.health.asking.clock import best, clock_of
from kubectl_admin.health.facts import Clock, Reply
from tests.unit.health.made import AT

SYNCED = '{"lastUpdated":"2026-11-30T02:00:00Z","currentTime":"2026-11-30T03:00:10.250000123Z"}'


def ahead(clock):
    return round(clock.offset, 3), round(clock.error, 3)


@pytest.mark.parametrize(
    ("reply", "clock"),
    [
        # Written at some moment between question and answer, a fifth of a second apart.
        (Reply(200, SYNCED, 0.2), (10.35, 0.1)),
        (Reply(503, SYNCED, 0.2), (10.35, 0.1)),
        # A Date header knows no parts of a second.
        (Reply(200, "ok", 0.2, AT + timedelta(seconds=10)), (10.6, 0.6)),
        # The exact one counts where both are there.
        (Reply(200, SYNCED, 0.2, AT), (10.35, 0.1)),
        (Reply(200, '{"currentTime": 7}', 0.0, AT), (0.5, 0.5)),
        (Reply(200, '{"currentTime": "soon"}', 0.0, AT), (0.5, 0.5)),
        (Reply(200, "{" * 5000, 0.0, AT), (0.5, 0.5)),
        (Reply(200, "[]", 0.0, AT), (0.5, 0.5)),
    ],
)
def test_the_clock_of_who_answered(reply, clock):
    assert ahead(clock_of(reply, AT)) == clock


def test_an_answer_without_a_time():
    assert clock_of(Reply(200, "ok", 0.1), AT) is None


def test_the_most_exact_counts():
    clocks = [Clock(1.0, 0.5), Clock(2.0, 0.1), Clock(3.0, 0.3)]
    assert best(clocks) == Clock(2.0, 0.1)
    assert best([]) is None
