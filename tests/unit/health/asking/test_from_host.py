"""What no forwarded port leads to, asked through a debug pod: only where it must be, and at an IP address."""

import threading
from contextlib import contextmanager
from dataclasses import dataclass, replace

import pytest

from kubectl_admin.clock import Deadline
from kubectl_admin.control_plane.component import Component
from kubectl_admin.errors import AdminError
from kubectl_admin.health.asking.ask import Asker
from kubectl_admin.health.asking.exchange import LOOK_INTERVAL, Patience
from kubectl_admin.health.asking.from_host import FromHosts
from kubectl_admin.health.asking.listed import Listed
from kubectl_admin.health.facts import NoReply, Why
from kubectl_admin.node.debug_pod import Options
from kubectl_admin.node.kept_hosts import kept
from tests.fakes.api_server import StandIn, status
from tests.fakes.clock import Clock
from tests.fakes.forwarded_node import Node, Relay
from tests.fakes.host import OPERATION
from tests.fakes.hosts import Opened
from tests.unit.health.asking.test_ask import (
    JUDGED,
    LATER,
    PODS,
    PROXY,
    PROXY_METRICS,
    context,
    plan,
    proxy_plan,
    told,
    user,
)

MANAGER, SCHEDULER, ETCD = Component.CONTROLLER_MANAGER, Component.SCHEDULER, Component.ETCD
DEBUG = f"{PODS}/kubectl-admin-1/exec"
METRICS = {Component.SCHEDULER: ["up"], **JUDGED}


@pytest.fixture
def server():
    with StandIn().serving() as stand_in:
        stand_in.clock = Clock()
        yield stand_in


@dataclass
class Host:
    """The host of a node: its commands are run by the stand-in for the API server."""

    cluster: object
    node: str
    pod: tuple[str, str] = ("kube-system", "kubectl-admin-1")

    def start(self, argv, *, stdin, timeout):
        return self.cluster.exec(*self.pod, "host", argv, stdin=stdin, timeout=timeout)


class Asking:
    """Asks nodes of a cluster. opened: those of which the host was."""

    def __init__(self, server, *, refusal=None, namespace="kube-system", retries=1, **target):
        self.cluster = server.connect(**target)
        self.patience = Patience(Deadline.after(LATER, server.clock), LATER, retries)
        self.opened, self.gone, self.refusal, self.namespace = [], [], refusal, namespace
        operation = replace(OPERATION, over=threading.Event())
        self.hosts = Opened(self.cluster, operation, Options(), print, self.open)

    @contextmanager
    def open(self, node, _operation):
        if self.refusal:
            raise self.refusal
        self.opened.append(node)
        yield Host(self.cluster, node, (self.namespace, "kubectl-admin-1"))
        self.gone.append(node)

    def node(self, ways, plans, hosts=True, pods=()):
        """What comes of the looks at w1, of both kinds, and the metrics of a later one."""
        listed = Listed(plans={"w1": plans}, ways={"w1": ways} if ways else {}, pods=pods)
        asker = Asker(self.cluster, self.patience, METRICS)
        with kept(self.hosts if hosts else None) as there:
            asked_by = FromHosts(asker, listed, there)
            looks, further = asked_by.looks("w1"), asked_by.further("w1")
            asked = asked_by.together("w1", looks(), further() if further else None)
            on = asked_by.again(asker, {"w1": asked})
            self.later = on("w1").metrics(asked.way, plans) if isinstance(asked.way, str) else None
        assert self.gone == self.opened
        return asked


def elsewhere(component, *paths, host="10.0.0.11", **more):
    return plan(component, *paths, host=host, **more)


def test_what_is_bound_elsewhere_is_asked_from_the_host(server):
    server.on("GET", f"{PODS}/kube-proxy-w1/portforward", Node({10256: PROXY, 10249: PROXY_METRICS}))
    relay = Relay({"/healthz": "ok", "/metrics": "up 4\n"})
    server.on("GET", DEBUG, relay)
    it = Asking(server)
    asked = it.node(["kube-proxy-w1"], [elsewhere(SCHEDULER, "/healthz /metrics"), proxy_plan()])
    scheduler, proxy = asked.processes
    assert told(scheduler) == {"/healthz": 200}
    assert scheduler.metrics["up"][0].value == 4.0
    assert told(proxy) == {"/healthz": 200, "/livez": 200, "/proxyMode": 200}
    assert (asked.way, asked.host, it.opened) == ("kube-proxy-w1", "kubectl-admin-1", ["w1"])
    assert relay.commands[0][-2:] == ["10.0.0.11", "10257"]
    assert it.later[SCHEDULER]["up"][0].value == 4.0


def test_tls_is_spoken_there_with_the_client_certificate_and_no_token():
    with StandIn(context("kubernetes")).serving() as secure:
        secure.clock = Clock()
        relay = Relay({"/readyz": "ok"}, context("scheduler"))
        secure.on("GET", f"{PODS}/kube-proxy-w1/portforward", Node({10256: PROXY, 10249: PROXY_METRICS}))
        secure.on("GET", DEBUG, relay)
        it = Asking(secure, user=user(), cluster={"insecure-skip-tls-verify": True})
        asked = it.node(["kube-proxy-w1"], [elsewhere(SCHEDULER, "/readyz", scheme="https"), proxy_plan()])
    assert told(asked.processes[0]) == {"/readyz": 200}
    assert relay.users == ["admin"]
    assert asked.processes[0].certificate


def test_without_host_no_debug_pod_is_made(server):
    server.on("GET", f"{PODS}/kube-proxy-w1/portforward", Node({10256: PROXY, 10249: PROXY_METRICS}))
    it = Asking(server)
    asked = it.node(["kube-proxy-w1"], [elsewhere(SCHEDULER, "/healthz"), proxy_plan()], hosts=False)
    assert told(asked.processes[0]) == {"/healthz": "elsewhere"}
    assert (it.opened, asked.host) == ([], "")
    assert it.node([], [proxy_plan()], hosts=False).way.why is Why.NO_WAY
    assert it.opened == []


@pytest.mark.parametrize(
    "host", ["cp-1.example.com", "10.0.0.11; reboot", "fe80::1%eth0", "$(reboot)", "-e", "10.0.0.256"]
)
def test_only_an_ip_address_is_asked(server, host):
    server.on("GET", f"{PODS}/kube-proxy-w1/portforward", Node({10256: PROXY, 10249: PROXY_METRICS}))
    it = Asking(server)
    asked = it.node(["kube-proxy-w1"], [elsewhere(SCHEDULER, "/healthz", host=host), proxy_plan()])
    assert told(asked.processes[0]) == {"/healthz": "elsewhere"}
    assert (it.opened, asked.host) == ([], "")


@pytest.mark.parametrize(
    ("host", "address"),
    [("[fd00::11]", "fd00::11"), ("FD00:0:0::11", "fd00::11"), ("::ffff:10.0.0.11", "10.0.0.11")],
)
def test_an_address_is_an_argument_of_its_own(server, host, address):
    server.on("GET", f"{PODS}/kube-proxy-w1/portforward", Node({10256: PROXY, 10249: PROXY_METRICS}))
    relay = Relay({"/healthz": "ok"})
    server.on("GET", DEBUG, relay)
    Asking(server).node(["kube-proxy-w1"], [elsewhere(SCHEDULER, "/healthz", host=host), proxy_plan()])
    assert relay.commands[0][-2:] == [address, "10257"]
    assert not any(address in word for word in relay.commands[0][:-2])


def test_no_pod_for_an_api_server_that_another_one_is_asked_for(server):
    server.on("GET", f"{PODS}/kube-proxy-w1/portforward", Node({10256: PROXY, 10249: PROXY_METRICS}))
    server.on("GET", f"{PODS}/https:kube-apiserver-w1:6443/proxy/livez", status(404, "NotFound", "no"))
    there = elsewhere(Component.APISERVER, "/livez", port=6443, scheme="https")
    it = Asking(server)
    it.node(["kube-proxy-w1"], [there, proxy_plan()])
    assert it.opened == []


def test_a_node_without_a_pod_in_its_network_is_asked_through_the_debug_pod(server):
    node = Node({10256: PROXY, 10249: PROXY_METRICS})
    server.on("GET", f"{PODS}/kubectl-admin-1/portforward", node)
    server.on("GET", DEBUG, Relay({"/healthz": "ok"}))
    it = Asking(server)
    asked = it.node([], [elsewhere(SCHEDULER, "/healthz"), proxy_plan()])
    assert [told(process) for process in asked.processes] == [
        {"/healthz": 200},
        {"/healthz": 200, "/livez": 200, "/proxyMode": 200},
    ]
    assert (asked.way, asked.host, it.opened) == ("kubectl-admin-1", "kubectl-admin-1", ["w1"])
    assert it.later[Component.KUBE_PROXY]["up"][0].value == 1.0


def test_a_debug_pod_of_another_namespace(server):
    server.on(
        "GET", "/api/v1/namespaces/debug/pods/kubectl-admin-1/portforward", Node({10256: PROXY, 10249: {}})
    )
    asked = Asking(server, retries=0, namespace="debug").node([], [proxy_plan()])
    assert (asked.way, asked.host) == ("debug/kubectl-admin-1", "debug/kubectl-admin-1")


def test_a_right_in_the_namespace_of_debug_pods_is_not_taken_for_one_in_kube_system(server):
    said = 'pods "kubectl-admin-1" is forbidden: User "jane" cannot create resource "pods/portforward"'
    path = "/api/v1/namespaces/debug/pods/kubectl-admin-1/portforward"
    server.on("GET", path, lambda wire: wire.refuse(status(403, "Forbidden", said)))
    way = Asking(server, namespace="debug").node([], [proxy_plan()]).way
    assert (way.why, "pods/portforward" in way.said) == (Why.NO_WAY, True)


def test_where_no_pods_are_known_nobody_knows_which_nodes_need_one(server):
    it = Asking(server)
    assert it.node([], [proxy_plan()], pods=None).way.why is Why.NO_WAY
    assert it.opened == []


def test_a_debug_pod_that_can_not_be_had_costs_only_what_needs_it(server):
    server.on("GET", f"{PODS}/kube-proxy-w1/portforward", Node({10256: PROXY, 10249: PROXY_METRICS}))
    it = Asking(server, refusal=AdminError("node w1: found no image"))
    asked = it.node(["kube-proxy-w1"], [elsewhere(SCHEDULER, "/healthz /metrics"), proxy_plan()])
    scheduler, proxy = asked.processes
    expected = NoReply(Why.ELSEWHERE, "and its node's host can't ask it: node w1: found no image")
    assert (scheduler.replies["/healthz"], scheduler.metrics) == (expected, expected)
    assert set(told(proxy).values()) == {200}
    assert asked.host == NoReply(Why.NO_WAY, "node w1: found no image")
    assert it.node([], [proxy_plan()]).way == asked.host


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("bash: connect: Connection refused\n", Why.REFUSED),
        ("bash: connect: Connection timed out\n", Why.SILENT),
        ("its host has none of bash, socat and nc\n", Why.ELSEWHERE),
    ],
)
def test_what_does_not_answer_there_has_its_reason(server, words, why):
    server.on("GET", f"{PODS}/kube-proxy-w1/portforward", Node({10256: PROXY, 10249: PROXY_METRICS}))
    relay = Relay(words)
    server.on("GET", DEBUG, relay)
    asked = Asking(server).node(["kube-proxy-w1"], [elsewhere(SCHEDULER, "/healthz"), proxy_plan()])
    assert asked.processes[0].replies["/healthz"].why is why
    # What is in doubt is asked again, as over a forwarded port.
    doubtful = why is not Why.ELSEWHERE
    assert len(relay.commands) == (2 if doubtful else 1)
    assert server.clock.slept == ([LOOK_INTERVAL] if doubtful else [])


def test_a_command_that_may_not_run_costs_only_what_it_was_for(server):
    server.on("GET", f"{PODS}/kube-proxy-w1/portforward", Node({10256: PROXY, 10249: PROXY_METRICS}))
    said = 'pods "x" is forbidden: User "jane" cannot create resource "pods/exec" in API group ""'
    server.on("GET", DEBUG, lambda wire: wire.refuse(status(403, "Forbidden", said)))
    asked = Asking(server).node(["kube-proxy-w1"], [elsewhere(ETCD, "/health"), proxy_plan()])
    reply = asked.processes[0].replies["/health"]
    assert (reply.why, "pods/exec" in reply.said) == (Why.ELSEWHERE, True)
    assert set(told(asked.processes[1]).values()) == {200}
