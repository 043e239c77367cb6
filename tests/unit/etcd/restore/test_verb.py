"""`etcd-restore` as a person calls it: its usage, its plan, its question, its outcome and its exit code."""

import io
import json
from dataclasses import replace

import pytest

from kubectl_admin import cli
from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.restore.before import Before
from kubectl_admin.etcd.restore.follow import End
from kubectl_admin.etcd.restore.on_nodes.status import state_of
from kubectl_admin.etcd.restore.resume import Begun
from kubectl_admin.etcd.restore.rules import OTHER_CLUSTER
from kubectl_admin.frame.change import ChangeOptions
from kubectl_admin.frame.environment import Environment
from kubectl_admin.verbs import etcd_restore_work as work
from tests.unit.etcd.restore.runs import ID, NODES, NONE, RESTORED, Run, looked, word
from tests.unit.etcd.restore.test_before import RECORD
from tests.unit.etcd.restore.test_report import compared

YES, DRY = ChangeOptions(yes=True), ChangeOptions(dry_run=True)


def environment(output: str = "json") -> Environment:
    return Environment(io.StringIO(), io.StringIO(), io.StringIO(), {}, output=output)


@pytest.fixture
def run(tmp_path):
    return Run(tmp_path)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "name a snapshot, or use --status or --prune"),
        (["a.db", "--status"], "one of them"),
        (["a.db", "--prune"], "one of them"),
        (["--status", "--prune"], "one of them"),
        (["a.db", "--status", "--prune"], "one of them"),
        (["a.db", "--decide-within", "9s"], "--decide-within is from 10s to 220s"),
        (["a.db", "--decide-within", "221s"], "--decide-within is from 10s to 220s"),
        (["a.db", "--decide-within", "soon"], "soon"),
        (["--decide-within", "10s"], "name a snapshot"),
        (["--decide-within", "220s"], "name a snapshot"),
        (["a.db", "b.db"], "b.db"),
        (["--status", "--dry-run"], "--dry-run does not go with --status"),
        (["--status", "--yes"], "--yes does not go with --status"),
        (["--status", "--all-or-nothing"], "--all-or-nothing does not go with --status"),
        (["--status", "--decide-within", "1m"], "--decide-within does not go with --status"),
        (["--status", "--decide-within", "1s"], "--decide-within does not go with --status"),
        (["--status", "--etcd-prefix", "/registry"], "--etcd-prefix does not go with --status"),
        (["--status", "--local", "--members", "a"], "--members does not go with --status"),
        (["--status", "--force-nodes", "--bump", "1"], "--force-nodes, --bump do not go with --status"),
        (["--prune", "--defrag"], "--defrag does not go with --prune"),
        (["--prune", "--webhooks", "ignore"], "--webhooks does not go with --prune"),
        (["none.db"], "none.db can't be read: No such file or directory"),
        (["none.db", "--dry-run"], "none.db can't be read: No such file or directory"),
        (["/tmp", "-y"], "/tmp can't be read: it is a directory"),
        (["/tmp", "--script"], "/tmp can't be read: it is a directory"),
        (["--local", "--etcdutl", "none"], "none can't be read: No such file or directory"),
    ],
)
def test_wrong_usage(words, said):
    env = environment("table")
    assert cli.run(["etcd-restore", *words], env) == 2
    assert said in env.stderr.getvalue()
    assert env.stdout.getvalue() == ""


def begin(run, how=YES, found=None, env=None):
    env = env or environment()
    shown = work.begin(env, run.runner, (run.snapshot, None), found or looked(), how)
    return shown, json.loads(env.stdout.getvalue())


def test_a_restore(run):
    shown, document = begin(run)
    assert not shown.violated
    assert document["kind"] == "EtcdRestore"
    assert (document["end"], document["begun"], document["secondsWithoutApi"]) == ("restored", True, 12.3)
    assert document["before"] == str(run.folder / "snapshot.db.before")
    assert run.events[-1].startswith("finish")


def test_an_unattended_run_says_what_is_lost(run):
    env, lost = environment("table"), compared(only_in_b=3)
    work.begin(env, run.runner, (run.snapshot, None), looked(compared=lost), YES)
    before = env.stderr.getvalue()
    assert "objects: 3 are lost\n" in before
    assert "KIND" in before
    assert "DIFFERENCE" not in before
    assert env.stdout.getvalue().endswith("steps afterwards: all 1 are done\n")


def test_a_restore_of_all_but_one_node_is_not_over(run):
    run.states["cp-3"] = AdminError("no route to host")
    shown, document = begin(run)
    assert shown.violated
    assert [finding["objects"] for finding in document["findings"]] == [["node/cp-3"]]


def test_a_restore_that_went_back_is_not_what_was_wanted(run):
    run.end, run.states = End.AS_BEFORE, dict.fromkeys(NODES, word("as-before"))
    shown, document = begin(run)
    assert shown.violated
    assert document["end"] == "asBefore"


def test_a_dry_run_prepares_and_removes(run):
    shown, document = begin(run, DRY)
    assert not shown.violated
    assert (document["kind"], document["rehearsed"]) == ("EtcdRestorePlan", True)
    assert run.events[:2] == ["lock", "prepare"]
    assert run.there == set()
    assert "save" not in run.events


@pytest.mark.parametrize("how", [YES, DRY])
def test_what_is_forbidden_is_not_begun(run, how):
    forbidden = OTHER_CLUSTER.violation(subject="the snapshot", evidence="another cluster")
    shown, document = begin(run, how, looked(forbidden))
    assert shown.violated
    assert document["kind"] == "EtcdRestorePlan"
    assert run.events == []


def test_without_a_yes_nothing_is_begun(run):
    with pytest.raises(AdminError):
        begin(run, ChangeOptions())
    assert run.events == []


@pytest.mark.parametrize(
    ("step", "begun", "says"),
    [
        ("save", False, "nothing was changed"),
        ("prepare", False, "nothing was changed"),
        ("go", True, "whether the nodes have been told to begin is not known"),
        ("follow", True, "the nodes have been told to begin"),
    ],
)
def test_an_interrupted_run_says_how_far_it_is(run, step, begun, says):
    def interrupt() -> None:
        raise KeyboardInterrupt

    run.faults[step] = interrupt
    env = environment()
    with pytest.raises(KeyboardInterrupt):
        begin(run, env=env)
    document = json.loads(env.stdout.getvalue())
    assert (document["kind"], document["begun"], document["end"]) == ("EtcdRestore", begun, None)
    assert "unfinished" in {finding["rule"] for finding in document["findings"]}
    env = environment("table")
    again = Run(run.folder)
    again.faults[step] = interrupt
    with pytest.raises(KeyboardInterrupt):
        work.begin(env, again.runner, (again.snapshot, None), looked(), YES)
    assert says in env.stdout.getvalue()


def finish(run, how=YES, **answers):
    states = {node: state_of(node, RESTORED) for node in NODES} if not answers else {}
    record = replace(RECORD, id=ID, nodes=NODES)
    begun = Begun(Before(run.folder / "snapshot.db.before", record), states)
    env = environment()
    shown = work.finish(env, run.runner, begun, how)
    return shown, json.loads(env.stdout.getvalue()), env.stderr.getvalue()


def test_an_earlier_run_is_finished(run):
    shown, document, said = finish(run)
    assert not shown.violated
    assert (document["operation"], document["end"], document["secondsWithoutApi"]) == (ID, "restored", None)
    assert f"restore {ID} of this snapshot was begun before" in said
    assert run.events == ["begin", f"finish {' '.join(NODES)}"]


def test_an_earlier_run_that_is_under_way_is_followed(run):
    finish(run, cp_1=NONE)
    assert run.events[0] == "follow"


def test_a_dry_run_of_what_was_begun_changes_nothing(run):
    _, document, _ = finish(run, DRY)
    assert run.events == []
    assert document["begun"] is True
