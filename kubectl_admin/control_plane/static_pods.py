"""Which pods are the static pods of the control plane, and which only look like them.

A pod's labels prove nothing: a kubelet may make mirror pods of its own node in every namespace and with any
labels, so anyone who is root on a worker can show an «etcd». Such a kubelet can't give its Node the label
of the control plane, or bind a pod to another node.
Source: kubernetes/kubernetes plugin/pkg/admission/noderestriction, admitPodCreate and getModifiedLabels.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kubectl_admin.cluster.access import Right
from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.paths import KUBE_SYSTEM, SYSTEM_PODS
from kubectl_admin.errors import AdminError
from kubectl_admin.finding import Gap
from kubectl_admin.pool import ask_all
from kubectl_admin.report.text import some_of

SELECTOR = "tier=control-plane"  # how kubeadm labels them; each pod that it selects still has to be checked
LABEL = "node-role.kubernetes.io/control-plane"
# A kubelet makes such pods for its own Node alone, and nobody can add the annotation to a pod later.
# Source: kubernetes/kubernetes pkg/kubelet/types/pod_update.go, ConfigMirrorAnnotationKey;
# pkg/apis/core/validation/validation.go, ValidatePodSpecificAnnotationUpdates.
MIRROR = "kubernetes.io/config.mirror"
# The kubelet runs a static pod under this uid; the uid of its object belongs to the copy in the API.
# Source: the same file, ConfigHashAnnotationKey.
UID = "kubernetes.io/config.hash"
LIST_TIMEOUT = 60.0  # seconds for both listings together
# The rights to know them.
RIGHTS = (Right("list", "pods", KUBE_SYSTEM), Right("list", "nodes"))


@dataclass(frozen=True, slots=True)
class ControlPlaneNode:
    """A node that carries the label of the control plane, its addresses, and the uid of its object."""

    name: str
    addresses: tuple[str, ...] = ()
    uid: str = ""

    @classmethod
    def of(cls, node: Mapping[str, Any]) -> "ControlPlaneNode":
        """Read from a Node object."""
        metadata, addresses = node["metadata"], (node.get("status") or {}).get("addresses") or ()
        return cls(
            str(metadata["name"]),
            tuple(str(one["address"]) for one in addresses),
            str(metadata.get("uid") or ""),
        )


@dataclass(frozen=True, slots=True)
class Impostor:
    """A pod that is labelled as a part of the control plane and is none. why: a clause, «it is not …»."""

    pod: str
    node: str
    component: str
    why: str


@dataclass(frozen=True, slots=True)
class StaticPods:
    """The static pods of the control plane as the API has them, its nodes, and pods that only look so."""

    pods: tuple[Mapping[str, Any], ...]
    nodes: tuple[ControlPlaneNode, ...]
    impostors: tuple[Impostor, ...] = ()


def find(cluster: Cluster, selector: str = SELECTOR, *, timeout: float = LIST_TIMEOUT) -> StaticPods:
    """The static pods of the control plane that the selector of labels takes.

    timeout: seconds for all answers. Raises AdminError where pods or nodes can't be listed: without the nodes
    nothing sets a static pod of the control plane apart from one that anybody made.
    """
    return among(*listed(cluster, selector, timeout=timeout))


def listed(
    cluster: Cluster, selector: str = SELECTOR, *, timeout: float = LIST_TIMEOUT
) -> tuple[list[Mapping[str, Any]], tuple[ControlPlaneNode, ...]]:
    """All pods that the selector takes, of any origin, and the nodes of the control plane.

    Arguments and errors are those of `find`.
    """
    questions: dict[str, Callable[[], Any]] = {
        "pods": lambda: list(cluster.list(SYSTEM_PODS, [("labelSelector", selector)])),
        "nodes": lambda: control_plane_nodes(cluster),
    }
    found: dict[str, Any] = {}
    for what, answer in ask_all(questions, deadline=timeout).items():
        if isinstance(answer, AdminError):
            raise answer
        found[what] = answer
    return found["pods"], found["nodes"]


def control_plane_nodes(cluster: Cluster) -> tuple[ControlPlaneNode, ...]:
    """The nodes of the control plane. Raises AdminError where nodes can't be listed."""
    return tuple(map(ControlPlaneNode.of, cluster.list("/api/v1/nodes", [("labelSelector", LABEL)])))


def on_node(cluster: Cluster, node: str) -> list[Mapping[str, Any]]:
    """The static pods of the control plane on the node; a pod that only wears their labels is not one.

    Raises AdminError as `find` does.
    """
    return [pod for pod in find(cluster).pods if node_of(pod) == node]


def among(pods: Iterable[Mapping[str, Any]], nodes: Iterable[ControlPlaneNode]) -> StaticPods:
    """The static pods of the control plane on these nodes, among these pods. Pure."""
    known = {node.name: node for node in nodes}
    genuine, impostors = [], []
    for pod in pods:
        if why := doubt(pod, known):
            impostors.append(Impostor(str(pod["metadata"]["name"]), node_of(pod), component_of(pod), why))
        else:
            genuine.append(pod)
    return StaticPods(tuple(genuine), tuple(known.values()), tuple(impostors))


def doubt(pod: Mapping[str, Any], nodes: Mapping[str, ControlPlaneNode]) -> str:
    """Why a pod is not a static pod of the control plane, as a clause; "" where it is one. Pure.

    nodes: those of the control plane by their names.
    """
    metadata = pod["metadata"]
    if metadata.get("namespace") != KUBE_SYSTEM:
        return f"it is not in namespace {KUBE_SYSTEM}"
    name = node_of(pod)
    node = nodes.get(name)
    if node is None:
        return f"node {name} does not carry the label {LABEL}" if name else "it is bound to no node"
    if not (metadata.get("annotations") or {}).get(MIRROR):
        return f"it is not a static pod: it lacks the annotation {MIRROR}"
    owners = [
        (one.get("apiVersion"), one.get("kind"), one.get("name"), one.get("uid"))
        for one in metadata.get("ownerReferences") or ()
    ]
    if not node.uid or owners != [("v1", "Node", node.name, node.uid)]:
        return f"it does not belong to the Node object of {name}"
    return ""


def gaps(impostors: Iterable[Impostor]) -> list[Gap]:
    """The gaps of pods that were not asked, since they only look like parts of the control plane.

    One gap for a node, however many it shows.
    """
    shown: dict[str, list[Impostor]] = {}
    for one in impostors:
        shown.setdefault(one.node, []).append(one)
    return [
        Gap(
            f"{'pod' if len(here) == 1 else 'pods'} {some_of([one.pod for one in here])}",
            f"not a part of the control plane, and not counted: {here[0].why}",
        )
        for here in shown.values()
    ]


def node_of(pod: Mapping[str, Any]) -> str:
    """The node that a pod is bound to, or ""."""
    return str(pod["spec"].get("nodeName") or "")


def component_of(pod: Mapping[str, Any]) -> str:
    """The part of the control plane that a pod calls itself, «etcd», or ""."""
    return str((pod["metadata"].get("labels") or {}).get("component") or "")


def uid_of(pod: Mapping[str, Any]) -> str:
    """A static pod's uid as its node knows it (in cgroups and in /var/lib/kubelet/pods), not the object's."""
    metadata = pod["metadata"]
    return str((metadata.get("annotations") or {}).get(UID) or metadata.get("uid") or "")
