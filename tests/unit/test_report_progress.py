"""How far bytes have come, told on a terminal and elsewhere, by a clock that a test turns."""

import io

import pytest

from kubectl_admin.frame.environment import Environment
from kubectl_admin.report.progress import (
    CLEAR_LINE,
    LOG_INTERVAL,
    TERMINAL_INTERVAL,
    Moving,
    Progress,
    amounts,
)
from tests.fakes.clock import Clock
from tests.fakes.program import HARMLESS, NASTY

MIB = 1 << 20


class Watched:
    """A Moving on a stream in memory."""

    def __init__(self, *, terminal: bool, title: str = "snapshot") -> None:
        self._clock = Clock()
        self._began = self._clock.now
        self._stream = io.StringIO()
        self.moving = Moving(self._stream, title, terminal=terminal, clock=self._clock)

    def at(self, seconds: float, done: int, total: int) -> str:
        """What is written when so many MiB have come after so many seconds."""
        self._clock.now = self._began + seconds
        self.moving(int(done * MIB), int(total * MIB))
        return self.said()

    def said(self) -> str:
        """What was written since the last time."""
        text = self._stream.getvalue()
        self._stream.truncate(0)
        self._stream.seek(0)
        return text


def test_a_terminals_line_is_written_over():
    seen = Watched(terminal=True)
    assert seen.at(0, 0, 100) == f"{CLEAR_LINE}snapshot: 0 of 100 MiB"
    assert seen.at(1, 20, 100) == f"{CLEAR_LINE}snapshot: 20 of 100 MiB, 20 MiB/s, 0:04 left"
    assert seen.at(5, 100, 100) == f"{CLEAR_LINE}snapshot: 100 of 100 MiB, 20 MiB/s, 0:00 left"
    seen.moving.clear()
    assert seen.said() == CLEAR_LINE


def test_a_terminals_line_does_not_flicker():
    seen = Watched(terminal=True)
    seen.at(0, 0, 100)
    assert seen.at(TERMINAL_INTERVAL / 2, 1, 100) == ""
    assert seen.at(TERMINAL_INTERVAL, 2, 100) != ""


def test_elsewhere_there_is_a_line_now_and_then():
    seen = Watched(terminal=False)
    assert seen.at(0, 0, 1000) == ""
    assert seen.at(LOG_INTERVAL / 2, 50, 1000) == ""
    assert seen.at(LOG_INTERVAL, 100, 1000) == "snapshot: 100 of 1000 MiB, 10 MiB/s, 1:30 left\n"
    assert seen.at(LOG_INTERVAL + 1, 200, 1000) == ""
    assert seen.at(2 * LOG_INTERVAL, 200, 1000) == "snapshot: 200 of 1000 MiB, 10 MiB/s, 1:20 left\n"
    seen.moving.clear()
    assert seen.said() == ""


def test_what_is_over_soon_says_nothing_elsewhere():
    seen = Watched(terminal=False)
    assert [seen.at(second, second, 9) for second in range(9)] == [""] * 9


def test_nothing_is_taken_away_where_nothing_was_shown():
    seen = Watched(terminal=True)
    seen.moving.clear()
    assert seen.said() == ""


def test_the_rate_counts_what_came_since_the_display_began():
    seen = Watched(terminal=True)
    seen.at(0, 500, 1000)
    assert seen.at(10, 600, 1000) == f"{CLEAR_LINE}snapshot: 600 of 1000 MiB, 10 MiB/s, 0:40 left"


def test_the_whole_may_grow():
    seen = Watched(terminal=True)
    seen.at(0, 0, 10)
    assert seen.at(10, 10, 10).endswith("10 of 10 MiB, 1 MiB/s, 0:00 left")
    assert seen.at(20, 20, 25).endswith("20 of 25 MiB, 1 MiB/s, 0:05 left")


def test_a_line_that_would_wrap_is_cut(monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    seen = Watched(terminal=True, title="snapshot from a-node-with-a-very-long-name")
    assert seen.at(0, 0, 10) == f"{CLEAR_LINE}snapshot from a-node-with-a-very-long-n"


def test_names_of_the_cluster_do_nothing_to_the_terminal():
    for terminal in (True, False):
        seen = Watched(terminal=terminal, title=NASTY)
        text = seen.at(0, 0, 1) + seen.at(LOG_INTERVAL, 0, 1)
        assert HARMLESS in text
        assert "\x1b" not in text.replace(CLEAR_LINE, "")


@pytest.mark.parametrize(
    ("done", "total", "gained", "seconds", "said"),
    [
        (0, 0, 0, 0.0, "0 of 0 MiB"),
        (0, 1, 0, 5.0, "0 of 1 MiB"),  # nothing has come: neither a rate nor an end can be told
        (1, 1, 1, 0.0, "0 of 1 MiB"),
        (MIB, 90 * MIB, MIB, 0.1, "1 of 90 MiB, 10 MiB/s, 0:09 left"),
        (MIB, 7201 * MIB, MIB, 1.0, "1 of 7201 MiB, 1 MiB/s, 120:00 left"),
        (MIB // 2, MIB, MIB // 2, 10.0, "0 of 1 MiB, 0 MiB/s, 0:10 left"),
    ],
)
def test_amounts(done, total, gained, seconds, said):
    assert amounts(done, total, gained, seconds) == said


class Terminal(io.StringIO):
    """A terminal in memory."""

    def isatty(self) -> bool:
        return True


def screen(text: str) -> list[str]:
    """What a terminal shows of it: a cleared line begins anew."""
    return [line.rpartition(CLEAR_LINE)[2] for line in text.split("\n")]


def test_a_note_stands_alone_on_a_terminal():
    environment = Environment(io.StringIO(), io.StringIO(), Terminal(), {})
    with environment.moving("snapshot") as moving:
        moving(0, MIB)
        environment.note("node cp-1: trying again")
    with environment.progress("asking") as steps:
        steps.step(2)
        environment.note("node cp-2: trying again")
        steps.step(2)
    environment.note("done")
    assert screen(environment.stderr.getvalue()) == [
        "node cp-1: trying again",
        "node cp-2: trying again",
        "done",
        "",
    ]


def test_steps_are_counted_on_a_terminal_alone():
    stream = io.StringIO()
    steps = Progress(stream, "asking")
    steps.step(2)
    steps.step(2)
    steps.clear()
    assert stream.getvalue() == f"{CLEAR_LINE}asking 1/2{CLEAR_LINE}asking 2/2{CLEAR_LINE}"
    nobody = Progress(None, "asking")
    nobody.step(1)
    nobody.clear()
