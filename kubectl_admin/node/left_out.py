"""Nodes that have no host which this tool knows: another operating system, or no machine at all.

Source: kubernetes/kubernetes staging/src/k8s.io/api/core/v1/types.go, NodeSystemInfo, and
well_known_labels.go, kubernetes.io/os; the label «type» of virtual-kubelet's nodes.
"""

from collections.abc import Callable, Iterable
from typing import Any

from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.errors import AdminError

SYSTEM = "kubernetes.io/os"
FOREIGN = (f"{SYSTEM},{SYSTEM}!=linux", "type=virtual-kubelet")  # label selectors of such nodes


class LeftOutError(AdminError):
    """A node on which no debug pod can ever run."""


def refuse_foreign(node: dict[str, Any]) -> None:
    """Raises LeftOutError for a node without a host that is known."""
    name, labels = node["metadata"]["name"], node["metadata"].get("labels") or {}
    info = (node.get("status") or {}).get("nodeInfo") or {}
    system = str(info.get("operatingSystem") or labels.get(SYSTEM) or "linux")
    if system != "linux":
        raise LeftOutError(f"node {name} is left out: it runs {system}, and only hosts with Linux are known")
    if labels.get("type") == "virtual-kubelet":
        raise LeftOutError(f"node {name} is left out: it is a virtual node, without a host")


def without_foreign(cluster: Cluster, names: Iterable[str], say: Callable[[str], None]) -> list[str]:
    """Those of all nodes that have a host; says which are left out. Raises AdminError where none is left."""
    foreign = {
        name
        for selector in FOREIGN
        for (name,) in cluster.table("/api/v1/nodes", [("labelSelector", selector)]).named("Name")
    }
    for name in sorted(foreign):
        say(f"node {name} is left out: it has no Linux host")
    chosen = [name for name in names if name not in foreign]
    if foreign and not chosen:
        raise AdminError("no node of the cluster has a Linux host")
    return chosen
