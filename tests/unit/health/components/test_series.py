"""Values of metrics, and how they rise between two looks."""

import pytest

from kubectl_admin.health.components.series import Observed, observed, rise, total, value
from tests.unit.health.made import ETCD, bucket, metrics, no_reply, process


def one(*now, earlier=None):
    """A process with these metrics."""
    return process(ETCD, metrics=metrics(*now), earlier=None if earlier is None else metrics(*earlier))


@pytest.mark.parametrize(
    ("number", "expected"), [(1.5, 1.5), (0, 0.0), (float("nan"), None), (float("inf"), None)]
)
def test_a_value(number, expected):
    assert value(one(("up", {}, number)), "up") == expected


@pytest.mark.parametrize("given", [None, no_reply("silent")])
def test_what_was_not_answered_has_no_value(given):
    asked = process(ETCD, metrics=given)
    assert (value(asked, "up"), total(asked, "up"), rise(asked, "up")) == (None, None, None)


def test_a_rise_is_of_all_series_together():
    now = [("up", {"a": "1"}, 5), ("up", {"a": "2"}, 7), ("up", {"a": "new"}, 2)]
    assert rise(one(*now, earlier=[("up", {"a": "1"}, 4), ("up", {"a": "2"}, 7)]), "up") == 3


@pytest.mark.parametrize("earlier", [None, [("up", {}, 9)]])
def test_without_an_earlier_look_or_after_a_restart_no_rise_is_known(earlier):
    assert rise(one(("up", {}, 5), earlier=earlier), "up") is None


def test_what_a_histogram_observed_between_two_looks():
    before = bucket("t", {"0.5": 90, "+Inf": 100}, To="a")
    now = bucket("t", {"0.5": 180, "+Inf": 200}, To="a")
    seen = one(*now, earlier=before)
    assert observed(seen, "t", 0.5, "To") == {"a": Observed(100, 10)}
    assert observed(seen, "t", 0.6, "To") == {}


def test_a_restart_shows_in_any_series():
    now = [("up", {"a": "1"}, 50), ("up", {"a": "2"}, 1)]
    assert rise(one(*now, earlier=[("up", {"a": "1"}, 4), ("up", {"a": "2"}, 7)]), "up") is None
