"""Where an upgrade's snapshot of etcd goes, and what is said before anything is touched."""

import os
import re

import pytest

from kubectl_admin.errors import UsageError
from kubectl_admin.upgrade import snapshot


def test_a_file_that_is_there_is_refused_with_a_way_that_the_verb_has(tmp_path):
    file = tmp_path / "etcd.db"
    assert snapshot.findings("cp-1", str(file), "lab", resumed=False) == []
    file.write_bytes(b"another upgrade's")
    (found,) = snapshot.findings("cp-1", str(file), "lab", resumed=False)
    assert (found.rule, found.evidence) == ("snapshot-file", f"{file} already exists")
    assert "--snapshot" in found.fix
    assert "--force" not in found.fix


def test_the_same_command_goes_on_and_keeps_the_earlier_parts_file(tmp_path):
    file = tmp_path / "etcd.db"
    file.write_bytes(b"the first part's")
    assert snapshot.findings("cp-1", str(file), "lab", resumed=True) == []
    beside = snapshot.destination(str(file), "lab", resumed=True)
    assert re.fullmatch(r"etcd-\d{8}T\d{6}Z\.db", beside.name)
    assert (beside.parent, beside.exists()) == (tmp_path, False)


def test_a_directory_means_a_new_file_in_it(tmp_path):
    assert snapshot.destination(str(tmp_path), "lab", resumed=False).name.startswith("etcd-lab-")


@pytest.mark.parametrize("resumed", [True, False])
@pytest.mark.parametrize("name", ["missing/etcd.db", "missing/", "link", "pipe"])
def test_what_can_not_be_made_is_said_at_once(tmp_path, name, resumed):
    (tmp_path / "link").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError):
        snapshot.destination(f"{tmp_path}/{name}", "lab", resumed=resumed)


def test_a_stream_and_a_directory_that_can_not_be_written_are_no_place():
    unwritable = "/proc/sys"  # also by root, whom no mode stops
    for wanted, what in (("-", "needs a file"), (unwritable, "is not writable")):
        (found,) = snapshot.findings("cp-1", wanted, "lab", resumed=False)
        assert what in found.evidence
