"""etcd by its members' own judge, from metrics; what metrics can't tell gives no finding."""

import pytest

from kubectl_admin.health.asking import judged_metrics as names
from kubectl_admin.health.flaps import Flaps
from kubectl_admin.health.judge import etcd as judged
from kubectl_admin.health.judge import judge
from tests.unit.health.made import (
    APISERVER,
    ETCD,
    HAS,
    ago,
    bad,
    brief,
    bucket,
    container,
    etcd,
    etcd_metrics,
    facts,
    fine,
    metrics,
    no_reply,
    node,
    pod,
    process,
    stacked,
)

ALARM = bad('{"health":"false","reason":"ALARM NOSPACE"}', 503)
GIB = 1 << 30


def found(*changed, **fields):
    """Rules and severities that come of three members, these of them changed."""
    return brief(judge(stacked(*changed, **fields)))


def test_three_members_that_are_well_give_no_finding():
    assert found() == []


def test_without_metrics_nothing_is_said_of_members():
    assert judge(facts(node("cp-1"), node("cp-2"))) == []


def test_an_external_etcd_is_not_judged():
    assert not list(judged.cluster(facts(has=HAS - {ETCD})))


def test_one_member_alone_has_no_spare_by_design():
    one = facts(etcd(1, said=etcd_metrics("a1", known=["a1"])))
    assert brief(judge(one)) == [("no-spare-member", "note")]


@pytest.mark.parametrize("replies", [no_reply("silent"), no_reply("refused")])
def test_a_member_that_is_bad_has_one_finding_and_takes_the_spare(replies):
    others = (
        etcd(1, said=etcd_metrics("a1", active=["a2"])),
        etcd(2, said=etcd_metrics("a2", active=["a1"])),
    )
    silent = etcd(3, replies)
    rule = "component-hangs" if replies.why == "silent" else "port-closed"
    assert found(*others, silent) == [(rule, "violation"), ("no-spare-member", "warning")]


def test_a_member_that_others_hear_is_up_though_it_may_not_be_asked():
    assert found(etcd(3, no_reply("forbidden"))) == [("not-seen", "note")]


def test_a_member_that_may_not_be_asked_and_that_nobody_hears_is_down():
    others = (
        etcd(1, said=etcd_metrics("a1", active=["a2"])),
        etcd(2, said=etcd_metrics("a2", active=["a1"])),
    )
    assert ("member-down", "violation") in found(*others, etcd(3, no_reply("forbidden")))


def test_a_member_that_is_just_starting_is_not_down():
    others = (
        etcd(1, said=etcd_metrics("a1", active=["a2"])),
        etcd(2, said=etcd_metrics("a2", active=["a1"])),
    )
    young = etcd(3, no_reply("refused"), pod=pod(ETCD, "cp-3", (container("etcd", started=ago(5)),)))
    assert "member-down" not in [rule for rule, _ in found(*others, young)]


def test_a_member_of_a_node_that_is_gone_is_named():
    known = ["a1", "a2", "a3", "dead"]
    nodes = [etcd(number, said=etcd_metrics(f"a{number}", known, ["a1", "a2", "a3"])) for number in (1, 2, 3)]
    rules = [rule for rule, _ in brief(judge(facts(*nodes)))]
    assert rules == ["member-down", "no-spare-member", "member-without-node"]


def test_a_member_that_most_do_not_know_any_more_is_not_counted():
    lagging = etcd(3, said=etcd_metrics("a3", ["a1", "a2", "a3", "dead"], ["a1", "a2"]))
    assert found(lagging) == []


def test_without_a_quorum_that_is_said():
    first = etcd(
        1,
        bad('{"health":"false","reason":"RAFT NO LEADER"}', 503),
        etcd_metrics("a1", active=[], leader=0, etcd_server_has_leader=0),
    )
    rules = found(first, etcd(2, no_reply("silent")), etcd(3, no_reply("silent")))
    assert ("quorum-lost", "violation") in rules
    assert ("no-leader", "violation") in rules
    assert "etcd-unhealthy" not in [rule for rule, _ in rules]
    assert rules.count(("component-hangs", "violation")) == 2


def test_an_alarm_is_one_finding_whoever_tells_of_it():
    nodes = [
        etcd(number, {"/health": ALARM, "/readyz": fine()}, etcd_metrics(f"a{number}"))
        for number in (1, 2, 3)
    ]
    (finding,) = judge(facts(*nodes))
    assert (finding.rule, str(finding.severity)) == ("alarm-nospace", "violation")
    assert "raised by a member that is not named" in finding.evidence


def test_an_alarm_is_known_without_metrics():
    assert brief(judge(facts(etcd(1, {"/health": ALARM, "/readyz": fine()})))) == [
        ("alarm-nospace", "violation")
    ]


def test_corruption_is_known_from_readyz():
    replies = {
        "/health": fine(),
        "/readyz": bad("[-]data_corruption failed: alarm activated: CORRUPT\n", 503),
    }
    assert found(etcd(1, replies, etcd_metrics("a1"))) == [("alarm-corrupt", "violation")]


def test_a_learner_is_told_as_one():
    replies = {"/health": fine(), "/readyz": bad("[-]non_learner failed: local member is learner\n", 503)}
    said = etcd_metrics("a3", etcd_server_is_learner=1)
    # The two voters that are left can spare none.
    expected = [("no-spare-member", "warning"), ("learner-not-promoted", "warning")]
    assert found(etcd(3, replies, said)) == expected


def test_a_read_that_fails_for_another_reason_is_told():
    answer = bad("[-]linearizable_read failed: etcdserver: request timed out\n[+]serializable_read ok\n", 503)
    (finding,) = judge(stacked(etcd(1, {"/health": fine(), "/readyz": answer}, etcd_metrics("a1"))))
    assert finding.rule == "etcd-unhealthy"
    assert "gets no agreement" in finding.fix
    assert "request timed out" in finding.evidence


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (0.80 * 2 * GIB - 1, []),
        (0.80 * 2 * GIB + 1, [("near-quota", "warning")]),
        (0.95 * 2 * GIB + 1, [("near-quota", "violation")]),
    ],
)
def test_a_database_near_its_quota(size, expected):
    said = etcd_metrics(
        "a1", etcd_mvcc_db_total_size_in_bytes=size, etcd_mvcc_db_total_size_in_use_in_bytes=size
    )
    assert found(etcd(1, said=said)) == expected


def test_a_fragmented_database():
    assert found(etcd(1, said=etcd_metrics("a1", etcd_mvcc_db_total_size_in_use_in_bytes=99 << 20))) == [
        ("fragmented", "warning")
    ]


def test_a_size_that_is_not_given_is_no_finding():
    said = {
        name: value
        for name, value in etcd_metrics("a1").items()
        if name not in (names.DATABASE_IN_USE, names.QUOTA, names.APPLIED, names.COMMITTED)
    }
    others = [
        etcd(number, said=etcd_metrics(f"a{number}", **{names.COMMITTED: 10, names.APPLIED: 10}))
        for number in (2, 3)
    ]
    assert found(etcd(1, said=said), *others) == []


@pytest.mark.parametrize(("applied", "expected"), [(49_000, []), (48_999, [("behind", "warning")])])
def test_a_member_that_is_behind_with_applying(applied, expected):
    assert found(etcd(2, said=etcd_metrics("a2", etcd_server_proposals_applied_total=applied))) == expected


def test_two_versions():
    assert found(etcd(2, said=etcd_metrics("a2", version="3.6.11"))) == [("versions-differ", "warning")]


def test_a_leader_that_could_not_be_asked_is_not_missed():
    others = [etcd(number, said=etcd_metrics(f"a{number}")) for number in (2, 3)]
    assert found(etcd(1, no_reply("forbidden")), *others) == [("not-seen", "note")]


@pytest.mark.parametrize(
    ("servers", "expected"),
    [
        ("https://127.0.0.1:2379", []),
        ("https://10.0.0.11:2379", []),
        ("https://192.0.2.1:2379", [("apiserver-uses-another-etcd", "warning")]),
    ],
)
def test_the_etcd_that_the_api_server_uses(servers, expected):
    one = etcd(1, said=etcd_metrics("a1", known=["a1"]))
    api = process(APISERVER, "cp-1", flags={"etcd-servers": servers})
    member = one.process(ETCD)
    found = brief(judge(facts(node("cp-1", [member, api]))))
    assert [each for each in found if each[0] != "no-spare-member"] == expected


def windowed(now, before, window=60.0):
    """Three members, the first with these metrics besides its own."""
    said = etcd_metrics("a1") | metrics(*now)
    return stacked(etcd(1, said=said, earlier=metrics(*before)), window=window)


@pytest.mark.parametrize(
    ("name", "limit", "above", "count", "window", "expected"),
    [
        (names.FSYNC_BUCKETS, "0.512", 1, 100, 60.0, []),
        (names.FSYNC_BUCKETS, "0.512", 2, 100, 60.0, [("slow-disk", "warning")]),
        (names.FSYNC_BUCKETS, "0.512", 2, 100, 59.0, []),
        (names.FSYNC_BUCKETS, "0.512", 50, 99, 60.0, []),
        (names.FSYNC_BUCKETS, "1.024", 2, 100, 60.0, [("slow-disk", "violation")]),
        (names.COMMIT_BUCKETS, "0.256", 2, 100, 60.0, [("slow-disk", "warning")]),
        (names.COMMIT_BUCKETS, "0.256", 1, 100, 60.0, []),
    ],
)
def test_a_slow_disk_is_told_in_a_window_only(name, limit, above, count, window, expected):
    before = bucket(name, {limit: 1000, "+Inf": 1010})
    now = bucket(name, {limit: 1000 + count - above, "+Inf": 1010 + count})
    assert brief(judge(windowed(now, before, window))) == expected


@pytest.mark.parametrize(("above", "expected"), [(1, []), (2, [("slow-peer", "warning")])])
def test_a_slow_peer_is_named(above, expected):
    before = bucket(names.ROUND_TRIP_BUCKETS, {"0.2048": 20, "+Inf": 20}, To="a2")
    now = bucket(names.ROUND_TRIP_BUCKETS, {"0.2048": 24 - above, "+Inf": 24}, To="a2")
    found = judge(windowed(now, before))
    assert brief(found) == expected
    assert all("member cp-2" in finding.subject for finding in found)


@pytest.mark.parametrize(("failed", "expected"), [(300, []), (301, [("proposals-failed", "warning")])])
def test_proposals_that_fail(failed, expected):
    assert (
        brief(judge(windowed([(names.PROPOSALS_FAILED, {}, 7 + failed)], [(names.PROPOSALS_FAILED, {}, 7)])))
        == expected
    )


@pytest.mark.parametrize(
    ("changes", "window", "expected"),
    [
        (3, 60.0, []),
        (4, 60.0, [("leader-changes", "warning")]),
        (4, 900.0, [("leader-changes", "warning")]),
        (4, 1800.0, []),
        (8, 1800.0, [("leader-changes", "warning")]),
        (9, None, []),
    ],
)
def test_leaders_that_change(changes, window, expected):
    now, before = [(names.LEADER_CHANGES, {}, 2 + changes)], [(names.LEADER_CHANGES, {}, 2)]
    assert brief(judge(windowed(now, before, window))) == expected


@pytest.mark.parametrize(("changes", "expected"), [(3, []), (4, [("leader-changes", "warning")])])
def test_leaders_that_change_while_a_watch_looks_on(changes, expected):
    seen = stacked(etcd(1), window=60.0, flaps=Flaps(900.0, {}, {}, {"cp-1": changes}))
    assert brief(judge(seen)) == expected
