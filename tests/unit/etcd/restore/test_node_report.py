"""How far each node is, in words and as data; a node that can't be asked is never over."""

import pytest

from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.restore.on_nodes.node_report import (
    pruned,
    pruning,
    state_document,
    state_words,
    status,
)
from kubectl_admin.etcd.restore.on_nodes.status import state_of
from kubectl_admin.finding import Gap
from tests.unit.etcd.restore.runs import NONE, RESTORED, word


def one(text):
    return state_of("cp-1", text)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (NONE, "no restore"),
        (RESTORED, "runs with the restored data"),
        (word("as-before"), "runs with the former data"),
        (word("disarmed"), "was never begun"),
        (word("what"), "over"),
        (word("prepared", "unbegun"), "prepared, not begun"),
        (word("armed", "unbegun", "active") + "worker waits go\n", "waits for the word to begin"),
        (word("going", "underway", "active") + "worker waits etcd\n", "waits for a majority of etcd"),
        (
            word("going", "underway", "active") + "worker waits acks\n",
            "waits until a majority has acknowledged",
        ),
        (
            word("closed", "underway", "active") + "worker waits space\n",
            "waits until etcd takes writes again (alarm NOSPACE)",
        ),
        (word("going", "underway", "active") + "worker waits more\n", "more"),
        (word("going", "underway", "active"), "under way"),
        (word("going", "underway", "failed") + "worker waits etcd\n", "under way, but its worker is failed"),
    ],
)
def test_words(answer, words):
    assert state_words(one(answer)) == words


def test_a_node_that_can_not_be_asked_is_a_gap_and_not_over():
    shown = status({"cp-1": one(RESTORED), "cp-2": AdminError("node cp-2: no route to host")}, "prod")
    assert [(str(each.severity), each.rule, each.subject) for each in shown.findings] == [
        ("note", "not-seen", "node cp-2")
    ]
    (table,) = shown.tables
    assert [str(getattr(cell, "text", cell)) for cell in table.rows[1]][:3] == ["cp-2", "", "not seen"]
    assert list(shown.items()) == [
        state_document("cp-1", one(RESTORED)),
        {"node": "cp-2", "stage": None, "problem": "node cp-2: no route to host"},
    ]
    assert list(shown.names()) == ["node/cp-1", "node/cp-2"]


def test_a_node_as_data():
    text = (
        "restore underway 0123456789 going\nunit active\njournal 1764500060 going\nold 1048576\n"
        "worker side between\nworker waits etcd\n"
    )
    assert state_document("cp-1", one(text)) == {
        "node": "cp-1",
        "stage": "underway",
        "operation": "0123456789",
        "word": "going",
        "side": "between",
        "waitsFor": "etcd",
        "unit": "active",
        "formerDataBytes": 1048576,
        "journal": [{"seconds": 1764500060, "word": "going"}],
    }
    assert state_document("cp-1", one(NONE))["operation"] is None
    (table,) = status({"cp-1": one(text)}, "prod").tables
    assert table.rows[0][4:6] == ["2025-11-30 10:54:20Z", "1.0MiB"]


def test_what_was_removed_and_what_was_not():
    shown = pruned({"cp-1": 5 << 20, "cp-2": AdminError("a restore is not over", "wait")}, "prod")
    assert shown.violated
    assert list(shown.items()) == [
        {"node": "cp-1", "freedBytes": 5 << 20},
        {"node": "cp-2", "freedBytes": None},
    ]
    (finding,) = shown.findings
    assert (finding.subject, finding.evidence, finding.fix) == ("node cp-2", "a restore is not over", "wait")
    assert pruned({}, "prod").tables == []


def test_webhooks_that_a_restore_has_left_ignored():
    hook = "validatingwebhookconfiguration/policy"
    gap = Gap("webhooks", "forbidden")
    shown = pruning({"cp-1": one(f"{NONE}data /d\n")}, [], "prod", webhooks=[hook], unseen=[gap])
    assert shown.paragraphs == [f"to refuse again, webhooks that a restore has left ignored: {hook}"]
    assert [found.rule for found in shown.findings] == ["not-seen"]
    assert pruning({"cp-1": one(NONE)}, [], "prod").paragraphs == ["nothing is to be removed"]
    both = pruning({"cp-1": one(RESTORED)}, ["cp-1"], "prod", webhooks=[hook]).paragraphs[0].splitlines()
    assert [line.split(":")[0] for line in both] == [
        "to remove on cp-1",
        "to refuse again, webhooks that a restore has left ignored",
    ]
    done = pruned({}, "prod", {hook: None, "other": AdminError("changed", "again")})
    assert done.paragraphs == [f"webhooks that refuse again: {hook}"]
    assert [(found.subject, found.evidence, found.fix) for found in done.findings] == [
        ("other", "changed", "again")
    ]


def test_former_data_that_nobody_has_looked_for_are_a_gap():
    unseen, seen = state_of("cp-2", NONE), state_of("cp-3", f"{NONE}data /var/lib/etcd\n")
    shown = status({"cp-1": one(RESTORED), "cp-2": unseen, "cp-3": seen}, "prod")
    assert [(each.rule, each.subject) for each in shown.findings] == [("not-seen", "node cp-2")]
    assert "former data" in shown.findings[0].evidence
