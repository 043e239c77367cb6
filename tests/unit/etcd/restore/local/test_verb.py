"""`etcd-restore --local` and `--script` as a person calls them."""

import io
import json
import os
from pathlib import Path

import pytest

from kubectl_admin import cli
from kubectl_admin.etcd.restore.local import report
from kubectl_admin.etcd.restore.local.look import Looked
from kubectl_admin.etcd.restore.local.settings import OWN, Peer, Settings
from kubectl_admin.etcd.restore.on_nodes.status import state_of
from kubectl_admin.frame.environment import Environment
from kubectl_admin.verbs import etcd_restore_local as verb
from tests.unit.etcd.restore.local.test_run import STATE
from tests.unit.etcd.restore.test_snapshot import named

PEERS = (Peer("cp-1", "https://10.0.0.1:2380"), Peer("cp-2", "https://10.0.0.2:2380"))


def environment(output: str = "table") -> Environment:
    return Environment(io.StringIO(), io.StringIO(), io.StringIO(), {}, output=output)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["a.db", "--local", "--script"], "one of them"),
        (["a.db", "--members", "cp-1"], "--members and --bump are for --local and --script"),
        (["a.db", "--bump", "5"], "--members and --bump are for --local and --script"),
        (["a.db", "--script", "--members", ","], "--members takes names"),
        (["a.db", "--script", "--members", "a,a"], "--members takes names"),
        (["a.db", "--script", "--bump", "0"], "--bump"),
        (["a.db", "--script", "--decide-within", "25h"], "--decide-within is from 10s to 86400s"),
        (["--script", "--dry-run"], "--script changes nothing"),
        (["--script"], "name a snapshot, or without one a survivor"),
        (["--script", "--members", "a,b"], "name a snapshot, or without one a survivor"),
        (["--script", "--status"], "--status --local shows this node"),
        (["a.db", "--local", "--status"], "--status --local shows this node"),
        (["--local", "--prune"], "the former data go with --prune alone"),
        (["none.db", "--script"], "none.db"),
    ],
)
def test_wrong_usage(words, said):
    env = environment()
    assert cli.run(["etcd-restore", *words], env) in (1, 2)
    assert said in env.stderr.getvalue()
    assert env.stdout.getvalue() == ""


def test_a_script_is_printed_for_a_snapshot(tmp_path):
    path = named().save(tmp_path / "a.db")
    env = environment()
    assert cli.run(["etcd-restore", str(path), "--script", "--decide-within", "2h"], env) == 0
    text = env.stdout.getvalue()
    assert (text.startswith("#!/bin/sh\n"), "\ndecide 7200\n" in text) == (True, True)
    assert "carry this script and the snapshot to m1" in env.stderr.getvalue()


def test_a_script_is_printed_for_a_survivor():
    env = environment()
    assert cli.run(["etcd-restore", "--script", "--members", "cp-1"], env) == 0
    assert "\nsha256 own\n" in env.stdout.getvalue()


@pytest.mark.skipif(os.geteuid() == 0, reason="it is for others than root")
def test_only_root_restores_here():
    env = environment()
    assert cli.run(["etcd-restore", "--local", "--status"], env) == 1
    assert "needs root" in env.stderr.getvalue()


def test_the_plan_says_who_is_left_out_and_what_is_the_same_on_all_nodes():
    settings = Settings("0123456789", OWN, 0, 5, PEERS[:1], PEERS[1:])
    host = {"node": "cp-1", "quorum": "no"}
    shown = report.plan(Looked(host, None, (), settings), rehearsed=False)
    (text,) = shown.paragraphs
    assert "operation 0123456789, revisions raised by 5: both must be the same on each node" in text
    assert "left out: cp-2; they must never run with their data of now again" in text
    assert [item["leftOut"] for item in shown.items()] == [False, True]
    assert shown.fields["bumpRevision"] == 5


def test_the_state_with_the_last_words_of_its_log():
    shown = report.status(state_of("cp-1", STATE), ["a", "b"])
    env = environment("json")
    env.show(shown)
    document = json.loads(env.stdout.getvalue())
    assert (document["log"], document["items"][0]["word"]) == (["a", "b"], "restored")


class Here:
    """This host, which saves and restores."""

    def __init__(self, data: bytes) -> None:
        self.data, self.restored = data, list[object]()

    def save(self, file, _etcdutl):
        file.write_bytes(self.data)
        return "file"

    def restore(self, settings, file, words):
        self.restored += [settings, file.read_bytes(), list(words)]


def test_own_data_are_verified_before_anything_is_done_with_them(tmp_path, monkeypatch):
    monkeypatch.setattr("kubectl_admin.etcd.restore.local.run.STATE", str(tmp_path / "state"))
    from kubectl_admin.etcd.restore.look.look import Options

    data = named().data()[:-32]  # etcd's own file has no sum
    here = Here(data)
    looked = Looked({"node": "cp-1"}, None, (), Settings("0123456789", OWN, 0, 5, PEERS[:1]))
    verb.carry_out(here, looked, None, Options())
    settings, copied, words = here.restored
    assert (copied, words) == (data, ["--own-file"])
    assert (len(settings.digest), settings.revision) == (64, 5)
    assert list((tmp_path / "state").iterdir()) == []
    torn = Here(data[: len(data) // 2])
    with pytest.raises(Exception, match="damaged"):
        verb.carry_out(torn, looked, None, Options())
    assert torn.restored == []


def test_a_file_is_restored_as_it_is():
    from kubectl_admin.etcd.restore.look.look import Options

    class Straight(Here):
        def restore(self, settings, file, words):
            self.restored += [settings, file, list(words)]

    here = Straight(b"")
    settings = Settings("0123456789", "ab" * 32, 0, 5, PEERS[:1])
    verb.carry_out(here, Looked({"node": "cp-1"}, None, (), settings), Path("/a.db"), Options())
    assert here.restored == [settings, Path("/a.db"), []]
