"""The state before a restore as files: whole or not at all, never overwritten, read again by a later run."""

import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kubectl_admin.cluster.errors import NotFound
from kubectl_admin.errors import AdminError, UsageError
from kubectl_admin.etcd.restore import before
from kubectl_admin.etcd.restore.record import Record
from tests.program import ROOT, environ
from tests.unit.etcd.restore.consequences.objects import attachment, node, volume

RECORD = Record(
    "0123456789", "f" * 64, 41, 1_000_000_000, "uid", ("cp-1",), {"cp-1": "https://10.0.0.1:2380"}, 9.5
)
NODES = [node("cp-1", "10.0.0.0/24"), node("w«1»", "10.0.1.0/24", taints=[{"key": "a\nb"}])]
FILES = ["nodes.json", "operation.json", "snapshot.db", "volumes.json"]


class Cluster:
    """Lists what it has; it knows no VolumeSnapshotContents."""

    def __init__(self, nodes: list[Any] = NODES) -> None:
        self.items = {
            "/api/v1/nodes": nodes,
            "/api/v1/persistentvolumes": [volume("pv-1", "ns/a", csi={"driver": "d", "volumeHandle": "1"})],
            "/apis/storage.k8s.io/v1/volumeattachments": [attachment("a-1", "w1", "pv-1")],
        }

    def list(self, path: str, *, page: int) -> Any:
        assert page
        if path not in self.items:
            raise NotFound(404, "NotFound", path)
        yield from self.items[path]


def saved(_hosts: Any, _options: Any, draft: Any, *, watch: Any) -> Any:
    """Stands for save.save_snapshot."""
    del watch
    draft.write(b"a snapshot")
    return before.SavedSnapshot(
        None, "cp-1", None, SimpleNamespace(snapshot=SimpleNamespace(sha256="5a")), 1.0
    )  # type: ignore[arg-type]


def no_display(_title: str) -> Any:
    """Stands for the display of a phase; nothing here shows one."""
    raise AssertionError


def save(file: Path, cluster: Any = None, save_snapshot: Any = saved) -> before.Before:
    hosts: Any = SimpleNamespace(cluster=cluster or Cluster())
    return before.save(hosts, file, RECORD, watch=no_display, save_snapshot=save_snapshot)  # type: ignore[arg-type,return-value]


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def test_everything_is_there_for_its_owner_alone_and_is_read_again(tmp_path):
    made = save(tmp_path / "s.db")
    assert made.directory == tmp_path / "s.db.before"
    assert names(made.directory) == FILES
    assert stat.S_IMODE(made.directory.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in made.directory.iterdir()} == {0o600}
    again = before.load(made.directory)
    assert again.record == made.record
    assert (again.record.id, again.record.bump, again.record.nodes) == (
        "0123456789",
        1_000_000_000,
        ("cp-1",),
    )
    assert [one["metadata"] for one in again.nodes()] == [one["metadata"] for one in NODES]
    assert [one["spec"] for one in again.nodes()] == [one["spec"] for one in NODES]
    assert [(resource[1], one["kind"]) for resource, one in again.volumes()] == [
        ("persistentvolumes", "PersistentVolume"),
        ("volumeattachments", "VolumeAttachment"),
    ]
    whole = json.loads((made.directory / "nodes.json").read_bytes())
    assert (whole["kind"], whole["items"][0]["kind"], whole["items"][0]["apiVersion"]) == (
        "List",
        "Node",
        "v1",
    )


def test_nothing_at_all_is_a_list_too(tmp_path):
    made = save(tmp_path / "s.db", Cluster([]))
    assert json.loads((made.directory / "nodes.json").read_bytes())["items"] == []
    assert list(made.nodes()) == []


def test_an_earlier_one_is_never_overwritten(tmp_path):
    first, second = save(tmp_path / "s.db"), save(tmp_path / "s.db")
    assert second.directory.name == "s.db.before-2"
    assert names(first.directory) == names(second.directory) == FILES
    assert before.latest(tmp_path / "s.db") == second.directory
    assert before.latest(tmp_path / "other.db") is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a directory away")
@pytest.mark.parametrize("how", ["owner", "link"])
def test_no_restore_is_resumed_from_another_user_s_directory(tmp_path, how):
    made = save(tmp_path / "s.db").directory
    if how == "owner":
        os.chown(made, 54321, 54321)
    else:
        made.rename(tmp_path / "elsewhere")
        made.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageError, match=r"s\.db\.before is another user's, so no restore is resumed"):
        before.latest(tmp_path / "s.db")


@pytest.mark.parametrize("what", ["a file", "a link"])
def test_what_is_there_under_that_name_is_left_alone(tmp_path, what):
    taken, elsewhere = tmp_path / "s.db.before", tmp_path / "elsewhere"
    elsewhere.mkdir()
    if what == "a file":
        taken.write_text("mine")
    else:
        taken.symlink_to(elsewhere)
    assert save(tmp_path / "s.db").directory.name == "s.db.before-2"
    assert list(elsewhere.iterdir()) == []


def test_an_error_in_the_middle_leaves_nothing(tmp_path):
    def fails(*_: Any, **__: Any) -> Any:
        raise AdminError("etcd is silent")

    with pytest.raises(AdminError, match="etcd is silent"):
        save(tmp_path / "s.db", save_snapshot=fails)
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_was_killed_leaves_nothing_that_counts_and_its_place_is_taken_again(tmp_path):
    code = (
        "import os, signal, sys\n"
        "from tests.unit.etcd.restore.test_before import save, Path\n"
        "save(Path(sys.argv[1]), save_snapshot=lambda *a, **b: os.kill(os.getpid(), signal.SIGKILL))\n"
    )
    file = tmp_path / "s.db"
    died = subprocess.run([sys.executable, "-c", code, str(file)], check=False, cwd=ROOT, env=environ())
    assert died.returncode == -signal.SIGKILL
    half = tmp_path / "s.db.before"
    assert names(half)
    assert before.latest(file) is None
    with pytest.raises(UsageError, match=r"operation\.json can't be read"):
        before.load(half)
    assert save(file).directory == half
    assert names(half) == FILES


def test_one_that_another_run_is_writing_is_left_to_it(tmp_path):
    inner = []

    def meanwhile(*args: Any, **more: Any) -> Any:
        inner.append(save(tmp_path / "s.db").directory.name)
        return saved(*args, **more)

    assert save(tmp_path / "s.db", save_snapshot=meanwhile).directory.name == "s.db.before"
    assert inner == ["s.db.before-2"]


def test_nodes_that_were_changed_since_are_not_used(tmp_path):
    made = save(tmp_path / "s.db")
    file = made.directory / "nodes.json"
    file.write_bytes(file.read_bytes().replace(b"10.0.1.0", b"10.0.9.0"))
    with pytest.raises(AdminError, match="is not as it was written"):
        list(before.load(made.directory).nodes())


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 2}', '{"format": 1, "id": "x", "nodes": 4}'])
def test_another_file_is_no_record(tmp_path, text):
    (tmp_path / "operation.json").write_text(text)
    with pytest.raises(AdminError, match=r"operation\.json"):
        before.load(tmp_path)


def test_the_moment_when_the_api_was_back_is_noted_once(tmp_path):
    made = save(tmp_path / "s.db")
    first = made.note_api_back()
    assert before.load(made.directory).note_api_back() == first


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_place_that_can_not_be_written(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(UsageError, match="can't be made"):
        save(tmp_path / "s.db")


def test_a_time_that_can_not_be_kept_is_told_all_the_same(tmp_path):
    assert before.Before(tmp_path / "full", RECORD).note_api_back() > 1e9
