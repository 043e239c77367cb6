"""`kubectl admin skew` on a real cluster of three control planes and a worker."""

import json

import pytest

from tests.cluster.labs import admin
from tests.lab.nodes import cluster
from tests.lab.nodes.lab import Lab
from tests.lab.progress import Progress
from tests.program import Ended

pytestmark = pytest.mark.lab

CONTROL_PLANE = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd")


def objects_by_rule(answer: Ended) -> dict[str, list[str]]:
    """The objects of each finding of a document."""
    return {finding["rule"]: finding["objects"] for finding in json.loads(answer.out)["findings"]}


def test_a_cluster_of_one_version_is_clean(lab):
    answer = admin(lab, "skew")
    assert (answer.code, answer.err) == (0, "")
    rows = [line.split() for line in answer.out.splitlines()[:5]]
    assert rows[0] == ["NAME", "STATUS", "APISERVER", "MANAGER", "SCHEDULER", "ETCD", "KUBELET", "PROXY"]
    kubernetes, etcd = lab.release.kubernetes, lab.release.etcd
    for row, name in zip(rows[1:4], ("cp-1", "cp-2", "cp-3"), strict=True):
        assert row == [name, "Ready", *[kubernetes] * 3, etcd, *[kubernetes] * 2]
    assert rows[4] == ["worker-1", "Ready", *["-"] * 4, *[kubernetes] * 2]
    assert "!" not in answer.out
    assert "?" not in answer.out


def test_every_process_is_asked_itself(lab):
    answer = admin(lab, "skew", "--probe", "-o", "json")
    nodes = {node["name"]: node["components"] for node in json.loads(answer.out)["items"]}
    for name, components in nodes.items():
        expected = [*(CONTROL_PLANE if name.startswith("cp-") else ()), "kubelet", "kube-proxy"]
        assert sorted(components) == sorted(expected)
        assert [part for part in expected if components[part]["running"] is None] == []
    assert set(objects_by_rule(answer)) <= {"patch-behind", "cgroup-v1"}


def test_the_gate_of_etcd_blocks_the_way_to_the_next_minor(lab):
    answer = admin(lab, "skew", "--target", "1.37", "-o", "json")
    assert answer.code == 3
    assert objects_by_rule(answer)["etcd-too-old-to-upgrade"] == ["node/cp-1", "node/cp-2", "node/cp-3"]
    assert [step["title"].partition(",")[0] for step in json.loads(answer.out)["way"]] == [
        "kube-apiserver",
        "kube-controller-manager and kube-scheduler",
        "kubelet",
        "kube-proxy",
        "kubectl",
    ]


def test_who_may_see_nothing_is_told_what_is_missing(lab):
    answer = admin(lab, "skew", "--as", "nobody", "-o", "json")
    assert answer.code == 0
    missing = {finding["subject"]: finding["fix"] for finding in json.loads(answer.out)["findings"]}
    assert "list nodes" in missing["nodes"]
    assert "list pods in namespace kube-system" in missing["static pods"]


def test_an_api_server_that_is_stopped_is_named_and_the_rest_is_shown(lab):
    with lab.faults.static_pod("cp-2", "kube-apiserver"):
        answer = admin(lab, "skew", "-o", "json")
        assert answer.code == 0
        assert len(json.loads(answer.out)["items"]) == 4
        silent = [finding for finding in json.loads(answer.out)["findings"] if finding["rule"] == "no-answer"]
        assert {"kube-apiserver"} <= {finding["subject"] for finding in silent}
        assert {node for finding in silent for node in finding["objects"]} == {"node/cp-2"}


def test_a_kubelet_that_was_upgraded_and_then_restarted_before_the_api_servers(lab):
    cluster.import_images(lab, "1.37", Progress(f"lab {lab.name}", lab.folder / "logs"), ["worker-1"])
    install(lab, "worker-1", "1.36", "1.37", "1.37.2-1.1")
    try:
        assert objects_by_rule(admin(lab, "skew", "--host", "-o", "json"))["restart-pending"] == [
            "node/worker-1"
        ]
        restart_kubelet(lab, "worker-1")
        lab.kubectl(
            "wait",
            "node/worker-1",
            "--for=jsonpath={.status.nodeInfo.kubeletVersion}=v1.37.2",
            "--timeout=120s",
            timeout=130,
        )
        answer = admin(lab, "skew", "-o", "json")
        assert answer.code == 3
        violations = [f for f in json.loads(answer.out)["findings"] if f["severity"] == "violation"]
        assert [(f["rule"], f["objects"]) for f in violations] == [("kubelet-skew", ["node/worker-1"])]
    finally:
        install(lab, "worker-1", "1.37", "1.36", "1.36.3-1.1")
        restart_kubelet(lab, "worker-1")
        cluster.wait_until_ready(lab)


def install(lab: Lab, node: str, old: str, new: str, version: str) -> None:
    """Puts another kubelet on a node, as an administrator in a hurry would."""
    script = """
        sed -i "s/v$1/v$2/" /etc/apt/sources.list.d/kubernetes.list
        apt-get update -qq
        apt-get install -y -qq --allow-change-held-packages --allow-downgrades "kubelet=$3" >/dev/null
        apt-mark hold kubelet >/dev/null
        systemctl daemon-reload
    """
    lab.exec(node, ["sh", "-ec", script, "install", old, new, version], timeout=180)


def restart_kubelet(lab: Lab, node: str) -> None:
    """What an administrator in a hurry forgets."""
    lab.exec(node, ["systemctl", "restart", "kubelet"], timeout=180)
