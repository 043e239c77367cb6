"""Checks behind an answer, by their names, and the words of answers."""

import pytest

from kubectl_admin.health.components.checks import (
    failed_checks,
    health_replies,
    is_only_standby,
    plain,
    words,
)
from tests.unit.health.made import APISERVER, ETCD, KUBE_PROXY, SCHEDULER, bad, fine, no_reply, process

LIST = "[+]ping ok\n[-]etcd failed: reason withheld\n[-]log failed: too old\nreadyz check failed\n"


def test_failed_checks_have_the_reasons_that_were_found():
    alone = bad("internal server error: error getting data from etcd:\n context deadline exceeded\n")
    one = process(APISERVER, replies={"/readyz?verbose": bad(LIST), "/readyz/etcd": alone})
    assert failed_checks(one, "/readyz") == {
        "etcd": "error getting data from etcd: context deadline exceeded",
        "log": "too old",
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            '{"kind":"Status","code":403,"message":"forbidden: User \\"a\\" cannot get path"}\n',
            'forbidden: User "a" cannot get path',
        ),
        ('{"kind": "Sta', '{"kind": "Sta'),
        ("{}", "{}"),
        ("not  well\n", "not well"),
    ],
)
def test_of_a_status_only_the_message_is_told(text, said):
    assert plain(text) == said


def test_a_reason_that_stays_withheld_is_empty():
    one = process(APISERVER, replies={"/readyz": bad(LIST), "/readyz/etcd": fine()})
    assert failed_checks(one, "/readyz")["etcd"] == ""
    assert words(one, "/readyz") == "etcd failed; log: too old"


@pytest.mark.parametrize("reply", [fine(LIST), no_reply("silent")])
def test_what_is_fine_or_was_not_answered_has_no_failed_checks(reply):
    one = process(APISERVER, replies={"/readyz": reply})
    assert failed_checks(one, "/readyz") == {}
    assert failed_checks(one, "/livez") == {}


def test_the_query_is_no_part_of_a_path():
    assert set(health_replies(process(APISERVER, replies={"/readyz?verbose": fine()}))) == {"/readyz"}


def test_a_later_answer_to_a_path_wins():
    replies = {"/readyz?verbose": no_reply("refused"), "/readyz": fine()}
    assert health_replies(process(APISERVER, replies=replies)) == {"/readyz": fine()}


def test_other_questions_say_nothing_of_health():
    one = process(KUBE_PROXY, replies={"/healthz": fine(), "/proxyMode": no_reply("refused")})
    assert set(health_replies(one)) == {"/healthz"}


def test_unknown_paths_are_left_out_only_where_another_is_known():
    unknown = bad("404 page not found", 404)
    assert set(health_replies(process(ETCD, replies={"/health": fine(), "/readyz": unknown}))) == {"/health"}
    assert set(health_replies(process(ETCD, replies={"/readyz": unknown}))) == {"/readyz"}


def test_an_answer_without_checks_is_shown_in_one_short_line():
    one = process(APISERVER, replies={"/readyz": bad("too\nmany " + "x" * 300)})
    assert words(one, "/readyz").startswith("too many xxx")
    assert len(words(one, "/readyz")) == 201


@pytest.mark.parametrize(
    ("text", "leads", "expected"),
    [
        ("[-]sched-handler-sync failed: reason withheld\n", False, True),
        ("[-]sched-handler-sync failed: reason withheld\n", True, False),
        ("[-]sched-handler-sync failed: x\n[-]leaderElection failed: y\n", False, False),
    ],
)
def test_a_scheduler_that_stands_by_needs_no_caches(text, leads, expected):
    assert is_only_standby(process(SCHEDULER, replies={"/readyz": bad(text)}), leads) is expected
