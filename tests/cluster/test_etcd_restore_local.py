"""`kubectl admin etcd-restore --script`: two of three members are lost for good; the survivor comes back."""

import contextlib
import json
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cluster import labs
from tests.cluster.labs import admin
from tests.lab.errors import LabError
from tests.lab.nodes import node
from tests.lab.nodes.lab import PODMAN, Lab

pytestmark = pytest.mark.lab

NAME = "test-lost"
SCRIPT = "/root/restore.sh"
RUN_TIMEOUT = 400
PATIENCE = 400  # seconds; components that found no API server wait longer and longer before they begin again
DEPLOYMENT = ("create", "deployment", "later", "--image=localhost/lab/busybox:1", "--", "sleep", "1000")


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """A cluster of its own, of which one control plane is left in the end."""
    with labs.standing(NAME, control_planes=3, workers=1, version="1.36") as lab:
        yield lab


def copy(lab: Lab, name: str, file: Path, path: str) -> None:
    subprocess.run([*PODMAN, "cp", str(file), f"{lab.node(name).container}:{path}"], check=True)


def until(state: Callable[[], object], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while True:
        with contextlib.suppress(LabError, subprocess.SubprocessError):
            if state():
                return
        assert time.monotonic() < end, f"not so after {PATIENCE} s: {what}"
        time.sleep(0.5)


def deploy(lab: Lab) -> str:
    with contextlib.suppress(LabError):  # also where the answer was lost
        lab.kubectl(*DEPLOYMENT)
    return lab.kubectl("get", "deployment", "later")


def members(lab: Lab) -> list[str]:
    """The members of etcd, by what cp-1's own client says."""
    pki = "/etc/kubernetes/pki/etcd"
    keys = f"--cacert={pki}/ca.crt --cert={pki}/server.crt --key={pki}/server.key"
    command = f"/var/lib/kubectl-admin/restore/etcdctl {keys} member list -w json"
    return [one["name"] for one in json.loads(lab.exec("cp-1", ["sh", "-c", command]).stdout)["members"]]


def test_two_members_are_lost_for_good_and_the_survivor_comes_back(lab: Lab, tmp_path: Path) -> None:
    lab.kubectl("create", "configmap", "kept", "--from-literal=a=b")
    printed = admin(lab, "etcd-restore", "--script", "--members", "cp-1")
    assert printed.code == 0, printed.err
    file = tmp_path / "restore.sh"
    file.write_text(printed.out)
    copy(lab, "cp-1", file, SCRIPT)
    refused = lab.exec("cp-1", ["sh", SCRIPT, "--yes"], check=False, timeout=RUN_TIMEOUT)
    assert (refused.returncode, "error: etcd has a majority" in refused.stderr) == (1, True), refused.stderr
    for name in ("cp-2", "cp-3"):
        node.stop(lab.node(name))
    done = lab.exec("cp-1", ["sh", SCRIPT, "--yes"], check=False, timeout=RUN_TIMEOUT)
    assert done.returncode == 0, done.stderr
    assert "this node runs with the restored data" in done.stderr
    assert members(lab) == ["cp-1"]
    until(lambda: lab.kubectl("get", "configmap", "kept"), "the API answers, with the data of before")
    until(lambda: deploy(lab), "a Deployment can be made")
    until(
        lambda: lab.kubectl("wait", "deployment/later", "--for=condition=Available", "--timeout=100s"),
        "a Deployment made afterwards has its pods",
    )
    again = lab.exec("cp-1", ["sh", SCRIPT, "--yes"], check=False, timeout=RUN_TIMEOUT)
    assert (again.returncode, "already" in again.stderr) == (1, True), again.stderr
