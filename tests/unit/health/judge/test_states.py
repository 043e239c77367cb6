"""What each state comes to: one finding for one cause, and nothing for what is well."""

from dataclasses import replace

import pytest

from kubectl_admin.finding import Gap
from kubectl_admin.health.facts import Endpoint
from kubectl_admin.health.judge import judge, states
from kubectl_admin.health.object_facts import Objects
from tests.unit.health.made import (
    APISERVER,
    ETCD,
    KUBE_PROXY,
    KUBELET,
    MANAGER,
    SCHEDULER,
    ago,
    bad,
    brief,
    container,
    facts,
    fine,
    lease,
    no_reply,
    node,
    on,
    pod,
    process,
    with_process,
)

UNASKED = no_reply("node")
CRASHED = {"restarts": 3, "exit_code": 1, "reason": "Error", "finished": ago(90)}


def judged(*nodes, **fields):
    """The rules and severities that come of these nodes."""
    return brief(judge(facts(*nodes, **fields)))


def off(name="cp-2", way=UNASKED, **fields):
    """A node of which nothing answers."""
    here = (APISERVER, ETCD, MANAGER, SCHEDULER, KUBELET, KUBE_PROXY) if name.startswith("cp") else ()
    dead = [process(one, name, UNASKED) for one in here or (KUBELET, KUBE_PROXY)]
    standing = {"way": way, "clock": None, "ready": "Unknown", "lease": lease(name, ago(300))}
    return node(name, dead, **(standing | fields))


def test_a_healthy_cluster_has_no_finding():
    assert judge(facts()) == []


@pytest.mark.parametrize("name", ["cp-2", "w1"])
def test_a_node_that_is_off_is_one_finding_whatever_is_on_it(name):
    assert judged(node(), off(name)) == [("node-unreachable", "violation")]


def test_since_when_a_node_is_off_is_told():
    (finding,) = judge(facts(node(), off("w1")))
    assert finding.since == ago(3600)
    assert finding.objects == ("node/w1",)
    assert "its lease was renewed 5 minutes ago" in finding.evidence


def test_a_kubelet_alone_that_is_down_is_told_from_a_node_that_is_off():
    one = off(lease=lease("cp-2", ago(4)), ready="True")
    assert judged(node(), one) == [("kubelet-down", "violation")]


def refused(**fields):
    """A worker whose machine refuses connections to its kubelet."""
    said = "error dialing backend: dial tcp 10.200.0.14:10250: connect: connection refused"
    return off("w1", no_reply("node", said), ready="True", **{"lease": lease("w1", ago(14)), **fields})


def test_a_kubelet_that_is_down_is_told_in_one_sentence():
    (finding,) = judge(facts(node(), refused()))
    assert (finding.subject, finding.objects) == ("kubelet on node w1 is down", ("node/w1",))
    assert finding.evidence == (
        "10.200.0.14:10250 refuses connections; last sign of life 14 seconds ago; its pods may still run"
    )
    assert finding.fix == "on the node: systemctl status kubelet; journalctl -u kubelet -n 50"
    assert finding.since == ago(14)


def test_a_kubelet_that_says_nothing_and_does_not_renew_its_lease_may_lack_an_api_server():
    silent = off("w1", no_reply("silent"), ready="True", lease=lease("w1", ago(20)))
    alive = with_process(silent, KUBE_PROXY, replies={"/healthz": fine()})
    (finding,) = judge(facts(node(), alive))
    assert (finding.rule, finding.subject) == ("kubelet-down", "kubelet on node w1 gives no sign of life")
    assert finding.fix.endswith("; see that it reaches an API server")


def test_a_kubelet_that_lives_and_is_out_of_reach_is_not_called_down():
    one = off("w1", no_reply("node", "no route to host"), ready="True", lease=lease("w1", ago(4)))
    (finding,) = judge(facts(node(), one))
    assert (finding.rule, finding.subject) == ("kubelet-down", "kubelet on node w1 is out of reach")


def test_a_kubelet_that_waits_for_the_api_server_of_its_node_is_no_finding_of_its_own():
    silent = {path: no_reply("silent") for path in ("/livez", "/readyz")}
    one = node("cp-1", [process(APISERVER, "cp-1", silent), process(KUBELET, "cp-1", no_reply("silent"))])
    found = [each for each in judge(facts(one, node("w1"))) if each.severity != "note"]
    assert [(each.rule, each.subject) for each in found] == [
        ("component-hangs", "kube-apiserver on node cp-1")
    ]


def test_a_runtime_that_hangs_is_one_finding():
    one = off(way=no_reply("forward", "deadline exceeded"), lease=lease("cp-2", ago(4)), ready="True")
    assert judged(node(), one) == [("runtime-hangs", "violation")]


def test_a_node_left_out_of_the_sample_is_no_finding():
    assert judged(node(), replace(node("w1"), way=no_reply("left out"), processes=()), sampled=1) == []


@pytest.mark.parametrize(
    ("one", "rule"),
    [
        (on(MANAGER, no_reply("refused"), pod=None), "component-missing"),
        (on(MANAGER, no_reply("refused")), "port-closed"),
        (on(MANAGER, no_reply("silent")), "component-hangs"),
        (on(KUBE_PROXY, no_reply("silent")), "component-hangs"),
        (on(KUBELET, no_reply("silent")), "component-hangs"),
        (on(MANAGER, bad("[-]leaderElection failed: reason withheld\n")), "controller-manager-unhealthy"),
        (on(SCHEDULER, bad("[-]leaderElection failed: reason withheld\n")), "scheduler-unhealthy"),
        (on(KUBELET, bad("[-]syncloop failed: reason withheld\n")), "kubelet-unhealthy"),
        (on(KUBE_PROXY, bad(status=503)), "kube-proxy-unhealthy"),
        (on(APISERVER, bad()), "apiserver-unhealthy"),
        (on(ETCD, bad()), "etcd-unhealthy"),
    ],
)
def test_each_bad_state_is_exactly_one_violation(one, rule):
    (finding,) = judge(facts(one, node("cp-2"), node("cp-3"), node("w1")))
    assert (finding.rule, str(finding.severity), finding.objects) == (rule, "violation", ("node/cp-1",))
    assert finding.fix
    assert finding.source


def crashing(**fields):
    """A controller-manager that refuses, with this container."""
    made = pod(MANAGER, "cp-1", (container(MANAGER, **fields),))
    return on(MANAGER, no_reply("refused"), pod=made)


def test_a_crash_has_its_exit_code_and_its_time():
    one = crashing(started=None, waiting="CrashLoopBackOff", **CRASHED)
    (finding,) = judge(facts(one, node("cp-2"), leaders={}))
    assert (finding.rule, str(finding.severity)) == ("component-crashing", "violation")
    assert "CrashLoopBackOff, 3 restarts, exit code 1 (Error) 90 seconds ago" in finding.evidence
    assert finding.since == ago(90)
    assert finding.fix.endswith("--previous")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (CRASHED, [("component-crashing", "warning")]),
        (CRASHED | {"finished": ago(599)}, [("component-crashing", "warning")]),
        (CRASHED | {"finished": ago(600)}, []),
        (CRASHED | {"exit_code": 0, "reason": "Completed"}, []),
        (CRASHED | {"exit_code": 255, "reason": "Unknown"}, []),
        ({"restarts": 9}, []),
    ],
)
def test_a_component_that_is_well_again_after_a_crash(fields, expected):
    made = pod(MANAGER, "cp-1", (container(MANAGER, started=ago(80), **fields),))
    assert judged(on(MANAGER, pod=made)) == expected


@pytest.mark.parametrize(
    ("since", "expected"), [(60, [("verdicts-differ", "warning")]), (59, []), (None, [])]
)
def test_a_kubelet_that_calls_not_ready_what_answers_contradicts_us(since, expected):
    made = pod(MANAGER, "cp-1", ready=False, since=since and ago(since), message="probe failed")
    assert judged(on(MANAGER, pod=made)) == expected


def test_a_controller_calls_all_pods_of_a_node_not_ready_that_is_not():
    made = pod(MANAGER, "cp-1", ready=False, since=ago(300))
    one = replace(on(MANAGER, pod=made), conditions=())
    assert [each for each in judged(one) if each[0] == "verdicts-differ"] == []


def test_a_kubelet_that_calls_ready_what_hangs_is_told_in_the_one_finding():
    (finding,) = judge(facts(on(MANAGER, no_reply("silent")), node("cp-2")))
    assert finding.evidence.endswith("; its pod is still shown as Ready")
    assert finding.fix.endswith("on the node: crictl ps --name kube-controller-manager, then crictl stop ID")


def test_a_kube_proxy_that_hangs_is_restarted_by_deleting_its_pod():
    (finding,) = judge(facts(on(KUBE_PROXY, no_reply("silent")), node("cp-2")))
    assert finding.fix.endswith("kubectl -n kube-system delete pod kube-proxy-cp-1")


def test_a_component_without_a_pod_is_told_once_and_with_who_leads_instead():
    here = node("cp-2", [process(SCHEDULER, "cp-2", no_reply("refused"), pod=None)])
    (finding,) = judge(facts(node("cp-1"), here))
    assert finding.evidence == "it has no pod; that of node cp-1 leads"
    assert (
        finding.fix
        == "on the node: ls /etc/kubernetes/manifests; journalctl -u kubelet | grep kube-scheduler"
    )


def bound(name, address, **fields):
    """A node whose controller-manager is bound to this address."""
    silence = no_reply("elsewhere", "which can't be asked this way")
    one = process(MANAGER, name, silence, endpoint=Endpoint(address, 10257, "https"))
    return node(name, [one], **fields)


def test_what_is_bound_elsewhere_is_one_note_for_all_nodes():
    (finding,) = judge(facts(bound("cp-1", "10.0.0.11"), bound("cp-2", "10.0.0.12")))
    assert (finding.rule, str(finding.severity)) == ("bound-elsewhere", "note")
    assert finding.objects == ("node/cp-1", "node/cp-2")
    assert "its own address:10257, which can't be asked this way" in finding.evidence
    assert finding.fix == "--host asks it through a debug pod on its node"


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("cp-1.example.com", ""),
        ("10.0.0.11", no_reply("no way", "you may not create pods")),
        ("10.0.0.11", "kubectl-admin-0123456789-1"),
    ],
)
def test_where_host_would_not_help_it_is_not_recommended(address, host):
    (finding,) = judge(facts(bound("cp-1", address, host=host)))
    assert (finding.rule, finding.fix) == ("bound-elsewhere", "")


@pytest.mark.parametrize(
    ("pods", "host", "fix"),
    [
        ((), "", "--host asks it through a debug pod on its node"),
        (None, "", ""),
        ((), no_reply("no way", "you may not create pods"), ""),
    ],
)
def test_a_node_that_no_pod_leads_to_may_be_asked_through_a_debug_pod(pods, host, fix):
    way = no_reply("no way", "kube-system has no running pod in the network of the node")
    one = node("w1", [process(KUBELET, "w1", {}), process(KUBE_PROXY, "w1", {})], way=way, host=host)
    found = judge(facts(node("cp-1"), one, objects=Objects(pods=pods)))
    assert {finding.fix for finding in found if finding.subject.endswith(" on w1")} == {fix}


def test_what_may_not_be_asked_is_one_note_with_the_permission_for_all_nodes():
    denied = no_reply("forbidden", "nodes/healthz is forbidden", "get nodes/healthz")
    found = judge(facts(*(node(name, [process(KUBELET, name, denied)]) for name in ("cp-1", "w1", "w2"))))
    assert brief(found) == [("not-seen", "note")]
    assert found[0].subject == "kubelet on cp-1, w1, w2"
    assert "get nodes/healthz" in found[0].fix


def test_what_is_not_known_is_a_note():
    assert judged(on(MANAGER, no_reply("late"))) == [("not-seen", "note")]


def test_gaps_are_notes():
    assert judged(gaps=(Gap("Leases", "forbidden"),)) == [("not-seen", "note")]


def test_rights_that_are_missing_are_one_note():
    gaps = [Gap(what, "no", f"list {what}") for what in ("nodes", "leases")]
    first, second = judge(facts(gaps=(*gaps, Gap("DNS", "late"))))
    assert (first.subject, second.subject) == ("DNS", "not judged for want of rights")
    assert second.evidence == "nodes (list nodes), leases (list leases)"
    (alone,) = judge(facts(gaps=tuple(gaps[:1])))
    assert alone.fix == "grant it: list nodes (docs/permissions.md)"


def test_a_component_of_no_own_rule_is_judged_by_its_answer():
    one = states.standings(facts(on(MANAGER, fine())), MANAGER)
    assert [each.subject for each in one] == ["kube-controller-manager on node cp-1"]


def test_a_young_pod_is_a_note_and_not_down():
    made = pod(MANAGER, "cp-1", (container(MANAGER, started=ago(5)),))
    assert judged(on(MANAGER, no_reply("refused"), pod=made)) == [("not-seen", "note")]
