"""How two compared snapshots are shown."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from kubectl_admin.etcd.diff import report as diff_report
from kubectl_admin.etcd.diff.facts import Comparison, Difference, File, Row, Side, State, Wanted
from kubectl_admin.etcd.snapshot.facts import Snapshot, Verdict
from kubectl_admin.etcd.snapshot.reading import NOTHING
from kubectl_admin.etcd.stored.facts import Kind, Object
from kubectl_admin.report import document, terminal
from kubectl_admin.report.text import printable
from tests.fakes.program import NASTY

POD = Kind("Pod", "", "pods", namespaced=True)
DEPLOYMENT = Kind("Deployment", "apps", "deployments", namespaced=True)
LEASE = Kind("Lease", "coordination.k8s.io", "leases", namespaced=True, noisy=True)
ISSUER = Kind("Issuer", "cert-manager.io", "issuers", namespaced=True, custom=True)
SIDE = Side(created=5, modified=1234, content=1, size=10, encrypted=False, uid=bytes(15) + b"\1")
OTHER = replace(SIDE, modified=5678, uid=bytes(15) + b"\2")


def file(name, revision):
    contents = replace(NOTHING, revision=revision, compacted=100)
    snapshot = Snapshot(
        Path(f"x/{name}"), 2 << 20, "00", True, (2 << 20) - 32, 1 << 20, 4096, 20, 10, contents, None
    )
    cluster = "00000007-0000-0000-0000-000000000000"
    return File(name, Verdict(snapshot.path, snapshot, ()), objects=1200, cluster=cluster)


def difference(state, kind, namespace, name, a=SIDE, b=OTHER):
    return Difference(state, Object(kind, namespace, name, f"/registry/{name}"), a, b)


DIFFERENCES = [
    difference(State.ONLY_IN_A, DEPLOYMENT, "shop", "cart", b=None),
    difference(State.ONLY_IN_B, None, "", "", a=None),
    difference(State.RECREATED, POD, "shop", "web"),
    difference(State.RECREATED, POD, "shop", "db", b=replace(SIDE, uid=None)),
    difference(State.CHANGED, ISSUER, "shop", NASTY),
    difference(State.ENCRYPTED, POD, "shop", "sealed"),
]
ROWS = [
    Row(DEPLOYMENT, "shop", {State.ONLY_IN_A: 1}),
    Row(ISSUER, "shop", {State.CHANGED: 3}),
    Row(LEASE, "kube-system", {State.CHANGED: 2000, State.REWRITTEN: 1}),
    Row(POD, "shop", {State.RECREATED: 2, State.ENCRYPTED: 1, State.REWRITTEN: 4}),
    Row(None, "", {State.ONLY_IN_B: 1}),
]
COMPARED = Comparison(
    file("a.db", 1000),
    file("b.db", 3500),
    wanted=Wanted(),
    compared=True,
    same_file=False,
    has_namespace=True,
    rows=ROWS,
    differences=DIFFERENCES,
)


def shown(compared=COMPARED, *, noise=False, exit_code=False, wide=False):
    report = diff_report.report(compared, noise=noise, exit_code=exit_code, listed=True)
    return terminal.render(report, wide=wide, headers=True, colour=False, width=200)


def test_a_comparison_as_a_person_sees_it():
    assert shown() == (
        f"""\
FILE  SHA256  REVISION  KEYS   SIZE    CLUSTER
a.db  ok      1,000     1,200  2.0MiB  00000007
b.db  ok      3,500     1,200  2.0MiB  00000007

KIND                    NAMESPACE  ONLY-IN-a.db  ONLY-IN-b.db  RECREATED  CHANGED  ENCRYPTED
Deployment              shop       1             -             -          -        -
Issuer.cert-manager.io  shop       -             -             -          3        -
Pod                     shop       -             -             2          -        1
(unknown)               -          -             1             -          -        -

DIFFERENCE               KIND                    NAMESPACE  NAME
only in a.db             Deployment              shop       cart
only in b.db             (unknown)               -          /registry/
recreated                Pod                     shop       web
recreated (UID unknown)  Pod                     shop       db
changed                  Issuer.cert-manager.io  shop       {printable(NASTY)}
written (encrypted)      Pod                     shop       sealed

b.db has the higher revision, by 2,500
encrypted, so that a change can't be told from the same content written again: 1 Pod
keys that do not tell which object they are, and are shown as they are: 1
not listed: 2 more changed (--all lists them)
left out, since they tell nothing: 2,001 Lease, 4 written again with the same content (--all lists them)

objects that differ: 1 only in a.db, 1 only in b.db, 2 recreated, 3 changed, 1 written (encrypted)
"""
    )
    assert all(char.isprintable() or char == "\n" for char in shown())


def test_wide_has_revisions():
    lines = [line.split() for line in shown(wide=True).splitlines()]
    assert ["only", "in", "a.db", "Deployment", "shop", "cart", "1,234", "-"] in lines
    assert ["recreated", "Pod", "shop", "web", "1,234", "5,678"] in lines
    assert any(line[-1:] == ["COMPACTED"] for line in lines)


def test_all_has_what_tells_nothing():
    text = shown(noise=True)
    assert "SAME-CONTENT" in text
    assert "Lease" in text
    assert "left out" not in text
    assert "2,003 changed" in text


def test_many_namespaces_are_one_row_unless_all_is_wanted():
    rows = [Row(POD, f"n{number:02}", {State.CHANGED: 2}) for number in range(50)]
    compared = replace(COMPARED, rows=[Row(DEPLOYMENT, "shop", {State.CHANGED: 1}), *rows], differences=[])
    assert "Pod         50 namespaces  -             -             -          100" in shown(compared)
    assert "Deployment  shop " in shown(compared)
    assert "n49" in shown(compared, noise=True)


def test_long_names_are_told_by_letters():
    a, b = (replace(each, label=label) for each, label in ((COMPARED.a, "A"), (COMPARED.b, "B")))
    text = shown(replace(COMPARED, a=a, b=b))
    assert "ONLY-IN-A" in text
    assert "A is x/a.db\nB is x/b.db\nB has the higher revision, by 2,500\n" in text


def test_two_clusters_stand_out_in_the_first_table():
    other = replace(COMPARED.b, cluster="99999999-0000-0000-0000-000000000000")
    text = shown(replace(COMPARED, b=other))
    assert "00000007?" in text
    assert "99999999?" in text
    assert "warning: the snapshots: they are of two clusters" in text


@pytest.mark.parametrize(
    ("rows", "wanted", "said"),
    [
        ([], Wanted("shop"), "no object that was asked for differs\n"),
        ([ROWS[2]], Wanted(), "no other object differs\n"),
        ([ROWS[2]], Wanted("kube-system"), "no other object that was asked for differs\n"),
    ],
)
def test_nothing_is_said_of_what_was_not_compared(rows, wanted, said):
    assert shown(replace(COMPARED, rows=rows, differences=[], wanted=wanted)).endswith(f"\n\n{said}")


def test_nothing_differs():
    text = shown(replace(COMPARED, rows=[], differences=[], b=replace(COMPARED.a, label="b.db")))
    assert text.endswith("both have revision 1,000\n\nno object differs\n")
    assert "KIND" not in text


def test_a_file_that_is_not_a_snapshot():
    bad = File("b.db", Verdict(Path("x/b.db"), None, ()))
    text = shown(replace(COMPARED, b=bad, compared=False, rows=[], differences=[]))
    assert "b.db  unknown!  -" in text
    assert text.endswith("nothing was compared\n")


@pytest.mark.parametrize("differing", [False, True])
def test_a_difference_fails_where_that_is_asked_for(differing):
    compared = COMPARED if differing else replace(COMPARED, rows=[ROWS[2]])
    for exit_code in (False, True):
        report = diff_report.report(compared, noise=False, exit_code=exit_code, listed=False)
        assert report.failed is (exit_code and differing)
    assert diff_report.report(compared, noise=True, exit_code=True, listed=False).failed


def test_the_document():
    report = diff_report.report(COMPARED, noise=False, exit_code=False, listed=False)
    found = json.loads(document.to_json(report))
    assert yaml.safe_load(document.to_yaml(report)) == found
    assert found["kind"] == "EtcdDiff"
    assert (found["compared"], found["sameCluster"]) == (True, True)
    assert [(each["label"], each["file"], each["keys"]) for each in found["snapshots"]] == [
        ("a.db", "x/a.db", 1200),
        ("b.db", "x/b.db", 1200),
    ]
    assert found["summary"][2] == {
        "kind": "Lease",
        "group": "coordination.k8s.io",
        "namespace": "kube-system",
        "noise": True,
        "onlyInA": 0,
        "onlyInB": 0,
        "recreated": 0,
        "changed": 2000,
        "writtenEncrypted": 0,
        "writtenAgain": 1,
    }
    assert found["items"][2] == {
        "difference": "recreated",
        "recreatedBy": "uid",
        "kind": "Pod",
        "group": "",
        "namespace": "shop",
        "name": "web",
        "key": "/registry/web",
        "noise": False,
        "a": {
            "createRevision": 5,
            "modRevision": 1234,
            "uid": "00000000-0000-0000-0000-000000000001",
            "valueBytes": 10,
            "encrypted": False,
        },
        "b": {
            "createRevision": 5,
            "modRevision": 5678,
            "uid": "00000000-0000-0000-0000-000000000002",
            "valueBytes": 10,
            "encrypted": False,
        },
    }
    assert [(each["recreatedBy"], each["b"] is None, each["kind"]) for each in found["items"]] == [
        (None, True, "Deployment"),
        (None, False, None),
        ("uid", False, "Pod"),
        ("createRevision", False, "Pod"),
        (None, False, "Issuer"),
        (None, False, "Pod"),
    ]


def test_names():
    report = diff_report.report(COMPARED, noise=False, exit_code=False, listed=False)
    assert list(report.names())[:4] == [
        "deployment.apps/shop/cart",
        "/registry/",
        "pod/shop/web",
        "pod/shop/db",
    ]
