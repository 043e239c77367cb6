"""Each state of a component, told apart from its neighbours."""

from dataclasses import replace

import pytest

from kubectl_admin.control_plane.component import Component
from kubectl_admin.health.components.states import verdict_of
from kubectl_admin.health.components.verdict import State
from kubectl_admin.health.facts import Clock, Endpoint
from tests.unit.health.made import (
    APISERVER,
    ETCD,
    HAS,
    KUBE_PROXY,
    KUBELET,
    MANAGER,
    SCHEDULER,
    ago,
    bad,
    container,
    facts,
    fine,
    lease,
    no_reply,
    node,
    pod,
    process,
    with_process,
)

DIAL = "error dialing backend: dial tcp 10.0.0.11:10250: connect: no route to host"
UNASKED = no_reply("node")
CRASHED = {"restarts": 7, "exit_code": 1, "reason": "Error", "finished": ago(30)}


def state(one, component=MANAGER, **fields):
    """The state of a component on a node, as a pair of its name and its cell."""
    verdict = verdict_of(facts(one, **fields), one, component)
    assert verdict.evidence
    assert "\n" not in verdict.evidence
    return verdict.state, verdict.cell


def on(component, *args, **fields):
    """A control plane that is well but for a component."""
    return node("cp-1", [process(component, "cp-1", *args, **fields)])


@pytest.mark.parametrize("component", [APISERVER, ETCD, KUBELET, KUBE_PROXY, MANAGER, SCHEDULER])
def test_a_component_that_answers_is_well(component):
    assert state(node(), component) == (State.WELL, "ok")


def test_a_component_that_the_cluster_does_not_have_is_absent_everywhere():
    assert state(node(), KUBE_PROXY, has=HAS - {KUBE_PROXY}) == (State.ABSENT, "-")


def test_a_worker_has_no_control_plane():
    assert state(node("w1"), ETCD) == (State.ABSENT, "-")


def test_a_daemon_set_that_does_not_want_a_node_is_absent_there():
    assert state(on(KUBE_PROXY, {}, pod=None, expected=False), KUBE_PROXY) == (State.ABSENT, "-")


@pytest.mark.parametrize("component", [KUBELET, KUBE_PROXY])
def test_a_node_left_out_of_the_sample_is_neither_well_nor_down(component):
    one = node("w1", way=no_reply("left out"), processes=(), clock=None)
    assert state(replace(one, processes=()), component) == (State.LEFT_OUT, "…")


def test_a_port_forward_that_is_forbidden_is_denied():
    one = node(way=no_reply("forbidden", "may not create pods/portforward", "create pods/portforward"))
    assert state(replace(one, processes=(process(MANAGER, "cp-1", {}),))) == (State.DENIED, "denied")


def test_what_may_not_be_asked_is_denied_as_it_starts():
    young = pod(MANAGER, "cp-1", (container(MANAGER, started=ago(20)),))
    one = on(MANAGER, {}, pod=young)
    assert state(replace(one, way=no_reply("forbidden", "may not"))) == (State.DENIED, "denied")
    assert state(replace(one, way=no_reply("late"))) == (State.UNKNOWN, "?")


@pytest.mark.parametrize("reply", [no_reply("forbidden", "nodes/healthz"), bad(status=403), bad(status=401)])
def test_a_component_that_refuses_this_user_is_denied(reply):
    assert state(on(KUBELET, reply), KUBELET) == (State.DENIED, "denied")


def test_a_crash_is_seen_in_the_pod_without_a_right_to_ask():
    crashing = pod(MANAGER, "cp-1", (container(MANAGER, None, waiting="CrashLoopBackOff", **CRASHED),))
    assert state(on(MANAGER, no_reply("forbidden"), pod=crashing)) == (State.CRASHING, "crash")


def silenced(**fields):
    """A node whose kubelet can't be reached, and of which nothing else answers."""
    dead = [
        process(one, "cp-1", UNASKED) for one in (APISERVER, ETCD, MANAGER, SCHEDULER, KUBELET, KUBE_PROXY)
    ]
    standing = {"way": no_reply("node", DIAL), "clock": None}
    return node("cp-1", dead, **(standing | fields))


@pytest.mark.parametrize("component", [APISERVER, ETCD, KUBELET, KUBE_PROXY])
def test_a_node_without_a_sign_of_life_is_off_and_its_components_are_not_down(component):
    one = silenced(lease=lease("cp-1", ago(300)), ready="Unknown")
    assert state(one, component) == (State.NODE, "node?")


def test_a_kubelet_that_is_silent_on_a_node_with_an_old_lease_is_a_node_that_is_off():
    one = silenced(lease=lease("cp-1", ago(41)), way=no_reply("silent"))
    assert state(one, KUBELET) == (State.NODE, "node?")


def test_a_kubelet_that_waits_for_the_api_server_of_its_node_is_not_down():
    one = silenced(lease=lease("cp-1", ago(300)), ready="Unknown", way=no_reply("silent"))
    one = with_process(one, APISERVER, replies={"/livez": no_reply("silent"), "/readyz": no_reply("silent")})
    assert state(one, APISERVER) == (State.NODE, "node?")
    one = with_process(one, KUBE_PROXY, replies={"/healthz": fine()})
    assert state(one, APISERVER) == (State.HANGING, "hangs")
    assert state(one, KUBELET) == state(one, ETCD) == (State.UNKNOWN, "?")
    assert state(one, KUBE_PROXY) == (State.WELL, "ok")


def test_a_node_whose_api_server_answers_has_lost_only_its_kubelet():
    one = silenced(lease=lease("cp-1", ago(300)), ready="Unknown")
    others = [process(each.component, "cp-1", UNASKED) for each in one.processes[1:]]
    one = replace(one, processes=(process(APISERVER, "cp-1"), *others))
    assert state(one, KUBELET) == (State.KUBELET, "down")
    assert state(one, APISERVER) == (State.WELL, "ok")
    assert state(one, ETCD) == (State.UNREACHED, "node?")


def test_a_kubelet_that_has_renewed_its_lease_just_now_is_no_node_that_is_off():
    for component in (KUBELET, ETCD):
        assert state(silenced(lease=lease("cp-1", ago(8))), component) == (State.UNREACHED, "node?")


def test_a_machine_that_refuses_connections_runs_without_its_kubelet():
    refused = no_reply("node", DIAL.replace("no route to host", "connection refused"))
    one = silenced(lease=lease("cp-1", ago(300)), ready="Unknown", way=refused)
    assert state(one, KUBELET) == (State.KUBELET, "down")
    assert state(one, KUBE_PROXY) == (State.UNREACHED, "node?")


@pytest.mark.parametrize(("age", "expected"), [(12, State.RUNTIME), (13, State.NODE)])
def test_a_kubelet_that_is_silent_is_told_from_its_runtime_by_its_lease(age, expected):
    one = silenced(lease=lease("cp-1", ago(age)), way=no_reply("silent"), clock=Clock(0.0, 0.0))
    assert state(one, KUBELET)[0] is expected


@pytest.mark.parametrize("said", ["Debug endpoints are disabled.", "the kubelet refuses the API server: no"])
def test_a_kubelet_that_forwards_to_nobody_says_nothing_of_its_runtime(said):
    assert state(silenced(way=no_reply("forward", said)), ETCD) == (State.UNKNOWN, "?")


def test_an_api_server_that_takes_no_request_says_nothing_of_a_node():
    for component in (KUBELET, ETCD, KUBE_PROXY):
        assert (
            state(silenced(way=no_reply("server", "i/o timeout"), lease=None), component)[0] is State.UNKNOWN
        )


def test_without_leases_the_condition_ready_is_the_sign_of_life():
    assert state(silenced(lease=None), KUBELET) == (State.UNREACHED, "node?")
    assert state(silenced(lease=None, ready="Unknown"), KUBELET) == (State.NODE, "node?")


@pytest.mark.parametrize("way", [no_reply("forward", "container not found"), no_reply("silent")])
def test_a_kubelet_that_lives_and_forwards_nothing_has_a_runtime_that_hangs(way):
    assert state(silenced(way=way), ETCD) == (State.RUNTIME, "rt?")


def test_a_kubelet_that_forwards_none_of_all_ports_has_a_runtime_that_hangs():
    forward = no_reply("forward", "context deadline exceeded")
    one = node("w1", [process(KUBELET, "w1", forward), process(KUBE_PROXY, "w1", forward)])
    assert state(one, KUBE_PROXY) == (State.RUNTIME, "rt?")


def test_one_port_that_is_not_forwarded_says_nothing_of_the_runtime():
    one = node("w1", [process(KUBE_PROXY, "w1", no_reply("forward", "unable to do port forwarding"))])
    assert state(one, KUBE_PROXY) == (State.UNKNOWN, "?")


def test_a_control_plane_without_a_mirror_pod_misses_its_component():
    assert state(on(MANAGER, no_reply("refused"), pod=None)) == (State.MISSING, "gone")


def test_a_component_that_answers_is_not_missing():
    assert state(on(APISERVER, pod=None), APISERVER) == (State.WELL, "ok")


def test_a_pod_that_stays_pending_is_missing():
    pending = pod(KUBE_PROXY, "cp-1", (), phase="Pending", ready=None, message="too many pods")
    assert state(on(KUBE_PROXY, no_reply("refused"), pod=pending), KUBE_PROXY) == (State.MISSING, "gone")


@pytest.mark.parametrize(("age", "expected"), [(59, State.UNKNOWN), (60, State.MISSING)])
def test_a_node_that_has_just_joined_may_lack_its_pods(age, expected):
    one = node("w1", [process(KUBE_PROXY, "w1", no_reply("refused"), pod=None)], created=ago(age))
    assert state(one, KUBE_PROXY)[0] is expected


def test_a_running_container_whose_port_refuses_is_closed():
    assert state(on(MANAGER, no_reply("refused"))) == (State.CLOSED, "closed")


@pytest.mark.parametrize("host", ["10.0.0.11", "fd00::11"])
def test_a_component_bound_to_the_nodes_address_is_bound_elsewhere(host):
    endpoint = Endpoint(host, 10257, "https")
    assert state(on(MANAGER, no_reply("elsewhere"), endpoint=endpoint)) == (State.BOUND, "bound")


def test_a_component_that_was_asked_at_the_nodes_address_and_refuses_is_closed():
    one = on(MANAGER, no_reply("refused"), endpoint=Endpoint("10.0.0.11", 10257, "https"))
    assert state(one) == (State.CLOSED, "closed")
    assert "nothing listens at 10.0.0.11:10257" in verdict_of(facts(one), one, MANAGER).evidence


def test_a_component_that_was_asked_at_the_nodes_address_and_says_nothing_hangs():
    one = on(MANAGER, no_reply("silent"), endpoint=Endpoint("10.0.0.11", 10257, "https"))
    assert state(one) == (State.HANGING, "hangs")
    assert "10.0.0.11:10257 does not answer /healthz" in verdict_of(facts(one), one, MANAGER).evidence


@pytest.mark.parametrize("ready", [True, False])
def test_the_kubelets_own_verdict_stands_beside_what_is_bound_elsewhere(ready):
    endpoint = Endpoint("10.0.0.11", 10257, "https")
    one = on(MANAGER, no_reply("elsewhere"), endpoint=endpoint, pod=pod(MANAGER, "cp-1", ready=ready))
    evidence = verdict_of(facts(one), one, MANAGER).evidence
    assert ("the kubelet says Ready" if ready else "the kubelet says that it is not Ready") in evidence


def test_a_kubelet_that_forwards_and_refuses_its_own_port_is_bound_elsewhere():
    assert state(on(KUBELET, no_reply("refused")), KUBELET) == (State.BOUND, "bound")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"started": None, "waiting": "CrashLoopBackOff", **CRASHED}, State.CRASHING),
        ({"started": ago(2), **CRASHED}, State.CRASHING),
        ({"started": ago(590), **CRASHED, "finished": ago(599)}, State.CRASHING),
        ({"started": ago(590), **CRASHED, "finished": ago(601)}, State.CLOSED),
        ({"started": None, "waiting": "ErrImagePull"}, State.CRASHING),
        # The machine was restarted, or the process was asked to end: it is about to serve.
        ({"started": ago(20), **CRASHED, "exit_code": 255, "reason": "Unknown"}, State.UNKNOWN),
        ({"started": ago(20), **CRASHED, "exit_code": 0, "reason": "Completed"}, State.UNKNOWN),
        ({"started": ago(59)}, State.UNKNOWN),
        ({"started": ago(60)}, State.CLOSED),
        ({"started": None, "waiting": "ContainerCreating"}, State.CLOSED),
    ],
)
def test_a_process_that_ends_again_and_again_is_crashing_and_a_young_one_is_not(fields, expected):
    made = pod(MANAGER, "cp-1", (container(MANAGER, **fields),))
    assert state(on(MANAGER, no_reply("refused"), pod=made))[0] is expected


@pytest.mark.parametrize(
    ("started", "expected"),
    [(ago(100), State.HANGING), (ago(60), State.HANGING), (ago(59), State.CRASHING), (None, State.CRASHING)],
)
def test_a_process_that_hangs_long_after_a_crash_is_hanging(started, expected):
    crashed = container(MANAGER, started, **CRASHED | {"finished": ago(113)})
    one = on(MANAGER, no_reply("silent"), pod=pod(MANAGER, "cp-1", (crashed,)))
    assert state(one)[0] == expected


@pytest.mark.parametrize(
    ("reason", "expected"), [("ALARM NOSPACE", State.UNHEALTHY), ("RAFT NO LEADER", State.UNKNOWN)]
)
def test_an_alarm_of_etcd_does_not_pass_as_a_member_starts(reason, expected):
    young = pod(ETCD, "cp-1", (container(ETCD, started=ago(20)),))
    answer = bad(f'{{"health":"false","reason":"{reason}"}}', status=503)
    assert state(on(ETCD, {"/health": answer, "/readyz": fine()}, pod=young), ETCD)[0] is expected


def test_a_pod_that_is_being_ended_is_not_down():
    assert state(on(MANAGER, no_reply("refused"), pod=pod(MANAGER, "cp-1", deleted=ago(1))))[1] == "?"
    # The kubelet asks the API server of its own node, and can't tell when that has ended.
    stays = pod(MANAGER, "cp-1", deleted=ago(11))
    assert state(on(MANAGER, no_reply("refused"), pod=stays))[1] == "closed"


def test_a_component_that_takes_a_connection_and_says_nothing_hangs():
    assert state(on(MANAGER, no_reply("silent"))) == (State.HANGING, "hangs")


@pytest.mark.parametrize(
    ("component", "words"),
    [
        (
            KUBE_PROXY,
            "127.0.0.1:10256 takes connections, and does not answer /healthz and /livez"
            "; its pod is still shown as Ready",
        ),
        (KUBELET, "127.0.0.1:10250 takes connections, and does not answer /healthz"),
    ],
)
def test_what_is_not_answered_is_told_with_the_kubelets_word(component, words):
    one = on(component, no_reply("silent"))
    assert verdict_of(facts(one), one, component).evidence == words


@pytest.mark.parametrize("unseen", [no_reply("garbled"), no_reply("late"), no_reply("forward")])
@pytest.mark.parametrize(
    ("component", "path", "other"), [(ETCD, "/readyz", "/health"), (APISERVER, "/livez", "/readyz")]
)
def test_one_of_two_answers_that_was_not_seen_leaves_open_whether_it_is_well(component, path, other, unseen):
    assert state(on(component, {path: fine(), other: unseen}), component) == (State.UNKNOWN, "?")


def test_one_of_two_answers_that_was_denied_leaves_open_whether_it_is_well():
    denied = {"/livez": fine(), "/readyz": bad("forbidden", 403)}
    assert state(on(APISERVER, denied), APISERVER) == (State.DENIED, "denied")


def test_one_silent_path_of_two_hangs():
    replies = {"/livez": fine(), "/readyz": no_reply("silent")}
    assert state(on(APISERVER, replies), APISERVER) == (State.HANGING, "hangs")


@pytest.mark.parametrize(
    ("replies", "cell"),
    [
        ({"/livez": fine(), "/readyz": bad("[-]etcd failed: reason withheld")}, "500"),
        ({"/livez": bad(status=503), "/readyz": bad()}, "503"),
        ({"/livez": fine(), "/readyz": bad(status=429)}, "429"),
    ],
)
def test_an_answer_that_is_not_200_is_unhealthy_by_its_code(replies, cell):
    assert state(on(APISERVER, replies), APISERVER) == (State.UNHEALTHY, cell)


def test_the_reason_comes_from_the_check_that_was_asked_alone():
    replies = {
        "/livez": fine(),
        "/readyz": bad("[+]ping ok\n[-]etcd failed: reason withheld\nreadyz check failed\n"),
        "/readyz/etcd": bad("internal server error: etcd failed: context deadline exceeded\n"),
    }
    one = on(APISERVER, replies)
    assert verdict_of(facts(one), one, APISERVER).evidence == (
        "/readyz is 500: etcd: etcd failed: context deadline exceeded"
    )


def test_a_path_that_a_version_does_not_have_says_nothing():
    replies = {"/health": fine(), "/readyz": bad("404 page not found", 404)}
    assert state(on(ETCD, replies), ETCD) == (State.WELL, "ok")


def test_an_api_server_that_has_just_begun_may_not_be_ready_yet():
    young = pod(APISERVER, "cp-1", (container(APISERVER, ago(10)),))
    assert state(on(APISERVER, bad(), pod=young), APISERVER) == (State.UNKNOWN, "?")


def test_a_kubelet_that_was_only_pinged_is_said_to_be():
    one = on(KUBELET, {"/healthz": fine()}, endpoint=Endpoint("127.0.0.1", 10248, "http"))
    assert state(one, KUBELET) == (State.WELL, "ping")


def test_a_node_that_is_about_to_be_deleted_has_a_kube_proxy_that_is_well():
    assert state(on(KUBE_PROXY, {"/healthz": bad(status=503), "/livez": fine()}), KUBE_PROXY)[0] is State.WELL


def test_a_kube_proxy_that_is_not_live_is_unhealthy():
    replies = {"/healthz": bad(status=503), "/livez": bad(status=503)}
    assert state(on(KUBE_PROXY, replies), KUBE_PROXY) == (State.UNHEALTHY, "503")


@pytest.mark.parametrize(("holder", "expected"), [("cp-2_1", State.WELL), ("cp-1_1", State.UNHEALTHY)])
def test_only_a_scheduler_that_leads_needs_its_caches(holder, expected):
    one = on(SCHEDULER, bad("[-]sched-handler-sync failed: reason withheld\n"))
    assert state(one, SCHEDULER, leaders={SCHEDULER: lease(holder)})[0] is expected


@pytest.mark.parametrize("why", ["garbled", "late", "no way", "node"])
def test_what_could_not_be_looked_at_is_unknown(why):
    assert state(on(MANAGER, no_reply(why))) == (State.UNKNOWN, "?")


def test_what_was_not_asked_is_unknown():
    assert state(on(MANAGER, {})) == (State.UNKNOWN, "?")


def test_core_dns_on_a_node_is_not_a_matter_of_the_matrix():
    assert state(node("w1"), Component.COREDNS) == (State.ABSENT, "-")
