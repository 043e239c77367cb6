"""A list and a watch that are kept up, against a server that hangs up and forgets."""

import json
import queue
import threading

import pytest

from kubectl_admin.cluster import watched
from kubectl_admin.cluster.errors import Forbidden
from kubectl_admin.cluster.watched import WatchedObjects
from tests.fakes.api_server import HangUp, Says, StandIn, refusal, status

PATH = "/api/v1/pods"


def pod(name, version, label=""):
    metadata = {"namespace": "shop", "name": name, "resourceVersion": version, "labels": {"is": label}}
    return {"metadata": metadata}


def listing(version, *pods):
    return Says(body={"metadata": {"resourceVersion": version}, "items": list(pods)})


def events(*several):
    return Says(
        body=iter([json.dumps({"type": kind, "object": item}).encode() + b"\n" for kind, item in several])
    )


class Api:
    """Answers lists and watches from two rows; the last watch stays open until the end of the test."""

    def __init__(self, server):
        self.lists, self.watches = queue.SimpleQueue(), queue.SimpleQueue()
        self.asked_from = []
        self.end = threading.Event()
        server.on("GET", PATH, self.answer)

    def answer(self, asked):
        query = dict(asked.query)
        if "watch" not in query:
            return self.lists.get(timeout=5)
        self.asked_from.append(query["resourceVersion"])
        try:
            return self.watches.get_nowait()
        except queue.Empty:
            return Says(body=self.nothing())

    def nothing(self):
        self.end.wait(60)
        yield from ()


@pytest.fixture
def api(monkeypatch):
    monkeypatch.setattr(watched, "RETRY_INTERVALS", (0.0,))
    with StandIn().serving() as server:
        mine = Api(server)
        mine.server = server
        yield mine
        mine.end.set()


def followed(api):
    changes = queue.SimpleQueue()
    mine = WatchedObjects(
        api.server.connect(),
        PATH,
        (),
        lambda item: item["metadata"]["labels"]["is"],
        lambda: changes.put(None),
    )

    def until(facts):
        while mine.facts != facts:
            changes.get(timeout=5)
        return mine

    return until


def test_the_list_is_known_and_then_each_change(api):
    api.lists.put(listing("5", pod("a", "1", "old"), pod("b", "2")))
    api.watches.put(
        events(
            ("MODIFIED", pod("a", "6", "new")),
            ("ADDED", pod("c", "7")),
            ("DELETED", pod("b", "8")),
            ("BOOKMARK", {"metadata": {"resourceVersion": "9"}}),
        )
    )
    until = followed(api)
    until({("shop", "a"): "new", ("shop", "c"): ""})
    # The next watch goes on where this one has ended.
    api.watches.put(events(("DELETED", pod("c", "10"))))
    assert api.asked_from[0] == "5"


def test_a_server_that_hangs_up_is_asked_again(api):
    api.lists.put(HangUp())
    api.lists.put(HangUp())
    api.lists.put(HangUp())
    api.lists.put(status(503, "ServiceUnavailable", "starting"))
    api.lists.put(status(503, "ServiceUnavailable", "starting"))
    api.lists.put(status(503, "ServiceUnavailable", "starting"))
    api.lists.put(listing("5", pod("a", "1")))
    until = followed(api)
    assert until({("shop", "a"): ""}).problem == ""


def test_a_moment_that_the_server_has_forgotten_is_listed_anew(api):
    api.lists.put(listing("5", pod("a", "1")))
    api.watches.put(events(("ERROR", refusal(410, "Expired", "too old resource version"))))
    api.lists.put(listing("50", pod("b", "40")))
    followed(api)({("shop", "b"): ""})
    assert api.asked_from[0] == "5"


def test_who_may_not_list_is_told(api):
    api.lists.put(status(403, "Forbidden", "no"))
    changes = threading.Event()
    mine = WatchedObjects(api.server.connect(), PATH, (), str, changes.set)
    assert changes.wait(5)
    with pytest.raises(Forbidden):
        _ = mine.facts


def test_nothing_is_known_before_the_first_list(api):
    mine = WatchedObjects(api.server.connect(), PATH, (), str, lambda: None)
    assert mine.facts is None
    mine.close()
    api.lists.put(listing("5"))
