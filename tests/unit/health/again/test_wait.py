import pytest

from kubectl_admin.cluster.errors import Unreachable
from kubectl_admin.errors import AdminError
from kubectl_admin.finding import Rule, Severity
from kubectl_admin.health.again.wait import blind, late, missing, wait_until_well
from kubectl_admin.health.look import look
from kubectl_admin.health.shown.report import report
from tests.fakes.clock import Clock
from tests.unit.health import made
from tests.unit.health.made import ETCD, KUBE_PROXY, KUBELET, facts, node, process

RULE = Rule("slow-disk", "etcd writes quickly")
SLOW = RULE.warning(subject="etcd", evidence="slow", objects=["node/cp-1"])
DOWN = RULE.violation(subject="etcd", evidence="down", objects=["node/cp-1"])
WELL = look(facts(), ())
AWAY = Unreachable(
    "The connection to the server a:6443 was refused - did you specify the right host or port?"
)


class Waited:
    """A wait for these looks, of which the last one stays; a look takes no time."""

    def __init__(self, *looks, fail_on=Severity.VIOLATION, timeout=60.0):
        self.said, self.looks, self.looked, self.clock = [], list(looks), 0, Clock(0.0)
        self.waiting = wait_until_well(self.take, fail_on, timeout, self.said.append, clock=self.clock)

    def take(self):
        self.looked += 1
        seen = self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]
        if isinstance(seen, AdminError):
            raise seen
        return seen


def found(*findings):
    return look(facts(), findings)


def test_well_twice_in_a_row_is_well():
    waited = Waited(WELL)
    assert (waited.waiting.is_over, waited.looked, waited.clock.monotonic()) == (True, 2, 5.0)
    assert waited.said == ["all is well; looking once more in 5 s"]


def test_well_once_and_then_not_begins_again():
    waited = Waited(WELL, found(DOWN), WELL, AWAY, WELL, WELL)
    assert (waited.waiting.is_over, waited.looked) == (True, 6)


def test_it_is_said_what_is_waited_for_whenever_that_changes():
    waited = Waited(found(DOWN), found(DOWN), AWAY, WELL)
    assert waited.said == [
        "not well yet: slow-disk on node cp-1",
        "the API server does not answer yet: a:6443: connection refused",
        "all is well; looking once more in 5 s",
    ]


@pytest.mark.parametrize(
    ("subject", "objects", "said"),
    [
        ("kubelet on node w1 is down", ["node/w1"], "slow-disk on node w1"),
        ("kube-proxy on node w1", ["node/w1"], "slow-disk of kube-proxy on node w1"),
        ("the cluster", [], "slow-disk on the cluster"),
        ("pods of it", ["pod/a/b", "pod/a/c"], "slow-disk on pod a/b, pod a/c"),
    ],
)
def test_what_is_not_well_is_named_in_a_few_words(subject, objects, said):
    seen = found(RULE.violation(subject=subject, evidence="slow", objects=objects))
    assert list(missing(seen, Severity.VIOLATION)) == [said]


def test_a_wait_ends_in_time_with_what_is_missing():
    waited = Waited(found(DOWN), timeout=12.0)
    assert (waited.waiting.is_over, waited.clock.monotonic(), waited.looked) == (False, 12.0, 4)
    shown = report(waited.waiting.last, beside=[late(waited.waiting, 12.0)])
    assert shown.failed
    assert shown.findings[0].evidence == "after 12s still not well: slow-disk on node cp-1"
    assert shown.closing.endswith("; 2 violations")


def test_well_once_at_the_end_is_not_enough():
    waited = Waited(found(DOWN), WELL, timeout=5.0)
    assert not waited.waiting.is_over
    assert "a second look that finds all well" in late(waited.waiting, 5.0).evidence


def test_an_api_server_that_never_answers_is_a_violation_too():
    waited = Waited(AWAY, timeout=5.0)
    assert waited.waiting.last is None
    assert blind(waited.waiting, 5.0).failed


def test_what_no_waiting_mends_is_an_error():
    with pytest.raises(AdminError, match="no such context"):
        Waited(AdminError("no such context"))


@pytest.mark.parametrize(("fail_on", "waits"), [(Severity.VIOLATION, False), (Severity.WARNING, True)])
def test_a_warning_is_waited_for_only_where_it_counts(fail_on, waits):
    assert bool(list(missing(found(SLOW), fail_on))) is waits


def test_what_could_not_be_seen_is_not_well():
    late = node("cp-1", [process(ETCD, replies=made.no_reply("late"))])
    assert list(missing(look(facts(late), ()), Severity.VIOLATION)) == ["no answer of etcd on node cp-1"]


def test_where_nothing_has_answered_nothing_is_well():
    silent = node("w1", [process(one, "w1", replies={}) for one in (KUBELET, KUBE_PROXY)])
    assert "no component has answered" in missing(look(facts(silent), ()), Severity.VIOLATION)


@pytest.mark.parametrize("why", ["no way", "forbidden", "left out"])
def test_what_can_never_be_seen_is_not_waited_for(why):
    unasked = [process(one, "w1", replies={}) for one in (KUBELET, KUBE_PROXY)]
    away = node("w1", unasked, way=made.no_reply(why))
    assert list(missing(look(facts(node("cp-1"), away), ()), Severity.VIOLATION)) == []
