from dataclasses import replace

import pytest

from kubectl_admin.cluster.errors import BrokenStream
from kubectl_admin.etcd.members import pods
from kubectl_admin.etcd.members.etcdctl import EtcdctlError, Hash
from kubectl_admin.etcd.members.hashes import SMALL, TRIES, Comparison, compare, disagreeing
from tests.unit.etcd.members.samples import etcd_pod, status

ONE, TWO, THREE = (pods.member(etcd_pod(f"cp-{number}", f"192.0.2.{number}")) for number in (1, 2, 3))


class Store:
    """As much of a member as hashes are about: writes and compactions come between any two questions."""

    def __init__(self, revision=100, compacted=90, corrupt=False):
        self.revision, self.compacted, self.corrupt = revision, compacted, corrupt
        self.asked = []
        self.plan = []  # what happens before each of the next hashes

    def hash(self, revision):
        self.asked.append(revision)
        if self.plan:
            self.plan.pop(0)(self)
        if revision < self.compacted:
            raise EtcdctlError("etcdctl", "required revision has been compacted")
        value = 1000 * revision + self.compacted + (500_000 if self.corrupt else 0)
        return Hash(value, revision, self.compacted, self.revision)

    def status(self):
        return status(revision=self.revision)


def compact(to):
    def act(store):
        store.compacted, store.revision = to, store.revision + 20

    return act


def compared(*stores, wanted=None, in_use=1000):
    members = dict(zip((ONE, TWO, THREE), stores, strict=False))
    return compare(
        {pod: (store, replace(store.status(), in_use=in_use)) for pod, store in members.items()}, wanted
    )


def test_all_are_asked_at_a_revision_that_each_of_them_has():
    stores = Store(100), Store(103), Store(101)
    found = compared(*stores)
    assert [store.asked for store in stores] == [[100], [100], [100]]
    assert (found.revision, found.problem, disagreeing(found.hashes)) == (100, "", ())


def test_hashes_between_which_a_compaction_came_are_taken_again():
    stores = Store(), Store()
    stores[1].plan = [compact(95)]
    stores[0].plan = [lambda _: None, compact(95)]
    found = compared(*stores)
    assert len(stores[0].asked) == 2
    assert (found.problem, disagreeing(found.hashes)) == ("", ())


def test_a_revision_that_was_compacted_meanwhile_is_given_up_for_a_newer_one():
    stores = Store(), Store()
    for store in stores:
        store.plan = [compact(110)]
    found = compared(*stores)
    assert stores[0].asked == [100, 120]
    assert (found.revision, found.problem) == (120, "")


def test_what_is_compacted_each_time_is_no_finding():
    stores = Store(), Store()
    stores[0].plan = [compact(91), compact(92), compact(93)]
    found = compared(*stores)
    assert len(stores[0].asked) == TRIES
    assert found.problem == "a compaction came in between each time"
    assert disagreeing(found.hashes) == ()


def test_data_that_differs_is_looked_at_more_than_once():
    stores = Store(), Store(corrupt=True), Store()
    found = compared(*stores)
    assert len(stores[0].asked) == TRIES
    assert (found.problem, disagreeing(found.hashes)) == ("", (TWO,))


def test_a_member_that_gives_no_hash_is_named_and_the_others_are_compared():
    class Silent(Store):
        def hash(self, _revision):
            raise BrokenStream("the connection was lost")

    found = compared(Store(), Silent(), Store(corrupt=True))
    assert found.problem == "cp-2: the connection was lost"
    assert disagreeing(found.hashes) == (ONE, THREE)


@pytest.mark.parametrize(
    ("why", "stores", "wanted", "in_use", "problem"),
    [
        ("one member has nobody to differ from", 1, True, 1000, ""),
        ("nor is it a gap then that nobody wanted it", 1, False, 1000, ""),
        ("not wanted", 2, False, 1000, "not asked for"),
        (
            "large",
            2,
            None,
            SMALL * 5,
            "each member would delay writes for about 2.5s; --hash compares all the same",
        ),
    ],
)
def test_when_none_are_taken(why, stores, wanted, in_use, problem):
    made = [Store() for _ in range(stores)]
    assert compared(*made, wanted=wanted, in_use=in_use) == Comparison(problem=problem), why
    assert not any(store.asked for store in made)


def test_large_ones_are_hashed_where_that_is_wanted():
    assert len(compared(Store(), Store(), wanted=True, in_use=SMALL * 5).hashes) == 2


A, B = Hash(1, 100, 90, 100), Hash(2, 100, 90, 100)


@pytest.mark.parametrize(
    ("why", "hashes", "expected"),
    [
        ("none", {}, ()),
        ("alike", {ONE: A, TWO: A}, ()),
        ("one of three", {ONE: A, TWO: B, THREE: A}, (TWO,)),
        ("one of two: either may be wrong", {ONE: A, TWO: B}, (ONE, TWO)),
        ("all differ", {ONE: A, TWO: B, THREE: replace(A, value=3)}, (ONE, TWO, THREE)),
        ("at different revisions", {ONE: A, TWO: replace(B, revision=101)}, ()),
        ("after different compactions", {ONE: A, TWO: replace(B, compacted=91)}, ()),
    ],
)
def test_who_differs(why, hashes, expected):
    assert set(disagreeing(hashes)) == set(expected), why
