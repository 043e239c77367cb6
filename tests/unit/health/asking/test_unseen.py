"""What a user was not told, beside what the states of components tell."""

import pytest

from kubectl_admin.health.asking.unseen import without_metrics
from tests.unit.health.made import KUBE_PROXY, KUBELET, bad, fine, metrics, no_reply, node, process


def on(name, told, replies=None):
    return node(name, [process(KUBE_PROXY, name, replies, metrics=told)])


@pytest.mark.parametrize("why", ["refused", "silent", "garbled", "late", "forward"])
def test_who_says_that_it_is_well_and_gives_no_metrics_is_named(why):
    (gap,) = without_metrics((on("w1", no_reply(why)), on("w2", no_reply(why, "x")), on("w3", metrics())))
    assert gap.what == "metrics of kube-proxy on w1, w2"
    assert gap.why


@pytest.mark.parametrize(
    ("told", "replies"),
    [
        (metrics(), fine()),
        (no_reply("forbidden"), fine()),  # which is a gap of its own
        (no_reply("refused"), no_reply("refused")),  # its state tells the same
        (no_reply("silent"), no_reply("silent")),
    ],
)
def test_nothing_is_said_twice(told, replies):
    assert without_metrics((on("w1", told, replies),)) == []


def test_one_that_is_not_well_has_answered_as_well():
    assert without_metrics((on("w1", no_reply("refused"), bad()),))


def test_kube_proxies_whose_metrics_are_off_are_named():
    (gap,) = without_metrics((on("w1", None), on("w2", None), on("w3", metrics())))
    assert gap.what == "metrics of kube-proxy on w1, w2"
    assert "metricsBindAddress" in gap.why
    assert without_metrics((on("w1", None, no_reply("refused")),)) == []
    # A kubelet that was only pinged has a note of its own.
    assert (
        without_metrics((node("w1", [process(KUBELET, "w1"), process(KUBE_PROXY, "w1", metrics=metrics())]),))
        == []
    )
