from dataclasses import replace
from datetime import timedelta

from kubectl_admin.health.again.window import Window
from kubectl_admin.health.asking.judged_metrics import LEADER_CHANGES
from kubectl_admin.health.facts import Condition
from tests.unit.health import made
from tests.unit.health.made import AT, ETCD, MANAGER, ago, facts, lease, node, process


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


def test_leaders_are_those_at_the_beginning_of_the_window():
    window = Window()
    window.widen(facts(leaders={MANAGER: lease(transitions=3)}))
    wide = window.widen(facts(leaders={MANAGER: lease(transitions=4)}, at=AT + timedelta(seconds=60)))
    assert wide.earlier_leaders[MANAGER].transitions == 3


def ready(status, since):
    """A node that is Ready or not since then."""
    return replace(node("w1"), conditions=(Condition("Ready", status, since=since),))


def flaps_of(*looks, every=5):
    """What a watch has seen change, after these looks."""
    window = Window()
    wide = [window.widen(replace(one, at=AT + timedelta(seconds=every * n))) for n, one in enumerate(looks)]
    return wide[-1].flaps


def test_changes_of_ready_are_counted_and_those_between_two_looks():
    seen = [ready("True", ago(900)), ready("False", ago(5)), ready("False", ago(5)), ready("False", ago(1))]
    flaps = flaps_of(*map(facts, seen))
    assert (flaps.seconds, flaps.ready) == (15.0, {"w1": 3})


def test_a_node_that_one_look_does_not_show_is_compared_with_the_last_one_that_did():
    flaps = flaps_of(facts(ready("True", ago(900))), facts(node("cp-1")), facts(ready("False", ago(5))))
    assert flaps.ready == {"w1": 1}


def test_changes_are_forgotten_after_a_quarter_of_an_hour():
    looks = [ready("True", ago(9)), ready("False", ago(5)), *[ready("False", ago(5))] * 4]
    assert flaps_of(*map(facts, looks[:4]), every=300).ready == {"w1": 1}
    flaps = flaps_of(*map(facts, looks), every=300)
    assert (flaps.seconds, flaps.ready) == (900.0, {})


def test_changes_of_leaders_add_up_although_a_lease_was_made_anew():
    looks = [facts(leaders={MANAGER: lease(transitions=count)}) for count in (7, 9, 0, 1)]
    assert flaps_of(*looks).leaders == {MANAGER: 3}


def test_elections_add_up_although_a_member_was_restarted():
    looks = [
        facts(node("cp-1", [process(ETCD, metrics=made.metrics((LEADER_CHANGES, {}, count)))]))
        for count in (4, 6, 1, 2)
    ]
    assert flaps_of(*looks).elections == {"cp-1": 3}


def test_what_was_not_seen_for_longer_than_is_looked_back_has_changed_at_an_unknown_time():
    silent = facts(node("cp-1", [process(ETCD)]), leaders={})
    member = [process(ETCD, metrics=made.metrics((LEADER_CHANGES, {}, count))) for count in (4, 9)]
    before, after = (
        facts(
            replace(ready(status, ago(5)), name="cp-1", processes=(one,)),
            leaders={MANAGER: lease(transitions=count)},
        )
        for status, one, count in (("True", member[0], 1), ("False", member[1], 8))
    )
    gone = replace(silent, nodes=())
    flaps = flaps_of(before, gone, gone, gone, gone, after, every=300)
    assert (flaps.ready, flaps.leaders, flaps.elections) == ({}, {}, {})
    flaps = flaps_of(before, gone, gone, after, every=300)
    assert (flaps.ready, flaps.leaders, flaps.elections) == ({"cp-1": 1}, {MANAGER: 7}, {"cp-1": 5})


def test_a_clock_that_was_set_back_begins_the_count_anew():
    window = Window()
    window.widen(facts(ready("True", ago(9)), at=AT + timedelta(seconds=1000)))
    assert window.widen(facts(ready("False", ago(5)))).flaps.ready == {}
