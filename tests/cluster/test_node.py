"""The host of a real node: its files, and jobs that outlive all that lies between it and us."""

import hashlib
import random
import stat
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

import pytest

from kubectl_admin.errors import AdminError
from kubectl_admin.node import files, host, jobs
from kubectl_admin.node.host import Host
from kubectl_admin.node.jobs import Ended, Job
from kubectl_admin.node.operation import Operation, Owner
from kubectl_admin.node.workspace import workspace
from tests.cluster.node_room import STATE, folders, opened, pods
from tests.fakes.host import inline
from tests.lab.nodes.lab import Lab

pytestmark = pytest.mark.lab

NODE = "worker-1"
# A job that is done when there is a file.
UNTIL = inline('echo begun; while [ ! -e "$1" ]; do sleep 0.2; done; echo done; exit 3')
BIG = random.Random(8).randbytes(files.LIMIT)


@pytest.fixture(autouse=True)
def _nothing_left(lab: Lab) -> Iterator[None]:
    yield
    assert pods(lab) == []
    assert folders(lab, NODE) == []


@pytest.fixture
def said() -> list[str]:
    """What the person who waits was told."""
    return []


@pytest.fixture
def there(lab: Lab, said: list[str]) -> Iterator[Host]:
    """The worker's host."""
    with opened(lab, NODE, said) as opened_host:
        yield opened_host


@pytest.fixture
def folder(there: Host) -> Iterator[str]:
    """A folder on it."""
    with workspace(there) as path:
        yield path


def test_a_command_has_an_exit_code_and_two_outputs(there):
    result = there.run(["sh", "-c", "echo out; echo err >&2; exit 5"], check=False)
    assert (result.exit_code, result.stdout, result.stderr) == (5, b"out\n", b"err\n")
    with pytest.raises(AdminError, match=f"node {NODE}: sh ended with exit code 5: last words"):
        there.run(["sh", "-c", "echo first words >&2; echo last words >&2; exit 5"])


def test_a_workspace_is_for_root_alone_and_says_whose_it_is(lab, there, folder):
    about = lab.exec(NODE, ["stat", "-c", "%a %u %g", folder, STATE]).stdout.split("\n")
    assert about[:2] == ["700 0 0", "700 0 0"]
    assert lab.exec(NODE, ["cat", f"{folder}/owner"]).stdout.strip() == str(there.operation.owner)


@pytest.mark.parametrize("size", [0, 1, 100_000, files.LIMIT])
def test_a_file_is_written_and_read_and_listed(lab, there, folder, size):
    path, content = f"{folder}/a 'file' $(x)\n\\n", BIG[:size]
    files.write(there, path, content, mode=0o640, owner=(1, 2))
    assert files.read(there, path) == content
    digest = lab.exec(NODE, ["sha256sum", "--zero", path]).stdout.split()[0]
    assert digest == hashlib.sha256(content).hexdigest()
    (entry,) = [each for each in files.entries(there, folder) if each.name != "owner"]
    assert (entry.name, stat.S_IMODE(entry.mode), entry.uid, entry.gid) == ("a 'file' $(x)\n\\n", 0o640, 1, 2)
    assert entry.size == size


def test_a_file_that_is_there_keeps_mode_and_owner(lab, there, folder):
    path = f"{folder}/file"
    lab.exec(NODE, ["sh", "-c", 'echo old > "$1"; chown 12:34 "$1"; chmod 4751 "$1"', "sh", path])
    files.write(there, path, b"new", mode=0o600, owner=(0, 0))
    assert lab.exec(NODE, ["stat", "-c", "%a %u %g", path]).stdout.split() == ["4751", "12", "34"]
    assert files.read(there, path) == b"new"


def test_a_large_file_that_can_not_be_written_is_refused_at_once(there, folder):
    """API servers don't tell how a command ended that leaves its input unread."""
    began = time.monotonic()
    with pytest.raises(AdminError, match="there is no such directory"):
        files.write(there, f"{folder}/none/file", BIG)
    assert time.monotonic() - began < host.COMMAND_TIMEOUT


def test_files_come_and_go_whole_while_connections_are_cut(lab, there, folder):
    with cutting(lab):
        for _ in range(3):
            files.write(there, f"{folder}/file", BIG)
            assert files.read(there, f"{folder}/file") == BIG
    assert [path.name for path in files.entries(there, folder)] == ["file", "owner"]


@contextmanager
def cutting(lab: Lab) -> Iterator[None]:
    """Meanwhile all connections through the load balancer are cut, again and again."""
    over = threading.Event()

    def cut() -> None:
        chance = random.Random(3)
        while not over.wait(chance.uniform(0.5, 3)):
            lab.faults.cut_connections()

    cutter = threading.Thread(target=cut)
    cutter.start()
    try:
        yield
    finally:
        over.set()
        cutter.join()


@contextmanager
def running(there: Host, folder: str) -> Iterator[tuple[Job, Callable[[], None], "Future[Ended]"]]:
    """A job that somebody waits for, what lets it be done, and what it comes to."""
    job = jobs.start(there, there.operation.id, f"{folder}/job", UNTIL, [f"{folder}/go"])
    begun = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        ended = pool.submit(job.wait, wrote=lambda _: begun.set())
        assert begun.wait(180)
        yield job, lambda: files.write(there, f"{folder}/go", b""), ended


def finished(lab: Lab, there: Host, folder: str, act: Callable[[], None]) -> Ended:
    """What a job comes to in whose middle something happens."""
    with running(there, folder) as (_, _, ended):
        act()
        assert not ended.done()
        lab.exec(NODE, ["touch", f"{folder}/go"])
        return ended.result(300)


WHOLE = Ended(3, "begun\ndone\n")


def test_a_job_outlives_a_restart_of_the_kubelet(lab, there, folder):
    assert finished(lab, there, folder, lambda: restart(lab, "kubelet")) == WHOLE


def test_a_job_outlives_a_restart_of_the_container_runtime(lab, there, folder):
    assert finished(lab, there, folder, lambda: restart(lab, "containerd")) == WHOLE


def restart(lab: Lab, unit: str) -> None:
    lab.exec(NODE, ["systemctl", "restart", unit], timeout=120)


def test_a_job_outlives_its_pod(lab, there, folder, said):
    def delete() -> None:
        lab.kubectl("delete", "pod", "--namespace=kube-system", "--now", *pods(lab))

    assert finished(lab, there, folder, delete) == WHOLE
    assert f"node {NODE}: the debug pod is gone; making another one" in said


def test_a_job_outlives_every_api_server(lab, there, folder):
    def restart_all() -> None:
        for each in lab.control_planes:
            with lab.faults.static_pod(each.name, "kube-apiserver"):
                pass

    assert finished(lab, there, folder, restart_all) == WHOLE


def test_a_job_outlives_connections_that_are_cut(lab, there, folder):
    def cut() -> None:
        for _ in range(10):
            lab.faults.cut_connections()
            time.sleep(0.7)

    assert finished(lab, there, folder, cut) == WHOLE


def test_a_job_is_found_again_by_its_owner_and_refused_to_others(lab, there, folder):
    with running(there, folder) as (job, go, ended):
        assert jobs.start(there, there.operation.id, job.directory, UNTIL, []) == job
        with opened(lab, NODE, operation=Operation.begin()) as another:
            other = Owner("bob@desk", "elsewhere", 99, "1")
            another.operation = replace(another.operation, owner=other)
            owner = there.operation.owner
            with pytest.raises(
                AdminError, match=rf"was started already by {owner.person} \(process {owner.pid}\)"
            ):
                jobs.start(another, there.operation.id, job.directory, UNTIL, [])
        go()
        assert ended.result(120) == WHOLE


def test_a_job_that_somebody_stops_is_lost(lab, there, folder):
    with running(there, folder) as (job, _, ended):
        lab.exec(NODE, ["systemctl", "stop", job.unit])
        with pytest.raises(AdminError, match=f"node {NODE}: {job.unit} stopped before it was done"):
            ended.result(120)


def test_a_job_ends_with_the_workspace(lab, there):
    with workspace(there) as path:
        job = jobs.start(there, there.operation.id, f"{path}/job", UNTIL, [f"{path}/go"])
    units = lab.exec(NODE, ["systemctl", "list-units", "--all", "--plain", "--no-legend", job.unit]).stdout
    assert units == ""
    assert folders(lab, NODE) == []
