"""An answer that is not what the API answers is told in a sentence; nothing is read out of it."""

import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest

from kubectl_admin.cluster import connection
from kubectl_admin.cluster.connection import MERGE_PATCH, Cluster
from kubectl_admin.cluster.errors import BrokenStream, Gone
from kubectl_admin.cluster.objects import depth
from kubectl_admin.errors import AdminError
from tests.fakes.api_server import Asked, Says, StandIn, status

NODES = "/api/v1/nodes"
NODE = f"{NODES}/w1"
ODD_OBJECTS = [
    *[b"", b"{}", b"[]", b"null", b'{"metadata":5}', b'{"metadata":null}', b'{"metadata":{}}'],
    *[b'{"metadata":{"name":5}}', b'{"metadata":{"name":"w1"},"spec":5}'],
    *[b'{"metadata":{"name":"w1"},"status":[]}', b'{"metadata":{"name":"w1"},"data":"text"}'],
    *[b'{"metadata":{"name":"w1"},"status":{"conditions":5}}', b'{"metadata":{"name":"w1","labels":[]}}'],
    *[b'{"metadata":{"name":"w1"},"status":{"conditions":[null]}}'],
    *[b'{"metadata":{"name":"w1","annotations":{"a":5}}}', b'{"metadata":{"name":"w1","managedFields":[1]}}'],
    *[b'{"metadata":{"name":"w1"},"spec":{"containers":[5]}}'],
]
ODD_LISTS = [
    *[b"", b"{}", b"[]", b'{"items":5}', b'{"items":{}}', b'{"items":[null]}', b'{"items":[],"metadata":5}'],
    *[b'{"items":[' + each + b"]}" for each in ODD_OBJECTS if each],
]


@pytest.mark.parametrize("body", ODD_OBJECTS)
def test_what_is_no_object_is_told(server: StandIn, body: bytes) -> None:
    server.on("GET", NODE, Says(body=body))
    with pytest.raises(AdminError, match=f"^the answer to {NODE}"):
        server.connect().get(NODE)


@pytest.mark.parametrize("body", ODD_LISTS)
@pytest.mark.parametrize("ask", [Cluster.get, Cluster.list])
def test_what_is_no_list_is_told_and_is_not_a_list_of_nothing(
    server: StandIn, ask: Callable[..., Any], body: bytes
) -> None:
    server.on("GET", NODES, Says(body=body))
    with pytest.raises(AdminError, match=f"the answer to {NODES}"):
        list(ask(server.connect(), NODES))


def test_a_list_of_nothing_may_be_null(server: StandIn) -> None:
    server.on("GET", NODES, Says(body=b'{"items":null,"metadata":{}}'))
    assert list(server.connect().list(NODES)) == []


@pytest.mark.parametrize(
    ("columns", "rows"),
    [
        *[(5, []), ({}, []), ([5], []), ([{"name": "Name"}], 5), ([{"name": "Name"}], [5])],
        *[([{"name": "Name"}], [{"cells": cells}]) for cells in (5, None, [], {})],
        *[([{"name": "Name"}], [{}]), ([{"name": "Name"}], [{"cells": ["a"], "object": 5}])],
        *[([{"name": "Name"}], [{"cells": ["a"], "object": each}]) for each in (None, {"metadata": {}})],
    ],
)
def test_a_table_that_is_none_is_told(server: StandIn, columns: Any, rows: Any) -> None:
    body = {"kind": "Table", "columnDefinitions": columns, "rows": rows}
    server.on("GET", NODES, Says(body=json.dumps(body).encode()))
    with pytest.raises(AdminError, match=f"the answer to {NODES}"):
        server.connect().table(NODES, include_object="Metadata")


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"metadata":{}}'])
@pytest.mark.parametrize(
    "change",
    [
        lambda cluster: cluster.post(NODES, {}),
        lambda cluster: cluster.put(NODE, {}),
        lambda cluster: cluster.patch(NODE, {}, MERGE_PATCH),
    ],
)
def test_a_change_that_is_not_answered_with_its_object_is_not_taken_for_done(
    server: StandIn, change: Callable[[Cluster], Any], body: bytes
) -> None:
    for method, path in (("POST", NODES), ("PUT", NODE), ("PATCH", NODE)):
        server.on(method, path, Says(body=body))
    with pytest.raises(AdminError, match=f"^the answer to .*{NODES}"):
        change(server.connect())
    assert len(server.asked) == 1


def test_what_is_answered_with_a_word_of_how_it_went_may_have_no_name(server: StandIn) -> None:
    path = "/api/v1/namespaces/a/pods/b"
    server.on("POST", f"{path}/eviction", Says(201, b'{"kind":"Status","metadata":{}}'))
    server.on("DELETE", path, Says(body=b""))
    cluster = server.connect()
    assert cluster.post(f"{path}/eviction", {}) == {"kind": "Status", "metadata": {}}
    assert cluster.delete(path) is None


@pytest.mark.parametrize("kind", ["ADDED", "MODIFIED", "DELETED", "BOOKMARK"])
def test_an_event_about_no_object_is_told(server: StandIn, kind: str) -> None:
    server.on("GET", NODES, Says(body=json.dumps({"type": kind, "object": {}}).encode()))
    with pytest.raises(BrokenStream, match=f"the object of an event of {NODES} is not an object"):
        list(server.connect().watch(NODES, timeout=5))


def test_a_bookmark_has_no_name(server: StandIn) -> None:
    object_ = {"metadata": {"resourceVersion": "7"}, "spec": {"containers": None}}
    server.on("GET", NODES, Says(body=json.dumps({"type": "BOOKMARK", "object": object_}).encode()))
    assert [event["object"] for event in server.connect().watch(NODES, timeout=5)] == [object_]


def test_a_list_that_is_refused_again_and_again_is_given_up(server: StandIn) -> None:
    server.on("GET", NODES, status(410, "Expired", "too old", metadata={"continue": "same"}))
    with pytest.raises(AdminError, match=f"the list {NODES} goes round in circles"):
        list(server.connect().list(NODES))
    assert len(server.asked) == 2


@pytest.mark.parametrize("items", [[], [{}]])
def test_a_list_that_begins_again_and_again_is_given_up(server: StandIn, items: list[Any]) -> None:
    server.on("GET", NODES, Says(body={"items": items, "metadata": {"continue": "same"}}))
    with pytest.raises(AdminError, match=f"the list {NODES} goes round in circles"):
        list(server.connect().list(NODES))
    assert len(server.asked) == 2


@pytest.mark.parametrize("expired", [True, False])
def test_a_list_whose_pages_bring_nothing_is_given_up(server: StandIn, expired: bool) -> None:
    numbers = itertools.count()

    def page(_asked: Asked) -> Says:
        more = {"continue": str(next(numbers))}
        return status(410, "Expired", "", metadata=more) if expired else Says(body={"metadata": more})

    server.on("GET", NODES, page)
    with pytest.raises(AdminError, match=f"the list {NODES} goes round in circles"):
        list(server.connect().list(NODES))
    assert len(server.asked) == connection.IDLE_PAGES + 1


def test_a_list_that_is_forgotten_now_and_then_comes_to_its_end(server: StandIn) -> None:
    answers: list[Says] = []
    for number in range(20):
        answers.append(Says(body={"items": [{}], "metadata": {"continue": f"a{number}"}}))
        answers.append(status(410, "Expired", "", metadata={"continue": f"b{number}"}))
    server.on("GET", NODES, *answers, Says(body={"items": [{}]}))
    assert len(list(server.connect().list(NODES))) == 21


def test_what_is_forgotten_without_a_way_on_is_told(server: StandIn) -> None:
    server.on("GET", NODES, status(410, "Expired", "too old"))
    with pytest.raises(Gone):
        list(server.connect().list(NODES))


def test_an_answer_longer_than_any_list_is_not_kept(server: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "LIST_LIMIT", 1000)
    server.on("GET", NODES, Says(body=b'{"items":[' + b" " * 1000 + b"]}"))
    with pytest.raises(AdminError, match=r"the answer to .* is longer than 1000 bytes"):
        list(server.connect().list(NODES))


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        *[("/version", 0), ("/readyz", 0), ("/api", 0), ("/api/v1", 0), ("/apis/apps/v1", 0)],
        *[(NODES, 1), ("/apis/apps/v1/daemonsets", 1), ("/api/v1/namespaces/a/pods", 1)],
        *[("/apis/apps/v1/namespaces/a/daemonsets", 1), ("/api/v1/namespaces", 1)],
        *[(NODE, 2), ("/api/v1/namespaces/a", 2), ("/apis/apps/v1/namespaces/a/daemonsets/b", 2)],
        *[("/api/v1/namespaces/a/pods/b/eviction", 3), ("/api/v1/nodes/a/proxy/metrics", 4)],
    ],
)
def test_how_much_of_a_path_names_a_resource(path: str, parts: int) -> None:
    assert depth(path) == parts
