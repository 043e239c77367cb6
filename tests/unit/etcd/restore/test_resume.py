"""A later run takes up the restore of the very same snapshot, and no other."""

import json
from dataclasses import replace
from hashlib import sha256

import pytest

from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.restore.before import OPERATION
from kubectl_admin.etcd.restore.record import Record
from kubectl_admin.etcd.restore.resume import earlier
from tests.unit.etcd.restore.afterwards.api import BASE, RECORD, Api
from tests.unit.etcd.restore.runs import ID, NODES, NONE, RESTORED, Run, word

UNDER_WAY = word("going", "underway", "active")
AWAY = AdminError("no route to host")


@pytest.fixture
def run(tmp_path):
    made = Run(tmp_path)
    keep(made)
    return made


def keep(run: Run, directory: str = "snapshot.db.before", **changes: object) -> None:
    """An earlier run has kept the state before."""
    record = Record(
        **{
            "id": ID,
            "sha256": sha256(b"a snapshot").hexdigest(),
            "revision": 41,
            "bump": 1_000_000_000,
            "cluster": "uid",
            "nodes": NODES,
            "members": {},
            "began": 9.5,
            **changes,
        }
    )
    (run.folder / directory).mkdir()
    (run.folder / directory / OPERATION).write_bytes(record.text())


def states(*answers: str | AdminError) -> dict[str, str | AdminError]:
    return dict(zip(NODES, answers, strict=True))


@pytest.mark.parametrize(
    ("answers", "is_begun"),
    [
        ((UNDER_WAY, UNDER_WAY, UNDER_WAY), True),
        ((RESTORED, RESTORED, RESTORED), True),
        ((RESTORED, RESTORED, AWAY), True),
        ((NONE, NONE, UNDER_WAY), True),
        # Went back, never begun, or removed by --prune.
        ((word("as-before"), word("as-before"), word("as-before")), False),
        ((word("disarmed"), word("disarmed"), word("disarmed")), False),
        ((word("armed", "unbegun", "active"),) * 3, False),
        ((NONE, NONE, NONE), False),
        ((NONE, NONE, AWAY), False),
        ((AWAY, AWAY, AWAY), False),
        # Another restore.
        ((word("restored", id_="aaaaaaaaaa"),) * 3, False),
        ((word("going", "underway", "active", "aaaaaaaaaa"),) * 3, False),
    ],
)
def test_what_is_taken_up(run, answers, is_begun):
    run.states = states(*answers)
    found = earlier(run.hosts, run.snapshot)
    assert (found is not None) is is_begun
    if found:
        assert found.before.record.id == ID


@pytest.mark.parametrize(
    ("planned", "revision", "answers", "is_begun"),
    [
        ({"webhooks": []}, BASE, (AWAY, AWAY, AWAY), True),
        # The former data, a node that has none of it, and a restore without webhooks.
        ({"webhooks": []}, BASE - 1, (AWAY, AWAY, AWAY), False),
        ({"webhooks": []}, BASE, (AWAY, NONE, AWAY), False),
        ({}, BASE, (AWAY, AWAY, AWAY), False),
    ],
)
def test_where_webhooks_refuse_every_debug_pod_the_data_tell(tmp_path, planned, revision, answers, is_begun):
    run = Run(tmp_path)
    keep(run, planned=planned, cluster=RECORD.cluster, revision=RECORD.revision, bump=RECORD.bump)
    run.states = states(*answers)
    api = Api()
    api.revision = revision
    found = earlier(replace(run.hosts, cluster=api), run.snapshot)
    assert (found is not None) is is_begun


def test_states_of_another_restore_are_not_of_this_one(run):
    run.states = states(RESTORED, word("restored", id_="aaaaaaaaaa"), AWAY)
    found = earlier(run.hosts, run.snapshot)
    assert found
    assert set(found.states) == {"cp-1", "cp-3"}


def test_another_content_under_the_same_name_is_not_taken_up(run):
    run.states = states(UNDER_WAY, UNDER_WAY, UNDER_WAY)
    run.snapshot.write_bytes(b"another")
    assert earlier(run.hosts, run.snapshot) is None


def test_without_a_directory_no_node_is_asked(run):
    run.states = {}
    other = run.folder / "other.db"
    other.write_bytes(b"a snapshot")
    assert earlier(run.hosts, other) is None


def test_a_directory_that_is_half_is_none(run):
    (run.folder / "snapshot.db.before-2").mkdir()
    run.states = states(UNDER_WAY, NONE, NONE)
    assert earlier(run.hosts, run.snapshot)
    keep_newer = run.folder / "snapshot.db.before-2" / OPERATION
    text = json.loads((run.folder / "snapshot.db.before" / OPERATION).read_text())
    keep_newer.write_text(json.dumps({**text, "id": "bbbbbbbbbb"}))
    assert earlier(run.hosts, run.snapshot) is None


def test_a_snapshot_that_is_gone(run):
    run.snapshot.unlink()
    with pytest.raises(AdminError, match="can't be read"):
        earlier(run.hosts, run.snapshot)


def test_a_restore_of_which_nothing_is_left_is_not_taken_up_again(run):
    run.states = states(RESTORED, RESTORED, RESTORED)
    found = earlier(run.hosts, run.snapshot)
    assert found
    found.before.note_finished()
    assert earlier(run.hosts, run.snapshot) is None
