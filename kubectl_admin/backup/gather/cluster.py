"""Whose backup it is: the cluster, its nodes, and the parts of its control plane as they run."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kubectl_admin.backup.facts import SavedNode
from kubectl_admin.cluster.access import Right
from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.decode import mapping
from kubectl_admin.cluster.objects import Object
from kubectl_admin.cluster.paths import KUBE_SYSTEM, SYSTEM
from kubectl_admin.cluster.retry import NotReadyError
from kubectl_admin.control_plane import static_pods
from kubectl_admin.control_plane.component import Component
from kubectl_admin.control_plane.pod import StaticPod, container_of, static_pod
from kubectl_admin.control_plane.static_pods import component_of, node_of
from kubectl_admin.errors import AdminError
from kubectl_admin.finding import Finding
from kubectl_admin.node.readiness import refuse_unready
from kubectl_admin.versions.version import Version

RIGHTS = (*static_pods.RIGHTS, Right("get", "namespaces"))
# Fields of a Node's nodeInfo, and what they tell of.
TOLD = {
    "kubeletVersion": Component.KUBELET.value,
    "containerRuntimeVersion": "runtime",
    "osImage": "os",
    "kernelVersion": "kernel",
    "architecture": "architecture",
}


@dataclass(frozen=True, slots=True)
class Live:
    """The cluster. uid: of namespace kube-system. server: version of the API server that answers.

    nodes: a control plane that is not Ready says why it is not saved. parts: of the control plane that run as
    static pods, by node. notes: what looks like one and is none.
    """

    uid: str
    server: str
    nodes: tuple[SavedNode, ...]
    parts: Mapping[str, tuple[StaticPod, ...]]
    notes: tuple[Finding, ...] = ()

    @property
    def control_planes(self) -> Sequence[SavedNode]:
        """The nodes of the control plane."""
        return [node for node in self.nodes if node.control_plane]


def gather(cluster: Cluster) -> Live:
    """The cluster as the API shows it.

    Raises AdminError where that can't be asked, where namespace kube-system has no UID, and where no node of
    the control plane is seen.
    """
    found = static_pods.find(cluster)
    if not found.nodes:
        raise AdminError(
            "no node of the control plane is seen, so there is nothing to back up",
            "is the control plane a managed one? its provider has the backups",
        )
    uid = str(cluster.get(SYSTEM)["metadata"].get("uid") or "")
    if not uid:
        raise AdminError(f"namespace {KUBE_SYSTEM} has no UID, by which a backup is known as this cluster's")
    server = str(cluster.get("/version").get("gitVersion") or "")
    names = {node.name for node in found.nodes}
    pods: dict[str, list[Mapping[str, Any]]] = {name: [] for name in sorted(names)}
    for pod in found.pods:
        pods.setdefault(node_of(pod), []).append(pod)
    nodes = [
        _node(node, pods.get(str(node["metadata"]["name"])), node["metadata"]["name"] in names)
        for node in cluster.list("/api/v1/nodes")
    ]
    return Live(
        uid,
        server,
        tuple(nodes),
        {node: tuple(filter(None, map(static_pod, here))) for node, here in pods.items()},
        tuple(gap.finding() for gap in static_pods.gaps(found.impostors)),
    )


def _node(node: Object, pods: Sequence[Mapping[str, Any]] | None, control_plane: bool) -> SavedNode:
    info = mapping(mapping(node.get("status")).get("nodeInfo"))
    told = {name: str(info[field]) for field, name in TOLD.items() if info.get(field)}
    why = ""
    if control_plane:
        try:
            refuse_unready(dict(node))
        except NotReadyError as error:
            why = error.what
    return SavedNode(str(node["metadata"]["name"]), control_plane, {**told, **dict(_images(pods or ()))}, why)


def _images(pods: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """The versions of the static pods, by their images' tags."""
    for pod in pods:
        component = component_of(pod)
        version = Version.of_image(str(container_of(pod, component).get("image") or ""))
        if version:
            yield component, str(version)
