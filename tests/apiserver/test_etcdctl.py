"""What etcdctl of every supported version answers and saves, called as on the members of a cluster."""

import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from kubectl_admin.cluster.exec import ExecResult
from kubectl_admin.etcd.members.etcdctl import Etcdctl, EtcdctlError, Status
from kubectl_admin.etcd.members.flags import Access
from kubectl_admin.etcd.save.on_host import SAVE
from kubectl_admin.etcd.snapshot.verify import verify
from tests.lab.api import etcd_process
from tests.lab.api.etcd_process import Etcd
from tests.lab.progress import Progress
from tests.lab.recipes import binaries
from tests.lab.versions import MORE_ETCD, RELEASES

pytestmark = pytest.mark.lab

# Each member of a new cluster looks every few seconds which version all of them have agreed on.
# Source: etcd-io/etcd server/etcdserver/server.go, monitorStorageVersion.
SETTLING = 120.0  # seconds; a few on an idle machine
VERSIONS = sorted({*MORE_ETCD, *(release.etcd for release in RELEASES)})


@pytest.fixture(scope="module", params=VERSIONS)
def members(request: Any, tmp_path_factory: Any) -> Iterator[tuple[str, list[Etcd]]]:
    """Three members of this version that hold a few keys."""
    folder = tmp_path_factory.mktemp("etcd")
    programs = binaries.etcd(request.param, Progress("etcd", folder / "logs"))
    with etcd_process.running(programs, folder, members=3) as etcds:
        for number in range(20):
            etcds[0].put((b"key-%d" % number, b"value"))
        yield request.param, etcds


def run(words: Sequence[str | Path]) -> ExecResult:
    """Runs etcdctl here."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ETCD")}
    done = subprocess.run(words, capture_output=True, check=False, env=environment)
    return ExecResult(done.returncode, done.stdout, done.stderr)


def etcdctl(etcd: Etcd) -> Etcdctl:
    """etcdctl for one member."""
    return Etcdctl(run, Access(etcd.url), program=str(etcd.programs / "etcdctl"))


def settled(etcds: Sequence[Etcd], stored: set[str]) -> list[Status]:
    """What the members say once each has brought its database to this version, or after a while."""
    end = time.monotonic() + SETTLING
    while True:
        statuses = [etcdctl(etcd).status() for etcd in etcds]
        if {status.storage_version for status in statuses} == stored or time.monotonic() > end:
            return statuses
        time.sleep(0.2)


def test_what_members_say_of_themselves(members):
    version, etcds = members
    stored = {""} if version.startswith("3.5.") else {f"{version.rpartition('.')[0]}.0"}
    statuses = settled(etcds, stored)
    assert {status.version for status in statuses} == {version}
    assert len({status.cluster_id for status in statuses}) == 1
    assert {status.leader for status in statuses} < {status.member_id for status in statuses}
    assert all(status.size >= status.in_use > 0 and status.applied > 0 for status in statuses)
    assert {status.storage_version for status in statuses} == stored


def test_the_list_of_members(members):
    _, etcds = members
    listed = etcdctl(etcds[0]).members()
    assert {member.name for member in listed} == {"m1", "m2", "m3"}
    assert {url for member in listed for url in member.client_urls} == {etcd.url for etcd in etcds}
    assert not any(member.learner for member in listed)


def test_hashes_at_one_revision_are_equal(members):
    _, etcds = members
    revision = min(etcdctl(etcd).status().revision for etcd in etcds)
    hashes = [etcdctl(etcd).hash(revision) for etcd in etcds]
    assert len({one.value for one in hashes}) == 1
    assert {one.revision for one in hashes} == {revision}


def test_alarms(members):
    _, etcds = members
    assert etcdctl(etcds[0]).alarms() == ()


def test_keys_below_a_prefix_and_their_end(members):
    _, etcds = members
    etcds[0].put((b"/gone/a", b"1"), (b"/gone/\xff", b"2"), (b"/gone", b"stays"))
    assert etcdctl(etcds[1]).keys("/gone/") == ("/gone/a", "/gone/\\xff")
    etcdctl(etcds[1]).delete("/gone/")
    assert etcdctl(etcds[2]).keys("/gone/") == ()
    etcdctl(etcds[1]).delete("/gone/")
    assert etcdctl(etcds[0]).keys("/gone") == ("/gone",)


def test_a_member_that_is_not_there_is_told_in_words(members):
    _, etcds = members
    with pytest.raises(EtcdctlError, match="connection refused"):
        etcdctl(etcds[0]).at("http://127.0.0.1:1").status()


def test_a_snapshot_by_the_script_that_runs_on_nodes(members, tmp_path):
    _, etcds = members
    file = tmp_path / "snapshot.db"
    program = str(etcds[0].programs / "etcdctl")
    command = SAVE.command([program, str(file), f"--endpoints={etcds[1].url}"])
    assert run(command).exit_code == 0
    assert file.stat().st_mode & 0o777 == 0o600
    verdict = verify(file)
    assert verdict.sound
    assert {member.name for member in verdict.snapshot.contents.members} == {"m1", "m2", "m3"}
