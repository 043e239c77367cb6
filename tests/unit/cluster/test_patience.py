"""An API server that is being restarted, as it looks to a run that must outlast it; no time passes here."""

import socket
import ssl
from typing import Any

import pytest
import urllib3

from kubectl_admin.cluster.access import Right, require
from kubectl_admin.cluster.connection import MERGE_PATCH, Cluster
from kubectl_admin.cluster.errors import (
    ApiError,
    Forbidden,
    Misdirected,
    NothingSent,
    Unauthorized,
    Unreachable,
    Untrusted,
    is_misdirected,
)
from kubectl_admin.cluster.retry import Retry
from kubectl_admin.errors import AdminError
from tests.fakes.api_server import HangUp, Says, StandIn, Wire, status
from tests.fakes.clock import Clock

NODE = "/api/v1/nodes/cp-1"
EXEC = "/api/v1/namespaces/ns/pods/p/exec"
REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
SELF = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
STARTING = Says(500, b"[-]poststarthook/rbac/bootstrap-roles failed")
SAID_BY_ONE_THAT_STARTS = [
    HangUp(),
    status(500, "InternalError", "etcdserver: leader changed"),
    Says(502, b"<html>Bad Gateway</html>"),
    status(503, "ServiceUnavailable", "apiserver is shutting down"),
    status(504, "Timeout", "request timed out"),
    status(401, "Unauthorized", "Unauthorized"),
]


@pytest.fixture(autouse=True)
def clock(server: StandIn, secure: StandIn) -> Clock:
    server.clock = secure.clock = clock = Clock()
    return clock


@pytest.fixture
def said() -> list[str]:
    return []


def of_tls(reason: str) -> ssl.SSLError:
    """An error of a TLS library."""
    error = ssl.SSLError(1, reason)
    error.reason = reason
    return error


def ask(cluster: Cluster, what: str) -> Any:
    """One of the ways to ask something of a server."""
    match what:
        case "get":
            return cluster.get(NODE)
        case "list":
            return list(cluster.list("/api/v1/nodes"))
        case "patch":
            return cluster.patch(NODE, {}, MERGE_PATCH)
        case "exec":
            return cluster.exec("ns", "p", None, ["true"]).run().exit_code
    raise AssertionError(what)


def command(wire: Wire) -> None:
    wire.accept("v5.channel.k8s.io")
    wire.end()


def serve(server: StandIn) -> None:
    server.on("GET", NODE, Says(body={"kind": "Node", "metadata": {"name": "cp-1"}}))
    server.on("GET", "/api/v1/nodes", Says(body={"items": []}))
    server.on("PATCH", NODE, Says(body={"kind": "Node", "metadata": {"name": "cp-1"}}))
    server.on("GET", EXEC, command)


@pytest.mark.parametrize("what", ["get", "list", "patch"])
def test_a_run_that_goes_on_waits_where_handshakes_are_cut_off(
    secure: StandIn, trusting: dict[str, Any], said: list[str], what: str
) -> None:
    """The first look of a run that was killed before, while kubeadm has the only API server restarted."""
    serve(secure)
    secure.cuts = 40
    ask(secure.connect(cluster=trusting).patient(Retry(300, said.append), resuming=True), what)
    assert (secure.cut, len(secure.asked)) == (40, 1)
    assert said == ["Unable to connect to the server: tls: unexpected eof while reading; trying again"]


@pytest.mark.parametrize("what", ["get", "list", "patch", "exec"])
def test_a_handshake_that_was_cut_off_has_asked_for_nothing_and_is_tried_again_whatever_it_was_for(
    secure: StandIn, trusting: dict[str, Any], what: str
) -> None:
    serve(secure)
    secure.cuts = 2
    ask(secure.connect(cluster=trusting), what)
    assert (secure.cut, len(secure.asked)) == (2, 1)


@pytest.mark.parametrize("answer", SAID_BY_ONE_THAT_STARTS)
def test_what_a_starting_server_or_a_balancer_without_one_says_is_outlasted(
    server: StandIn, said: list[str], answer: Any
) -> None:
    serve(server)
    cluster = server.connect().patient(Retry(60, said.append))
    cluster.get(NODE)  # it is known from here on
    server.on("GET", NODE, *[answer] * 20, Says(body={"kind": "Node", "metadata": {"name": "cp-1"}}))
    assert cluster.get(NODE) == {"kind": "Node", "metadata": {"name": "cp-1"}}
    assert len(said) == 1


@pytest.mark.parametrize("answer", SAID_BY_ONE_THAT_STARTS[:-1])
def test_what_may_have_been_carried_out_is_not_sent_again(server: StandIn, answer: Any) -> None:
    serve(server)
    cluster = server.connect().patient(Retry(60), resuming=True)
    server.on("PATCH", NODE, answer, Says(body={}))
    with pytest.raises(AdminError):
        cluster.patch(NODE, {}, MERGE_PATCH)
    assert len(server.asked) == 1


def test_patience_ends_and_counts_for_each_request(server: StandIn, clock: Clock) -> None:
    serve(server)
    cluster = server.connect().patient(Retry(60))
    cluster.get(NODE)
    leader = status(500, "InternalError", "etcdserver: leader changed")
    for _ in range(4):
        server.on("GET", NODE, *[leader] * 50, Says(body={}))
        cluster.get(NODE)
    assert clock.now - 1000 > 60
    server.on("GET", NODE, leader)
    begun = clock.now
    with pytest.raises(ApiError, match="leader changed"):
        cluster.get(NODE)
    assert 55 < clock.now - begun <= 62


def test_who_waits_outside_counts_what_was_waited_inside(server: StandIn, clock: Clock) -> None:
    server.on("GET", NODE, HangUp())
    cluster = server.connect().patient(Retry(60), resuming=True)
    with pytest.raises(Unreachable):
        Retry(60)(lambda: cluster.get(NODE))
    assert clock.now - 1000 < 65


def test_a_request_with_a_time_limit_keeps_it(server: StandIn, clock: Clock) -> None:
    serve(server)
    cluster = server.connect().patient(Retry(60), resuming=True)
    server.on("GET", NODE, HangUp())
    with pytest.raises(Unreachable):
        cluster.get(NODE, timeout=5)
    assert clock.now - 1000 < 5


@pytest.mark.parametrize("patient", [False, True])
def test_a_server_that_never_answered_is_sought_for_a_second_in_all(patient: bool, clock: Clock) -> None:
    """A wrong address is the likeliest reason, and who has mistyped it wants to hear so."""
    stand_in = StandIn()
    stand_in.clock = clock
    stand_in.close()
    cluster = stand_in.connect()
    cluster = cluster.patient(Retry(60)) if patient else cluster
    for _ in range(10):
        with pytest.raises(NothingSent, match="was refused"):
            cluster.get(NODE)
        with pytest.raises(NothingSent, match="was refused"):
            cluster.exec("ns", "p", None, ["true"])
    assert 0.5 < sum(clock.slept) <= 1.0


def test_a_server_whose_name_resolves_slowly_is_not_sought_again(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    stand_in = StandIn()
    stand_in.clock = clock
    stand_in.close()
    cluster = stand_in.connect()
    connect = urllib3.util.connection.create_connection

    def slowly(*args: Any, **more: Any) -> Any:
        clock.now += 5.0
        return connect(*args, **more)

    monkeypatch.setattr(urllib3.util.connection, "create_connection", slowly)
    with pytest.raises(NothingSent):
        cluster.get(NODE)
    assert (clock.now, clock.slept) == (1005.0, [])


def test_a_certificate_that_is_not_the_servers_is_never_waited_for(secure: StandIn, clock: Clock) -> None:
    with pytest.raises(Untrusted, match="failed to verify certificate"):
        secure.connect().patient(Retry(60), resuming=True).get(NODE)
    with pytest.raises(Untrusted, match="failed to verify certificate"):
        secure.connect().patient(Retry(60), resuming=True).exec("ns", "p", None, ["true"])
    assert clock.slept == []


def no_such_name(*_: Any, **__: Any) -> Any:
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


def refused_by_proxy(*_: Any, **__: Any) -> Any:
    raise OSError("Tunnel connection failed: 407 Proxy Authentication Required")


@pytest.mark.parametrize("trouble", [no_such_name, refused_by_proxy])
def test_a_wrong_address_is_told_at_once_by_who_goes_on_as_well(
    server: StandIn, monkeypatch: pytest.MonkeyPatch, clock: Clock, trouble: Any
) -> None:
    """And waited for once somebody has answered there: names and proxies have their moments, too."""
    cluster = server.connect().patient(Retry(60), resuming=True)
    monkeypatch.setattr(urllib3.util.connection, "create_connection", trouble)
    monkeypatch.setattr(socket, "getaddrinfo", trouble)
    with pytest.raises(Misdirected):
        cluster.get(NODE)
    assert clock.slept == []
    cluster._transport.heard = True
    with pytest.raises(Unreachable):
        cluster.get(NODE)
    assert sum(clock.slept) > 50


def test_a_port_without_tls_is_told_at_once_by_who_goes_on_as_well(server: StandIn, clock: Clock) -> None:
    url = server.url.replace("http:", "https:")
    with pytest.raises(Misdirected, match="HTTP response to HTTPS client"):
        server.connect(cluster={"server": url}).patient(Retry(60), resuming=True).get(NODE)
    assert clock.slept == []


@pytest.mark.parametrize(
    ("error", "wrong"),
    [
        (socket.gaierror(socket.EAI_NONAME, "no"), True),
        (socket.gaierror(socket.EAI_AGAIN, "no"), False),
        (of_tls("WRONG_VERSION_NUMBER"), True),
        (of_tls("SSLV3_ALERT_BAD_CERTIFICATE"), True),
        (of_tls("TLSV13_ALERT_CERTIFICATE_REQUIRED"), True),
        (of_tls("SSLV3_ALERT_CERTIFICATE_EXPIRED"), True),
        (of_tls("TLSV1_ALERT_UNKNOWN_CA"), True),
        (of_tls("TLSV1_ALERT_INTERNAL_ERROR"), False),
        (of_tls("UNEXPECTED_EOF_WHILE_READING"), False),
        (OSError("Tunnel connection failed: 403 Forbidden"), True),
        (OSError("Tunnel connection failed: 503 Service Unavailable"), False),
        (ConnectionRefusedError(111, "refused"), False),
        (TimeoutError("timed out"), False),
    ],
)
def test_what_a_wrong_address_says(error: Exception, wrong: bool) -> None:
    assert is_misdirected(error) is wrong


def test_who_never_was_let_in_is_told_at_once(server: StandIn, clock: Clock) -> None:
    server.on("GET", NODE, status(401, "Unauthorized", "Unauthorized"))
    with pytest.raises(Unauthorized):
        server.connect().patient(Retry(60), resuming=True).get(NODE)
    assert clock.slept == []


def allowed(granted: bool) -> Says:
    return Says(201, {"status": {"allowed": granted}})


def test_a_server_that_knows_no_roles_yet_is_not_believed_about_rights(server: StandIn) -> None:
    """It answers «no» to everybody until it has read them."""
    server.on("POST", REVIEWS, allowed(False), allowed(False), allowed(True))
    server.on("GET", "/readyz", STARTING)
    require(server.connect().patient(Retry(60), resuming=True), [Right("get", "nodes")])
    assert len([asked for asked in server.asked if asked.path == REVIEWS]) == 3


READYZ_REFUSED = status(403, "Forbidden", 'forbidden: User "ann" cannot get path "/readyz"')
REFUSED = status(403, "Forbidden", 'nodes is forbidden: User "ann" cannot get resource "nodes"')


@pytest.mark.parametrize("ready", [STARTING, READYZ_REFUSED])
def test_a_server_that_refuses_everything_knows_no_roles_yet(server: StandIn, ready: Says) -> None:
    """Seen on a real one: for a moment, it refuses even to say whether it is ready."""
    serve(server)
    cluster = server.connect().patient(Retry(60), resuming=True)
    server.on("GET", "/readyz", ready)
    server.on("GET", NODE, *[REFUSED] * 10, Says(body={"kind": "Node", "metadata": {"name": "cp-1"}}))
    server.on("PATCH", NODE, *[REFUSED] * 10, Says(body={}))
    assert cluster.get(NODE) == {"kind": "Node", "metadata": {"name": "cp-1"}}
    server.on("GET", NODE, *[REFUSED] * 10, Says(body={"kind": "Node", "metadata": {"name": "cp-1"}}))
    assert cluster.patch(NODE, {}, MERGE_PATCH) == {"metadata": {"name": "cp-1"}}
    server.on("GET", NODE, *[REFUSED] * 10, Says(body={"kind": "Node", "metadata": {"name": "cp-1"}}))
    server.on("POST", REVIEWS, *[allowed(False)] * 10, allowed(True))
    server.on("POST", SELF, status(404, "NotFound", "no"))
    require(cluster, [Right("get", "nodes")])


def test_a_server_that_never_says_whether_it_is_ready_is_believed_in_the_end(
    server: StandIn, clock: Clock
) -> None:
    """Somebody has taken from everybody the right to ask."""
    cluster = server.connect().patient(Retry(60), resuming=True)
    server.on("GET", "/readyz", READYZ_REFUSED)
    server.on("GET", NODE, REFUSED)
    with pytest.raises(Forbidden, match="cannot get resource"):
        cluster.get(NODE)
    assert 15 < clock.now - 1000 <= 22
    server.on("POST", REVIEWS, allowed(False))
    server.on("POST", SELF, status(404, "NotFound", "no"))
    with pytest.raises(AdminError, match="may not get nodes"):
        require(cluster, [Right("get", "nodes")])
    assert clock.now - 1000 <= 44


def test_a_server_that_is_believed_once_is_not_waited_for_again(server: StandIn, clock: Clock) -> None:
    """The next refusals of a server that grants nothing, and never says whether it is ready."""
    cluster = server.connect().patient(Retry(60), resuming=True)
    server.on("GET", "/readyz", READYZ_REFUSED)
    server.on("GET", NODE, REFUSED)
    for _ in range(10):
        with pytest.raises(Forbidden):
            cluster.get(NODE)
    assert clock.now - 1000 <= 22


def test_a_server_that_grants_other_things_knows_the_roles_of_a_user_that_may_not_ask_it(
    server: StandIn, clock: Clock
) -> None:
    serve(server)
    cluster = server.connect().patient(Retry(60))
    server.on("GET", "/readyz", READYZ_REFUSED)
    cluster.get(NODE)
    server.on("GET", "/api/v1/pods", REFUSED)
    for _ in range(3):
        with pytest.raises(Forbidden):
            list(cluster.list("/api/v1/pods"))
    assert clock.slept == []


def test_a_server_that_no_longer_grants_what_it_did_knows_no_roles_yet(server: StandIn) -> None:
    """One that is being restarted, to a user that may not ask it whether it is ready."""
    serve(server)
    cluster = server.connect().patient(Retry(60))
    server.on("GET", "/readyz", READYZ_REFUSED)
    cluster.get(NODE)
    server.on("GET", NODE, *[REFUSED] * 5, Says(body={"kind": "Node", "metadata": {"name": "cp-1"}}))
    server.on("GET", "/api/v1/nodes", *[REFUSED] * 5, Says(body={"items": []}))
    assert list(cluster.list("/api/v1/nodes")) == []


def test_a_right_that_can_not_be_asked_about_is_not_taken_for_granted(server: StandIn) -> None:
    server.on("POST", REVIEWS, HangUp())
    with pytest.raises(Unreachable):
        require(server.connect(), [Right("get", "nodes")])


def test_a_right_that_is_missing_is_told_at_once(server: StandIn, clock: Clock) -> None:
    server.on("POST", REVIEWS, allowed(False))
    server.on("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", status(404, "NotFound", "no"))
    with pytest.raises(AdminError, match="may not get nodes"):
        require(server.connect().patient(Retry(60), resuming=True), [Right("get", "nodes")])
    assert clock.slept == []
