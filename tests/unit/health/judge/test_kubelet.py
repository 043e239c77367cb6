"""Kubelets: their checks, their look at containers, their certificates, and what is ageing."""

import pytest

from kubectl_admin.health.asking import judged_metrics as names
from kubectl_admin.health.facts import Clock
from kubectl_admin.health.judge import judge, kubelet
from tests.unit.health.made import (
    AT,
    KUBELET,
    MANAGER,
    bad,
    brief,
    bucket,
    facts,
    metrics,
    node,
    on,
    process,
)

EXACT = Clock(0.0, 0.0)
DAY = 86400


def with_metrics(*given, earlier=None, name="w1", clock=EXACT, window=None, **values):
    """The facts of a worker whose kubelet has these metrics."""
    now = metrics(*given, **values)
    one = process(KUBELET, name, metrics=now, earlier=None if earlier is None else metrics(*earlier))
    return facts(node("cp-1"), node(name, [one], clock), window=window)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[-]syncloop failed: reason withheld\n", "container runtime first"),
        ("[-]log failed: x\n", "journalctl"),
    ],
)
def test_the_advice_is_by_the_check_that_fails(text, words):
    (finding,) = judge(facts(on(KUBELET, bad(text))))
    assert finding.rule == "kubelet-unhealthy"
    assert words in finding.fix


@pytest.mark.parametrize(
    ("ago", "offset", "error", "expected"),
    [
        (180, 0.0, 0.0, []),
        (181, 0.0, 0.0, [("pleg-stuck", "violation")]),
        # Whatever the clock of the node says.
        (10, 171.0, 0.0, [("pleg-stuck", "violation")]),
        (300, -290.0, 0.0, []),
        (181, 0.0, 2.0, []),
    ],
)
def test_a_kubelet_that_does_not_look_at_its_containers(ago, offset, error, expected):
    seen = with_metrics(clock=Clock(offset, error), kubelet_pleg_last_seen_seconds=AT.timestamp() - ago)
    assert brief(kubelet.events(seen)) == expected


@pytest.mark.parametrize("value", [0, float("nan"), float("inf"), 1e30, -5])
def test_a_time_that_is_none_is_no_finding(value):
    assert not list(kubelet.events(with_metrics(kubelet_pleg_last_seen_seconds=value)))


@pytest.mark.parametrize(
    ("above", "window", "expected"), [(1, 60.0, []), (2, 60.0, [("pleg-stuck", "warning")]), (2, 59.0, [])]
)
def test_looks_that_take_long(above, window, expected):
    before = bucket(names.RELIST_BUCKETS, {"10": 500, "+Inf": 500})
    now = bucket(names.RELIST_BUCKETS, {"10": 600 - above, "+Inf": 600})
    assert brief(kubelet.events(with_metrics(*now, earlier=before, window=window))) == expected


@pytest.mark.parametrize(
    ("left", "expected"),
    [
        (7 * DAY, []),
        (7 * DAY - 1, [("kubelet-certificate", "warning")]),
        (DAY, [("kubelet-certificate", "warning")]),
        (DAY - 1, [("kubelet-certificate", "violation")]),
        (-5, [("kubelet-certificate", "violation")]),
        (float("inf"), []),
        (float("nan"), []),
    ],
)
@pytest.mark.parametrize("name", [names.CLIENT_TTL, names.SERVER_TTL])
def test_a_certificate_that_should_have_been_renewed(name, left, expected):
    assert brief(kubelet.certificates(with_metrics(**{name: left}))) == expected


@pytest.mark.parametrize(
    ("duration", "left", "expected"),
    [
        ("24h", 2.4 * 3600, []),
        ("24h0m0s", 2.4 * 3600 - 1, [("kubelet-certificate", "violation")]),
        ("", DAY - 1, [("kubelet-certificate", "violation")]),
        ("soon", DAY - 1, [("kubelet-certificate", "violation")]),
    ],
)
def test_certificates_that_live_for_a_day_by_design_are_late_when_a_tenth_is_left(duration, left, expected):
    manager = process(MANAGER, "cp-1", flags={"cluster-signing-duration": duration} if duration else {})
    one = process(KUBELET, "cp-1", metrics=metrics(kubelet_certificate_manager_client_ttl_seconds=left))
    assert brief(kubelet.certificates(facts(node("cp-1", [manager, one])))) == expected


@pytest.mark.parametrize(
    ("before", "expected"), [(1, [("kubelet-certificate", "warning")]), (2, []), (None, [])]
)
def test_renewals_that_fail_count_between_two_looks_only(before, expected):
    earlier = None if before is None else [(names.CLIENT_RENEW_ERRORS, {}, before)]
    seen = with_metrics((names.CLIENT_RENEW_ERRORS, {}, 2), earlier=earlier, window=5.0)
    assert brief(kubelet.certificates(seen)) == expected


def test_old_cgroups_are_one_note_for_all_nodes():
    said = metrics(kubelet_cgroup_version=1)
    nodes = [node(name, [process(KUBELET, name, metrics=said)]) for name in ("w1", "w2", "w3", "w4")]
    (finding,) = judge(facts(*nodes))
    assert brief([finding]) == [("cgroup-v1", "note")]
    assert finding.objects == ("node/w1", "node/w2", "node/w3", "node/w4")


def test_new_cgroups_are_no_finding():
    assert judge(with_metrics(kubelet_cgroup_version=2)) == []


def test_a_runtime_that_later_kubelets_do_not_support_is_a_note():
    (finding,) = judge(with_metrics((names.LOSING_SUPPORT, {"version": "1.38.0"}, 1)))
    assert brief([finding]) == [("runtime-support-ends", "note")]
    assert "1.38.0" in finding.evidence
