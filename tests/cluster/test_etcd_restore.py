"""`kubectl admin etcd-restore` on three control planes: back to a snapshot, whoever goes meanwhile."""

import contextlib
import json
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from tests.cluster.labs import (
    admin,
    administrator,
    ask,
    environ_of,
    wait_until_reports_ready,
    wait_until_whole,
)
from tests.cluster.node_room import folders, pods
from tests.lab.nodes.lab import Lab
from tests.program import start

pytestmark = pytest.mark.lab

NAMESPACE = "restored"
OBJECTS = 40
PATIENCE = 420  # seconds
RESTORE_TIMEOUT = 600
JOURNAL = "/var/lib/kubectl-admin/restore/journal"
MAPS = f"/api/v1/namespaces/{NAMESPACE}/configmaps"


def send(lab: Lab, method: str, path: str, body: Any = None) -> Any:
    """A request of the lab's administrator, through the load balancer."""
    server, context = administrator(lab.kubeconfig.read_text(encoding="utf-8"))
    data = None if body is None else json.dumps(body).encode()
    request = Request(f"{server}{path}", data, {"Content-Type": "application/json"}, method=method)
    with urlopen(request, timeout=30, context=context) as answer:
        return json.load(answer)


def make(lab: Lab, *names: str) -> None:
    for name in names:
        send(lab, "POST", MAPS, {"metadata": {"name": name}, "data": {"name": name}})


def names(lab: Lab) -> set[str]:
    found = {item["metadata"]["name"] for item in ask(lab, MAPS)["items"]}
    return found - {"kube-root-ca.crt"}


def until(state: Callable[[], object], what: str) -> Any:
    end = time.monotonic() + PATIENCE
    while True:
        with contextlib.suppress(OSError, ValueError, ssl.SSLError):
            if found := state():
                return found
        assert time.monotonic() < end, f"not so after {PATIENCE} s: {what}"
        time.sleep(0.2)


def journal(lab: Lab, node: str) -> list[str]:
    """The words of the worker on a node."""
    read = lab.exec(node, ["cat", JOURNAL], check=False).stdout
    return [line.partition(" ")[2] for line in read.splitlines()]


@pytest.fixture
def snapshot(lab: Lab, tmp_path: Path) -> Iterator[Path]:
    """A snapshot with OBJECTS objects, half of which are gone by now; others have come."""
    send(lab, "POST", "/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
    make(lab, *(f"then-{number}" for number in range(OBJECTS)))
    file = tmp_path / "snapshot.db"
    done = admin(lab, "etcd-snapshot", "-o", str(file), timeout=300)
    assert done.code == 0, done.err
    for number in range(OBJECTS // 2):
        send(lab, "DELETE", f"{MAPS}/then-{number}")
    make(lab, *(f"now-{number}" for number in range(10)))
    yield file
    # Whatever has come of it: the namespace goes, and nothing stays on nodes.
    wait_until_whole(lab)
    pruned = admin(lab, "etcd-restore", "--prune", "--yes", timeout=300)
    send(lab, "DELETE", f"/api/v1/namespaces/{NAMESPACE}")
    assert pruned.code == 0, pruned.err
    until(lambda: NAMESPACE not in json.dumps(ask(lab, "/api/v1/namespaces")), "the namespace is gone")
    assert {each.name: folders(lab, each.name) for each in lab.control_planes} == {
        each.name: [] for each in lab.control_planes
    }
    assert pods(lab) == []


def then() -> set[str]:
    return {f"then-{number}" for number in range(OBJECTS)}


def test_the_objects_of_then_are_back_and_watchers_begin_again(lab: Lab, snapshot: Path) -> None:
    version = ask(lab, MAPS)["metadata"]["resourceVersion"]
    done = admin(lab, "etcd-restore", str(snapshot), "--yes", "-o", "json", timeout=RESTORE_TIMEOUT)
    assert done.code == 0, done.err
    outcome = json.loads(done.out)
    assert outcome["end"] == "restored"
    assert {item["node"]: item["word"] for item in outcome["items"]} == {
        each.name: "restored" for each in lab.control_planes
    }
    assert names(lab) == then()
    # A watch from before is told that its revision is gone; nothing newer than the snapshot is current.
    watch = f"{MAPS}?watch=1&resourceVersion={version}&timeoutSeconds=30"
    answer = until(lambda: send(lab, "GET", watch), "an API server has its watches ready")
    assert (answer["type"], answer["object"]["code"]) == ("ERROR", 410)
    assert int(ask(lab, MAPS)["metadata"]["resourceVersion"]) > int(version)
    assert (Path(outcome["before"]) / "snapshot.db").stat().st_size
    state = admin(lab, "etcd-restore", "--status", "-o", "json")
    assert {item["stage"] for item in json.loads(state.out)["items"]} == {"over"}


def test_a_node_without_power_follows_and_a_killed_run_is_finished(lab: Lab, snapshot: Path) -> None:
    with start("etcd-restore", str(snapshot), "--yes", env=environ_of(lab)) as process:
        until(lambda: "going" in journal(lab, "cp-3"), "cp-3 has begun")
        process.kill()
    with lab.faults.node("cp-3"):
        for node in ("cp-1", "cp-2"):
            until(lambda node=node: journal(lab, node)[-1:] == ["restored"], f"{node} is restored")
        assert until(lambda: names(lab), "the API answers") == then()
        booted = time.time()
    until(lambda: journal(lab, "cp-3")[-1:] == ["restored"], "cp-3 has followed")
    wait_until_reports_ready(lab, "cp-3", booted)
    # The lab is not whole yet: the debug pod by which the snapshot was taken is back, and this removes it.
    done = admin(lab, "etcd-restore", str(snapshot), "--yes", "-o", "json", timeout=RESTORE_TIMEOUT)
    assert done.code == 0, done.err
    assert json.loads(done.out)["end"] == "restored"
    assert names(lab) == then()


def test_a_snapshot_that_is_cut_off_is_refused_before_anything_is_touched(lab: Lab, tmp_path: Path) -> None:
    file = tmp_path / "snapshot.db"
    taken = admin(lab, "etcd-snapshot", "-o", str(file), timeout=300)
    assert taken.code == 0, taken.err
    file.write_bytes(file.read_bytes()[:-4096])
    done = admin(lab, "etcd-restore", str(file), "--yes", timeout=300)
    assert done.code == 3, done.err
    assert "restore" not in {name for each in lab.control_planes for name in folders(lab, each.name)}
