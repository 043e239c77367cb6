"""Many differences in order."""

import random
import tracemalloc

import pytest

from kubectl_admin.etcd.diff import collection
from kubectl_admin.etcd.diff.collection import Collection
from kubectl_admin.etcd.diff.facts import Difference, Side, State
from kubectl_admin.etcd.stored.facts import Kind, Object

POD = Kind("Pod", "", "pods", namespaced=True)
EVENT = Kind("Event", "", "events", namespaced=True, noisy=True)
NODE = Kind("Node", "", "nodes", namespaced=False)
SIDE = Side(created=5, modified=1 << 62, content=-(1 << 63), size=10, encrypted=False, uid=bytes(range(16)))


def difference(number, kind=POD, state=State.CHANGED, namespace="shop"):
    a, b = (None if state is State.ONLY_IN_B else SIDE), (None if state is State.ONLY_IN_A else SIDE)
    return Difference(state, Object(kind, namespace, f"{number:06}", f"/registry/{number:06}"), a, b)


def mixed(count):
    """So many of all sorts, in the order in which they are given."""
    return [
        difference(number, kind, state, namespace)
        for state in State
        for kind, namespaces in ((EVENT, ("a", "b")), (NODE, ("",)), (POD, ("a", "b")), (None, ("",)))
        for namespace in namespaces
        for number in range(count)
    ]


@pytest.mark.parametrize("run", [7, collection.RUN])
def test_all_come_back_in_order(monkeypatch, run):
    monkeypatch.setattr(collection, "RUN", run)
    monkeypatch.setattr(collection, "BLOCK", 3)
    expected = mixed(4)
    given = random.Random(1).sample(expected, len(expected))
    kept = Collection(None, noise=True)
    kept.take(given)
    assert list(kept) == expected
    assert list(kept) == expected  # and once more


@pytest.mark.parametrize("run", [7, collection.RUN])
def test_the_first_of_each_state(monkeypatch, run):
    monkeypatch.setattr(collection, "RUN", run)
    expected = [
        each for each in mixed(4) if each.object.kind is not EVENT and each.state is not State.REWRITTEN
    ]
    kept = Collection(2, noise=False)
    kept.take(random.Random(1).sample(mixed(4), len(mixed(4))))
    first = [each for state in State for each in [one for one in expected if one.state is state][:2]]
    assert list(kept) == first


def test_all_are_counted():
    kept = Collection(1, noise=False)
    kept.take(mixed(4))
    rows = kept.rows()
    assert [(row.kind, row.namespace) for row in rows] == [
        (EVENT, "a"),
        (EVENT, "b"),
        (NODE, ""),
        (POD, "a"),
        (POD, "b"),
        (None, ""),
    ]
    assert all(row.counts == dict.fromkeys(State, 4) for row in rows)


def test_more_namespaces_than_can_be_counted_apart(monkeypatch):
    monkeypatch.setattr(collection, "ROWS", 3)
    kept = Collection(1, noise=False)
    kept.take(difference(number, namespace=f"n{number}") for number in range(10))
    assert [(row.namespace, row.counts[State.CHANGED]) for row in kept.rows()] == [
        ("(others)", 7),
        ("n0", 1),
        ("n1", 1),
        ("n2", 1),
    ]


def test_more_kinds_than_can_be_counted_apart(monkeypatch):
    monkeypatch.setattr(collection, "ROWS", 2)
    kinds = [Kind(f"K{number}", "a.io", f"k{number}s", namespaced=True, custom=True) for number in range(9)]
    kept = Collection(None, noise=True)
    kept.take(difference(number, kind) for kind in kinds for number in range(2))
    told = [(row.kind.name, row.namespace, row.counts[State.CHANGED]) for row in kept.rows()]
    assert told == [
        ("(others)", "", 10),
        ("K0", "shop", 2),
        ("K1", "shop", 2),
        ("K2", "(others)", 2),
        ("K3", "(others)", 2),
    ]
    assert {each.object.kind for each in kept} == {*kinds}


@pytest.mark.parametrize("limit", [None, 25])
def test_long_names_take_little_memory(limit):
    """A name that is not plain takes four bytes for each of its characters."""
    long = "\U0001f600" * 1300
    tracemalloc.start()
    try:
        kept = Collection(limit, noise=True)
        kept.take(
            Difference(State.CHANGED, Object(POD, "shop", f"{number}{long}", "/registry"), SIDE, SIDE)
            for number in range(6000)
        )
        assert sum(1 for _ in kept) == (limit or 6000)
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()


def test_two_keys_that_look_the_same():
    kept = Collection(None, noise=True)
    for uid in (None, bytes(16), None):
        side = Side(created=5, modified=6, content=1, size=10, encrypted=False, uid=uid)
        kept.take([Difference(State.ONLY_IN_A, Object(None, "", "", "\\xff"), side, None)])
    assert len(list(kept)) == 3
