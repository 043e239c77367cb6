"""What may be removed of restores: nothing while one is under way on any node."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.restore.on_nodes.node_report import pruning
from kubectl_admin.etcd.restore.on_nodes.prune import prune, removable
from kubectl_admin.etcd.restore.on_nodes.status import state_of
from tests.unit.etcd.restore.runs import NONE, RESTORED, word

AWAY = AdminError("node cp-3: no route to host")
BACK = word("as-before")
UNBEGUN = word("prepared", "unbegun")


def states(*answers):
    return {
        f"cp-{number}": one if isinstance(one, AdminError) else state_of(f"cp-{number}", one)
        for number, one in enumerate(answers, 1)
    }


@pytest.mark.parametrize(
    ("answers", "nodes"),
    [
        ((RESTORED, RESTORED, RESTORED), ["cp-1", "cp-2", "cp-3"]),
        ((BACK, RESTORED, word("disarmed")), ["cp-1", "cp-2", "cp-3"]),
        ((NONE, NONE, NONE), []),
        ((NONE, RESTORED, NONE), ["cp-2"]),
        ((f"{NONE}old 1\n", f"{NONE}new 1\n", NONE), ["cp-1", "cp-2"]),
        ((UNBEGUN, NONE, NONE), ["cp-1"]),
        # One that is under way anywhere keeps all.
        ((RESTORED, RESTORED, word("going", "underway", "active")), []),
        ((RESTORED, RESTORED, word("going", "underway", "failed")), []),
        ((RESTORED, RESTORED, word("armed", "unbegun", "active")), []),
        ((RESTORED, RESTORED, word("restored", "over", "deactivating")), []),
        # So does one that can't be asked.
        ((RESTORED, RESTORED, AWAY), []),
        ((UNBEGUN, UNBEGUN, AWAY), []),
        ((word("going", "underway", "active"), RESTORED, AWAY), []),
        ((AWAY, AWAY, AWAY), []),
    ],
)
def test_what_is_removed(answers, nodes):
    assert removable(states(*answers)) == nodes


def plan(*answers):
    found = states(*answers)
    return pruning(found, removable(found), "prod")


def test_the_plan_of_a_pruning():
    shown = plan(RESTORED, RESTORED, RESTORED)
    assert (shown.kind, list(shown.findings)) == ("EtcdRestorePrunePlan", [])
    assert "to remove on cp-1, cp-2, cp-3" in shown.paragraphs[0]
    assert plan(NONE, NONE, NONE).paragraphs == ["nothing is to be removed"]


def test_a_restore_under_way_forbids_it():
    shown = plan(RESTORED, RESTORED, word("committed", "underway", "failed"))
    assert shown.violated
    (finding,) = shown.findings
    assert (finding.rule, finding.objects) == ("restore-unsettled", ("node/cp-3",))
    assert "under way, but its worker is failed" in finding.evidence
    assert shown.paragraphs == ["nothing is to be removed"]


def test_a_node_that_can_not_be_asked_forbids_it_as_well():
    shown = plan(RESTORED, RESTORED, AWAY)
    assert shown.violated
    assert [(str(one.severity), one.rule) for one in shown.findings] == [
        ("violation", "restore-unsettled"),
        ("note", "not-seen"),
    ]
    assert "can't be asked whether a restore is over" in shown.findings[0].evidence


def test_nothing_is_removed_while_somebody_else_prepares_a_restore():
    @contextmanager
    def taken(*_: object, **__: object) -> Iterator[Any]:
        raise AdminError("somebody else changes the control plane")
        yield

    untouched: Any = object()
    with pytest.raises(AdminError, match="somebody else"):
        prune(untouched, ["cp-1"], alone=taken)
