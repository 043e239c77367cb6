"""API servers by their checks, the balancer before them, their requests and clients."""

import pytest

from kubectl_admin.health.asking import judged_metrics as names
from kubectl_admin.health.facts import Balancer
from kubectl_admin.health.judge import apiserver, judge
from tests.unit.health.made import (
    APISERVER,
    ETCD,
    ago,
    bad,
    brief,
    bucket,
    container,
    facts,
    fine,
    metrics,
    no_reply,
    node,
    on,
    pod,
    process,
)

SERVER = "https://10.0.0.10:6443"


def failing(check, **fields):
    """An API server whose readyz fails by one check."""
    answer = bad(f"[+]ping ok\n[-]{check} failed: reason withheld\nreadyz check failed\n")
    return process(APISERVER, "cp-1", {"/livez": fine(), "/readyz": answer}, **fields)


@pytest.mark.parametrize(
    ("check", "words"),
    [
        ("etcd", "kubectl admin etcd-status"),
        ("shutdown", "being ended"),
        ("informer-sync", "logs kube-apiserver-cp-1"),
        ("poststarthook/rbac/bootstrap-roles", "logs kube-apiserver-cp-1"),
        ("ping", "logs kube-apiserver-cp-1"),
    ],
)
def test_the_advice_is_by_the_check_that_fails(check, words):
    (finding,) = judge(facts(node("cp-1", [failing(check)])))
    assert finding.rule == "apiserver-unhealthy"
    assert check in finding.evidence
    assert words in finding.fix


def test_an_etcd_that_is_down_is_told_as_the_cause():
    one = node("cp-1", [failing("etcd"), process(ETCD, "cp-1", no_reply("silent"))])
    found = judge(facts(one))
    assert brief(found) == [("component-hangs", "violation"), ("apiserver-unhealthy", "violation")]
    assert "etcd on node cp-1, which has a finding of its own" in found[1].fix


def test_since_when_its_kubelet_says_so_is_told():
    made = pod(APISERVER, "cp-1", ready=False, since=ago(300))
    (finding,) = judge(facts(node("cp-1", [failing("etcd", pod=made)])))
    assert finding.since == ago(300)


def test_an_api_server_that_has_just_begun_is_not_judged():
    young = pod(APISERVER, "cp-1", (container(APISERVER, started=ago(30)),))
    assert not list(apiserver.instances(facts(node("cp-1", [failing("informer-sync", pod=young)]))))


@pytest.mark.parametrize(
    ("reply", "instance", "expected"),
    [
        (fine(), fine(), []),
        (bad(status=503), fine(), [("balancer-unhealthy", "violation")]),
        (no_reply("silent"), fine(), [("balancer-unhealthy", "violation")]),
        (no_reply("refused"), fine(), [("balancer-unhealthy", "violation")]),
        (bad(status=403), fine(), []),
        (bad(status=404), fine(), []),
        (no_reply("no way"), fine(), []),
        (no_reply("late"), fine(), []),
        # The instance's own finding says it.
        (bad(status=500), bad(), []),
        (no_reply("silent"), no_reply("forbidden"), []),
    ],
)
def test_the_balancer_is_held_against_the_instances(reply, instance, expected):
    seen = facts(on(APISERVER, instance), balancer=Balancer(SERVER, reply))
    assert brief(apiserver.balancer(seen)) == expected


def test_a_balancer_that_leads_to_what_is_not_ready_is_a_warning():
    seen = facts(on(APISERVER, bad()), node("cp-2"), balancer=Balancer(SERVER, bad()))
    assert brief(apiserver.balancer(seen)) == [("balancer-unhealthy", "warning")]


OWN = "https://10.0.0.10:6443"


@pytest.mark.parametrize(
    ("reply", "instance", "expected"),
    [
        (fine(), fine(), []),
        (bad(status=401), fine(), []),
        (bad(status=503), fine(), [("balancer-unhealthy", "violation")]),
        (no_reply("refused"), fine(), [("balancer-unhealthy", "warning")]),
        # Only from here it may be out of reach.
        (no_reply("silent"), fine(), [("balancer-unhealthy", "note")]),
        (no_reply("no way"), fine(), []),
        (no_reply("late"), fine(), []),
        (no_reply("refused"), no_reply("silent"), []),
    ],
)
def test_the_address_that_a_flag_leads_past(reply, instance, expected):
    seen = facts(on(APISERVER, instance), balancer=Balancer(SERVER, fine()), bypassed=Balancer(OWN, reply))
    assert brief(apiserver.balancer(seen)) == expected


def test_the_end_of_a_tunnel_that_is_not_there_is_no_balancer():
    tunnel = Balancer("https://127.0.0.1:6443", no_reply("refused"))
    assert brief(apiserver.balancer(facts(bypassed=tunnel))) == [("balancer-unhealthy", "note")]


def counted(fields, before=(), window=60.0):
    """The facts of an API server with these metrics, and earlier ones."""
    one = process(APISERVER, "cp-1", metrics=metrics(*fields), earlier=metrics(*before))
    return facts(node("cp-1", [one]), window=window)


def requests(failed, fine, cut=0):
    """Metrics on requests."""
    return [
        (names.REQUESTS, {"code": "200", "verb": "GET"}, fine),
        (names.REQUESTS, {"code": "503", "verb": "GET"}, failed),
        (names.TERMINATIONS, {"verb": "GET"}, cut),
    ]


@pytest.mark.parametrize(
    ("failed", "succeeded", "cut", "window", "expected"),
    [
        (144, 856, 0, 60.0, []),
        (145, 855, 0, 60.0, [("api-errors", "warning")]),
        (145, 855, 0, 59.0, []),
        (145, 855, 0, None, []),
        (90, 9, 0, 60.0, []),
        (90, 10, 0, 60.0, [("api-errors", "warning")]),
        (0, 800, 200, 60.0, []),
        (0, 800, 201, 60.0, [("api-errors", "warning")]),
    ],
)
def test_errors_are_judged_in_a_window_only(failed, succeeded, cut, window, expected):
    seen = counted(requests(1000 + failed, 5000 + succeeded, 50 + cut), requests(1000, 5000, 50), window)
    assert brief(apiserver.errors(seen)) == expected


def test_an_api_server_that_was_restarted_in_the_window_is_not_judged():
    assert not list(apiserver.errors(counted(requests(90, 10), requests(1000, 5000))))


def certificates(within_a_day, within_a_week, all_of_them=5000):
    """The histogram of the time that clients' certificates are valid."""
    counts = {"86400": within_a_day, "604800": within_a_week, "+Inf": all_of_them}
    return bucket(names.CERTIFICATE_BUCKETS, counts)


@pytest.mark.parametrize(
    ("now", "before", "expected"),
    [
        (certificates(0, 0), None, []),
        (certificates(0, 3), None, [("client-certificates", "note")]),
        (certificates(2, 3), None, [("client-certificates", "note")]),
        (certificates(2, 3), certificates(2, 3), []),
        (certificates(2, 4), certificates(2, 3), [("client-certificates", "note")]),
        (certificates(3, 4), certificates(2, 3), [("client-certificates", "warning")]),
    ],
)
def test_certificates_of_clients_are_a_warning_only_while_they_are_used(now, before, expected):
    one = process(
        APISERVER, "cp-1", metrics=metrics(*now), earlier=None if before is None else metrics(*before)
    )
    assert brief(apiserver.clients(facts(node("cp-1", [one]), window=before and 60.0))) == expected


@pytest.mark.parametrize(
    ("release", "count", "expected"),
    [("1.37", 1, 1), ("1.36", 1, 1), ("1.38", 1, 0), ("", 1, 0), ("1.37", 0, 0)],
)
def test_an_api_that_the_next_minor_does_not_have_is_a_note(release, count, expected):
    labels = {"group": "storage.k8s.io", "version": "v1beta1", "resource": "x", "removed_release": release}
    seen = counted([(names.DEPRECATED_APIS, labels, count)])
    assert brief(apiserver.deprecated(seen)) == [("deprecated-api", "note")] * expected


def test_deprecated_apis_of_all_instances_are_one_finding():
    labels = {"group": "", "version": "v1", "resource": "x", "removed_release": "1.37"}
    asked = metrics((names.DEPRECATED_APIS, labels, 1))
    nodes = [node(name, [process(APISERVER, name, metrics=asked)]) for name in ("cp-1", "cp-2")]
    (finding,) = apiserver.deprecated(facts(*nodes))
    assert "core/v1 x" in finding.evidence
