"""`kubectl admin drain-upgrade` on a real cluster of its own, from 1.36 to 1.37, cut on the way."""

import json
import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests import permissions
from tests.cluster.labs import admin, environ_of, stage_of, standing, wait_until_reports_ready
from tests.cluster.node_room import folders, pods
from tests.lab.nodes import cluster
from tests.lab.nodes.lab import Lab
from tests.lab.progress import Progress
from tests.lab.versions import release
from tests.program import Ended, start

pytestmark = pytest.mark.lab

NAME = "test-upgrade"
TO = release("1.37")
# Containers have the machine's cgroups, which kubeadm finds too old.
CHECKS = ("--ignore-preflight-errors", "SystemVerification")
END_TIMEOUT = 240  # seconds in which a run that was given a signal must have ended
GATE = ("--allow", "etcd-too-old-to-upgrade")
WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      nodeSelector: {kubernetes.io/hostname: worker-1}
      terminationGracePeriodSeconds: 1
      containers: [{name: a, image: "registry.k8s.io/pause:3.10.2"}]
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web}
spec: {maxUnavailable: 0, selector: {matchLabels: {app: web}}}
"""


@pytest.fixture(scope="module")
def young() -> Iterator[Lab]:
    """One control plane and a worker of 1.36; the tests here move it on, in their order."""
    with standing(NAME, control_planes=1, workers=1, version="1.36") as lab:
        cluster.import_images(lab, "1.37", Progress(f"lab {lab.name}", lab.folder / "logs"))
        yield lab


@pytest.fixture(scope="module")
def operator(young) -> Iterator[dict[str, str]]:
    """The environment of one who has the rights of docs/permissions.md and no more."""
    with permissions.holder(stage_of(young), "drain-upgrade") as path:
        yield {"KUBECONFIG": str(path)}


def upgrade(lab: Lab, *arguments: str, timeout: float = 240, **changes: str) -> Ended:
    """A whole run, with its plan or its result as a document. changes: of its environment."""
    return admin(lab, "drain-upgrade", *arguments, "-o", "json", timeout=timeout, **changes)


def violations(answer: Ended) -> set[str]:
    """The rules that a run found broken."""
    found = json.loads(answer.out)["findings"]
    return {each["rule"] for each in found if each["severity"] == "violation"}


def cut(lab: Lab, node: str, behind: str, how: signal.Signals, *arguments: str) -> int:
    """How a run ends that is given a signal when it has said the line that begins with `behind`."""
    words = ["drain-upgrade", node, "--yes", *arguments]
    with start(*words, env=environ_of(lab)) as run:
        assert run.stderr
        for line in run.stderr:
            if line.startswith(behind):
                break
        else:
            raise AssertionError(f"it never came to {behind!r}")
        run.send_signal(how)
        run.communicate(timeout=END_TIMEOUT)
        return run.returncode


def status(lab: Lab, node: str) -> Any:
    """What --status says, as soon as there is an API server to be asked: kubeadm restarts the only one."""
    end = time.monotonic() + 200
    while True:
        answer = admin(lab, "drain-upgrade", node, "--status", "-o", "json", timeout=300)
        if answer.code == 0:
            return json.loads(answer.out)["items"][0]
        assert time.monotonic() < end, answer.err
        time.sleep(1)


def on(lab: Lab, node: str, *argv: str) -> str:
    """What a command says on a node."""
    return lab.exec(node, argv).stdout.strip()


def test_what_is_forbidden_is_said_with_its_rule_and_nothing_is_touched(young):
    before = on(young, "worker-1", "cat", "/etc/apt/sources.list.d/kubernetes.list")
    for words, rules in {
        ("worker-1", "--to", "1.37"): {"kubelet-skew"},
        ("cp-1", "--to", "1.37"): {"etcd-too-old-to-upgrade"},
        ("cp-1", "--to", "1.37", "--no-drain", *GATE): {"drain-needed"},
    }.items():
        answer = upgrade(young, *words, "--yes")
        assert (answer.code, violations(answer)) == (3, rules), words
    for words, rule in {
        ("cp-1", "--to", "1.38"): "skipped-minor",
        ("worker-1", "--to", "1.38"): "kubelet-skew",
        ("worker-1", "--to", "1.35"): "downgrade",
    }.items():
        answer = upgrade(young, *words, "--yes")
        assert answer.code == 3, words
        assert rule in violations(answer), words
    missing = upgrade(young, "cp-1", "--to", "1.38", "--yes", "--allow", "skipped-minor")
    assert missing.code == 1
    assert "there is no such repository" in missing.err
    assert on(young, "worker-1", "cat", "/etc/apt/sources.list.d/kubernetes.list") == before
    assert pods(young) == []


def set_config(lab: Lab, name: str, key: str, text: str) -> None:
    """Replaces what one of kubeadm's ConfigMaps holds."""
    patch = json.dumps({"data": {key: text}})
    lab.kubectl("-n", "kube-system", "patch", "configmap", name, "--type=merge", "-p", patch)


def test_what_the_next_start_would_refuse_is_found_wherever_it_is(young):
    """In the files of the kubelet's unit, its drop-ins, and the ConfigMap from which kube-proxy is made."""
    default, drop_in = "/etc/default/kubelet", "/etc/kubernetes/kubelet.conf.d/9.conf"
    gates = "featureGates: {SidecarContainers: true}"
    before = on(young, "worker-1", "cat", default)
    script = 'mkdir -p ${2%/*}; printf \'%s\\n\' "$3" > "$2"; printf \'%s\\n\' "$4" > "$1"'
    arguments = f"KUBELET_EXTRA_ARGS=--config-dir={drop_in.rpartition('/')[0]} --boot-id-file=/x"
    on(young, "worker-1", "sh", "-c", script, "sh", default, drop_in, gates, arguments)
    try:
        worker = upgrade(young, "worker-1", "--to", "1.37", "--dry-run")
    finally:
        on(young, "worker-1", "sh", "-c", script + "; rm -r ${2%/*}", "sh", default, drop_in, "", before)
    assert violations(worker) == {"kubelet-skew", "removed-flag", "removed-feature-gate"}
    seen = {each["rule"]: each["evidence"] for each in json.loads(worker.out)["findings"]}
    assert f"by {default}" in seen["removed-flag"]
    assert f"by featureGates in {drop_in}" in seen["removed-feature-gate"]
    config = young.kubectl("-n", "kube-system", "get", "configmap", "kube-proxy", "-o", "json")
    text = json.loads(config)["data"]["config.conf"]
    set_config(
        young,
        "kube-proxy",
        "config.conf",
        text.replace("featureGates: {}", "") + "\nfeatureGates: {SidecarContainers: true}\n",
    )
    try:
        first = upgrade(young, "cp-1", "--to", "1.37", "--dry-run", *GATE)
    finally:
        set_config(young, "kube-proxy", "config.conf", text)
    assert violations(first) == {"removed-feature-gate"}


def test_a_control_plane_whose_client_is_killed_on_the_way(young, operator, tmp_path):
    wanted = ("--to", "1.37", *GATE, *CHECKS, "--snapshot", str(tmp_path))
    assert cut(young, "cp-1", "  kubeadm upgrade apply", signal.SIGKILL, *wanted) == -signal.SIGKILL
    assert status(young, "cp-1")["atWork"] == ["kubeadm"]
    answer = upgrade(young, "cp-1", *wanted, "--yes", timeout=800, **operator)
    assert answer.code == 0, answer.err
    done = json.loads(answer.out)["items"][0]
    assert done["kubelet"] == "1.36.3"
    assert done["target"] == TO.kubernetes
    assert set(done["seconds"]) >= {"drain", "kubelet", "settle"}
    assert done["cordonedSeconds"] < sum(done["seconds"].values())
    (snapshot,) = tmp_path.glob("etcd-*.db")
    assert admin(young, "etcd-verify", str(snapshot)).code == 0
    assert_moved(young, "cp-1")


def assert_moved(lab: Lab, node: str) -> None:
    """The node is at its version, takes pods, and nothing but the new packages is left on it."""
    seen = json.loads(lab.kubectl("get", "node", node, "-o", "json"))
    assert seen["status"]["nodeInfo"]["kubeletVersion"] == f"v{TO.kubernetes}"
    assert not seen["spec"].get("unschedulable")
    assert [name for name in seen["metadata"]["annotations"] if name.startswith("kubectl-admin/")] == []
    assert sorted(on(lab, node, "apt-mark", "showhold").split()) == ["kubeadm", "kubectl", "kubelet"]
    assert f"/v{TO.minor}/deb/" in on(lab, node, "cat", "/etc/apt/sources.list.d/kubernetes.list")
    assert folders(lab, node) == []
    assert "kubectl-admin" not in lab.kubectl("-n", "kube-system", "get", "leases")


def test_a_budget_that_can_never_be_met_is_named_before_anything(young, tmp_path):
    manifest = tmp_path / "web.yaml"
    manifest.write_text(WEB, encoding="utf-8")
    young.kubectl("apply", "-f", str(manifest))
    young.kubectl("rollout", "status", "deployment/web", "--timeout=180s", timeout=190)
    answer = upgrade(young, "worker-1", "--yes", *CHECKS)
    assert answer.code == 3
    assert violations(answer) == {"budget-never-met"}
    young.kubectl("delete", "-f", str(manifest), timeout=180)


def test_a_second_operator_is_refused_with_the_name_of_the_first(young):
    words = ["drain-upgrade", "worker-1", *CHECKS]
    with start(*words, "--yes", env=environ_of(young)) as first:
        assert first.stderr
        assert any(line.startswith("packages:") for line in first.stderr)
        second = admin(young, *words, "--yes")
        assert second.code == 1
        assert "upgrades node worker-1, since" in second.err
        assert "--take-over" in second.err
        first.send_signal(signal.SIGINT)
        first.communicate(timeout=END_TIMEOUT)
        assert first.returncode == 130


def test_a_worker_that_is_interrupted_while_it_drains_and_loses_its_power_after(young, operator):
    assert cut(young, "worker-1", "drain:", signal.SIGINT, *CHECKS) == 130
    seen = json.loads(young.kubectl("get", "node", "worker-1", "-o", "json"))
    assert not seen["spec"].get("unschedulable"), "its own cordon is taken back"
    assert cut(young, "worker-1", "kubelet:", signal.SIGKILL, *CHECKS) == -signal.SIGKILL
    with young.faults.node("worker-1"):
        booted = time.time()
    wait_until_reports_ready(young, "worker-1", booted)
    answer = upgrade(young, "worker-1", "--yes", *CHECKS, timeout=600, **operator)
    assert answer.code == 0, answer.err
    assert_moved(young, "worker-1")
    again = upgrade(young, "worker-1", "--yes")
    assert again.code == 0
    assert all(step["state"] != "to do" for step in json.loads(again.out)["items"][0]["steps"])
