"""A slow cable's queue, its clock given by the test."""

import pytest

from tests.lab.nodes import slow_wire
from tests.lab.nodes.slow_wire import Direction


def test_frames_come_later_and_in_their_order():
    arrived = []
    direction = Direction(arrived.append, 0.1, 0, 0)
    assert direction.due() == float("inf")
    direction.take(b"one", 1.0)
    direction.take(b"two", 1.05)
    assert direction.due() == pytest.approx(1.1)
    direction.deliver(1.09)
    assert arrived == []
    direction.deliver(1.1)
    assert arrived == [b"one"]
    direction.deliver(2)
    assert arrived == [b"one", b"two"]


def test_a_rate_keeps_frames_waiting_for_each_other():
    direction = Direction(print, 0, 8000, 0)  # 1000 bytes a second
    direction.take(bytes(500), 1.0)
    assert direction.due() == pytest.approx(1.5)
    direction.take(bytes(500), 1.0)
    direction._waiting.pop(0)
    assert direction.due() == pytest.approx(2.0)


def test_all_or_nothing_is_lost():
    arrived = []
    lossy, sound = Direction(arrived.append, 0, 0, 1), Direction(arrived.append, 0, 0, 0)
    for direction in (lossy, sound):
        direction.take(b"frame", 1.0)
        direction.deliver(1.0)
    assert arrived == [b"frame"]


def test_a_full_queue_drops_what_comes():
    direction = Direction(print, 1, 0, 0)
    for _ in range(slow_wire.QUEUE + 1):
        direction.take(b"frame", 1.0)
    assert len(direction._waiting) == slow_wire.QUEUE


def test_an_end_that_is_down_loses_frames():
    def refuse(_frame):
        raise OSError

    direction = Direction(refuse, 0, 0, 0)
    direction.take(b"frame", 1.0)
    direction.deliver(1.0)
    assert direction.due() == float("inf")
