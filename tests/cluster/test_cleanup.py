"""`kubectl admin cleanup`: all of this tool's that nobody uses, and nothing else."""

import json
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from kubectl_admin.node.operation import Operation
from tests import permissions
from tests.cluster.labs import admin, stage_of
from tests.cluster.node_room import STATE, ended_process, folders, pods, started
from tests.lab.nodes.lab import Lab
from tests.program import Ended

pytestmark = pytest.mark.lab

NODE = "worker-1"
LOOK_ALIKE = """
apiVersion: v1
kind: Pod
metadata:
  name: kubectl-admin-look-alike
  namespace: default
  labels: {app.kubernetes.io/managed-by: kubectl-admin, kubectl-admin/operation: look-alike}
spec:
  containers: [{name: a, image: a}]
  nodeSelector: {no: where}
"""
JOB = "while :; do sleep 1; done"


# What is not asked for here: it is the same on all pods, or only for where something has gone wrong.
UNASKED = ["list pods in namespace kube-system", "delete pods", "get pods in namespace kube-system"]
UNASKED += ["list events in namespace kube-system"]


def cleanup(lab: Lab, *arguments: str) -> Ended:
    return admin(lab, "cleanup", *arguments, timeout=180)


def left(lab: Lab, *arguments: str) -> dict[str, str]:
    """What is left by its name, and its state."""
    answer = cleanup(lab, "--dry-run", "-o", "json", *arguments)
    assert answer.code == 0
    return {item["name"]: item["state"] for item in json.loads(answer.out)["items"]}


@dataclass(frozen=True)
class Killed:
    """What runs that were killed, and some that were not, have left."""

    pod: str
    abandoned: str
    mine: str
    elsewhere: str
    job: str


def put(lab: Lab, name: str, owner: str) -> str:
    """A folder on the node, as an operation makes it."""
    script = 'umask 077; mkdir -p "$1"; echo "$2" > "$1/owner"; echo x > "$1/file"'
    lab.exec(NODE, ["sh", "-c", script, "sh", f"{STATE}/{name}", owner])
    return f"node/{NODE}{STATE}/{name}"


@pytest.fixture
def killed(lab: Lab) -> Iterator[Killed]:
    """A pod and folders of runs that were killed, folders of others, one with a job, and a look-alike."""
    ended = ended_process()
    with started(lab, "node-exec", NODE, "--", "sh", "-c", "echo here; sleep 1000") as run:
        assert run.stdout
        assert run.stdout.readline() == b"here\n"
        run.kill()
    (pod,) = pods(lab)
    names = [
        put(lab, "aaaaaaaaaa", ended),
        put(lab, "bbbbbbbbbb", str(Operation.begin().owner)),
        put(lab, "cccccccccc", "ann@laptop another/pid:[1] 1 2"),
        put(lab, "upgrade", ended),
    ]
    lab.exec(NODE, ["systemd-run", "--quiet", "--collect", "--unit=kubectl-admin-upgrade", "sh", "-c", JOB])
    lab.exec(NODE, ["systemd-run", "--quiet", "--collect", "--unit=other-admin", "sh", "-c", JOB])
    lab.exec(NODE, ["sh", "-c", f"touch {STATE}/file; mkdir '{STATE}/not ours'"])
    manifest = lab.folder / "look-alike.yaml"
    manifest.write_text(LOOK_ALIKE)
    lab.kubectl("apply", f"--filename={manifest}")
    yield Killed(f"pod/kube-system/{pod}", *names)
    lab.kubectl("delete", f"--filename={manifest}", "--now")
    lab.exec(NODE, ["sh", "-c", f"systemctl stop other-admin kubectl-admin-upgrade; rm -rf {STATE}"])
    cleanup(lab, "--yes", "--force", NODE)
    assert pods(lab) == []


def active(lab: Lab, unit: str) -> bool:
    return lab.exec(NODE, ["systemctl", "is-active", unit], check=False).stdout.strip() == "active"


def test_all_that_is_left_is_shown_and_with_dry_run_nothing_is_touched(lab, killed):
    assert left(lab) == {
        killed.pod: "abandoned",
        killed.abandoned: "abandoned",
        killed.mine: "in use",
        killed.elsewhere: "unknown",
        killed.job: "in use",
    }
    assert left(lab, NODE).keys() == left(lab).keys()
    # Pods are the cluster's; of hosts those alone are looked at that were named.
    assert left(lab, "cp-1") == {killed.pod: "abandoned"}


def test_data_that_a_restore_has_put_aside_are_shown_and_stay(lab):
    """Also where no other record of that restore is left."""
    path = "/var/lib/etcd/.kubectl-admin-0123456789-old"
    lab.exec("cp-1", ["mkdir", "-m", "700", path])
    try:
        assert left(lab) == {f"node/cp-1{path}": "restore"}
        assert left(lab, NODE) == {}
        done = cleanup(lab, "--yes", "--force", "-o", "json")
        assert done.code == 0, done.err
        assert [one["rule"] for one in json.loads(done.out)["findings"]] == ["restore-there"]
        assert left(lab, "cp-1") == {f"node/cp-1{path}": "restore"}
    finally:
        lab.exec("cp-1", ["rmdir", path])


@pytest.mark.usefixtures("killed")
def test_without_an_answer_nothing_is_removed(lab):
    done = cleanup(lab)
    assert done.code == 2
    assert "remove 3 of these (1 may be in use on another machine)" in done.err
    assert "--yes" in done.err
    assert len(left(lab)) == 5


def test_what_nobody_uses_is_removed_and_exactly_that(lab, killed):
    done = cleanup(lab, "--yes", "-o", "name")
    assert done.code == 0, done.err
    assert sorted(done.out.splitlines()) == sorted((killed.pod, killed.abandoned, killed.elsewhere))
    assert left(lab) == {killed.mine: "in use", killed.job: "in use"}
    assert active(lab, "kubectl-admin-upgrade")
    assert folders(lab, NODE) == ["bbbbbbbbbb", "file", "not", "ours", "upgrade"]
    assert "look-alike" in lab.kubectl("get", "pods", "--namespace=default", "--output=name")


def test_with_force_what_is_in_use_goes_with_its_job_and_still_nothing_else(lab, killed):
    assert killed
    assert cleanup(lab, "--yes", "--force", NODE).code == 0
    assert left(lab) == {}
    assert not active(lab, "kubectl-admin-upgrade")
    assert active(lab, "other-admin")
    assert folders(lab, NODE) == ["file", "not", "ours"]
    assert "look-alike" in lab.kubectl("get", "pods", "--namespace=default", "--output=name")


def test_what_a_half_way_upgrade_needs_stays_unless_it_is_forced(lab):
    name = put(lab, "upgrade", ended_process())
    assert left(lab, NODE) == {name: "half-way upgrade"}
    done = cleanup(lab, "--yes", NODE)
    assert (done.code, folders(lab, NODE)) == (0, ["upgrade"])
    assert f"drain-upgrade {NODE}" in done.out
    assert cleanup(lab, "--yes", "--force", NODE).code == 0
    assert folders(lab, NODE) == []


def test_where_nothing_is_left_that_is_said(lab):
    done = cleanup(lab, "--dry-run")
    assert (done.code, done.out, done.err) == (0, "nothing is left in the cluster\n", "")
    assert cleanup(lab, "--dry-run", "-o", "name").out == ""


def test_a_node_that_there_is_not_is_an_error(lab):
    done = cleanup(lab, "--dry-run", NODE, "no-such-node")
    assert done.code == 1
    assert "there is no node no-such-node" in done.err


def test_a_node_that_is_down_is_named_and_the_others_are_looked_at(lab):
    name = put(lab, "aaaaaaaaaa", ended_process())
    try:
        with lab.faults.kubelet("cp-1"):
            status = {"conditions": [{"type": "Ready", "status": "Unknown", "reason": "NodeStatusUnknown"}]}
            patch = f"--patch={json.dumps({'status': status})}"
            lab.kubectl("patch", "node/cp-1", "--subresource=status", "--type=strategic", patch)
            done = cleanup(lab, "--dry-run", "-o", "json")
    finally:
        lab.exec(NODE, ["rm", "-r", STATE])
        lab.kubectl("wait", "node/cp-1", "--for=condition=Ready", "--timeout=120s", timeout=130)
    assert done.code == 0
    answer = json.loads(done.out)
    assert [item["name"] for item in answer["items"]] == [name]
    (finding,) = answer["findings"]
    assert (finding["rule"], finding["objects"]) == ("host-not-read", ["node/cp-1"])
    assert "node cp-1 is not Ready since" in finding["evidence"]


@pytest.mark.parametrize("seconds", [0.7, 1.5, 2.5, 4])
def test_ctrl_c_leaves_no_pod_on_any_node(lab, seconds):
    with started(lab, "cleanup", "--dry-run") as run:
        time.sleep(seconds)
        run.send_signal(signal.SIGINT)
        # A program that is still being loaded ends as Python does.
        assert run.wait(180) in (0, 130, -signal.SIGINT)
    assert pods(lab) == []


def test_the_rights_of_the_page_suffice_and_each_that_is_missing_is_named(lab):
    put(lab, "aaaaaaaaaa", ended_process())
    try:
        tried = permissions.try_out(
            stage_of(lab),
            "cleanup",
            lambda path: admin(lab, "cleanup", "--dry-run", "-o", "json", KUBECONFIG=str(path)),
            lambda right: right.verb != "delete",  # who may not is told so: test_node_exec.py
            unasked=UNASKED,
            administrator=True,
        )
    finally:
        cleanup(lab, "--yes")
    assert (tried.with_all.code, tried.with_all.out) == (0, tried.as_administrator.out)
    assert "aaaaaaaaaa" in tried.with_all.out
    permissions.check(tried)
