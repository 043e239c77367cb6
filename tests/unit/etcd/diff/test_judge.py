"""How an object differs, and the findings on two files."""

from dataclasses import replace
from pathlib import Path

import pytest

from kubectl_admin.etcd.diff import judge
from kubectl_admin.etcd.diff.facts import Comparison, File, Row, Side, State, Wanted
from kubectl_admin.etcd.snapshot.facts import Verdict
from kubectl_admin.etcd.snapshot.rules import NO_HASH, SHA256, ZOMBIE_MEMBER
from kubectl_admin.etcd.stored.facts import Kind

ONE, TWO = bytes(15) + b"1", bytes(15) + b"2"
SIDE = Side(created=5, modified=7, content=1, size=10, encrypted=False, uid=ONE)
POD = Kind("Pod", "", "pods", namespaced=True)


@pytest.mark.parametrize(
    ("a", "b", "state"),
    [
        (SIDE, None, State.ONLY_IN_A),
        (None, SIDE, State.ONLY_IN_B),
        (SIDE, replace(SIDE, modified=8, content=2), State.CHANGED),
        (SIDE, replace(SIDE, modified=8), State.REWRITTEN),
        (SIDE, replace(SIDE, uid=TWO), State.RECREATED),
        (SIDE, replace(SIDE, uid=TWO, content=2), State.RECREATED),
        # The same object in an etcd that was filled from a copy: its revisions are others.
        (SIDE, replace(SIDE, created=9, modified=9), State.REWRITTEN),
        (SIDE, replace(SIDE, created=9, content=2), State.CHANGED),
        # Without both UIDs, the revision tells at which the key came to be.
        (SIDE, replace(SIDE, uid=None, created=9), State.RECREATED),
        (replace(SIDE, uid=None), replace(SIDE, uid=None, created=9), State.RECREATED),
        (SIDE, replace(SIDE, uid=None, content=2), State.CHANGED),
        # What is encrypted is another text each time.
        (SIDE, replace(SIDE, uid=None, content=2, encrypted=True), State.ENCRYPTED),
        (replace(SIDE, uid=None, content=2, encrypted=True), SIDE, State.ENCRYPTED),
        (
            replace(SIDE, uid=None, encrypted=True),
            replace(SIDE, uid=None, encrypted=True, modified=8),
            State.REWRITTEN,
        ),
        (
            replace(SIDE, uid=None, encrypted=True),
            replace(SIDE, uid=None, encrypted=True, created=8, content=2),
            State.RECREATED,
        ),
    ],
)
def test_how_an_object_differs(a, b, state):
    assert judge.state(a, b) is state


def verdict(*findings):
    return Verdict(Path("x.db"), None, findings)


COMPARISON = Comparison(
    File("a.db", verdict(), cluster="1-1"),
    File("b.db", verdict(), cluster="1-1"),
    wanted=Wanted(),
    compared=True,
    same_file=False,
    has_namespace=False,
    rows=(),
    differences=(),
)


def found(differing=0, **changes):
    findings = judge.findings(replace(COMPARISON, **changes), differing)
    return [(str(each.severity), each.rule) for each in findings]


def test_nothing_is_wrong_with_two_snapshots_of_one_cluster():
    assert judge.is_same_cluster(COMPARISON.a, COMPARISON.b) is True
    assert found() == []


def test_two_clusters_are_said_first():
    b = File("b.db", verdict(NO_HASH.warning(subject="the file", evidence="none")), cluster="2-2")
    assert judge.is_same_cluster(COMPARISON.a, b) is False
    assert found(b=b) == [("warning", "snapshot-cluster"), ("warning", "no-hash")]


def test_a_cluster_that_is_not_known_is_not_taken_for_the_same():
    a, b = (File(label, verdict(), why="encrypted") for label in ("a.db", "b.db"))
    assert judge.is_same_cluster(a, b) is None
    assert found(a=a, b=b) == found(b=b) == [("note", "snapshot-cluster-unknown")]
    (finding,) = judge.findings(replace(COMPARISON, b=b), 0)
    assert finding.evidence == "whether they are of one cluster is not known (b.db: encrypted)"


def test_of_a_file_is_said_what_is_wrong_with_it_and_nothing_on_its_members():
    said = (
        SHA256.violation(subject="the file", evidence="wrong"),
        ZOMBIE_MEMBER.warning(subject="member m", evidence="old"),
    )
    changes = {"b": File("b.db", verdict(*said)), "compared": False}
    assert found(**changes) == [("violation", "sha256")]
    (finding,) = judge.findings(replace(COMPARISON, **changes), 0)
    assert finding.subject == "the file b.db"


def test_one_file_twice():
    assert found(same_file=True) == [("warning", "same-file")]


def test_a_namespace_and_kinds_that_may_be_misspelt():
    row = Row(replace(POD, name="Bar", group="foo.io", resource="bars", custom=True), "shop", {})
    wanted = Wanted("shop", frozenset({"pods", "deployment.apps", "bars.foo.io", "nope"}))
    assert found(wanted=wanted) == [
        ("warning", "namespace-unknown"),
        ("warning", "kind-unknown"),
        ("warning", "kind-unknown"),
    ]
    assert found(wanted=wanted, has_namespace=True, rows=[row]) == [("warning", "kind-unknown")]
    assert found(wanted=wanted, rows=[row]) == [("warning", "kind-unknown")]
    assert found(wanted=wanted, compared=False) == []


def test_differences_are_a_violation_where_that_is_asked_for():
    assert found(differing=3) == [("violation", "snapshots-differ")]
