"""`kubectl admin drain` and `uncordon` on a real cluster: pods that end, controllers that make them anew."""

import contextlib
import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster import labs
from tests.lab.nodes.lab import Lab
from tests.lab.recipes import images
from tests.program import Ended, start

pytestmark = pytest.mark.lab

NAMESPACE = "drained"
NODE = "worker-1"
REPLICAS = 4
FLAGS = ("--ignore-daemonsets", "--delete-emptydir-data", "--yes")
# On the worker as long as it takes pods, and anywhere else when it does not.
PREFERRED = {
    "nodeAffinity": {
        "preferredDuringSchedulingIgnoredDuringExecution": [
            {
                "weight": 100,
                "preference": {
                    "matchExpressions": [
                        {"key": "kubernetes.io/hostname", "operator": "In", "values": [NODE]}
                    ]
                },
            }
        ]
    }
}
CONTROL_PLANE = {"key": "node-role.kubernetes.io/control-plane", "operator": "Exists", "effect": "NoSchedule"}

Object = dict[str, Any]


def pod(command: str, **spec: Any) -> Object:
    container = {
        "name": "main",
        "image": images.BUSYBOX,
        "imagePullPolicy": "Never",
        "command": ["sh", "-c", command],
        "readinessProbe": {"exec": {"command": ["true"]}, "periodSeconds": 1},
    }
    return {
        "containers": [container],
        "terminationGracePeriodSeconds": 1,
        "affinity": PREFERRED,
        "tolerations": [CONTROL_PLANE],
        **spec,
    }


def workload(kind: str, name: str, replicas: int, spec: Object, **more: Any) -> Object:
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            **({"replicas": replicas} if replicas else {}),
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": spec},
            **more,
        },
    }


SLEEP = "sleep 100000"
CACHE = [{"name": "cache", "emptyDir": {}}]
OBJECTS = [
    {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
    workload("Deployment", "web", REPLICAS, pod(SLEEP, volumes=CACHE)),
    workload("StatefulSet", "db", 1, pod(SLEEP), serviceName="db"),
    workload("DaemonSet", "agent", 0, pod(SLEEP)),
    {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "web", "namespace": NAMESPACE},
        "spec": {"minAvailable": REPLICAS - 1, "selector": {"matchLabels": {"app": "web"}}},
    },
]


@pytest.fixture
def workloads(lab: Lab, tmp_path: Path) -> Iterator[Lab]:
    """A Deployment with a budget, a StatefulSet and a DaemonSet, all ready, at first on the worker."""
    file = tmp_path / "objects.json"
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": OBJECTS}), encoding="utf-8")
    lab.kubectl("apply", "--filename", str(file))
    try:
        wait_until_ready(lab)
        yield lab
    finally:
        lab.kubectl("delete", "namespace", NAMESPACE, timeout=180)
        lab.kubectl("uncordon", NODE)


def wait_until_ready(lab: Lab) -> None:
    for name in ("deployment/web", "statefulset/db", "daemonset/agent"):
        lab.kubectl("rollout", "status", name, f"--namespace={NAMESPACE}", "--timeout=240s", timeout=250)


def set_budget(lab: Lab, available: str | int) -> None:
    patch = json.dumps({"spec": {"minAvailable": available}})
    lab.kubectl("patch", "pdb", "web", f"--namespace={NAMESPACE}", "--type=merge", f"--patch={patch}")


def apps_on_node(lab: Lab) -> set[str]:
    """What of the workloads is on the worker."""
    select = [f"--namespace={NAMESPACE}", f"--field-selector=spec.nodeName={NODE}"]
    items = json.loads(lab.kubectl("get", "pods", *select, "--output=json"))["items"]
    return {item["metadata"]["labels"]["app"] for item in items}


def is_cordoned(lab: Lab) -> bool:
    return bool(json.loads(lab.kubectl("get", "node", NODE, "--output=json"))["spec"].get("unschedulable"))


@contextlib.contextmanager
def draining(lab: Lab) -> Iterator["subprocess.Popen[str]"]:
    process = start("drain", NODE, *FLAGS, env=labs.environ_of(lab))
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def until(process: "subprocess.Popen[str]", words: str) -> None:
    """Reads what the process tells until a line has these words; fails at its end."""
    lines = []
    assert process.stderr
    for line in process.stderr:
        lines.append(line)
        if words in line:
            return
    raise AssertionError(f"{words!r} was not said: {''.join(lines)}")


def ended(process: "subprocess.Popen[str]") -> Ended:
    out, err = process.communicate(timeout=300)
    return Ended(process.returncode, out, err)


def test_a_node_is_emptied_within_its_budgets_and_taken_back(workloads):
    assert apps_on_node(workloads) == {"web", "db", "agent"}
    answer = labs.admin(workloads, "drain", NODE, *FLAGS, timeout=300)
    assert answer.code == 0, answer.err
    assert apps_on_node(workloads) == {"agent"}
    assert is_cordoned(workloads)
    back = labs.admin(workloads, "uncordon", NODE, timeout=400)
    assert back.code == 0, back.err
    assert "2 of 2 workloads that were moved are healthy" in back.out
    assert not is_cordoned(workloads)


def test_a_budget_that_can_never_be_met_is_refused_before_the_cordon(workloads):
    """By the numbers of the real disruption controller."""
    set_budget(workloads, "100%")
    query = ["get", "pdb", "web", f"--namespace={NAMESPACE}", "--output=jsonpath={.status.desiredHealthy}"]
    while workloads.kubectl(*query) != str(REPLICAS):
        pass
    answer = labs.admin(workloads, "drain", NODE, *FLAGS)
    assert answer.code == 3
    assert f"violation: disruption budget {NAMESPACE}/web" in answer.out
    assert not is_cordoned(workloads)
    assert apps_on_node(workloads) == {"web", "db", "agent"}


def test_interrupted_it_takes_its_cordon_back(workloads):
    with draining(workloads) as process:
        until(process, "evicting pod")
        process.send_signal(signal.SIGINT)
        answer = ended(process)
    assert answer.code == 130
    assert f"node {NODE} is uncordoned again" in answer.err
    assert not is_cordoned(workloads)


def test_an_api_server_that_is_restarted_in_the_middle_does_not_end_it(workloads):
    """The one that the kubeconfig leads to, or one of those behind it: connections break either way."""
    with draining(workloads) as process:
        until(process, "evicting pod")
        with workloads.faults.static_pod("cp-1", "kube-apiserver"):
            pass
        answer = ended(process)
    assert answer.code == 0, answer.err
    assert apps_on_node(workloads) == {"agent"}
