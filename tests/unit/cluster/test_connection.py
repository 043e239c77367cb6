"""Requests over real HTTP: what is asked, what comes back, what is tried again and what never is."""

import gzip
import json
import logging
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kubectl_admin.cluster import requests
from kubectl_admin.cluster.connection import MERGE_PATCH, Cluster
from kubectl_admin.cluster.errors import (
    ApiError,
    Conflict,
    Forbidden,
    Gone,
    NotFound,
    TooManyRequests,
    Unauthorized,
    Unreachable,
)
from kubectl_admin.cluster.kubeconfig import Target
from kubectl_admin.errors import AdminError
from tests.fakes.api_server import Asked, HangUp, Says, StandIn, status
from tests.fakes.clock import Clock

NODES = "/api/v1/nodes"
NODE: dict[str, Any] = {"metadata": {"name": "w1"}}
NODE_LIST = {"kind": "NodeList", "items": [NODE]}
OVERLOADED = status(503, "ServiceUnavailable", "etcdserver: leader changed")


@pytest.fixture(autouse=True)
def clock(server: StandIn) -> Clock:
    """Nobody waits for the pauses between tries."""
    server.clock = clock = Clock()
    return clock


@pytest.fixture
def waits(clock: Clock) -> list[float]:
    """The pauses between tries."""
    return clock.slept


def test_get(server: StandIn) -> None:
    server.on("GET", NODES, Says(body=NODE_LIST))
    assert server.connect().get(NODES, [("labelSelector", "a in (b, c)")]) == NODE_LIST
    (asked,) = server.asked
    assert asked.query == [("labelSelector", "a in (b, c)")]
    assert asked.header("Accept") == "application/json"
    assert asked.header("User-Agent") == "kubectl-admin/test"
    assert asked.header("Accept-Encoding") == "gzip"


def test_the_time_is_the_servers_own(server: StandIn) -> None:
    server.on("GET", NODES, Says(body=NODE_LIST))
    cluster = server.connect()
    assert cluster.server_time is None
    cluster.get(NODES)
    assert cluster.server_time
    assert abs(datetime.now(UTC) - cluster.server_time) < timedelta(minutes=1)


def test_a_server_that_hangs_up_in_the_handshake_is_asked_again(clock: Clock) -> None:
    """As one does that is being stopped; a load balancer already sends the next connection elsewhere."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        came: list[None] = []

        def hang_up() -> None:
            with suppress(OSError):
                while True:
                    connection = listener.accept()[0]
                    connection.recv(1024)
                    connection.close()
                    came.append(None)

        threading.Thread(target=hang_up, daemon=True).start()
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        entry = {"server": url, "insecure-skip-tls-verify": True}
        target = Target("x", "c", "u", "default", entry, {"token": "t"})
        with pytest.raises(Unreachable):
            Cluster.connect(target, clock=clock).get("/version")
        with pytest.raises(Unreachable):
            Cluster.connect(target, clock=clock).post(NODES, {})
        listener.shutdown(socket.SHUT_RDWR)
    assert len(came) == 2 * requests.TRIES  # whatever was to be asked: nobody has heard of it
    assert len(clock.slept) == 2 * (requests.TRIES - 1)


def test_paths_are_escaped_and_may_begin_with_a_base(server: StandIn) -> None:
    server.on("GET", "/k8s/c-1/api/v1/nodes/a%20b%3Fc", Says(body=NODE))
    cluster = server.connect(cluster={"server": f"{server.url}/k8s/c-1/"})
    assert cluster.get("/api/v1/nodes/a b?c") == NODE


def test_compressed_answers(server: StandIn) -> None:
    packed = gzip.compress(b'{"items":[]}')
    server.on("GET", NODES, Says(body=packed, headers={"Content-Encoding": "gzip"}))
    assert server.connect().get(NODES) == {"items": []}
    server.on("GET", "/version", Says(body={}))
    server.connect(cluster={"disable-compression": True}).get("/version")
    assert server.asked[-1].header("Accept-Encoding") != "gzip"


def test_compressed_answers_in_chunks(server: StandIn) -> None:
    """As a kubelet sends its metrics through the API server, compressed whether asked to or not."""
    packed = gzip.compress(b"kubelet_cgroup_version 2\n")
    server.on(
        "GET", "/metrics", Says(body=iter([packed[:7], packed[7:]]), headers={"Content-Encoding": "gzip"})
    )
    assert server.connect().get_text("/metrics") == "kubelet_cgroup_version 2\n"


def test_what_changes_something(server: StandIn) -> None:
    cluster = server.connect()
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        server.on(method, NODES, Says(201 if method == "POST" else 200, {"metadata": {"name": method}}))
    assert cluster.post(NODES, {"a": None}, [("dryRun", "All")]) == {"metadata": {"name": "POST"}}
    assert cluster.put(NODES, {"a": 1}) == {"metadata": {"name": "PUT"}}
    assert cluster.patch(NODES, {"a": None}, MERGE_PATCH) == {"metadata": {"name": "PATCH"}}
    assert cluster.delete(NODES) == {"metadata": {"name": "DELETE"}}
    assert cluster.delete(NODES, {"gracePeriodSeconds": 0}) == {"metadata": {"name": "DELETE"}}
    assert [(asked.method, asked.header("Content-Type"), asked.body) for asked in server.asked] == [
        ("POST", "application/json", {"a": None}),  # an explicit null takes a field away
        ("PUT", "application/json", {"a": 1}),
        ("PATCH", "application/merge-patch+json", {"a": None}),
        ("DELETE", "application/json", None),
        ("DELETE", "application/json", {"gracePeriodSeconds": 0}),
    ]


def test_pages(server: StandIn) -> None:
    def page(asked: Asked) -> Says:
        after = int(dict(asked.query).get("continue", "0"))
        more = {"continue": str(after + 2)} if after < 4 else {}
        return Says(body={"items": [{"n": after}, {"n": after + 1}], "metadata": more})

    server.on("GET", NODES, page)
    listed = server.connect().list(NODES, [("labelSelector", "a=b")], page=2)
    assert next(listed)["n"] == 0
    assert len(server.asked) == 1  # the next page is fetched when it is wanted
    assert [item["n"] for item in listed] == [1, 2, 3, 4, 5]
    assert server.asked[1].query == [("labelSelector", "a=b"), ("limit", "2"), ("continue", "2")]


def test_a_list_whose_moment_is_forgotten_goes_on_in_the_present(server: StandIn) -> None:
    expired = status(
        410, "Expired", "the provided continue parameter is too old", metadata={"continue": "new"}
    )
    server.on(
        "GET",
        NODES,
        Says(body={"items": [{"n": 0}], "metadata": {"continue": "old"}}),
        expired,
        Says(body={"items": [{"n": 1}], "metadata": {}}),
    )
    assert [item["n"] for item in server.connect().list(NODES)] == [0, 1]
    assert [dict(asked.query).get("continue") for asked in server.asked] == [None, "old", "new"]


def test_a_list_that_cannot_go_on(server: StandIn) -> None:
    server.on("GET", NODES, status(410, "Expired", "too old"))
    with pytest.raises(Gone):
        list(server.connect().list(NODES))


TABLE = {
    "kind": "Table",
    "columnDefinitions": [{"name": "Name"}, {"name": "Age"}, {"name": "Version"}],
    "rows": [
        {"cells": ["a", "1d", "v1.36.3"], "object": {"metadata": {"name": "a"}}},
        {"cells": ["b", 7, "v1.37.2"], "object": {"metadata": {"name": "b"}}},
    ],
}


def test_a_table(server: StandIn) -> None:
    server.on("GET", NODES, Says(body=TABLE))
    table = server.connect().table(NODES, include_object="Metadata")
    assert list(table.named("Version", "Nope", "Age")) == [
        ("v1.36.3", "<unknown>", "1d"),
        ("v1.37.2", "<unknown>", "7"),
    ]
    assert table.objects == ({"metadata": {"name": "a"}}, {"metadata": {"name": "b"}})
    assert server.asked[0].header("Accept") == "application/json;as=Table;v=v1;g=meta.k8s.io"
    assert server.asked[0].query == [("includeObject", "Metadata")]


def test_no_table(server: StandIn) -> None:
    server.on("GET", NODES, Says(body=NODE_LIST))
    with pytest.raises(AdminError, match="with a NodeList, not a Table"):
        server.connect().table(NODES)


def test_a_watch_delivers_each_event_at_once(server: StandIn) -> None:
    go_on = threading.Event()

    def events() -> Iterator[bytes]:
        yield b'{"type":"ADDED","object":{"n":0,"metadata":{"name":"a"}}}\n{"type":"MODI'
        yield b'FIED","object":{"n":1,"metadata":{"name":"a"}}}\n'
        assert go_on.wait(5)
        yield b'{"type":"DELETED","object":{"n":2,"metadata":{"name":"a"}}}\n'

    server.on("GET", NODES, lambda _: Says(body=events()))
    watching = server.connect().watch(NODES, [("resourceVersion", "7")], timeout=30)
    assert [next(watching)["object"]["n"] for _ in range(2)] == [0, 1]
    go_on.set()
    assert [event["type"] for event in watching] == ["DELETED"]
    assert server.asked[0].query == [("resourceVersion", "7"), ("watch", "true"), ("timeoutSeconds", "30")]


def test_a_watch_from_too_long_ago(server: StandIn) -> None:
    event = {"type": "ERROR", "object": status(410, "Expired", "too old resource version").body}
    server.on("GET", NODES, lambda _: Says(body=iter([json.dumps(event).encode() + b"\n"])))
    with pytest.raises(Gone, match="too old resource version"):
        list(server.connect().watch(NODES, timeout=1))


def test_a_watch_that_is_cut(server: StandIn) -> None:
    def events() -> Iterator[bytes]:
        yield b'{"type":"ADDED","object":{"metadata":{"name":"a"}}}\n'
        raise ConnectionError

    server.on("GET", NODES, lambda _: Says(body=events()))
    watching = server.connect().watch(NODES, timeout=1)
    next(watching)
    with pytest.raises(Unreachable):
        next(watching)


@pytest.mark.parametrize(
    ("code", "reason", "kind"),
    [
        (401, "Unauthorized", Unauthorized),
        (403, "Forbidden", Forbidden),
        (404, "NotFound", NotFound),
        (409, "AlreadyExists", Conflict),
        (410, "Gone", Gone),
        (429, "TooManyRequests", TooManyRequests),
        (422, "Invalid", ApiError),
    ],
)
def test_refusals(server: StandIn, code: int, reason: str, kind: type[ApiError]) -> None:
    server.on("POST", NODES, status(code, reason, "no, because", details={"name": "n1"}))
    with pytest.raises(kind) as caught:
        server.connect().post(NODES, {})
    error = caught.value
    assert (error.status, error.reason, error.message) == (code, reason, "no, because")
    assert error.details == {"name": "n1"}
    if code == 401:
        assert error.what == "You must be logged in to the server (no, because)"
        assert error.hint
        assert "kubectl admin certs" in error.hint
    else:
        assert error.what == f"Error from server ({reason}): no, because"


@pytest.mark.parametrize(
    ("said", "verb", "resource", "group", "namespace"),
    [
        (
            'nodes is forbidden: User "a b" cannot list resource "nodes" in API group "" '
            "at the cluster scope",
            *("list", "nodes", "", ""),
        ),
        (
            'daemonsets.apps "x" is forbidden: User "a b" cannot get resource "daemonsets" '
            'in API group "apps" in the namespace "kube-system": RBAC: clusterrole "y" not found',
            *("get", "daemonsets", "apps", "kube-system"),
        ),
        ('forbidden: User "a b" cannot get path "/metrics"', "get", "/metrics", "", ""),
        ("a webhook does not like it", "", "", "", ""),
    ],
)
def test_who_may_not_do_what(
    server: StandIn, said: str, verb: str, resource: str, group: str, namespace: str
) -> None:
    server.on("GET", NODES, status(403, "Forbidden", said))
    with pytest.raises(Forbidden) as caught:
        server.connect().get(NODES)
    error = caught.value
    assert (error.verb, error.resource, error.group, error.namespace) == (verb, resource, group, namespace)
    assert error.user == ("a b" if verb else "")


LIST = status(403, "Forbidden", 'nodes is forbidden: User "ann" cannot list resource "nodes"')
STARTING = Says(500, b"[-]poststarthook/rbac/bootstrap-roles failed")


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_server_that_is_not_ready_refuses_everybody_and_is_asked_again(
    server: StandIn, waits: list[float], method: str
) -> None:
    """Seen on one control plane: its API server had just started, and knew no roles."""
    server.on(method, NODES, LIST, LIST, Says(201, {"items": [], **NODE}))
    server.on("GET", "/readyz", STARTING)
    cluster = server.connect()
    answer = cluster.get(NODES) if method == "GET" else cluster.post(NODES, {})
    assert answer == {"items": [], **NODE}
    assert len(waits) == 2


def test_what_a_server_refuses_that_is_never_ready_counts_as_no_answer(server: StandIn) -> None:
    server.on("GET", NODES, LIST)
    server.on("GET", "/readyz", STARTING)
    with pytest.raises(Unreachable, match="is not ready, and refuses: nodes is forbidden"):
        server.connect().get(NODES)


def test_a_server_that_was_ready_a_moment_later_is_asked_once_more(
    server: StandIn, waits: list[float]
) -> None:
    server.on("GET", NODES, LIST, Says(body=NODE_LIST))
    assert server.connect().get(NODES) == NODE_LIST
    assert waits == []


def test_a_user_who_is_not_known_any_more_was_known_before(server: StandIn) -> None:
    """So it can be told from a credential that never was one."""
    server.on("GET", NODES, status(401, "Unauthorized", "Unauthorized"), Says(body={}))
    cluster = server.connect()
    for known in (False, True):
        with pytest.raises(Unauthorized) as caught:
            cluster.get(NODES)
        assert caught.value.known is known
        assert cluster.get(NODES) == {"items": []}
        server.on("GET", NODES, status(401, "Unauthorized", "Unauthorized"), Says(body={}))


def test_what_a_server_refuses_that_is_ready_is_refused(server: StandIn, waits: list[float]) -> None:
    server.on("GET", NODES, LIST)
    cluster = server.connect()
    for asked in (2, 3):  # in a row it is believed at once
        with pytest.raises(Forbidden):
            cluster.get(NODES)
        assert (len(server.asked), waits) == (asked, [])


def test_a_refusal_of_something_that_is_no_api_server(server: StandIn) -> None:
    server.on("GET", NODES, Says(403, b"<html>\n go   away</html>"))
    with pytest.raises(Forbidden) as caught:
        server.connect().get(NODES)
    assert caught.value.what == "Error from server (Forbidden): <html> go away</html>"
    server.on("GET", NODES, Says(302, b"", {"Location": "/login"}))
    server.on("GET", "/login", Says(200, b"<html>"))
    with pytest.raises(AdminError, match="is not JSON: '<html>'"):
        server.connect().get(NODES)


def test_a_failed_health_check_is_an_answer(server: StandIn, waits: list[float]) -> None:
    """It is asked for once, and says which check failed."""
    server.on("GET", "/readyz", Says(500, b"[+]ping ok\n[-]etcd failed\n"))
    with pytest.raises(ApiError) as caught:
        server.connect().get_text("/readyz", [("verbose", "")])
    assert (caught.value.status, caught.value.body) == (500, "[+]ping ok\n[-]etcd failed\n")
    assert (len(server.asked), waits) == (1, [])


def test_text_and_its_limit(server: StandIn) -> None:
    server.on("GET", "/metrics", Says(200, "ä 1\n".encode()))
    assert server.connect().get_text("/metrics") == "ä 1\n"
    with pytest.raises(AdminError, match="the answer to /metrics is longer than 4 bytes"):
        server.connect().get_text("/metrics", limit=4)


def test_a_get_is_tried_again_when_the_server_fails(server: StandIn, waits: list[float]) -> None:
    server.on("GET", NODES, OVERLOADED, HangUp(), Says(body={}))
    assert server.connect().get(NODES) == {"items": []}
    assert len(server.asked) == 3
    assert waits == pytest.approx([0.2, 0.6])


def test_a_get_is_not_tried_for_ever(server: StandIn) -> None:
    server.on("GET", NODES, OVERLOADED)
    with pytest.raises(ApiError, match="leader changed"):
        server.connect().get(NODES)
    assert len(server.asked) == 3


def test_a_busy_server_says_how_long_to_wait(server: StandIn, waits: list[float]) -> None:
    busy = status(429, "TooManyRequests", "later")
    server.on("GET", NODES, Says(429, busy.body, {"Retry-After": "1"}), Says(body={}))
    assert server.connect().get(NODES) == {"items": []}
    assert waits == [1.0]
    server.on("GET", NODES, busy)
    with pytest.raises(TooManyRequests):
        server.connect().get(NODES)  # it does not say when: not tried again
    assert waits == [1.0]


def test_no_wait_beyond_the_time_limit(server: StandIn, waits: list[float]) -> None:
    server.on("GET", NODES, Says(429, b"", {"Retry-After": "6"}))
    with pytest.raises(TooManyRequests) as caught:
        server.connect().get(NODES, timeout=5)
    assert (caught.value.retry_after, waits) == (6.0, [])


def test_no_endless_wait_without_a_time_limit(server: StandIn, waits: list[float]) -> None:
    server.on("GET", NODES, Says(429, b"", {"Retry-After": "3600"}))
    with pytest.raises(TooManyRequests):
        server.connect().get(NODES)
    assert waits == []


@pytest.mark.parametrize("answer", [OVERLOADED, HangUp(), Says(429, b"", {"Retry-After": "1"})])
@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
def test_a_change_is_never_sent_twice(server: StandIn, method: str, answer: Any) -> None:
    server.on(method, NODES, answer, Says(body={}))
    cluster = server.connect()
    change = {"POST": cluster.post, "DELETE": cluster.delete, "PATCH": cluster.patch}[method]
    with pytest.raises(AdminError):
        change(NODES, {}, *([MERGE_PATCH] if method == "PATCH" else []))
    assert len(server.asked) == 1


def test_what_never_reached_a_server_is_tried_again(clock: Clock) -> None:
    """A change, too: nobody has heard of it."""
    stand_in = StandIn()
    stand_in.clock = clock
    cluster = stand_in.connect()
    stand_in.close()
    with pytest.raises(Unreachable) as caught:
        cluster.post(NODES, {})
    assert caught.value.what == (
        f"The connection to the server {stand_in.host} was refused - did you specify the right host or port?"
    )
    assert len(clock.slept) == 2


def test_an_unknown_host() -> None:
    from kubectl_admin.cluster.connection import Cluster
    from kubectl_admin.cluster.kubeconfig import Target

    target = Target("c", "c", "u", "default", {"server": "https://api.invalid:6443"}, {})
    with pytest.raises(Unreachable, match=r"Unable to connect to the server: lookup api\.invalid: "):
        Cluster.connect(target).get("/version")


def test_silence_is_not_waited_for(server: StandIn) -> None:
    over = threading.Event()
    server.on("GET", NODES, lambda _: Says(body=b"") if over.wait(5) else Says())
    try:
        with pytest.raises(Unreachable, match="has stopped answering"):
            server.connect().get(NODES, timeout=0.1)
        with pytest.raises(Unreachable, match="has stopped answering"):
            server.connect(request_timeout=0.1).get(NODES)
    finally:
        over.set()
    assert len(server.asked) <= 2  # a busy machine hands a request over when nobody waits for it any more


def test_an_answer_that_trickles_is_not_waited_for(server: StandIn) -> None:
    over = threading.Event()

    def trickle() -> Iterator[bytes]:
        while not over.is_set():
            yield b" "
            time.monotonic()

    server.on("GET", NODES, lambda _: Says(body=trickle()))
    server.clock = time
    try:
        with pytest.raises(Unreachable, match="answers too slowly"):
            server.connect().get(NODES, timeout=0.2)
    finally:
        over.set()


def test_many_threads(server: StandIn, caplog: pytest.LogCaptureFixture) -> None:
    """One connection object serves a pool of threads without a word of complaint from the library."""
    server.on("GET", NODES, lambda asked: Says(body={"items": [], **dict(asked.query)}))
    cluster = server.connect()
    with ThreadPoolExecutor(24) as pool:
        answers = list(pool.map(lambda n: cluster.get(NODES, [("n", str(n))]), range(200)))
    assert answers == [{"items": [], "n": str(n)} for n in range(200)]
    assert not [record for record in caplog.records if record.levelno > logging.INFO]


def test_what_is_logged(secure: StandIn, trusting: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    """A line for each request, as kubectl's -v=6, and no secret in it."""
    caplog.set_level(logging.DEBUG)
    secure.on("GET", NODES, Says(body={}))
    secure.connect(cluster=trusting, user={"token": "s3cret"}).get(NODES, [("limit", "1")])
    (line,) = [record.getMessage() for record in caplog.records if record.name == "kubectl_admin.cluster"]
    assert line.startswith(f"GET {secure.url}/api/v1/nodes?limit=1 200 in ")
    assert "s3cret" not in caplog.text


def test_no_password_of_an_address_is_shown(server: StandIn, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    server.on("GET", NODES, LIST, Says(body={}))
    server.on("GET", "/readyz", STARTING, Says(body=b"ok"))
    cluster = server.connect(cluster={"server": server.url.replace("//", "//me:s3cret@")})
    cluster.get(NODES)
    server.on("GET", "/api/v1/namespaces/ns/pods/p/exec", status(404, "NotFound", "no"))
    with pytest.raises(NotFound):
        cluster.exec("ns", "p", None, ["true"])
    server.on("GET", NODES, LIST)
    server.on("GET", "/readyz", STARTING)
    with pytest.raises(Unreachable) as caught:
        cluster.get(NODES)
    assert "s3cret" not in caplog.text + caught.value.what


def test_nothing_else_on_stderr(server: StandIn, capfd: pytest.CaptureFixture[str]) -> None:
    server.on("GET", NODES, HangUp())
    with pytest.raises(Unreachable):
        server.connect().get(NODES)
    assert capfd.readouterr() == ("", "")
