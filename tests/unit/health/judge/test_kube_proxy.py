"""kube-proxies: whether they are live and in step, and which mode they have."""

import pytest

from kubectl_admin.health.asking import judged_metrics as names
from kubectl_admin.health.facts import Clock
from kubectl_admin.health.judge import judge
from kubectl_admin.health.object_facts import Objects
from tests.unit.health.made import AT, KUBE_PROXY, bad, brief, facts, fine, metrics, node, on, process

EXACT = Clock(0.0, 0.0)
NOW = AT.timestamp()
LATE = (
    '{"lastUpdated":"2026-11-30T02:00:00Z","currentTime":"2026-11-30T03:00:00Z","healthy":false,"status":'
    '{"IPv4":{"lastUpdated":"2026-11-30T02:00:00Z","healthy":false},'
    '"IPv6":{"lastUpdated":"2026-11-30T02:59:00Z","healthy":true}}}'
)


def test_the_family_that_is_late_is_named():
    (finding,) = judge(facts(on(KUBE_PROXY, {"/healthz": bad(LATE, 503), "/livez": bad(LATE, 503)})))
    assert (finding.rule, str(finding.severity)) == ("kube-proxy-unhealthy", "violation")
    assert finding.evidence == "updates of its IPv4 rules wait for more than a minute"


def test_an_old_kube_proxy_does_not_name_the_family():
    (finding,) = judge(facts(on(KUBE_PROXY, {"/healthz": bad('{"lastUpdated":"x"}', 503)})))
    assert "/healthz is 503" in finding.evidence


def test_an_answer_that_is_nested_without_end_ends_nothing():
    deep = "[" * 4000
    assert judge(facts(on(KUBE_PROXY, {"/healthz": fine(deep), "/livez": fine(deep)}))) == []


def test_a_node_that_is_about_to_be_deleted_is_a_note():
    replies = {"/healthz": bad('{"nodeEligible":false,"healthy":true}', 503), "/livez": fine("{}")}
    assert brief(judge(facts(on(KUBE_PROXY, replies)))) == [("node-not-eligible", "note")]


def times(queued, synced, family="IPv4"):
    """The times of the last update that was queued, and of the last that was written; seconds ago."""
    label = {"ip_family": family} if family else {}
    return [(names.QUEUED, label, NOW - queued), (names.SYNCED, label, NOW - synced)]


def seen(*given, clock=EXACT, earlier=None, replies=None):
    """The facts of a worker whose kube-proxy has these metrics."""
    before = None if earlier is None else metrics(*earlier)
    one = process(KUBE_PROXY, "w1", replies, metrics=metrics(*given), earlier=before)
    return facts(node("w1", [one], clock))


@pytest.mark.parametrize(
    ("queued", "synced", "expected"),
    [
        # In step: written after it was queued, however long ago.
        (86401, 86400, 0),
        # Queued, and about to be written.
        (1, 50, 0),
        (60, 61, 0),
        # It has waited for more than a minute.
        (61, 61.5, 1),
        (600, 86400, 1),
        # Updates keep coming, and none is written.
        (1, 61, 0),
        (1, 62, 1),
    ],
)
@pytest.mark.parametrize("family", ["IPv6", ""])
def test_updates_that_wait_for_more_than_a_minute(queued, synced, family, expected):
    found = judge(seen(*times(queued, synced, family)))
    assert brief(found) == [("kube-proxy-behind", "violation")] * expected


def test_since_when_rules_are_old_is_told():
    (finding,) = judge(seen(*times(600, 7200, "IPv4"), *times(86401, 86400, "IPv6")))
    assert finding.since.timestamp() == NOW - 7200
    assert finding.evidence == "its IPv4 rules were written 2 hours ago, and updates have been queued since"


@pytest.mark.parametrize(("offset", "expected"), [(-2.0, 0), (0.0, 1)])
def test_the_clock_of_the_node_is_taken_into_account(offset, expected):
    assert len(judge(seen(*times(61, 62), clock=Clock(offset, 0.0)))) == expected


@pytest.mark.parametrize("value", [0.0, float("nan"), float("inf")])
def test_times_that_are_none_are_no_finding(value):
    given = [(names.QUEUED, {}, NOW), (names.SYNCED, {}, value)]
    assert judge(seen(*given)) == []


def test_a_kube_proxy_that_says_itself_that_it_is_late_is_one_finding():
    replies = {"/healthz": bad(LATE, 503), "/livez": bad(LATE, 503)}
    assert brief(judge(seen(*times(600, 7200), replies=replies))) == [("kube-proxy-unhealthy", "violation")]


@pytest.mark.parametrize(
    "name", [names.RESTORE_FAILURES, names.PARTIAL_RESTORE_FAILURES, names.NFTABLES_FAILURES]
)
@pytest.mark.parametrize(
    ("now", "before", "expected"),
    [(0, None, []), (5, None, ["note"]), (5, 5, ["note"]), (6, 5, ["warning"]), (1, 5, ["note"])],
)
def test_rules_that_are_refused_count_between_two_looks(name, now, before, expected):
    earlier = None if before is None else [(name, {}, before)]
    found = judge(seen((name, {}, now), earlier=earlier))
    assert brief(found) == [("kube-proxy-failing", each) for each in expected]


def moded(name, mode):
    """A node whose kube-proxy has this mode."""
    return node(name, [process(KUBE_PROXY, name, {"/healthz": fine(), "/proxyMode": fine(mode)})])


@pytest.mark.parametrize(
    ("modes", "expected"),
    [
        (("iptables", "iptables", "iptables"), []),
        (("iptables", "nftables", "iptables"), [("proxy-mode", "warning")]),
        (("ipvs", "ipvs", "ipvs"), [("proxy-mode", "note")]),
        (("ipvs", "iptables", "iptables"), [("proxy-mode", "warning"), ("proxy-mode", "note")]),
    ],
)
def test_modes(modes, expected):
    nodes = [moded(f"w{number}", mode) for number, mode in enumerate(modes)]
    assert brief(judge(facts(*nodes))) == expected


@pytest.mark.parametrize(
    ("mode", "flags", "expected"),
    [
        ("", {"config": "/var/lib/kube-proxy/config.conf"}, [("proxy-mode", "note")]),
        ("", {"proxy-mode": "iptables"}, []),  # none reads the ConfigMap
        ("iptables", {"config": "x"}, []),
        (None, {"config": "x"}, []),
    ],
)
def test_a_configuration_that_names_no_mode_is_a_note(mode, flags, expected):
    one = on(KUBE_PROXY, flags=flags)
    assert brief(judge(facts(one, objects=Objects(pods=(), proxy_mode=mode)))) == expected


def test_the_nodes_of_the_fewer_are_named():
    (finding,) = judge(facts(moded("w1", "iptables"), moded("w2", "nftables"), moded("w3", "iptables")))
    assert finding.objects == ("node/w2",)


def test_a_node_does_not_fill_the_evidence_with_its_mode():
    (finding,) = judge(facts(moded("w1", "iptables"), moded("w2", "x" * 4000), moded("w3", "iptables")))
    assert f": w1, w3; {'x' * 40}: w2" in finding.evidence
