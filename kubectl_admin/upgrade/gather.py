"""Finds out what an upgrade of a node is planned by: in the cluster, and on the node's host."""

import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import yaml

from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.control_plane.flags import command_line, flags
from kubectl_admin.control_plane.static_pods import LABEL
from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.members import status
from kubectl_admin.etcd.members.state import State
from kubectl_admin.node import files, packages
from kubectl_admin.node.host import Host
from kubectl_admin.pool import ask_all
from kubectl_admin.upgrade.facts import Around, Disk, Mark
from kubectl_admin.versions import gather as versions
from kubectl_admin.versions.facts import Facts
from kubectl_admin.versions.version import Version

ANNOTATION = "kubectl-admin/upgrade"
SYSTEM = "/api/v1/namespaces/kube-system/pods"
KUBERNETES = "/etc/kubernetes"
KUBELET_CONFIG = "/var/lib/kubelet/config.yaml"  # Source: cmd/kubeadm/app/constants
DEADLINE = 120.0  # seconds for all that is asked of the API
KB = 1024


def around(cluster: Cluster, node: str, *, members: bool = True) -> Around:
    """The node among the others. Raises AdminError where the API can't be asked.

    members: whether etcd's are asked, which takes long while one of them is restarted.
    """
    questions: dict[str, Callable[[], Any]] = {
        "node": lambda: cluster.get(f"/api/v1/nodes/{node}"),
        "versions": lambda: versions.gather(cluster, lambda: None),
        "pods": lambda: own_pods(cluster, node),
        "control planes": lambda: list(cluster.list("/api/v1/nodes", [("labelSelector", LABEL)])),
    }
    answers = ask_all(questions, deadline=DEADLINE)
    found: dict[str, Any] = {}
    for name, answer in answers.items():
        if isinstance(answer, AdminError):
            raise answer
        found[name] = answer
    here, pods = found["node"], found["pods"]
    facts: Facts = found["versions"]
    etcd: State | None = None
    if members and any(pod["metadata"].get("labels", {}).get("component") == "etcd" for pod in pods):
        etcd = status.gather(cluster, compare=False)
    info = here.get("status", {}).get("nodeInfo", {})
    return Around(
        node,
        facts,
        order(found["control planes"]),
        etcd,
        {name: set_flags for pod in pods for name, set_flags in static_flags(pod)},
        mark_of(here),
        bool(here["spec"].get("unschedulable")),
        is_ready(here),
        Version.find(str(info.get("kubeletVersion", ""))),
    )


def own_pods(cluster: Cluster, node: str) -> list[dict[str, Any]]:
    """The static pods of the control plane on the node."""
    query = [("fieldSelector", f"spec.nodeName={node}"), ("labelSelector", "tier=control-plane")]
    return list(cluster.list(SYSTEM, query))


def static_flags(pod: Mapping[str, Any]) -> list[tuple[str, Mapping[str, str]]]:
    """The component of a static pod, and the flags that it is started with."""
    component = pod["metadata"].get("labels", {}).get("component", "")
    containers = pod["spec"].get("containers") or ()
    return [(component, flags(command_line(pod, containers[0])[1:]))] if component and containers else []


def order(nodes: list[Mapping[str, Any]]) -> tuple[str, ...]:
    """The names of control-plane nodes, the oldest first."""
    return tuple(
        node["metadata"]["name"]
        for node in sorted(
            nodes, key=lambda each: (each["metadata"].get("creationTimestamp", ""), each["metadata"]["name"])
        )
    )


def is_ready(node: Mapping[str, Any]) -> bool:
    """Whether the node says that it is Ready."""
    conditions = node.get("status", {}).get("conditions") or ()
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def mark_of(node: Mapping[str, Any]) -> Mark | None:
    """The mark that an upgrade has left on the node; None where there is none that can be read."""
    try:
        said = json.loads((node["metadata"].get("annotations") or {})[ANNOTATION])
        return Mark(str(said["target"]), str(said["since"]), said["uncordon"] is True)
    except (KeyError, TypeError, ValueError):
        return None


def mark_text(mark: Mark) -> str:
    """The annotation's value."""
    return json.dumps({"target": mark.target, "since": mark.since, "uncordon": mark.uncordon})


def disk(host: Host, around: Around) -> Disk:
    """What the host says. Raises AdminError where it can't be asked."""
    data = around.flags.get("etcd", {}).get("data-dir", "-")
    answer = host.script("upgrade-survey", KUBERNETES, data).decode("utf-8", "replace")
    return on_disk(answer, packages.survey(host), configured_gates(partial(files.read, host, KUBELET_CONFIG)))


def on_disk(answer: str, held: packages.Packages, gates: Mapping[str, str]) -> Disk:
    """What the script has answered, with what the package manager says, and the kubelet's file."""
    said: dict[str, list[str]] = {}
    for line in answer.splitlines():
        name, _, value = line.partition(" ")
        said.setdefault(name, []).append(value)

    def one(name: str) -> str:
        return said.get(name, [""])[0]

    free = [line.partition(" ") for line in said.get("free-kilobytes", ())]
    return Disk(
        held,
        Version.find(one("kubeadm")),
        Version.find(one("kubelet")),
        flags(said.get("kubelet-argument", ["kubelet"])[1:]),
        gates,
        one("systemd") == "yes",
        1 if one("cgroup") == "1" else 2,
        number(one("etcd-kilobytes")) * KB,
        {folder: number(kilobytes) * KB for kilobytes, _, folder in free},
    )


def number(text: str) -> int:
    """A whole number; 0 for what is none."""
    return int(text) if text.isascii() and text.isdecimal() else 0


def configured_gates(read: Callable[[], bytes]) -> dict[str, str]:
    """The feature gates in the kubelet's configuration; none without such a file, or if it is no YAML."""
    try:
        document = yaml.safe_load(read())
    except (AdminError, yaml.YAMLError):
        return {}
    gates = document.get("featureGates") if isinstance(document, dict) else None
    return {str(name): str(value).lower() for name, value in gates.items()} if isinstance(gates, dict) else {}
