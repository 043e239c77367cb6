"""The components of a node, asked over one connection to it."""

import base64
import gzip
import ssl
import tempfile
import threading

import pytest
from cryptography import x509

from kubectl_admin.clock import Deadline
from kubectl_admin.control_plane.component import Component
from kubectl_admin.health.asking import instances
from kubectl_admin.health.asking.ask import Asker, Looks
from kubectl_admin.health.asking.exchange import LOOK_INTERVAL, Exchange, Patience
from kubectl_admin.health.asking.questions import KubeProxyConfig, Plan, Question, kube_proxy, kubelet
from kubectl_admin.health.facts import Endpoint, NoReply, Process, Reply, Why
from kubectl_admin.pool import LateError
from tests.fakes.api_server import HangUp, Says, StandIn, status
from tests.fakes.clock import Clock
from tests.fakes.forwarded_node import STUCK, Node
from tests.unit.cluster.conftest import new_authority
from tests.unit.health import made

PODS = "/api/v1/namespaces/kube-system/pods"
FORWARD = f"{PODS}/kube-proxy-w1/portforward"
JUDGED = {Component.KUBELET: ["up"], Component.KUBE_PROXY: ["up"], Component.APISERVER: ["up"]}
SYNCED = '{"currentTime":"2026-11-30T03:00:00.5Z"}'
PROXY = {"/healthz": SYNCED, "/livez": SYNCED}
PROXY_METRICS = {"/metrics": "up 1\n", "/proxyMode": "iptables"}
KUBELET = {"/healthz?verbose": "[+]ping ok\n", "/metrics": "up 2\ndown 3\n"}
LATER = 600.0  # seconds; nothing is waited for so long
AUTHORITY = new_authority("authority of the cluster")


def context(name):
    """The TLS of a component that asks for client certificates of the authority."""
    pair = AUTHORITY.issue(name, x509.DNSName(name))
    made_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile() as file:
        file.write(pair.certificate + pair.key)
        file.flush()
        made_context.load_cert_chain(file.name)
    made_context.load_verify_locations(cadata=AUTHORITY.pem.decode())
    made_context.verify_mode = ssl.CERT_OPTIONAL
    return made_context


@pytest.fixture
def server():
    with StandIn().serving() as stand_in:
        stand_in.clock = Clock()
        yield stand_in


class Asking:
    """Asks a node of a cluster."""

    def __init__(self, cluster, patience):
        self.asker = Asker(cluster, patience, JUDGED)

    def node(self, ways, plans):
        return Looks(self.asker, ways, plans)()

    def metrics(self, way, plans):
        return self.asker.metrics(way, plans)


def asker(server, retries=1, user=None, seconds=LATER, **target):
    cluster = server.connect(user=user, **target)
    return Asking(cluster, Patience(Deadline.after(seconds, server.clock), LATER / 2, retries))


def proxy_plan(node="w1"):
    return kube_proxy(made.pod(Component.KUBE_PROXY, node), {"config": "x"}, KubeProxyConfig.of({}))


def ping_plan():
    return kubelet({"metadata": {"name": "w1"}}, certificate=False)


def plan(component, *paths, port=10257, host="127.0.0.1", scheme="http"):
    endpoint = Endpoint(host, port, scheme)
    pod = made.pod(component, "w1")
    return Plan(
        Process(component, "w1", True, pod, endpoint),
        tuple(Question(component, endpoint, tuple(path.split())) for path in paths),
    )


def told(process):
    """Status or reason of each reply, by path."""
    return {
        path: reply.status if isinstance(reply, Reply) else reply.why.value
        for path, reply in process.replies.items()
    }


def test_all_components_of_a_node_are_asked_over_one_connection(server):
    node = Node({10256: PROXY, 10249: PROXY_METRICS, 10248: {"/healthz": "ok"}})
    server.on("GET", FORWARD, node)
    asked = asker(server).node(["kube-proxy-w1"], [ping_plan(), proxy_plan()])
    assert asked.way == "kube-proxy-w1"
    kubelet_process, proxy = asked.processes
    assert told(kubelet_process) == {"/healthz": 200}
    assert kubelet_process.endpoint.port == 10248
    assert told(proxy) == {"/healthz": 200, "/livez": 200, "/proxyMode": 200}
    assert proxy.replies["/proxyMode"].text == "iptables"
    assert [sample.value for sample in proxy.metrics["up"]] == [1.0]
    assert node.opened == [[10248, 10256, 10249]]
    assert asked.clock is not None
    assert not server.clock.slept


def test_a_port_where_nothing_listens_is_asked_again_by_itself(server):
    node = Node({10256: PROXY, 10249: PROXY_METRICS})
    server.on("GET", FORWARD, node)
    asked = asker(server).node(["kube-proxy-w1"], [ping_plan(), proxy_plan()])
    kubelet_process, proxy = asked.processes
    assert told(kubelet_process) == {"/healthz": "refused"}
    assert set(told(proxy).values()) == {200}
    assert node.opened == [[10248, 10256, 10249], [10248]]
    assert server.clock.slept == [LOOK_INTERVAL]


def test_what_answers_at_the_second_look_is_well(server):
    first, second = Node({10249: PROXY_METRICS}), Node({10256: PROXY})
    server.on("GET", FORWARD, first, second)
    asked = asker(server).node(["kube-proxy-w1"], [proxy_plan()])
    assert told(asked.processes[0]) == {"/healthz": 200, "/livez": 200, "/proxyMode": 200}
    assert second.opened == [[10256]]


def test_a_port_that_takes_no_connection_misleads_about_no_other(server):
    # It holds up what is sent after it, so both look silent; each by itself, one of them is not.
    both, alone = (
        Node({10256: STUCK, 10249: STUCK, 10248: STUCK}),
        Node({10256: STUCK, 10248: {"/healthz": "ok"}}),
    )
    server.on("GET", FORWARD, both, alone)
    asked = asker(server, retries=0).node(["kube-proxy-w1"], [ping_plan(), proxy_plan()])
    kubelet_process, proxy = asked.processes
    assert told(kubelet_process) == {"/healthz": 200}
    assert told(proxy)["/healthz"] == "silent"
    assert sorted(alone.opened) == [[10248], [10256, 10249]]
    assert server.clock.slept == [0.0]


def test_ports_of_one_component_mislead_about_no_other(server):
    # Both of kube-proxy's ports hang with it, and the kubelet has answered between them.
    node = Node({10256: STUCK, 10249: STUCK, 10248: {"/healthz": "ok"}})
    server.on("GET", FORWARD, node)
    asked = asker(server, retries=0).node(["kube-proxy-w1"], [ping_plan(), proxy_plan()])
    assert set(told(asked.processes[1]).values()) == {"silent"}
    assert len(node.opened) == 1


def test_without_retries_one_answer_counts(server):
    node = Node({10256: PROXY, 10249: PROXY_METRICS})
    server.on("GET", FORWARD, node)
    asker(server, retries=0).node(["kube-proxy-w1"], [ping_plan(), proxy_plan()])
    assert len(node.opened) == 1
    assert not server.clock.slept


def test_each_check_that_has_failed_is_asked_for_its_reason(server):
    checks = {
        "/healthz": (500, "[+]ping ok\n[-]etcd failed: reason withheld\n[-]a/b failed: reason withheld\n"),
        "/healthz/etcd": (500, "internal server error: etcd failed: no route\n"),
    }
    node = Node({10257: checks})
    server.on("GET", FORWARD, node)
    asked = asker(server).node(["kube-proxy-w1"], [plan(Component.CONTROLLER_MANAGER, "/healthz")])
    (process,) = asked.processes
    assert told(process) == {"/healthz": 500, "/healthz/etcd": 500, "/healthz/a/b": 404}
    assert "no route" in process.replies["/healthz/etcd"].text
    assert [path for _, path, _ in node.asked] == ["/healthz", "/healthz/etcd", "/healthz/a/b"]
    assert node.opened == [[10257]]


def test_no_endless_list_of_checks_is_followed(server):
    text = "".join(f"[-]check-{number} failed: x\n" for number in range(500))
    node = Node({10257: {"/healthz": (500, text)}})
    server.on("GET", FORWARD, node)
    asker(server).node(["kube-proxy-w1"], [plan(Component.CONTROLLER_MANAGER, "/healthz")])
    assert len(node.asked) == 9


def user():
    pair = AUTHORITY.issue("admin")
    return {
        "client-certificate-data": base64.b64encode(pair.certificate).decode(),
        "client-key-data": base64.b64encode(pair.key).decode(),
        "token": "s3cret",
    }


@pytest.fixture
def secure():
    with StandIn(context("kubernetes")).serving() as stand_in:
        stand_in.clock = Clock()
        yield stand_in


def trusting(authority=AUTHORITY):
    return {"certificate-authority-data": authority.data, "tls-server-name": "kubernetes"}


def test_a_kubelet_is_shown_the_client_certificate_and_no_token(secure):
    node = Node({10250: KUBELET, 10248: {}}, {10250: context("w1")})
    secure.on("GET", FORWARD, node)
    it = asker(secure, user=user(), cluster=trusting())
    asked = it.node(["kube-proxy-w1"], [kubelet({"metadata": {"name": "w1"}}, certificate=True)])
    (process,) = asked.processes
    assert told(process) == {"/healthz?verbose": 200}
    assert process.endpoint.port == 10250
    assert set(process.metrics) == {"up"}
    assert x509.load_der_x509_certificate(process.certificate).subject.rfc4514_string() == "CN=w1"
    assert node.users == ["admin"]
    assert "s3cret" not in str(node.asked)


@pytest.mark.parametrize("code", [401, 403])
def test_a_kubelet_that_refuses_the_user_is_pinged(secure, code):
    refusing = {"/healthz?verbose": (code, "Forbidden"), "/metrics": (code, "Forbidden (user=x)")}
    node = Node({10250: refusing, 10248: {"/healthz": "ok"}}, {10250: context("w1")})
    secure.on("GET", FORWARD, node)
    it = asker(secure, user=user(), cluster=trusting())
    asked = it.node(["kube-proxy-w1"], [kubelet({"metadata": {"name": "w1"}}, certificate=True)])
    (process,) = asked.processes
    assert told(process) == {"/healthz": 200}
    assert process.endpoint == Endpoint("127.0.0.1", 10248, "http")
    assert process.metrics == NoReply(Why.FORBIDDEN, "Forbidden (user=x)", "get nodes/metrics")


def apiserver(**more):
    paths = "/livez?verbose /metrics", "/readyz?verbose"
    return plan(Component.APISERVER, *paths, port=6443, scheme="https", **{"host": ""} | more)


FINE = {"/livez?verbose": "ok", "/readyz?verbose": "ok", "/metrics": gzip.compress(b"up 7\n")}


def test_an_api_server_is_trusted_by_the_clusters_authority_and_shown_the_token(secure):
    node = Node({6443: FINE}, {6443: context("kubernetes")})
    secure.on("GET", FORWARD, node)
    it = asker(secure, user={"token": "s3cret"}, cluster=trusting())
    (process,) = it.node(["kube-proxy-w1"], [apiserver()]).processes
    assert told(process) == {"/livez?verbose": 200, "/readyz?verbose": 200}
    assert all("Authorization: Bearer s3cret" in lines for _, _, lines in node.asked)
    assert node.users == ["", ""]


def test_a_server_that_is_not_trusted_is_shown_nothing(secure):
    node = Node({6443: FINE}, {6443: context("impostor")})
    secure.on("GET", FORWARD, node)
    for path in ("livez", "readyz"):
        secure.on(
            "GET",
            f"{PODS}/https:kube-apiserver-w1:6443/proxy/{path}",
            status(503, "ServiceUnavailable", "no"),
        )
    it = asker(secure, retries=0, user={"token": "s3cret"}, cluster=trusting())
    (process,) = it.node(["kube-proxy-w1"], [apiserver()]).processes
    assert not node.asked
    assert process.metrics.why is Why.GARBLED
    assert "failed to verify certificate" in process.metrics.said


def test_without_a_check_of_its_certificate_no_token_is_shown(secure):
    node = Node({6443: FINE}, {6443: context("impostor")})
    secure.on("GET", FORWARD, node)
    insecure = {"insecure-skip-tls-verify": True}
    it = asker(secure, user={"token": "s3cret"}, cluster=insecure)
    (process,) = it.node(["kube-proxy-w1"], [apiserver()]).processes
    assert told(process) == {"/livez?verbose": 200, "/readyz?verbose": 200}
    assert "s3cret" not in str(node.asked)


def test_an_api_server_that_is_bound_elsewhere_is_asked_through_another_one(server):
    node = Node({10256: PROXY, 10249: PROXY_METRICS})
    server.on("GET", FORWARD, node)
    server.on("GET", f"{PODS}/https:kube-apiserver-w1:6443/proxy/livez", Says(200, b"ok"))
    server.on("GET", f"{PODS}/https:kube-apiserver-w1:6443/proxy/readyz", Says(500, b"[-]etcd failed"))
    asked = asker(server).node(["kube-proxy-w1"], [apiserver(host="10.0.0.11"), proxy_plan()])
    process = asked.processes[0]
    assert told(process)["/livez"] == 200
    assert told(process)["/readyz"] == 500
    assert 6443 not in node.opened[0]


def test_what_is_bound_elsewhere_is_not_asked(server):
    server.on("GET", FORWARD, Node({10256: PROXY, 10249: PROXY_METRICS, 10257: {"/healthz": "not it"}}))
    elsewhere = plan(Component.CONTROLLER_MANAGER, "/healthz /metrics", host="10.0.0.11")
    asked = asker(server).node(["kube-proxy-w1"], [elsewhere, proxy_plan()])
    reply = asked.processes[0].replies["/healthz"]
    assert (reply.why, reply.said) == (Why.ELSEWHERE, "which can't be asked this way")
    assert not server.clock.slept


DIALING = "error dialing backend: dial tcp 10.0.0.12:10250: connect: connection refused"


def test_a_kubelet_that_the_api_server_does_not_reach_is_tried_twice(server):
    server.on("GET", FORWARD, lambda wire: wire.refuse(status(500, "InternalError", DIALING)))
    asked = asker(server).node(["kube-proxy-w1"], [proxy_plan()])
    assert asked.way == NoReply(Why.NODE, DIALING)
    assert not asked.processes[0].replies
    assert server.clock.slept == [LOOK_INTERVAL]
    assert len(server.asked) == 2


def test_a_kubelet_that_comes_back_is_asked(server):
    node = Node({10256: PROXY, 10249: PROXY_METRICS})
    server.on("GET", FORWARD, lambda wire: wire.refuse(status(500, "InternalError", DIALING)), node)
    asked = asker(server).node(["kube-proxy-w1"], [proxy_plan()])
    assert asked.way == "kube-proxy-w1"


def test_the_api_server_of_such_a_node_is_asked_through_another_one(server):
    server.on("GET", FORWARD, lambda wire: wire.refuse(status(500, "InternalError", DIALING)))
    for path in ("livez", "readyz"):
        server.on("GET", f"{PODS}/https:kube-apiserver-w1:6443/proxy/{path}", Says(200, b"ok"))
    asked = asker(server, retries=0).node(["kube-proxy-w1"], [apiserver(), proxy_plan()])
    assert told(asked.processes[0]) == {"/livez": 200, "/readyz": 200}
    assert not asked.processes[1].replies


@pytest.mark.parametrize(("why", "expected"), [(Why.LATE, True), (Why.SILENT, False), (Why.REFUSED, False)])
def test_an_api_server_that_could_not_be_asked_again_is_asked_through_another_one(why, expected):
    replies = {"/livez": NoReply(why), "/readyz": NoReply(why)}
    assert instances.is_beside(apiserver(), "kube-proxy-w1", replies) is expected


def test_kube_proxy_is_a_sign_of_life_of_a_node_whose_kubelet_says_nothing(server):
    over = threading.Event()
    server.on("GET", FORWARD, lambda _wire: over.wait(LATER))
    server.on("GET", f"{PODS}/http:kube-proxy-w1:10256/proxy/healthz", Says(200, SYNCED.encode()))
    server.on("GET", f"{PODS}/http:kube-proxy-w1:10256/proxy/livez", Says(200, SYNCED.encode()))

    def hang(_asked):
        over.wait(LATER)
        return HangUp()

    for path in ("livez", "readyz"):
        server.on("GET", f"{PODS}/https:kube-apiserver-w1:6443/proxy/{path}", hang)
    short = Patience(Deadline.after(LATER, server.clock), 1.0, 0)
    asked = Asking(server.connect(), short).node(["kube-proxy-w1"], [apiserver(), proxy_plan()])
    over.set()
    assert asked.way.why is Why.SILENT
    assert [told(process) for process in asked.processes] == [
        {"/livez": "silent", "/readyz": "silent"},
        {"/healthz": 200, "/livez": 200},
    ]


def test_another_pod_leads_to_the_node_where_the_first_is_gone(server):
    server.on(
        "GET", FORWARD, lambda wire: wire.refuse(status(404, "NotFound", 'pods "kube-proxy-w1" not found'))
    )
    server.on("GET", f"{PODS}/cni-w1/portforward", Node({10256: PROXY, 10249: PROXY_METRICS}))
    asked = asker(server).node(["kube-proxy-w1", "cni-w1"], [proxy_plan()])
    assert asked.way == "cni-w1"


def test_a_node_without_a_pod_in_its_network(server):
    asked = asker(server).node([], [proxy_plan()])
    assert asked.way.why is Why.NO_WAY
    assert not server.asked


def test_the_metrics_once_more(server):
    node = Node({10256: PROXY, 10249: PROXY_METRICS})
    server.on("GET", FORWARD, node)
    found = asker(server).metrics("kube-proxy-w1", [proxy_plan()])
    assert found[Component.KUBE_PROXY]["up"][0].value == 1.0
    assert node.opened == [[10249]]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ((500, "no"), Why.GARBLED),
        ((403, "no"), Why.FORBIDDEN),
        (None, Why.GARBLED),
    ],
)
def test_metrics_that_are_none(server, answer, why):
    server.on("GET", FORWARD, Node({10256: PROXY, 10249: {**PROXY_METRICS, "/metrics": answer}}))
    (process,) = asker(server, retries=0).node(["kube-proxy-w1"], [proxy_plan()]).processes
    assert process.metrics.why is why


def test_without_time_for_a_second_look_nothing_is_known(server):
    server.on("GET", FORWARD, Node({10256: PROXY, 10249: PROXY_METRICS, 10248: STUCK}))
    it = asker(server, seconds=LATER / 4)  # half of what one answer may take
    kubelet_process, proxy = it.node(["kube-proxy-w1"], [ping_plan(), proxy_plan()]).processes
    reply = kubelet_process.replies["/healthz"]
    assert (reply.why, reply.said[:35]) == (Why.LATE, "no time was left to look again: fai")
    assert set(told(proxy).values()) == {200}
    assert not server.clock.slept


def test_without_time_for_a_second_look_no_node_is_known_to_be_off(server):
    server.on("GET", FORWARD, lambda wire: wire.refuse(status(500, "InternalError", DIALING)))
    asked = asker(server, seconds=LATER / 4).node(["kube-proxy-w1"], [proxy_plan()])
    assert (asked.way.why, DIALING in asked.way.said) == (Why.LATE, True)


def test_what_is_known_so_far(server):
    server.on("GET", FORWARD, Node({10256: PROXY, 10249: PROXY_METRICS}))
    looks = Looks(asker(server).asker, ["kube-proxy-w1"], [ping_plan(), proxy_plan()])
    before = looks.so_far()
    assert (before.way.why, len(before.processes), before.clock) == (Why.LATE, 2, None)
    seen = []
    server.clock.meanwhile = lambda _: seen.append(looks.so_far())
    looks()
    (meanwhile,) = seen
    assert meanwhile.way == "kube-proxy-w1"
    assert [told(process) for process in meanwhile.processes] == [
        {"/healthz": "late"},
        {"/healthz": 200, "/livez": 200, "/proxyMode": 200},
    ]


def test_a_silence_that_was_cut_short_is_none(server):
    server.on("GET", FORWARD, lambda wire: (wire.accept("v4.channel.k8s.io"), list(wire.messages())))
    cluster = server.connect()
    (question,) = ping_plan().questions
    patience = Patience(Deadline.after(0.0, server.clock), LATER, 0)
    with cluster.forward_ports("kube-system", "kube-proxy-w1", [10248], timeout=LATER) as forwarded:
        heard = Exchange(cluster, patience, {}).ask(forwarded, {question: forwarded.ports[0]}, question)
    assert heard.replies["/healthz"].why is Why.LATE


@pytest.mark.parametrize("retries", [0, 1])
def test_a_node_whose_turn_comes_at_the_end_is_not_silent(server, retries):
    over = threading.Event()
    server.on("GET", FORWARD, lambda _wire: over.wait(LATER))
    server.on("GET", f"{PODS}/https:kube-apiserver-w1:6443/proxy/livez", lambda _asked: over.wait(LATER))
    server.on("GET", f"{PODS}/https:kube-apiserver-w1:6443/proxy/readyz", lambda _asked: over.wait(LATER))
    short = Patience(Deadline.after(0.2, server.clock), LATER, retries)
    asked = Asking(server.connect(), short).node(["kube-proxy-w1"], [ping_plan(), apiserver()])
    over.set()
    assert asked.way.why is Why.LATE


def test_an_api_server_that_there_was_no_time_for_is_not_silent(server):
    over = threading.Event()

    def hang(_asked):
        over.wait(LATER)
        return HangUp()

    server.on("GET", f"{PODS}/https:kube-apiserver-w1:6443/proxy/livez", hang)
    short = Patience(Deadline.after(0.2, server.clock), LATER, 1)
    with pytest.raises(LateError, match="no time was left"):
        instances.get_reply(server.connect(), f"{PODS}/https:kube-apiserver-w1:6443/proxy/livez", short)
    over.set()


def test_an_api_server_that_is_silent_is_asked_through_another_one_meanwhile(server):
    # Its node's kubelet lets nobody in that it has not allowed, so the second look may come to nothing.
    over = threading.Event()
    server.on("GET", FORWARD, Node({6443: STUCK}), lambda _wire: over.wait(LATER))

    def hang(_asked):
        over.wait(LATER)
        return HangUp()

    for path in ("livez", "readyz"):
        server.on("GET", f"{PODS}/https:kube-apiserver-w1:6443/proxy/{path}", hang)
    short = Patience(Deadline.after(LATER, server.clock), 1.0, 1)
    (process,) = Asking(server.connect(), short).node(["kube-proxy-w1"], [apiserver()]).processes
    over.set()
    assert (told(process)["/livez"], told(process)["/readyz"]) == ("silent", "silent")


def test_one_that_is_silent_once_and_answers_another_one_is_well(server):
    server.on("GET", FORWARD, Node({6443: STUCK}))
    for path in ("livez", "readyz"):
        server.on("GET", f"{PODS}/https:kube-apiserver-w1:6443/proxy/{path}", Says(200, b"ok"))
    short = Patience(Deadline.after(LATER, server.clock), 1.0, 1)
    (process,) = Asking(server.connect(), short).node(["kube-proxy-w1"], [apiserver()]).processes
    assert (told(process)["/livez"], told(process)["/readyz"]) == (200, 200)


def test_an_etcd_that_hangs_is_asked_again_while_its_api_server_takes_long_to_fail(server):
    asked_twice = threading.Event()

    class Hanging(Node):
        def __call__(self, wire):
            if self.opened:
                asked_twice.set()
            super().__call__(wire)

    # As many checks of an API server whose etcd hangs, it fails later than that etcd is known to be silent.
    slow = {"/healthz": lambda: (500, "etcd failed") if asked_twice.wait(60) else (200, "too early")}
    node = Hanging({2381: STUCK, 10248: lambda path: slow[path]()})
    server.on("GET", FORWARD, node)
    etcd_process, other = (
        asker(server)
        .node(["kube-proxy-w1"], [plan(Component.ETCD, "/health", port=2381), ping_plan()])
        .processes
    )
    assert (told(etcd_process), told(other)) == ({"/health": "silent"}, {"/healthz": 500})
    assert node.opened == [[2381, 10248], [2381]]


def test_an_etcd_that_was_asked_twice_is_known_though_no_time_is_left_for_others(server):
    server.on("GET", FORWARD, Node({2381: STUCK, 10248: STUCK}))
    it = asker(server)
    passing = it.asker.look

    def look(*given):
        found = passing(*given)
        if len(given) > 2:  # the first look, at all of them
            server.clock.now += LATER
        return found

    it.asker.look = look
    etcd_process, other = it.node(
        ["kube-proxy-w1"], [plan(Component.ETCD, "/health", port=2381), ping_plan()]
    ).processes
    assert (told(etcd_process), told(other)) == ({"/health": "silent"}, {"/healthz": "late"})


def test_silence_that_has_lasted_is_asked_again_at_once(server):
    server.on("GET", FORWARD, Node({10256: STUCK, 10249: PROXY_METRICS}))
    server.clock.meanwhile = lambda _: None
    it = asker(server)
    passing = it.asker.look

    def look(*given):
        found = passing(*given)
        server.clock.now += LOOK_INTERVAL
        return found

    it.asker.look = look
    it.node(["kube-proxy-w1"], [proxy_plan()])
    assert server.clock.slept == [0.0]
