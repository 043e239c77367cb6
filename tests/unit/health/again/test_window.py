from datetime import timedelta

from kubectl_admin.health.again.window import Window
from tests.unit.health import made
from tests.unit.health.made import AT, ETCD, facts, node, process


def seen(after, value):
    """A look so many seconds after the first one, at a counter of etcd."""
    etcd = process(ETCD, metrics=made.metrics(failed=value))
    return facts(node("cp-1", [etcd]), node("w1"), at=AT + timedelta(seconds=after))


def window_of(facts_):
    """The window, and the counter at its beginning."""
    earlier = facts_.nodes[0].process(ETCD).earlier
    return facts_.window, earlier and earlier["failed"][0].value


def test_a_window_is_a_minute_at_least_and_as_short_as_can_be():
    window = Window()
    widened = [window_of(window.widen(seen(at, at))) for at in (0, 20, 40, 59, 61, 80, 130, 1000)]
    assert widened == [
        (None, None),
        (None, None),
        (None, None),
        (None, None),
        (61.0, 0.0),
        (60.0, 20.0),
        (69.0, 61.0),
        (870.0, 130.0),
    ]


def test_what_was_not_read_before_has_no_rate():
    window = Window()
    window.widen(facts(node("cp-1", [process(ETCD, metrics=made.no_reply("late"))])))
    assert window_of(window.widen(seen(90, 1))) == (90.0, None)


def test_a_clock_that_was_set_back_makes_no_window():
    window = Window()
    window.widen(seen(1000, 1))
    assert window_of(window.widen(seen(0, 2))) == (None, None)
