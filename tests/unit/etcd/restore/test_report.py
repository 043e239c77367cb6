"""The outcome of a restore, whatever its end: what it says, and its exit code."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.diff.facts import Comparison, Difference, File, Row, State, Wanted
from kubectl_admin.etcd.restore.afterwards.facts import Outcome
from kubectl_admin.etcd.restore.before import Before
from kubectl_admin.etcd.restore.follow import End, Followed
from kubectl_admin.etcd.restore.go import Answer
from kubectl_admin.etcd.restore.keys import Keys
from kubectl_admin.etcd.restore.on_nodes.status import state_of
from kubectl_admin.etcd.restore.report import in_short, outcome, plan
from kubectl_admin.etcd.restore.restore import Restored
from kubectl_admin.etcd.restore.rules import QUOTA
from kubectl_admin.etcd.snapshot.facts import Verdict
from kubectl_admin.etcd.stored.facts import Object
from kubectl_admin.plan import Step
from tests.unit.etcd.restore import samples
from tests.unit.etcd.restore.runs import ID, NODES, RESTORED, looked, prepared, word
from tests.unit.etcd.restore.test_before import RECORD

BEFORE = Before(Path("/backup/snapshot.db.before"), RECORD)
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
KEPT = "the state before is in /backup/snapshot.db.before"


def restored(**answers: str | AdminError) -> Restored:
    found = dict.fromkeys(NODES, RESTORED) | {name.replace("_", "-"): one for name, one in answers.items()}
    states = {
        node: one if isinstance(one, AdminError) else state_of(node, one) for node, one in found.items()
    }
    return Restored(
        ID,
        before=BEFORE,
        word=Answer.YES,
        followed=Followed(End.RESTORED, Keys(acknowledged=frozenset(NODES)), 12.34),
        states=states,
        outcomes=[Outcome(Step("leaders", "let leaders work", ""), said="leaders work")],
        all_taken=True,
    )


def test_restored_on_all_nodes():
    shown = outcome(restored(), NODES)
    assert not shown.violated
    assert list(shown.findings) == []
    assert shown.paragraphs[0].splitlines() == [
        "restored on all 3 control-plane nodes; the API did not answer for 12.3s",
        KEPT,
        "steps afterwards: all 1 are done",
    ]
    assert shown.kind == "EtcdRestore"
    assert shown.fields == {
        "operation": ID,
        "end": "restored",
        "begun": True,
        "secondsWithoutApi": 12.3,
        "before": "/backup/snapshot.db.before",
        "done": ["leaders"],
    }
    assert [(item["node"], item["word"]) for item in shown.items()] == [(node, "restored") for node in NODES]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (AdminError("node cp-3: no route to host"), "no route to host"),
        (word("going", "underway", "active"), "under way"),
        (word("as-before"), "runs with the former data"),
    ],
)
def test_a_node_that_has_not_finished_is_left_to_do(answer, why):
    shown = outcome(restored(cp_3=answer), NODES)
    assert shown.violated
    (finding,) = shown.findings
    assert (finding.rule, finding.objects) == ("restore-unsettled", ("node/cp-3",))
    assert why in finding.evidence
    assert shown.paragraphs[0].startswith("restored: a majority serves the snapshot; the API")
    assert shown.fields["end"] == "restored"


def test_a_step_afterwards_that_is_not_done_is_left_to_do():
    so_far = restored()
    so_far.outcomes.append(Outcome(Step("volumes", "name storage", ""), "no answer", "again"))
    shown = outcome(so_far, NODES)
    assert shown.violated
    assert shown.fields["done"] == ["leaders"]
    assert shown.paragraphs[0].splitlines()[-1] == "steps afterwards: 1 of 2 are done"


def test_steps_that_were_not_taken_are_not_done():
    shown = outcome(replace(restored(), all_taken=False), NODES)
    assert shown.paragraphs[0].splitlines()[-1] == "steps afterwards: 1 are done, and not all were taken"


def test_the_only_control_plane_node_is_named():
    alone = replace(restored(), states={"cp-1": state_of("cp-1", RESTORED)})
    assert outcome(alone, ["cp-1"]).paragraphs[0].startswith("restored on control-plane node cp-1, the only")


def test_as_before_is_not_what_was_wanted():
    so_far = replace(
        restored(**{f"cp_{number}": word("as-before") for number in (1, 2, 3)}),
        followed=Followed(End.AS_BEFORE, Keys(), 200.0),
        outcomes=[],
    )
    shown = outcome(so_far, NODES)
    assert shown.violated
    assert [finding.subject for finding in shown.findings] == ["the restore"]
    assert shown.paragraphs[0].startswith("as before: the nodes went back to the former data")
    assert (shown.fields["end"], shown.fields["begun"]) == ("asBefore", True)


@pytest.mark.parametrize(
    ("answer", "words", "begun"),
    [
        (Answer.NO, "nothing was changed: the nodes were not told to begin", False),
        (Answer.YES, "the nodes have been told to begin; their end was not seen", True),
        (
            Answer.UNKNOWN,
            "whether the nodes have been told to begin is not known; their end was not seen",
            True,
        ),
    ],
)
def test_a_run_that_was_interrupted(answer, words, begun):
    shown = outcome(Restored(ID, before=BEFORE, word=answer), NODES)
    assert shown.paragraphs[0].splitlines() == [words, KEPT]
    assert (shown.fields["begun"], shown.fields["end"], shown.fields["secondsWithoutApi"]) == (
        begun,
        None,
        None,
    )
    assert shown.tables == []
    assert [item["stage"] for item in shown.items()] == [None] * 3
    assert (
        outcome(Restored(ID), NODES).paragraphs[0] == "nothing was changed: the nodes were not told to begin"
    )


def test_what_could_not_be_removed_is_left_to_do():
    shown = outcome(Restored(ID, left=["cp-2"]), NODES)
    assert shown.violated
    (finding,) = shown.findings
    assert finding.objects == ("node/cp-2",)


def test_a_run_that_finishes_an_earlier_one_does_not_know_how_long_the_api_was_away():
    shown = outcome(replace(restored(), resumed=True), NODES)
    assert shown.paragraphs[0].splitlines()[0] == "restored on all 3 control-plane nodes"
    assert shown.fields["secondsWithoutApi"] is None


def compared(**counts: int) -> Comparison:
    file = File("snapshot", Verdict(Path("a.db"), samples.snapshot(), ()))
    found = {State[name.upper()]: count for name, count in counts.items()}
    return Comparison(
        a=file,
        b=file,
        wanted=Wanted(),
        compared=True,
        same_file=False,
        has_namespace=True,
        rows=[Row(None, "default", found)],
        differences=[],
    )


def test_the_plan():
    file = samples.file(newest=NOW - timedelta(hours=2))
    shown = plan(looked(file=file, compared=compared(only_in_a=1, only_in_b=3, changed=2)), NOW, {})
    lines = shown.paragraphs[0].splitlines()
    assert lines[0].startswith("the snapshot: 100MiB, revision 1,000, at least 2h")
    assert lines[1] == "objects: 1 comes back, 3 are lost, 2 become as they were"
    assert lines[2] == (
        "not listed: 1 more only in snapshot, 3 more only in snapshot, 2 more changed; to see them all: "
        "kubectl admin etcd-snapshot -o now.db, then kubectl admin etcd-diff a.db now.db --all"
    )
    assert lines[3].startswith("all at once: cp-1, cp-2, cp-3; the API is down meanwhile")
    assert shown.fields["objects"] == {"comeBack": 1, "lost": 3, "recreated": 0, "changed": 2}
    assert shown.fields["bumpRevision"] == looked().bump
    assert shown.fields["rehearsed"] is False
    assert [item["rehearsal"] for item in shown.items()] == [None] * 3


def test_a_list_that_is_whole_says_no_more():
    every = [
        Difference(State.CHANGED, Object(None, "", "", f"/registry/{name}"), None, None) for name in "ab"
    ]
    shown = plan(looked(compared=replace(compared(changed=2), differences=every)), NOW, {})
    assert "not listed" not in shown.paragraphs[0]


def test_the_plan_in_short_has_the_counts_by_kind_and_no_list():
    seen = looked(compared=compared(only_in_a=1, only_in_b=3))
    whole = plan(seen, NOW, {})
    short = in_short(whole, seen)
    assert short.paragraphs == whole.paragraphs
    assert [[column.name for column in table.columns][:2] for table in short.tables] == [
        ["KIND", "NAMESPACE"]
    ]
    assert in_short(plan(looked(), NOW, {}), looked()).tables == ()


def test_the_plan_of_a_rehearsal():
    shown = plan(looked(compared=compared()), NOW, {node: prepared(node) for node in NODES})
    lines = shown.paragraphs[0].splitlines()
    assert lines[1:] == [
        "no object would change",
        "every node has restored it aside, with equal data, and has removed it again",
    ]
    assert shown.fields["rehearsed"] is True
    assert next(iter(shown.items()))["rehearsal"] == {
        "etcdutl": "3.6.8",
        "databaseBytes": 4096,
        "hash": 7,
        "revision": 1000,
        "keys": 3,
        "seconds": 1.5,
    }


def test_the_plan_of_what_is_forbidden():
    forbidden = QUOTA.violation(subject="the snapshot", evidence="too large")
    shown = plan(looked(forbidden, plans={}), NOW, {})
    assert shown.violated
    assert shown.fields["bumpRevision"] is None
    assert not looked(forbidden).is_possible
    assert not looked(plans={}).is_possible
    assert looked().is_possible
    unread = replace(samples.file(), verdict=Verdict(Path("a.db"), None, ()))
    assert plan(looked(forbidden, file=unread, plans={}), NOW, {}).fields["snapshot"] is None
