"""`kubectl admin etcd-snapshot` on a real cluster: verified, restored, and whatever gets in its way."""

import contextlib
import hashlib
import json
import random
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kubectl_admin.report.progress import CLEAR_LINE
from tests import permissions
from tests.cluster import etcd_direct
from tests.cluster.etcd_direct import OBJECTS, PREFIX
from tests.cluster.labs import admin, environ_of, stage_of
from tests.cluster.node_room import STATE, folders, pods
from tests.lab.nodes import node as machine
from tests.lab.nodes.lab import Lab
from tests.program import PROGRAM, ROOT, Child, run_on_terminal, start

pytestmark = pytest.mark.lab

MEGABYTES = 80
MIB = 1 << 20
SEED = 4
SLOW = ("--compress=none", "--limit-rate=12M")  # so that something can happen meanwhile
FASTER = ("--compress=none", "--limit-rate=40M")
# So that it still comes when the node has been asked for the sum of it, on a machine that is busy.
SLOWER = ("--compress=none", "--limit-rate=8M")
SLOWEST = ("--compress=none", "--limit-rate=4M")  # the same for twenty cuts, between which something comes
PATIENCE = 240  # seconds in which something must have come


@pytest.fixture(scope="module")
def filled(shared_lab: Lab) -> Iterator[None]:
    """etcd has a database of 80 MB that nothing can pack."""
    with etcd_direct.filled(shared_lab, MEGABYTES):
        yield


@pytest.fixture(autouse=True)
def _nothing_left(lab: Lab) -> Iterator[None]:
    yield
    while RUNS:  # of a test that has failed
        with RUNS.pop() as process:
            process.kill()
    assert left(lab) == {}


def left(lab: Lab) -> dict[str, list[str]]:
    """The debug pods of a lab, and what is in the tool's folder on each node, as far as there is any."""
    found = {"pods": pods(lab)} | {each.name: folders(lab, each.name) for each in lab.control_planes}
    return {what: names for what, names in found.items() if names}


def largest(lab: Lab) -> int:
    """Bytes of the largest database: what tests before have written makes it grow."""
    sizes = []
    for node in lab.control_planes:
        with etcd_direct.member(lab, node.name) as etcd:
            sizes.append(etcd.database())
    return max(sizes)


def snapshot(lab: Lab, file: Path, *options: str) -> dict:
    """Takes one, and returns what it says of it as JSON."""
    done = admin(lab, "etcd-snapshot", "-o", str(file), "--json", *options, timeout=300)
    assert done.code == 0, done.err
    (item,) = json.loads(done.out)["items"]
    return item


RUNS: list[Child[str]] = []  # that were started by the present test


class Running:
    """A run that is under way."""

    def __init__(self, lab: Lab, file: Path, *options: str) -> None:
        self.file = file
        arguments = ["etcd-snapshot", "-o", str(file), "--json", *options]
        self.process = start(*arguments, env=environ_of(lab))
        RUNS.append(self.process)

    def come(self) -> int:
        """Bytes of it that are here; -1 where there is no part."""
        with contextlib.suppress(FileNotFoundError, StopIteration):
            return next(self.file.parent.glob(f"{self.file.name}.*.part")).stat().st_size
        return -1

    def until(self, state: Callable[[], object]) -> None:
        """Waits for something to be so while it runs."""
        end = time.monotonic() + PATIENCE
        while not state():
            assert self.process.poll() is None, f"it ended too soon: {self.process.communicate()}"
            assert time.monotonic() < end, f"it is not so after {PATIENCE} s; {self.come()} bytes are here"
            time.sleep(0.02)

    def ended(self) -> tuple[int, str, str]:
        """How it ends: exit code, stdout, stderr."""
        out, err = self.process.communicate(timeout=300)
        return self.process.returncode, out, err

    def result(self) -> dict:
        """What it says when it has succeeded."""
        code, out, err = self.ended()
        assert code == 0, err
        (item,) = json.loads(out)["items"]
        return item


def sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def files(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


def error_of(said: str) -> str:
    """The line that tells what went wrong."""
    (line,) = (line for line in said.splitlines() if line.startswith("error: "))
    return line


ETCDCTL = """
cd /etc/kubernetes/pki/etcd
exec "/proc/$(pidof etcd)/root/usr/local/bin/etcdctl" --endpoints=https://127.0.0.1:2379 \
  --cacert=ca.crt --cert=healthcheck-client.crt --key=healthcheck-client.key "$@"
"""


def leader(lab: Lab) -> str:
    """The control plane whose member leads, once there is one: on a busy machine another may be elected."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        for each in lab.control_planes:
            command = ["sh", "-c", ETCDCTL, "sh", "endpoint", "status", "-w", "json"]
            told = lab.exec(each.name, command, check=False).stdout
            for answer in json.loads(told or "[]"):
                if answer["Status"]["leader"] == answer["Status"]["header"]["member_id"]:
                    return each.name
    raise AssertionError("nobody leads")


def test_a_follower_gives_it_unless_another_is_named(lab, tmp_path):
    led, leads = "", leader(lab)
    while led != leads:  # it was the leader all the time
        led = leads
        taken = snapshot(lab, tmp_path / "a.db", "--force")["node"]
        leads = leader(lab)
    assert taken != leads
    assert snapshot(lab, tmp_path / "b.db", "--node", leads)["node"] == leads


@pytest.mark.parametrize("tool", ["zstd", "gzip", "none"])
def test_each_way_to_pack_it(lab, tmp_path, tool):
    item = snapshot(lab, tmp_path / "snapshot.db", f"--compress={tool}")
    assert item["compression"] == tool
    size = item["snapshot"]["sizeBytes"]
    assert item["wireBytes"] > size if tool == "none" else item["wireBytes"] < size / 2


def test_a_folder_gets_a_file_named_by_cluster_and_time(lab, tmp_path):
    """By one who has the rights of docs/permissions.md, but for that to say why no pod starts.

    What is missing is told beforehand: tests/apiserver/test_rights_beforehand.py.
    """
    events = ["list events in namespace kube-system"]
    with permissions.holder(stage_of(lab), "etcd-snapshot", events) as path:
        done = admin(lab, "etcd-snapshot", "-o", str(tmp_path), KUBECONFIG=str(path))
    assert done.code == 0, done.err
    (name,) = files(tmp_path)
    assert name.startswith("etcd-")
    assert done.err == ""
    for word in (
        name,
        f"sha256 {sha256(tmp_path / name)}",
        "cluster id",
        "REVISION",
        "3.6",
        "cp-3",
    ):
        assert word in done.out


def test_a_stream_gets_bytes_alone_and_the_report_goes_to_stderr(lab, tmp_path):
    command = [*PROGRAM, "etcd-snapshot", "-o", "-", "--json"]
    environ = environ_of(lab, TMPDIR=str(tmp_path))
    done = subprocess.run(command, env=environ, cwd=ROOT, capture_output=True, check=True, timeout=120)
    (item,) = json.loads(done.stderr)["items"]
    assert item["file"] is None
    assert hashlib.sha256(done.stdout).hexdigest() == item["snapshot"]["sha256"]
    assert files(tmp_path) == []


def test_a_reader_of_the_stream_that_dies_is_an_error(lab, tmp_path):
    environ = environ_of(lab, TMPDIR=str(tmp_path))
    with subprocess.Popen(
        [*PROGRAM, "etcd-snapshot", "-o", "-"],
        env=environ,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout
        assert process.stderr
        assert len(process.stdout.read(10)) == 10
        process.stdout.close()
        said = process.stderr.read().decode()
    assert (process.returncode, said.splitlines()[0]) == (1, "error: stdout can't be written: Broken pipe")


def test_a_file_that_is_there_stays_unless_it_is_forced(lab, tmp_path):
    file = tmp_path / "snapshot.db"
    file.write_text("the only other one")
    done = admin(lab, "etcd-snapshot", "-o", str(file))
    assert (done.code, done.out) == (2, "")
    assert "already exists" in done.err
    assert file.read_text() == "the only other one"
    snapshot(lab, file, "--force")
    assert files(tmp_path) == ["snapshot.db"]
    assert file.stat().st_size > MIB


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--node=worker-1"], "node worker-1 does not run an etcd member; nodes that do: cp-1, cp-2, cp-3"),
        (["--node=none"], "there is no node none"),
        (["--etcdctl=/nowhere/etcdctl"], "/nowhere/etcdctl': No such file or directory"),
        (["--image=registry.invalid/none:1"], "does not start"),
        (["--debug-namespace=none"], "none"),
    ],
)
def test_what_can_not_be(lab, tmp_path, options, said):
    done = admin(lab, "etcd-snapshot", "-o", str(tmp_path), *options, timeout=120)
    assert done.code == 1
    assert said in error_of(done.err)
    assert files(tmp_path) == []


def test_who_has_no_rights_is_told_all_that_are_missing_in_one_line(lab, tmp_path):
    done = admin(lab, "etcd-snapshot", "-o", str(tmp_path), "--as=nobody")
    assert done.code == 1
    needed = [
        right
        for right in permissions.rights(permissions.of_page("etcd-snapshot"))
        if right.resource != "events"
    ]
    assert error_of(done.err).startswith('error: user "nobody" may not ')
    assert sorted(permissions.told_missing(done)) == sorted(map(str, needed))
    assert "docs/permissions.md" in done.err
    assert files(tmp_path) == []


def test_a_member_that_is_down(lab, tmp_path):
    leads = leader(lab)
    with lab.faults.static_pod(leads, "etcd"):
        assert snapshot(lab, tmp_path / "snapshot.db")["node"] != leads
        done = admin(lab, "etcd-snapshot", "-o", str(tmp_path / "other.db"), "--node", leads)
        assert done.code == 1
        assert leads in done.err
        assert files(tmp_path) == ["snapshot.db"]


FILLING = f"""#!/bin/sh
case "$*" in *"snapshot save"*) cat /dev/zero > {STATE}/.filler-2 ;; esac
exec "/proc/$(pidof etcd)/root/usr/local/bin/etcdctl" "$@"
"""


def test_a_disk_there_that_fills_up_meanwhile(lab, tmp_path):
    program = "/root/etcdctl-on-a-full-disk"
    machine.write(lab.node("cp-2"), program, FILLING, 0o755)
    with lab.faults.disk("cp-2", STATE, size_mib=500, free_mib=400):
        file = tmp_path / "snapshot.db"
        done = admin(lab, "etcd-snapshot", "-o", str(file), "--node=cp-2", f"--etcdctl={program}")
        lab.exec("cp-2", ["rm", f"{STATE}/.filler-2", program])
        assert (done.code, done.out) == (1, "")
        assert error_of(done.err).startswith("error: node cp-2: etcd gave no snapshot: ")
        assert "no space left on device" in error_of(done.err)
        assert files(tmp_path) == []
        assert left(lab) == {}
    lab.exec("cp-2", ["rmdir", STATE])


@pytest.mark.usefixtures("filled")
def test_taken_while_a_load_writes_it_serves_the_same_keys_when_restored(lab, tmp_path):
    file = tmp_path / "snapshot.db"
    with etcd_direct.load(lab) as written:
        item = snapshot(lab, file)
    revision = item["snapshot"]["revision"]
    assert written[0] < revision < written[-1], "nothing was written meanwhile"
    with etcd_direct.restored(lab, file, tmp_path) as there, etcd_direct.member(lab) as here:
        # What it serves now may be newer: leases that were saved end here as well, and take their keys away.
        assert there.revision() >= revision
        load = here.everything(PREFIX + b"load/", revision)
        assert len(load) == etcd_direct.LOADED
        assert there.everything(PREFIX + b"load/", revision) == load
        objects = here.everything(OBJECTS, revision)
        assert len(objects) > 200
        assert there.everything(OBJECTS, revision) == objects
        assert there.names(PREFIX, revision) == here.names(PREFIX, revision)


@pytest.mark.usefixtures("filled")
def test_what_it_says_is_what_etcdutl_says(lab, tmp_path):
    file = tmp_path / "snapshot.db"
    item = snapshot(lab, file)
    done = admin(lab, "etcd-verify", str(file), "--full", "-o", "json", timeout=120)
    (verified,) = json.loads(done.out)["items"]
    told = etcd_direct.status(lab, file)
    mine = verified["snapshot"]
    assert (mine["crc32c"], mine["revision"], mine["liveKeys"], mine["databaseBytes"]) == (
        told["hash"],
        told["revision"],
        told["totalKey"],
        told["totalSize"],
    )
    assert mine["storageVersion"] == told["version"]
    assert item["snapshot"] == mine | {"crc32c": None, "liveKeys": None}
    assert (mine["sha256"], mine["sizeBytes"]) == (sha256(file), file.stat().st_size)
    assert (mine["appendedHash"], item["sound"], item["damaged"]) == ("right", True, 0)
    assert {member["name"] for member in mine["members"]} == {each.name for each in lab.control_planes}
    listed = lab.exec("cp-1", ["sh", "-c", ETCDCTL, "sh", "member", "list", "-w", "json"]).stdout
    assert item["clusterID"] == f"{json.loads(listed)['header']['cluster_id']:x}"
    assert file.stat().st_mode & 0o777 == 0o600
    assert files(tmp_path) == ["snapshot.db"]


@pytest.mark.usefixtures("filled")
def test_on_a_terminal_it_shows_how_far_it_is(lab, tmp_path):
    file = str(tmp_path / "snapshot.db")
    shown = run_on_terminal("etcd-snapshot", "-o", file, *FASTER, env=environ_of(lab, TERM="xterm"))
    assert shown.code == 0
    assert re.search(r"snapshot from cp-\d: \d+ of \d+ MiB, \d+ MiB/s, 0:0\d left", shown.out)
    assert re.search(r"verifying: \d+ of \d+ MiB", shown.out)
    assert "sha256 " in shown.out.rpartition(CLEAR_LINE)[2]


@pytest.mark.usefixtures("filled")
def test_a_rate_is_kept_to(lab, tmp_path):
    item = snapshot(lab, tmp_path / "snapshot.db", *FASTER)
    assert item["phases"]["fetch"] >= (item["wireBytes"] - 4 * MIB) / (40 * MIB)


@pytest.mark.usefixtures("filled")
def test_twenty_streams_cut_in_one_transfer_bring_the_same_bytes(lab, tmp_path):
    file = tmp_path / "snapshot.db"
    running = Running(lab, file, *SLOWEST, "--node=cp-2")
    running.until(lambda: running.come() > 0)
    there = on_node(lab, "cp-2")
    for number in range(21):
        stream, come = sending(lab, "cp-2"), running.come()
        lab.faults.cut_connections()
        running.until(lambda stream=stream: sending(lab, "cp-2") != stream)
        if number % 4 == 0:  # the others are cut before they have brought anything
            running.until(lambda come=come: running.come() > come)
    item = running.result()
    assert item["cuts"] >= 20
    assert item["snapshot"]["sha256"] == sha256(file) == there
    assert files(tmp_path) == ["snapshot.db"]


def sending(lab: Lab, node: str) -> str:
    """Which stream sends at this moment, as the host of the node has it."""
    (file,) = Path(f"/proc/{machine.pid(lab.node(node))}/root{STATE}").glob("*/packing")
    return file.read_text()


def on_node(lab: Lab, node: str) -> str:
    """The sha256 of the snapshot that lies on a node at this moment, once it is whole."""
    script = f"""
        while [ ! -e {STATE}/*/job/result ]; do sleep 0.05; done
        sha256sum {STATE}/*/snapshot.db
    """
    return lab.exec(node, ["sh", "-ec", script], timeout=PATIENCE).stdout.split()[0]


@pytest.mark.usefixtures("filled")
def test_a_kubelet_that_is_restarted_meanwhile(lab, tmp_path):
    file = tmp_path / "snapshot.db"
    running = Running(lab, file, *SLOWER, "--node=cp-2")
    running.until(lambda: running.come() > 0)
    there = on_node(lab, "cp-2")
    running.until(lambda: running.come() > 20 * MIB)
    lab.exec("cp-2", ["systemctl", "restart", "kubelet"])
    item = running.result()
    assert item["snapshot"]["sha256"] == sha256(file) == there


@pytest.mark.usefixtures("filled")
def test_an_api_server_that_is_stopped_and_started_meanwhile(lab, tmp_path):
    file = tmp_path / "snapshot.db"
    server = f"https://{lab.node('cp-3').address}:6443"
    running = Running(lab, file, *SLOWER, "--node=cp-2", f"--server={server}")
    running.until(lambda: running.come() > 0)
    there = on_node(lab, "cp-2")
    running.until(lambda: running.come() > 20 * MIB)
    lab.exec("cp-3", ["sh", "-c", "kill -KILL $(pidof kube-apiserver)"])
    item = running.result()
    assert item["cuts"] >= 1
    assert item["snapshot"]["sha256"] == sha256(file) == there


@pytest.mark.usefixtures("filled")
def test_patience_that_is_over(lab, tmp_path):
    running = Running(lab, tmp_path / "snapshot.db", *SLOW, "--node=cp-2", "--timeout=5s")
    running.until(lambda: running.come() > 8 * MIB)
    with lab.faults.load_balancer():
        time.sleep(12)  # longer than it is put up with; its clean-up takes half a minute more
    code, out, err = running.ended()
    assert (code, out) == (1, "")
    assert err.splitlines()[-1].startswith("error: ")
    assert files(tmp_path) == []


@pytest.mark.usefixtures("filled")
def test_ctrl_c_at_ten_moments_leaves_nothing(lab, tmp_path):
    began = time.monotonic()
    snapshot(lab, tmp_path / "whole.db", *FASTER)
    whole = time.monotonic() - began
    (tmp_path / "whole.db").unlink()
    chance = random.Random(SEED)
    for _ in range(10):
        moment = chance.uniform(0.3, whole)
        running = Running(lab, tmp_path / "snapshot.db", *FASTER)
        with contextlib.suppress(subprocess.TimeoutExpired):
            running.process.wait(moment)  # the moment of the interruption, not of an assertion
        running.process.send_signal(signal.SIGINT)
        code, out, err = running.ended()
        if code == 0:  # it was done before
            assert files(tmp_path) == ["snapshot.db"]
            (tmp_path / "snapshot.db").unlink()
        elif code == -signal.SIGINT:  # it was still being loaded
            assert files(tmp_path) == []
        else:
            assert (code, out, err.splitlines()[-1]) == (130, "", "error: interrupted")
            assert files(tmp_path) == []
        assert left(lab) == {}, f"after {moment:.2f} s of {whole:.2f}: {err}"


@pytest.mark.usefixtures("filled")
def test_being_told_to_end_leaves_nothing(lab, tmp_path):
    running = Running(lab, tmp_path / "snapshot.db", *SLOW)
    running.until(lambda: running.come() > 8 * MIB)
    running.process.terminate()
    code, _, err = running.ended()
    assert (code, err.splitlines()[-1]) == (143, "error: terminated")
    assert files(tmp_path) == []


@pytest.mark.usefixtures("filled")
def test_what_a_killed_run_leaves_the_next_one_removes(lab, tmp_path):
    file = tmp_path / "snapshot.db"
    running = Running(lab, file, *SLOW, "--node=cp-2")
    running.until(lambda: running.come() > 8 * MIB)
    running.process.kill()
    assert running.ended()[0] == -signal.SIGKILL
    (part,) = files(tmp_path)
    assert re.fullmatch(r"snapshot\.db\.[0-9a-f]{16}\.part", part)
    found = left(lab)
    assert sorted(found) == ["cp-2", "pods"]
    snapshot(lab, file, "--node=cp-2")
    assert files(tmp_path) == ["snapshot.db"]
    # The next run does not wait for what it deletes, whose process has its time to end.
    gone = [f"pod/{name}" for name in found["pods"]]
    lab.kubectl("-n", "kube-system", "wait", *gone, "--for=delete", "--timeout=180s", timeout=190)


@contextlib.contextmanager
def small_disk(size: int) -> Iterator[Path]:
    """A folder here on a file system of its own, of so many MiB."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}m", "tmpfs", folder], check=True)
        try:
            yield folder
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.mark.usefixtures("filled")
def test_a_disk_here_that_is_too_small(lab):
    with small_disk(50) as folder:
        done = admin(lab, "etcd-snapshot", "-o", str(folder / "snapshot.db"))
        assert (done.code, done.out) == (1, "")
        # How large the database is depends on the tests before, but it is larger than that.
        told = re.search(rf"error: {folder}: 50 MiB are free, and the file will have (\d+) MiB", done.err)
        assert told
        assert int(told[1]) > 50
        assert files(folder) == []


@pytest.mark.usefixtures("filled")
def test_a_disk_here_that_fills_up_meanwhile(lab):
    with small_disk(largest(lab) // MIB + 20) as folder:
        running = Running(lab, folder / "snapshot.db", *SLOW)
        running.until(lambda: running.come() > 8 * MIB)
        with contextlib.suppress(OSError), (folder / "other").open("wb", buffering=0) as other:
            while True:
                other.write(bytes(MIB))
        code, out, err = running.ended()
        assert (code, out) == (1, "")
        assert err.splitlines()[0] == f"error: {folder}/snapshot.db can't be written: No space left on device"
        assert files(folder) == ["other"]


@pytest.mark.usefixtures("filled")
def test_a_disk_there_that_is_too_small(lab, tmp_path):
    with lab.faults.disk("cp-2", STATE, size_mib=64):
        done = admin(lab, "etcd-snapshot", "-o", str(tmp_path / "snapshot.db"), "--node=cp-2")
        assert done.code == 1
        assert f"error: node cp-2: 0 MiB are free for {STATE}, and the snapshot needs " in done.err
        assert files(tmp_path) == []
    lab.exec("cp-2", ["rmdir", STATE])
