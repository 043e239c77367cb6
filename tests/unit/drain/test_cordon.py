"""The cordon and its mark, against a server that hangs up, conflicts and refuses."""

import json
from contextlib import suppress
from copy import deepcopy

import pytest

from kubectl_admin.cluster.errors import Forbidden, Unreachable
from kubectl_admin.drain import cordon
from kubectl_admin.drain.cordon import ANNOTATION, UPGRADE, Cordon
from tests.fakes import drain_api as api
from tests.fakes.api_server import HangUp, Says, StandIn, status
from tests.fakes.clock import Clock
from tests.unit.drain.samples import NOW
from tests.unit.interrupted import at_every_moment

CONFLICT = status(409, "Conflict", "the object has been modified")


@pytest.fixture
def server():
    with StandIn().serving() as stand_in:
        stand_in.clock = Clock()
        stand_in.on("GET", api.NODE, Says(body=api.node("w1")))
        stand_in.on("PATCH", api.NODE, Says(body={}))
        yield stand_in


class OneNode:
    """A cluster of node w1 that bears what is written to it.

    cut: the first write ends with Ctrl-C; «before» or «after» it is carried out, "" for not at all.
    """

    def __init__(self, cut=""):
        self.node, self.cut, self.clock = api.node("w1"), cut, Clock()

    def get(self, path):
        assert path == api.NODE
        return deepcopy(self.node)

    def patch(self, path, body, _how):
        assert path == api.NODE
        cut, self.cut = self.cut, ""
        if cut == "before":
            raise KeyboardInterrupt
        self.node["spec"] |= body["spec"]
        self.node["metadata"]["annotations"] = body["metadata"]["annotations"]
        if cut == "after":
            raise KeyboardInterrupt

    @property
    def is_as_it_was(self):
        return not self.node["spec"].get("unschedulable") and Cordon.of(self.node) is None


@pytest.fixture
def mark():
    return Cordon.begin(NOW, ["ReplicaSet/shop/web"])


def marked(mark, **spec):
    node = api.node("w1", **spec)
    node["metadata"]["annotations"] = {ANNOTATION: mark.text()}
    return Says(body=node)


def patches(server):
    return [each.body for each in server.asked if each.method == "PATCH"]


def test_a_node_is_cordoned_as_it_was_read(server, mark):
    put = cordon.cordon(server.connect(), "w1", mark)
    assert put.cordoned
    (body,) = patches(server)
    assert body["metadata"]["resourceVersion"] == "1"
    assert body["spec"] == {"unschedulable": True}
    said = json.loads(body["metadata"]["annotations"][ANNOTATION])
    assert said == {
        "run": mark.run,
        "since": "2026-11-25T12:00:00+00:00",
        "cordoned": True,
        "moved": ["ReplicaSet/shop/web"],
    }


def test_a_node_that_was_cordoned_before_is_not_this_runs(server, mark):
    server.on("GET", api.NODE, Says(body=api.node("w1", unschedulable=True)))
    assert not cordon.cordon(server.connect(), "w1", mark).cordoned


def test_what_an_earlier_drain_has_moved_is_not_forgotten(server, mark):
    earlier = Cordon.begin(NOW, ["StatefulSet/shop/db"])
    server.on("GET", api.NODE, marked(earlier, unschedulable=True))
    put = cordon.cordon(server.connect(), "w1", mark)
    assert put.moved == ("ReplicaSet/shop/web", "StatefulSet/shop/db")


def test_a_mark_that_was_left_behind_on_a_node_that_is_in_use_counts_no_more(server, mark):
    server.on("GET", api.NODE, marked(Cordon.begin(NOW, ["StatefulSet/shop/db"])))
    assert cordon.cordon(server.connect(), "w1", mark).moved == ("ReplicaSet/shop/web",)


def test_a_node_that_changes_meanwhile_is_read_again(server, mark):
    server.on("PATCH", api.NODE, CONFLICT, CONFLICT, Says(body={}))
    assert cordon.cordon(server.connect(), "w1", mark).cordoned
    assert len(patches(server)) == 3


def test_an_answer_that_got_lost_is_found_in_the_node(server, mark):
    """The patch was carried out and its answer never came: it was this run all the same."""
    done = cordon.amended(mark, api.node("w1"))
    server.on("GET", api.NODE, Says(body=api.node("w1")), marked(done, unschedulable=True))
    server.on("PATCH", api.NODE, HangUp())
    assert cordon.cordon(server.connect(), "w1", mark).cordoned
    assert len(patches(server)) == 1


def test_an_api_server_that_is_away_for_a_moment_is_waited_for(server, mark):
    server.on("PATCH", api.NODE, HangUp(), status(503, "ServiceUnavailable", "not yet"), Says(body={}))
    assert cordon.cordon(server.connect(), "w1", mark).cordoned


def test_who_may_not_cordon_is_told_at_once(server, mark):
    server.on("PATCH", api.NODE, status(403, "Forbidden", "no"))
    with pytest.raises(Forbidden):
        cordon.cordon(server.connect(), "w1", mark)
    assert len(patches(server)) == 1


@pytest.mark.parametrize("annotation", ["", "{", "[]", '{"run": "x"}', "null"])
def test_a_mark_that_is_none_is_no_mark(annotation):
    node = api.node("w1")
    node["metadata"]["annotations"] = {ANNOTATION: annotation}
    assert Cordon.of(node) is None
    assert Cordon.of(api.node("w1")) is None


@pytest.mark.parametrize(
    "text", ["", "x", "[]", "[" * 100_000, '{"moved": 5}', '{"moved": ' + "9" * 5000 + "}"]
)
def test_a_mark_that_a_kubelet_has_made_up_is_none(text):
    assert Cordon.of({"metadata": {"annotations": {ANNOTATION: text}}}) is None


def test_a_mark_reads_as_it_was_written(mark):
    assert Cordon.of(marked(mark).body) == mark


def test_uncordon_is_tried_until_it_is_through(server):
    server.on("PATCH", api.NODE, HangUp(), status(500, "InternalError", "etcd"), Says(body={}))
    assert cordon.uncordon(server.connect(), "w1")
    assert patches(server)[-1] == {
        "metadata": {"annotations": {ANNOTATION: None, UPGRADE: None}},
        "spec": {"unschedulable": None},
    }


def test_a_node_that_is_gone_needs_no_uncordon(server):
    server.on("PATCH", api.NODE, status(404, "NotFound", "no such node"))
    assert not cordon.uncordon(server.connect(), "w1")


def test_a_server_that_stays_away_is_told(server):
    server.on("PATCH", api.NODE, HangUp())
    with pytest.raises(Unreachable):
        cordon.uncordon(server.connect(), "w1", patience=0.0)


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
@pytest.mark.parametrize(
    "case",
    [
        ({}, False, "node w1 is uncordoned again", 2),
        ({}, True, "node w1 stays cordoned", 1),
        ({"unschedulable": True}, False, "node w1 was cordoned before and stays so", 1),
    ],
)
def test_what_fails_inside_takes_this_runs_cordon_away(server, mark, error, case):
    spec, keep, says, count = case
    before = api.node("w1", **spec)
    server.on("GET", api.NODE, Says(body=before), marked(cordon.amended(mark, before), unschedulable=True))
    said = []
    with (
        pytest.raises(error),
        cordon.cordoned(server.connect(), "w1", mark, keep=keep, say=said.append),
    ):
        raise error
    assert said == [says]
    assert len(patches(server)) == count


def test_a_good_end_leaves_the_cordon(server, mark):
    said = []
    with cordon.cordoned(server.connect(), "w1", mark, say=said.append):
        pass
    assert (said, len(patches(server))) == ([], 1)


@pytest.mark.parametrize(("cut", "says"), [("after", "is uncordoned again"), ("before", "was left as it is")])
def test_interrupted_while_cordoning_the_node_itself_says_whether_it_was_done(mark, cut, says):
    cluster, said = OneNode(cut), []
    with pytest.raises(KeyboardInterrupt), cordon.cordoned(cluster, "w1", mark, say=said.append):
        pass
    assert says in said[0]
    assert cluster.is_as_it_was


def test_a_cordon_that_another_drain_has_taken_over_is_left_to_it(server, mark):
    other = Cordon.begin(NOW)
    server.on("GET", api.NODE, Says(body=api.node("w1")), marked(other, unschedulable=True))
    said = []
    with pytest.raises(RuntimeError), cordon.cordoned(server.connect(), "w1", mark, say=said.append):
        raise RuntimeError
    assert "somebody else has drained or uncordoned it" in said[0]
    assert len(patches(server)) == 1


def test_a_cordon_that_can_not_be_taken_away_is_told(server, mark):
    done = cordon.amended(mark, api.node("w1"))
    server.on("GET", api.NODE, Says(body=api.node("w1")), marked(done, unschedulable=True))
    server.on("PATCH", api.NODE, Says(body={}), status(403, "Forbidden", "no more"))
    said = []
    with (
        pytest.raises(RuntimeError),
        cordon.cordoned(server.connect(), "w1", mark, say=said.append),
    ):
        raise RuntimeError
    assert said[0].startswith("node w1 may still be cordoned, since it can't be uncordoned")


def test_a_cordon_of_work_that_fails_is_taken_away_whenever_a_signal_comes(monkeypatch, mark):
    def once():
        cluster = OneNode()
        try:
            with suppress(RuntimeError), cordon.cordoned(cluster, "w1", mark, say=str):
                raise RuntimeError
        finally:
            assert cluster.is_as_it_was

    assert at_every_moment(monkeypatch, once) > 10
