import json
from datetime import timedelta

import pytest

from kubectl_admin.finding import Rule, Severity
from kubectl_admin.health.facts import Balancer, Resolver
from kubectl_admin.health.look import has_answered, look
from kubectl_admin.health.shown.ignore import Exemption
from kubectl_admin.health.shown.report import report
from kubectl_admin.report import document, terminal
from tests.unit.health import made
from tests.unit.health.made import AT, ETCD, KUBE_PROXY, KUBELET, MANAGER, facts, node, process

SLOW = Rule("slow-disk", "etcd writes quickly", "https://etcd.io/docs/v3.6/op-guide/hardware/")
DOWN = Rule("node-off", "a node answers")
NOTE = DOWN.note(subject="node", evidence="it is cordoned", objects=["node/w1"])
VIOLATION = SLOW.violation(
    subject="etcd",
    evidence="110 of 200 writes took longer than 1 s",
    fix="give it a disk of its own",
    objects=["node/cp-1"],
    since=AT - timedelta(minutes=3),
)
RESOLVER = Resolver(
    made.pod("coredns", "w1"), "kubernetes.default.svc.cluster.local", ("10.96.0.1",), ("10.96.0.1",)
)


def shown(one, **fields):
    """The report as a person sees it."""
    return terminal.render(report(one, **fields), wide=False, headers=True, colour=False, width=80)


def plain(one):
    """The report as a program reads it."""
    return json.loads(document.to_json(report(one)))


def test_a_whole_report_is_one_screen():
    seen = facts(
        node("cp-1", [process(ETCD, metrics=made.metrics(etcd_server_is_leader=1))]),
        node("cp-2"),
        node("cp-3"),
        node("w1"),
        balancer=Balancer("https://10.0.0.10:6443", made.fine(seconds=0.012)),
        resolvers=(RESOLVER,),
    )
    text = shown(look(seen, [NOTE, VIOLATION]))
    assert text == (
        "NODE  STATUS  APISERVER  ETCD  KUBELET  PROXY  MANAGER  SCHEDULER\n"
        "cp-1  Ready   ok         ok*   ok       ok     ok*      ok*\n"
        "cp-2  Ready   ok         ok    ok       ok     ok       ok\n"
        "cp-3  Ready   ok         ok    ok       ok     ok       ok\n"
        "w1    Ready   -          -     ok       ok     -        -\n"
        "\n"
        "context admin@lab, https://10.0.0.10:6443: ready, in 12 ms\n"
        "leaders (*): etcd cp-1, controller-manager cp-1, scheduler cp-1\n"
        "DNS: 1 of 1 CoreDNS pods answered\n"
        "\n"
        "violation: etcd on node/cp-1 for 3 minutes: 110 of 200 writes took longer than 1\n"
        "  s\n"
        "  rule: etcd writes quickly (https://etcd.io/docs/v3.6/op-guide/hardware/)\n"
        "  fix:  give it a disk of its own\n"
        "note: node on node/w1: it is cordoned\n"
        "  rule: a node answers\n"
        "\n"
        "20 of 20 components well; 4 of 4 nodes reached in 0.5 s; no rate is judged\n"
        "  without --sample; 1 violation, 1 note\n"
    )
    assert max(map(len, text.splitlines())) <= 80


def test_what_is_not_well_and_what_was_not_seen_are_counted_apart():
    cp1 = node(
        "cp-1",
        [process(ETCD, replies=made.bad()), process(MANAGER, replies=made.no_reply("late"))],
    )
    assert "4 of 6 components well, 1 not well, 1 not seen; 1 of 1 nodes reached" in " ".join(
        shown(look(facts(cp1), ())).split()
    )


def test_a_sample_says_so():
    left_out = [
        node(
            name,
            [process(one, name, replies={}) for one in (KUBELET, KUBE_PROXY)],
            way=made.no_reply("left out"),
        )
        for name in map("x{}".format, range(10))
    ]
    text = " ".join(shown(look(facts(node("w1"), *left_out, sampled=1), ())).split())
    assert "1 of 1 nodes reached in 0.5 s, 10 not asked (--all asks all)" in text
    assert "2 of 22 components well, 20 not seen" in text


def test_the_nodes_on_which_a_debug_pod_was_made_are_named():
    nodes = [
        node("cp-1", host="kubectl-admin-1"),
        node("cp-2", host=made.no_reply("no way", "no")),
        node("w1"),
    ]
    text = " ".join(shown(look(facts(*nodes), ())).split())
    assert "3 of 3 nodes reached in 0.5 s, through a debug pod on cp-1; no rate" in text


def test_the_window_of_the_rates():
    assert "rates are of 60 seconds" in shown(look(facts(window=60.0), ()))


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (made.fine(seconds=0.5), "ready, in 500 ms"),
        (made.bad(status=503), "/readyz is 503"),
        (made.no_reply("silent"), "no answer (silent)"),
        (made.no_reply("refused", "connection refused"), "no answer (connection refused)"),
    ],
)
def test_the_address_of_the_kubeconfig(reply, said):
    assert f"10.0.0.10:6443: {said}\n" in shown(look(facts(balancer=Balancer("x", reply)), ()))


def test_the_address_that_a_flag_leads_past():
    own = Balancer("https://10.0.0.10:6443", made.no_reply("refused", "connection refused"))
    seen = look(facts(server="https://cp-1:6443", balancer=Balancer("x", made.fine()), bypassed=own), ())
    assert "cp-1:6443: ready, in 10 ms\nthe kubeconfig's own address, https://10.0.0.10:6443: no" in shown(
        seen
    )
    assert plain(seen)["bypassed"]["problem"] == "refused: connection refused"
    assert plain(look(facts(), ()))["bypassed"] is None


def test_no_leader_is_guessed():
    assert "leaders (*): none is known" in shown(look(facts(leaders={}), ()))
    nobody = {MANAGER: made.lease(holder="")}
    assert "leaders (*): controller-manager nobody" in shown(look(facts(leaders=nobody), ()))


def test_dns_pods_that_may_not_be_asked_are_no_outage():
    denied = [Resolver(made.pod("coredns", one), "a", made.no_reply("forbidden")) for one in ("w1", "w2")]
    said = shown(look(facts(resolvers=tuple(denied)), ()))
    assert "DNS: not asked (you may not forward ports to 2 CoreDNS pods)\n" in said
    said = shown(look(facts(resolvers=(RESOLVER, denied[0])), ()))
    assert "DNS: 1 of 1 CoreDNS pods answered; 1 not asked (you may not forward" in said


def test_a_dns_server_that_does_not_answer_is_named():
    silent = Resolver(made.pod("coredns", "w2"), "a", made.no_reply("silent"))
    text = shown(look(facts(resolvers=(RESOLVER, silent)), ()))
    assert "DNS: 1 of 2 CoreDNS pods answered; no answer of coredns-w2\n" in text
    assert "DNS: no pod of CoreDNS was asked\n" in shown(look(facts(), ()))


def test_what_is_ignored_is_shown_and_does_not_count():
    seen = look(facts(), [NOTE, VIOLATION], [Exemption("slow-disk", "node/cp-1"), Exemption("other")])
    text = shown(seen)
    assert "ignored violation: slow-disk, etcd on node/cp-1\n" in text
    assert "--ignore other: there is no such finding\n" in text
    assert text.endswith("--sample; 1 note\n")
    assert not report(seen).failed
    assert [one["rule"] for one in plain(seen)["ignored"]] == ["slow-disk"]


def test_the_severity_that_it_fails_on():
    seen = look(facts(), [SLOW.warning(subject="etcd", evidence="slow")])
    assert not report(seen).failed
    assert report(seen, fail_on=Severity.WARNING).failed
    assert not report(look(facts(), [VIOLATION]), fail_on=None).failed


def test_a_document():
    seen = facts(balancer=Balancer("https://10.0.0.10:6443", made.fine()), resolvers=(RESOLVER,))
    found = plain(look(seen, [VIOLATION]))
    assert (found["kind"], found["at"], found["context"]) == ("Health", "2026-11-30T03:00:00Z", "admin@lab")
    assert found["components"] == {"well": 8, "notWell": 0, "notSeen": 0}
    assert found["leaders"]["kube-scheduler"] == {
        "holder": "cp-1_0f62c528",
        "node": "cp-1",
        "ageSeconds": 2.0,
        "transitions": 0,
    }
    assert found["findings"][0]["since"] == "2026-11-30T02:57:00Z"
    control_plane, worker = found["items"]
    assert list(worker["components"]) == ["kubelet", "kube-proxy"]
    assert control_plane["components"]["kube-scheduler"] == {
        "state": "well",
        "well": True,
        "evidence": "/readyz answered in 10 ms",
        "answerSeconds": 0.01,
        "leads": True,
        "pod": "kube-scheduler-cp-1",
        "podReady": True,
        "restarts": 0,
        "port": 10259,
    }


def test_what_was_not_seen_is_neither_well_nor_not_in_a_document():
    away = node("w1", way=made.no_reply("forbidden", "forbidden: pods/portforward"))
    (item,) = plain(look(facts(away), ()))["items"]
    assert item["asked"] is False
    assert item["problem"] == "forbidden: forbidden: pods/portforward"


def test_whether_anything_has_answered():
    assert has_answered(look(facts(node("w1", [process(KUBELET, "w1", made.bad())])), ()))
    silent = [process(one, "w1", made.no_reply("late")) for one in (KUBELET, KUBE_PROXY)]
    assert not has_answered(look(facts(node("w1", silent)), ()))


def test_the_leader_of_etcd_is_told_to_programs_as_well():
    leads = process(ETCD, metrics=made.metrics(etcd_server_is_leader=1))
    found = plain(look(facts(node("cp-1", [leads])), []))
    nobody_knows = {"holder": None, "ageSeconds": None, "transitions": None}
    assert found["leaders"]["etcd"] == {"node": "cp-1", **nobody_knows}
    assert "etcd" not in plain(look(facts(), []))["leaders"]
