import threading
from datetime import timedelta
from itertools import count

import pytest

from kubectl_admin.cluster.errors import Unreachable
from kubectl_admin.errors import AdminError
from kubectl_admin.finding import Rule
from kubectl_admin.health.again.watch import Seen, in_lines, on_screen
from kubectl_admin.health.look import look
from kubectl_admin.streams import ReaderGone
from tests.fakes.clock import Clock
from tests.unit.health import made
from tests.unit.health.made import AT, ETCD, facts, node, process

RULE = Rule("slow-disk", "etcd writes quickly")
SLOW = RULE.warning(subject="etcd", evidence="slow", objects=["node/cp-1"])
WELL = look(facts(), ())
HANGING = look(facts(node("cp-1", [process(ETCD, replies=made.no_reply("silent"))]), node("w1")), [SLOW])
AWAY = Unreachable("Unable to connect to the server: dial 10.0.0.1:6443: i/o timeout")


def taking(*looks):
    """Looks in turn; after the last one, the reader is gone."""
    left = list(looks)

    def take():
        if not left:
            raise ReaderGone
        seen = left.pop(0)
        if isinstance(seen, BaseException):
            raise seen
        return seen

    return take


def lines(*looks):
    """What a watch of these looks writes where there is no terminal, without the times."""
    written = []
    with pytest.raises(ReaderGone):
        in_lines(taking(*looks), written.append, now=lambda: AT, clock=Clock())
    assert all(line.startswith("2026-11-30T03:00:00 ") and line.endswith("\n") for line in written)
    return [line.split(" ", 1)[1][:-1] for line in written]


def test_elsewhere_than_on_a_terminal_there_is_a_line_for_each_change():
    assert lines(WELL, WELL, HANGING, HANGING, WELL) == [
        "8 of 8 components well; no findings",
        "worse: etcd on node/cp-1: well -> hanging",
        "new: warning slow-disk on node/cp-1",
        "better: etcd on node/cp-1: hanging -> well",
        "gone: warning slow-disk on node/cp-1",
    ]


def test_at_first_it_says_how_it_is():
    assert lines(HANGING) == [
        "7 of 8 components well, 1 not well; 1 warning",
        "warning: etcd on node/cp-1: slow",
    ]


def test_an_outage_is_said_once_and_its_end():
    assert lines(WELL, AWAY, AWAY, WELL) == [
        "8 of 8 components well; no findings",
        "the API server does not answer: dial 10.0.0.1:6443: i/o timeout",
        "the API server answers again",
    ]


def test_a_first_look_that_fails_is_an_error():
    with pytest.raises(AdminError, match="i/o timeout"):
        lines(AWAY)


def test_what_no_further_look_mends_ends_it():
    with pytest.raises(AdminError, match="forbidden"):
        lines(WELL, AdminError("forbidden"))


def test_a_cell_that_has_changed_is_marked_for_a_minute():
    seen = Seen()
    for one in (WELL, HANGING):
        seen.take_in(one, AT)
    assert seen.changed(AT + timedelta(seconds=59)) == {("cp-1", "ETCD")}
    assert seen.changed(AT + timedelta(seconds=60)) == set()


def test_the_state_of_a_node_is_a_cell_too():
    seen = Seen()
    seen.take_in(look(facts(node("w1")), ()), AT)
    seen.take_in(look(facts(node("w1", ready="False")), ()), AT)
    assert seen.changed(AT) == {("w1", "STATUS")}


def test_the_history_has_an_end():
    seen = Seen()
    for number in range(1000):
        seen.fail(AdminError(str(number)), AT)
    assert (len(seen.events), seen.events[-1].text) == (500, "999")


class Screen:
    """A screen of 80 columns on which somebody presses q once a picture is wanted."""

    def __init__(self, clock, until):
        self.clock, self.until, self.drawn = clock, until, []
        self.size = type("Size", (), {"columns": 80, "lines": 24})
        self.is_stale = False

    def draw(self, lines):
        self.drawn.append(lines)

    def key(self, timeout):
        self.clock.sleep(timeout)
        return "q" if self.drawn and self.until(self.drawn[-1]) else ""


def drawn(take, until):
    """The last look of a watch on a screen, and what was drawn."""
    clock, screen = Clock(), None
    screen = Screen(clock, until)

    def picture(seen, doing, _size, _now):
        events = [event.text for event in seen.events]
        return [doing.partition(" in ")[0], str(seen.last and seen.last.counts.bad), seen.problem, *events]

    return on_screen(take, screen, picture, now=lambda: AT, clock=clock), screen.drawn


def test_a_picture_is_drawn_while_it_looks_and_after_it():
    go_on = threading.Event()

    def take():
        assert go_on.wait(60)
        return WELL

    def until(lines):
        go_on.set()
        return lines[0] == "next look"

    last, pictures = drawn(take, until)
    assert last is WELL
    assert pictures[0][:2] == ["looking", "None"]
    assert pictures[-1][:2] == ["next look", "0"]


def test_whoever_quits_does_not_wait_for_a_look():
    never = threading.Event()
    last, _ = drawn(lambda: never.wait(60), lambda _: True)
    never.set()
    assert last is None


def test_it_looks_again_and_keeps_what_has_changed():
    number = count()
    last, pictures = drawn(
        lambda: HANGING if next(number) else WELL, lambda lines: any("worse" in line for line in lines)
    )
    assert last is HANGING
    assert pictures[-1][3:] == [
        "new: warning slow-disk on node/cp-1",
        "worse: etcd on node/cp-1: well -> hanging",
    ]


def test_an_outage_leaves_what_was_seen():
    last, pictures = drawn(taking(WELL, AWAY), lambda lines: bool(lines[2]))
    assert last is WELL
    assert pictures[-1][2] == "dial 10.0.0.1:6443: i/o timeout"


def test_a_first_look_that_fails_ends_a_picture():
    with pytest.raises(AdminError, match="i/o timeout"):
        drawn(taking(AWAY), lambda _: False)
