"""`kubectl admin backup` on a real cluster: all of it is there, and a killed run leaves nothing."""

import io
import json
import tarfile
import time
from hashlib import sha256
from pathlib import Path

import pytest

from kubectl_admin.backup.seal.packing import zstd
from tests.cluster.labs import admin, environ_of
from tests.cluster.node_room import folders, pods
from tests.lab.nodes.lab import Lab
from tests.program import start

pytestmark = pytest.mark.lab

PATIENCE = 120  # seconds in which a debug pod must be there


def files_of(archive: Path, node: str) -> dict[str, bytes]:
    """The files of a node by their paths, out of an archive that is not encrypted."""
    with tarfile.open(archive) as outer:
        piece = outer.extractfile(f"files-{node}.tar.zst")
        assert piece
        with tarfile.open(fileobj=io.BytesIO(zstd.decompress(piece.read()))) as inner:
            return {
                f"/{each.name}": content.read()
                for each in inner
                if each.isfile() and (content := inner.extractfile(each))
            }


def flagged(lab: Lab, node: str) -> set[str]:
    """The files that flags of the static pods of a node name."""
    listed = lab.exec(node, ["sh", "-c", "cat /etc/kubernetes/manifests/*.yaml"]).stdout
    values = {word.partition("=")[2] for word in listed.split() if word.startswith("--")}
    return {value for value in values if value.startswith("/etc/kubernetes/") and "." in value}


def test_every_file_that_is_named_is_in_it_as_it_is_on_the_node(lab: Lab, tmp_path: Path) -> None:
    archive = tmp_path / "a.tar"
    done = admin(lab, "backup", "-o", str(archive), "--plain", "--json")
    assert done.code == 0, done.err
    (item,) = json.loads(done.out)["items"]
    assert item["size"] == archive.stat().st_size
    assert item["verified"]
    assert item["database"]["node"] in [each.name for each in lab.control_planes]
    for each in lab.control_planes:
        files = files_of(archive, each.name)
        assert flagged(lab, each.name) <= {*files}
        sums = lab.exec(each.name, ["sha256sum", *files]).stdout.splitlines()
        there = {path: digest for digest, path in (line.split("  ", 1) for line in sums)}
        assert {path: sha256(content).hexdigest() for path, content in files.items()} == there
    assert (pods(lab), folders(lab, lab.control_planes[0].name)) == ([], [])


def test_a_run_that_is_killed_leaves_no_archive_and_the_next_one_clears_up(lab: Lab, tmp_path: Path) -> None:
    archive = tmp_path / "a.tar"
    with start("backup", "-o", str(archive), "--plain", env=environ_of(lab)) as process:
        end = time.monotonic() + PATIENCE
        while not pods(lab):
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < end, "no debug pod has come"
        process.kill()
        process.communicate()
    assert not archive.exists()
    done = admin(lab, "backup", "-o", str(archive), "--plain", "--only", "files")
    assert done.code == 0, done.err
    assert [each.name for each in tmp_path.iterdir()] == ["a.tar"]
    assert (pods(lab), folders(lab, lab.control_planes[0].name)) == ([], [])
