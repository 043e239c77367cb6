"""All facts of a cluster, gathered from a stand-in for its API server and its nodes."""

import threading
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from kubectl_admin.cluster.access import REVIEWS
from kubectl_admin.cluster.errors import Unreachable
from kubectl_admin.control_plane.component import Component
from kubectl_admin.errors import AdminError
from kubectl_admin.health.asking.listed import Listed
from kubectl_admin.health.facts import Reply, Why
from kubectl_admin.health.gather import How, gather, not_asked
from kubectl_admin.node.debug_pod import Options
from tests.fakes.api_server import Says, StandIn, status
from tests.fakes.clock import Clock
from tests.fakes.forwarded_node import Node, Relay
from tests.fakes.host import OPERATION
from tests.fakes.hosts import Opened
from tests.unit.health import made

SYSTEM = "/api/v1/namespaces/kube-system"
LEASES = "/apis/coordination.k8s.io/v1/namespaces"
LABEL = "node-role.kubernetes.io/control-plane"
HOW = How(timeout=600.0)
FINE = {
    10248: {"/healthz": "ok"},
    10256: {"/healthz": '{"currentTime":"2026-11-30T03:00:00.5Z"}', "/livez": "{}"},
    10249: {"/metrics": "kubeproxy_sync_proxy_rules_last_timestamp_seconds 7\n", "/proxyMode": "iptables"},
    6443: {"/livez?verbose": "ok", "/readyz?verbose": "ok", "/metrics": "apiserver_request_total 7\n"},
    10257: {"/healthz": "ok"},
    10259: {"/healthz": "ok"},
    2381: {"/health": "{}", "/readyz?verbose": "ok", "/metrics": "etcd_server_has_leader 1\n"},
}
# Of kinds that this cluster does not have.
WITHOUT = [
    "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations",
    "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations",
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
    "/apis/apiregistration.k8s.io/v1/apiservices",
    f"{SYSTEM}/configmaps/extension-apiserver-authentication",
    "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices",
    "/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices",
    "/apis/apps/v1/deployments",
    "/apis/apps/v1/daemonsets",
    "/apis/apps/v1/statefulsets",
    "/apis/policy/v1/poddisruptionbudgets",
    "/api/v1/namespaces",
    "/api/v1/namespaces/kube-system/services/kube-dns",
    "/apis/certificates.k8s.io/v1/certificatesigningrequests",
]


def node(name, *, control_plane=False, ready="True", **labels):
    return {
        "metadata": {
            "name": name,
            "uid": f"uid-{name}",
            "labels": labels | ({LABEL: ""} if control_plane else {}),
        },
        "status": {
            "conditions": [{"type": "Ready", "status": ready}],
            "capacity": {"pods": "110"},
            "addresses": [{"type": "InternalIP", "address": "10.0.0.9"}],
        },
    }


def pod(name, where, component="", labels=None, **spec):
    """A pod of the node's network; of the control plane where it names a component."""
    metadata = {"name": name, "namespace": "kube-system", "labels": dict(labels or {})}
    container = {"name": component or name, "command": [component or name]}
    if component:
        metadata["labels"] |= {"component": component, "tier": "control-plane"}
        metadata["annotations"] = {"kubernetes.io/config.mirror": "x"}
        owner = {"apiVersion": "v1", "kind": "Node", "name": where, "uid": f"uid-{where}", "controller": True}
        metadata["ownerReferences"] = [owner]
        # The stand-in's node speaks no TLS.
        get = {"host": "127.0.0.1", "path": "/healthz", "port": SERVED[component], "scheme": "HTTP"}
        container["livenessProbe"] = {"httpGet": get}
    if component == "etcd":
        container["command"].append("--listen-metrics-urls=http://127.0.0.1:2381")
    return {
        "metadata": metadata,
        "spec": {"nodeName": where, "hostNetwork": True, "containers": [container]} | spec,
        "status": {"phase": "Running", "podIP": "10.244.0.2"},
    }


SERVED = {"kube-apiserver": 6443, "etcd": 2381, "kube-controller-manager": 10257, "kube-scheduler": 10259}


def proxy(where):
    return pod(f"kube-proxy-{where}", where, labels={"k8s-app": "kube-proxy"})


def resolver(name="coredns-1"):
    return pod(name, "w1", labels={"k8s-app": "kube-dns"}, hostNetwork=False)


PARTS = ("kube-apiserver", "etcd", "kube-controller-manager", "kube-scheduler")
CONTROL_PLANE = [pod(f"{part}-cp-1", "cp-1", part) for part in PARTS]


def lease(name, holder):
    return {
        "metadata": {"name": name},
        "spec": {"holderIdentity": holder, "renewTime": "2026-11-30T03:00:00Z"},
    }


@pytest.fixture
def server():
    with StandIn().serving() as stand_in:
        stand_in.clock = Clock()
        for path in WITHOUT:
            stand_in.on("GET", path, status(404, "NotFound", "no such kind"))
        nodes = [node("cp-1", control_plane=True), node("w1")]
        pods = [*CONTROL_PLANE, proxy("cp-1"), proxy("w1")]
        daemon_sets = [{"metadata": {"name": "kube-proxy"}, "spec": {"template": {"spec": {}}}}]
        stand_in.on("GET", "/api/v1/nodes", Says(body={"items": nodes}))
        stand_in.on("GET", f"{SYSTEM}/pods", Says(body={"items": pods}))
        stand_in.on("GET", f"{LEASES}/kube-node-lease/leases", Says(body={"items": [lease("w1", "w1")]}))
        leaders = [lease("kube-scheduler", "cp-1_1"), lease("plugin", "x")]
        stand_in.on("GET", f"{LEASES}/kube-system/leases", Says(body={"items": leaders}))
        stand_in.on("GET", f"{SYSTEM}/configmaps/kube-proxy", Says(body={"data": {}}))
        domain = {"kubelet": "clusterDomain: example.org"}
        stand_in.on("GET", f"{SYSTEM}/configmaps/kubelet-config", Says(body={"data": domain}))
        stand_in.on(
            "GET", "/apis/apps/v1/namespaces/kube-system/daemonsets", Says(body={"items": daemon_sets})
        )
        service = {"spec": {"clusterIP": "10.96.0.1", "clusterIPs": ["10.96.0.1"]}}
        stand_in.on("GET", "/api/v1/namespaces/default/services/kubernetes", Says(body=service))
        for name in ("cp-1", "w1"):
            stand_in.on("GET", f"{SYSTEM}/pods/kube-proxy-{name}/portforward", Node(FINE))
        # The stand-in has no TLS to show behind 6443, so it is asked through the API server.
        for path in ("livez", "readyz"):
            stand_in.on("GET", f"{SYSTEM}/pods/https:kube-apiserver-cp-1:6443/proxy/{path}", Says(body=b"ok"))
        yield stand_in


def looked_at(server, how=HOW):
    return gather(server.connect(), how)


def listing(server, path, *items):
    server.on("GET", path, Says(body={"items": list(items)}))


def forbid(server, *paths):
    for path in paths:
        said = 'x is forbidden: User "jane" cannot list resource "x" in API group ""'
        server.on("GET", path, status(403, "Forbidden", said))


def told(facts, name):
    """Of each component of a node its answers, in short."""
    return {
        str(process.component): [
            reply.status if isinstance(reply, Reply) else reply.why.value
            for reply in process.replies.values()
        ]
        for process in facts.node(name).processes
    }


def test_everything_of_a_cluster_that_is_well(server):
    facts = looked_at(server)
    assert told(facts, "w1") == {"kubelet": [200], "kube-proxy": [200, 200, 200]}
    assert told(facts, "cp-1") == {
        "kube-apiserver": [200, 200],
        "etcd": [200, 200],
        "kube-controller-manager": [200],
        "kube-scheduler": [200],
        "kubelet": [200],
        "kube-proxy": [200, 200, 200],
    }
    assert facts.has == {
        Component.APISERVER,
        Component.ETCD,
        Component.CONTROLLER_MANAGER,
        Component.SCHEDULER,
        Component.KUBELET,
        Component.KUBE_PROXY,
    }
    worker = facts.node("w1")
    assert (worker.way, worker.capacity, worker.lease.holder, worker.address) == (
        "kube-proxy-w1",
        110,
        "w1",
        "10.0.0.9",
    )
    assert worker.clock is not None
    assert set(facts.leaders) == {"kube-scheduler"}
    assert facts.balancer.reply.status == 200
    assert len(facts.objects.pods) == 6
    assert facts.sampled is None
    assert facts.server_time is not None
    assert [gap.what for gap in facts.gaps if gap.permission] == []


def test_what_a_cluster_does_not_have_is_not_missing(server):
    listing(
        server, f"{SYSTEM}/pods", *[one for one in CONTROL_PLANE if "etcd" not in one["metadata"]["name"]]
    )
    listing(server, "/apis/apps/v1/namespaces/kube-system/daemonsets")
    server.on("GET", f"{SYSTEM}/pods/kube-apiserver-cp-1/portforward", Node(FINE))
    facts = looked_at(server, How(timeout=600.0, retries=0))
    assert not facts.has & {Component.ETCD, Component.KUBE_PROXY}
    assert facts.node("w1").way.why is Why.NO_WAY


@pytest.mark.parametrize(("selector", "there"), [({}, True), ({"kubernetes.io/os": "linux"}, False)])
def test_a_kube_proxy_is_missing_where_its_daemon_set_wants_one(server, selector, there):
    listing(server, f"{SYSTEM}/pods", *CONTROL_PLANE, proxy("cp-1"))
    template = {"template": {"spec": {"nodeSelector": selector}}}
    listing(
        server,
        "/apis/apps/v1/namespaces/kube-system/daemonsets",
        {"metadata": {"name": "kube-proxy"}, "spec": template},
    )
    process = looked_at(server, How(timeout=600.0, retries=0)).node("w1").process(Component.KUBE_PROXY)
    assert (process is not None) is there
    assert process is None or (process.pod, process.expected) == (None, True)


def test_a_static_pod_that_is_missing(server):
    listing(server, f"{SYSTEM}/pods", *CONTROL_PLANE[1:], proxy("cp-1"), proxy("w1"))
    process = looked_at(server).node("cp-1").process(Component.APISERVER)
    assert (process.pod, process.replies, process.expected) == (None, {}, True)


def test_a_pod_that_only_looks_like_etcd_is_not_asked(server):
    fake = pod("etcd-w1", "w1", "etcd")
    listing(server, f"{SYSTEM}/pods", *CONTROL_PLANE, proxy("cp-1"), proxy("w1"), fake)
    facts = looked_at(server)
    assert facts.node("w1").process(Component.ETCD) is None
    assert any("not a part of the control plane" in gap.why for gap in facts.gaps)


@pytest.mark.parametrize(
    ("paths", "what", "permission"),
    [
        ([f"{SYSTEM}/configmaps/kube-proxy"], "configmaps", "get configmaps in namespace kube-system"),
        (
            [f"{LEASES}/kube-node-lease/leases"],
            "leases",
            "list leases.coordination.k8s.io in namespace kube-node-lease",
        ),
        (
            ["/apis/apps/v1/namespaces/kube-system/daemonsets"],
            "daemonsets",
            "list daemonsets.apps in namespace kube-system",
        ),
        (["/api/v1/namespaces/default/services/kubernetes"], "services", "get services in namespace default"),
        (["/api/v1/nodes"], "nodes", "list nodes"),
    ],
)
def test_a_right_that_is_missing_costs_only_its_own(server, paths, what, permission):
    forbid(server, *paths)
    facts = looked_at(server)
    assert [(gap.what, gap.permission) for gap in facts.gaps if gap.permission] == [(what, permission)]
    assert told(facts, "w1") == {"kubelet": [200], "kube-proxy": [200, 200, 200]}
    assert told(facts, "cp-1")["etcd"] == [200, 200]
    assert facts.node("cp-1").is_control_plane


def test_without_pods_no_way_leads_to_a_node_and_nothing_is_missing(server):
    forbid(server, f"{SYSTEM}/pods")
    facts = looked_at(server)
    assert Component.ETCD in facts.has
    assert facts.node("w1").way.why is Why.NO_WAY
    assert {process.component for process in facts.node("cp-1").processes} == {Component.KUBELET}
    assert facts.objects.pods is None


def test_nothing_without_nodes_and_pods(server):
    forbid(server, f"{SYSTEM}/pods", "/api/v1/nodes")
    server.on("POST", REVIEWS, Says(201, {"status": {"allowed": False}}))
    with pytest.raises(AdminError, match="may not list nodes; list pods in namespace kube-system; "):
        looked_at(server)


def test_an_api_server_that_is_not_there():
    with StandIn().serving() as gone:
        cluster = gone.connect()
    with pytest.raises(Unreachable) as raised:
        gather(cluster, How(timeout=5.0))
    assert "--server https://CONTROL-PLANE:6443" in raised.value.hint


def test_an_api_server_that_is_not_there_though_it_was_asked_directly():
    with StandIn().serving() as gone:
        cluster = gone.connect(bypassed={"server": "https://10.0.0.10:6443"})
    with pytest.raises(Unreachable) as raised:
        gather(cluster, How(timeout=5.0))
    assert raised.value.hint == "try that of another control plane: --server https://CONTROL-PLANE:6443"


def test_the_kubeconfigs_own_address_is_asked_where_a_flag_leads_past_it(server):
    with StandIn().serving() as balancer:
        url = balancer.url
        beside = server.connect(bypassed={"server": url}, user={"token": "secret"})
        facts = gather(beside, HOW)
        assert (facts.bypassed.server, facts.bypassed.reply.status) == (url, 200)
    gone = gather(beside, HOW).bypassed.reply
    assert (gone.why, gone.said) == (Why.REFUSED, f"{url.removeprefix('http://')}: connection refused")
    assert gather(server.connect(), HOW).bypassed is None


@pytest.mark.parametrize("granted", [True, False])
def test_a_refusal_of_the_way_is_the_api_servers_only_where_the_right_is_missing(server, granted):
    said = 'pods "x" is forbidden: User "jane" cannot create resource "pods/portforward" in API group ""'
    for name in ("cp-1", "w1"):
        server.on(
            "GET",
            f"{SYSTEM}/pods/kube-proxy-{name}/portforward",
            lambda wire: wire.refuse(status(403, "Forbidden", said)),
        )
    review = {"status": {"allowed": granted}}
    server.on("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", Says(body=review))
    way = looked_at(server, How(timeout=600.0, retries=0)).node("w1").way
    assert way.why is (Why.FORWARD if granted else Why.FORBIDDEN)


def test_two_looks_at_metrics(server):
    counted = iter(range(1, 100))
    ports = {
        **FINE,
        10249: lambda _: f"kubeproxy_sync_proxy_rules_last_timestamp_seconds {next(counted)}\n",
    }
    server.on("GET", f"{SYSTEM}/pods/kube-proxy-w1/portforward", Node(ports))
    facts = looked_at(server, How(timeout=600.0, sample=30.0))
    process = facts.node("w1").process(Component.KUBE_PROXY)
    (name,) = process.earlier
    assert process.earlier[name][0].value < process.metrics[name][0].value
    assert facts.window is not None
    assert server.clock.slept == [30.0]


def test_leases_are_read_again_where_a_kubelet_does_not_answer(server):
    late = status(504, "Timeout", "the server was unable to return a response in the time allotted")
    server.on("GET", f"{SYSTEM}/pods/kube-proxy-w1/portforward", lambda wire: wire.refuse(late))
    for sign in ("healthz", "livez"):
        server.on("GET", f"{SYSTEM}/pods/http:kube-proxy-w1:10256/proxy/{sign}", late)
    path = f"{LEASES}/kube-node-lease/leases"
    first, later = (Says(body={"items": [lease("w1", holder)]}) for holder in ("first", "later"))
    server.on("GET", path, first, later)
    facts = looked_at(server, How(timeout=600.0, retries=0))
    assert (facts.node("w1").way.why, facts.node("w1").lease.holder) == (Why.SILENT, "later")
    assert facts.node("w1").lease.read > facts.at


def renewed(after):
    """A Lease that was renewed so many seconds from now."""
    moment = datetime.now(UTC) + timedelta(seconds=after)
    made_lease = lease("w1", "w1")
    made_lease["spec"]["renewTime"] = moment.isoformat()
    return made_lease


@pytest.mark.parametrize(
    ("later", "slept"),
    [
        ([(0, 0), (0, 0), (0, 7)], [1.0]),  # its kubelet lives
        ([(-30, 0)], []),  # it would have had to
        ([(0, 0), (0, 3)], []),
    ],
)
def test_a_lease_that_may_yet_be_renewed_is_waited_for(server, later, slept):
    late = status(504, "Timeout", "the server was unable to return a response in the time allotted")
    server.on("GET", f"{SYSTEM}/pods/kube-proxy-w1/portforward", lambda wire: wire.refuse(late))
    for sign in ("healthz", "livez"):
        server.on("GET", f"{SYSTEM}/pods/http:kube-proxy-w1:10256/proxy/{sign}", late)
    first = {since: renewed(since) for since, _ in later}
    answers = [Says(body={"items": [renewed(more) if more else first[since]]}) for since, more in later]
    server.on("GET", f"{LEASES}/kube-node-lease/leases", *answers)
    facts = looked_at(server, How(timeout=600.0, retries=0))
    assert facts.node("w1").way.why is Why.SILENT
    assert server.clock.slept == slept


def test_names_are_asked_of_every_dns_pod(server):
    listing(server, f"{SYSTEM}/pods", *CONTROL_PLANE, proxy("cp-1"), proxy("w1"), resolver())
    server.on("GET", f"{SYSTEM}/pods/coredns-1/portforward", Node({}))
    facts = looked_at(server, How(timeout=600.0, retries=0))
    (found,) = facts.resolvers
    assert found.question == "kubernetes.default.svc.example.org"
    assert (found.pod.name, found.expected, found.answer.why) == ("coredns-1", ("10.96.0.1",), Why.REFUSED)
    assert Component.COREDNS in facts.has


@pytest.mark.parametrize(("pods", "gaps"), [(50, []), (52, ["the answers of 2 further DNS pods"])])
def test_dns_pods_beyond_those_that_are_asked_are_named(pods, gaps):
    labels = {"k8s-app": "kube-dns"}
    listed = Listed(pods=tuple(made.pod("coredns", f"w{place}", labels=labels) for place in range(pods)))
    assert [gap.what for gap in not_asked(listed)] == gaps


def gone(wire):
    wire.refuse(status(500, "InternalError", "error dialing backend: dial tcp: connection refused"))


def test_a_node_that_the_second_look_does_not_reach_has_no_rates(server):
    server.on("GET", f"{SYSTEM}/pods/kube-proxy-w1/portforward", Node(FINE), gone)
    facts = looked_at(server, How(timeout=600.0, retries=0, sample=30.0))
    assert facts.node("w1").process(Component.KUBE_PROXY).earlier is None
    assert facts.node("cp-1").process(Component.KUBE_PROXY).earlier is not None
    (gap,) = [gap for gap in facts.gaps if gap.what.startswith("rates")]
    assert gap.what == "rates of node w1"
    assert gap.why.startswith("its second look failed: the API server can't reach its kubelet: ")


def test_a_component_that_gives_no_metrics_at_the_second_look_has_no_rates(server):
    later = {port: served for port, served in FINE.items() if port != 2381}
    server.on("GET", f"{SYSTEM}/pods/kube-proxy-cp-1/portforward", Node(FINE), Node(later))
    facts = looked_at(server, How(timeout=600.0, retries=0, sample=30.0))
    assert "rates of etcd on cp-1" in [gap.what for gap in facts.gaps]


def test_a_second_look_that_no_node_answers_is_an_error(server):
    for name in ("cp-1", "w1"):
        server.on("GET", f"{SYSTEM}/pods/kube-proxy-{name}/portforward", Node(FINE), gone)
    with pytest.raises(AdminError, match=r"^the second look: no node has answered: .*connection refused"):
        looked_at(server, How(timeout=600.0, retries=0, sample=30.0))


def test_an_api_server_that_is_away_at_the_second_look_is_an_error(server):
    server.clock.meanwhile = lambda _: server.close()
    with pytest.raises(Unreachable, match=r"^the second look: "):
        looked_at(server, How(timeout=600.0, retries=0, sample=30.0))


def test_leases_that_the_second_look_may_not_read_are_a_gap(server):
    refused = status(500, "InternalError", "etcdserver: leader changed")
    first = Says(body={"items": [lease("kube-scheduler", "cp-1_1")]})
    server.on("GET", f"{LEASES}/kube-system/leases", first, refused)
    facts = looked_at(server, How(timeout=600.0, retries=0, sample=30.0))
    assert "changes of the leaders' Leases" in [gap.what for gap in facts.gaps]


class DebugPods:
    """Makes hosts. opened, gone: by node, those of which a debug pod was made and removed."""

    def __init__(self):
        self.opened, self.gone = [], []

    def __call__(self, cluster):
        operation = replace(OPERATION, over=threading.Event())
        return Opened(cluster, operation, Options(), print, lambda node, _: self.open(cluster, node))

    @contextmanager
    def open(self, cluster, node):
        pod = ("kube-system", f"debug-{node}")
        self.opened.append(node)

        def start(argv, *, stdin, timeout):
            return cluster.exec(*pod, "host", argv, stdin=stdin, timeout=timeout)

        try:
            yield SimpleNamespace(node=node, pod=pod, start=start)
        finally:
            self.gone.append(node)


def bound_to_the_node():
    """The scheduler's pod, which listens at its node's address."""
    scheduler = pod("kube-scheduler-cp-1", "cp-1", "kube-scheduler")
    scheduler["spec"]["containers"][0]["command"].append("--bind-address=10.0.0.9")
    return scheduler


@pytest.mark.parametrize("sample", [None, 30.0])
def test_debug_pods_are_made_only_where_nothing_else_leads_and_are_gone_afterwards(server, sample):
    listing(server, f"{SYSTEM}/pods", *CONTROL_PLANE[:3], bound_to_the_node(), proxy("cp-1"))
    server.on("GET", f"{SYSTEM}/pods/debug-w1/portforward", Node(FINE))
    server.on("GET", f"{SYSTEM}/pods/debug-cp-1/exec", Relay({"/healthz": "ok"}))
    pods = DebugPods()
    facts = looked_at(server, How(timeout=600.0, retries=0, sample=sample, hosts=pods))
    assert told(facts, "cp-1")["kube-scheduler"] == [200]
    assert told(facts, "w1")["kubelet"] == [200]
    assert [(one.way, one.host) for one in facts.nodes] == [
        ("kube-proxy-cp-1", "debug-cp-1"),
        ("debug-w1", "debug-w1"),
    ]
    assert sorted(pods.opened) == sorted(pods.gone) == ["cp-1", "w1"]


def test_no_debug_pod_where_every_component_can_be_asked(server):
    pods = DebugPods()
    looked_at(server, How(timeout=600.0, hosts=pods))
    assert pods.opened == []


def test_without_hosts_what_is_bound_elsewhere_is_not_asked(server):
    listing(server, f"{SYSTEM}/pods", *CONTROL_PLANE[:3], bound_to_the_node(), proxy("cp-1"), proxy("w1"))
    facts = looked_at(server)
    assert told(facts, "cp-1")["kube-scheduler"] == ["elsewhere"]
    assert facts.node("cp-1").host == ""


def test_an_error_of_the_second_look_leaves_no_debug_pod(server):
    listing(server, f"{SYSTEM}/pods", *CONTROL_PLANE[:3], bound_to_the_node(), proxy("cp-1"), proxy("w1"))
    server.on("GET", f"{SYSTEM}/pods/debug-cp-1/exec", Relay({"/healthz": "ok"}))
    server.clock.meanwhile = lambda _: server.close()
    pods = DebugPods()
    with pytest.raises(Unreachable, match=r"^the second look: "):
        looked_at(server, How(timeout=600.0, retries=0, sample=30.0, hosts=pods))
    assert pods.opened == pods.gone == ["cp-1"]
