"""`kubectl admin etcd-open` on a real control-plane node."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.cluster.labs import admin, environ_of
from tests.lab.nodes.lab import Lab
from tests.program import signalled, start

pytestmark = pytest.mark.lab

SPACE = "etcd-open"
STATE = "/var/lib/kubectl-admin"
WAIT_TIMEOUT = 120  # seconds; nothing here takes so long
# Nothing of an opening: neither directory, unit, nor process.
GONE = f"""
    [ ! -e {STATE} ] && [ -z "$(systemctl list-units --all --plain --no-legend 'kubectl-admin-*')" ] &&
    ! grep -qs '[c]lients.sock' /proc/[0-9]*/cmdline
"""

# Ten minutes are not waited for: the last word is made one of long ago.
FORGOTTEN = f"for d in {STATE}/*/; do echo 0 > $d/alive; done; until {GONE.strip()}; do sleep 0.2; done"
# The unit runs, and the programs are being copied, or the snapshot sent.
BEGUN = f"until ls {STATE}/*/bound > /dev/null 2>&1; do sleep 0.02; done"
LIMITS = "systemctl show -p PrivateNetwork -p MemoryMax 'kubectl-admin-*'"


@pytest.fixture
def snapshot(lab: Lab, tmp_path: Path) -> Path:
    """A snapshot with a namespace that is deleted since."""
    lab.kubectl("create", "namespace", SPACE)
    lab.kubectl("-n", SPACE, "create", "configmap", "kept", "--from-literal=answer=42")
    file = tmp_path / "snapshot.db"
    saved = admin(lab, "etcd-snapshot", "-o", str(file))
    assert saved.code == 0, saved
    lab.kubectl("delete", "namespace", SPACE)
    return file


def is_gone(lab: Lab) -> bool:
    """Whether nothing of an opening is on the node, nor a debug pod in the cluster."""
    pods = lab.kubectl("get", "pods", "-A", "-l", "app.kubernetes.io/managed-by=kubectl-admin", "-o", "name")
    return lab.exec("cp-1", ["sh", "-c", GONE], check=False).returncode == 0 and not pods


def test_a_deleted_namespace_is_read_and_nothing_is_left(lab: Lab, snapshot: Path, tmp_path: Path) -> None:
    script = f"""
        kubectl -n {SPACE} get configmap kept -o 'jsonpath={{.data.answer}}{{"\\n"}}'
        kubectl get nodes -o name
        kubectl -n {SPACE} delete configmap kept 2>&1 | grep -o forbidden
        kubectl get --raw /api/v1/nodes/cp-1/proxy/healthz 2>&1 | grep -o reaches-nobody
        exit 7
    """
    answer = admin(lab, "etcd-open", str(snapshot), "--", "sh", "-c", script)
    assert answer.out.splitlines() == ["42", "node/cp-1", "node/worker-1", "forbidden", "reaches-nobody"]
    assert answer.code == 7
    assert is_gone(lab)

    with start("etcd-open", str(snapshot), env=environ_of(lab, XDG_RUNTIME_DIR=str(tmp_path))) as process:
        assert process.stdout
        path = process.stdout.readline().partition("=")[2].strip()
        limits = lab.exec("cp-1", ["sh", "-c", LIMITS]).stdout.split()
        with signalled(process, signal.SIGINT):
            process.wait(WAIT_TIMEOUT)
    assert (process.returncode, Path(path).exists()) == (0, False)
    assert "PrivateNetwork=yes" in limits
    assert any(each.startswith("MemoryMax=4") for each in limits)
    assert is_gone(lab)


def test_a_run_that_is_killed_leaves_what_ends_by_itself_or_by_cleanup(
    lab: Lab, snapshot: Path, tmp_path: Path
) -> None:
    environ = environ_of(lab, XDG_RUNTIME_DIR=str(tmp_path))
    for ending in (["sh", "-c", FORGOTTEN], []):
        with start("etcd-open", str(snapshot), env=environ) as process:
            assert process.stdout
            assert process.stdout.readline().startswith("export KUBECONFIG=")
            os.kill(process.pid, signal.SIGKILL)
            process.wait(WAIT_TIMEOUT)
        if ending:
            lab.exec("cp-1", ending, timeout=WAIT_TIMEOUT)
        cleaned = admin(lab, "cleanup", "--yes")
        assert cleaned.code == 0, cleaned
        assert is_gone(lab)
    # Of the kubeconfigs, guards take care.
    script = 'while ls "$1"/kubectl-admin-* > /dev/null 2>&1; do sleep 0.1; done'
    subprocess.run(["sh", "-c", script, "wait", tmp_path], check=True, timeout=WAIT_TIMEOUT)


def test_a_run_that_is_killed_before_it_is_open_leaves_what_ends_by_itself(lab: Lab, snapshot: Path) -> None:
    with start("etcd-open", str(snapshot), env=environ_of(lab)) as process:
        lab.exec("cp-1", ["sh", "-c", BEGUN], timeout=WAIT_TIMEOUT)
        os.kill(process.pid, signal.SIGKILL)
        process.wait(WAIT_TIMEOUT)
    lab.exec("cp-1", ["sh", "-c", FORGOTTEN], timeout=WAIT_TIMEOUT)
    cleaned = admin(lab, "cleanup", "--yes")
    assert cleaned.code == 0, cleaned
    assert is_gone(lab)


def test_nothing_is_opened_beside_a_restore(lab: Lab, snapshot: Path) -> None:
    lab.exec("cp-1", ["systemd-run", "--quiet", "--unit=kubectl-admin-restore", "sleep", "1000"])
    try:
        refused = admin(lab, "etcd-open", str(snapshot), "--", "true")
    finally:
        lab.exec("cp-1", ["systemctl", "stop", "kubectl-admin-restore"])
    assert refused.code == 1
    assert "other work is running there: kubectl-admin-restore" in refused.err
    assert is_gone(lab)
