"""Which kube-proxy runs on which node: by its DaemonSet where fully rolled out, else by its pods."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.paths import SYSTEM_APPS, SYSTEM_PODS
from kubectl_admin.control_plane.component import Component
from kubectl_admin.control_plane.endpoints import FORWARDING
from kubectl_admin.errors import AdminError
from kubectl_admin.finding import Gap
from kubectl_admin.versions import processes
from kubectl_admin.versions.facts import Instance, Node

REVISIONS = f"{SYSTEM_APPS}/controllerrevisions"
SELECTOR = [("labelSelector", "k8s-app=kube-proxy")]


def instances(
    cluster: Cluster, daemonsets: Sequence[Mapping[str, Any]] | None, nodes: Sequence[Node], gaps: list[Gap]
) -> list[Instance]:
    """The kube-proxies of these nodes by their images; a node without one has no instance.

    daemonsets: those labelled k8s-app=kube-proxy, None where they could not be listed.
    """
    if daemonsets is None or not nodes:
        return []
    if not daemonsets:
        gaps.append(Gap("kube-proxy", "no DaemonSet of it: something else does its work (Cilium, for one)"))
        return []
    if len(daemonsets) == 1 and rolled_out(daemonsets[0], len(nodes)):
        claimed = processes.image_tag(daemonsets[0]["spec"]["template"]["spec"])
        return [Instance(Component.KUBE_PROXY, node.name, claimed=claimed) for node in nodes]
    try:
        return list(of_pods(cluster))
    except AdminError as error:
        permission = "list pods and controllerrevisions.apps in namespace kube-system"
        gaps.append(processes.gap("kube-proxy", error, permission))
        return []


def rolled_out(daemonset: Mapping[str, Any], nodes: int) -> bool:
    """Whether every one of so many nodes runs a pod of the DaemonSet's present template.

    Source: the same fields as `kubectl rollout status`, and that the DaemonSet wants a pod on every node.
    """
    status = daemonset.get("status", {})
    return bool(
        status.get("observedGeneration", 0) >= daemonset["metadata"].get("generation", 0)
        and status.get("desiredNumberScheduled")
        == status.get("updatedNumberScheduled")
        == status.get("numberAvailable")
        == nodes
    )


def of_pods(cluster: Cluster) -> Iterator[Instance]:
    """Every kube-proxy by its pod: the revision that its label names has the image."""
    images = {
        revision["metadata"]["labels"].get("controller-revision-hash", ""): processes.image_tag(
            revision["data"]["spec"]["template"]["spec"]
        )
        for revision in cluster.list(REVISIONS, SELECTOR)
    }
    for node, pod in pods(cluster):
        labels = pod["metadata"].get("labels", {})
        yield Instance(
            Component.KUBE_PROXY, node, claimed=images.get(labels.get("controller-revision-hash", ""))
        )


def pods(cluster: Cluster) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every kube-proxy pod's node and metadata, from the server's Table: the objects are never sent whole."""
    table = cluster.table(SYSTEM_PODS, SELECTOR, include_object="Metadata")
    for (node,), pod in zip(table.named("Node"), table.objects, strict=True):
        if node and node != "<none>":
            yield node, pod


def probe(
    cluster: Cluster, proxies: Iterable[Instance], gaps: list[Gap], answered: Callable[[int], None] | None
) -> list[Instance]:
    """Asks every kube-proxy itself, through a port-forward to its pod."""
    proxies = list(proxies)
    try:
        names = {node: pod["metadata"]["name"] for node, pod in pods(cluster)} if proxies else {}
    except AdminError as error:
        gaps.append(
            processes.gap("the running versions of kube-proxies", error, "list pods in namespace kube-system")
        )
        return proxies
    answers = processes.ask_nodes(
        cluster,
        {node: partial(processes.ask_kube_proxy, cluster, name) for node, name in names.items()},
        "the running versions of kube-proxies",
        FORWARDING,
        gaps,
        answered,
    )

    def settled(proxy: Instance) -> Instance:
        answer = answers.get(proxy.node or "")
        if isinstance(answer, AdminError):
            return replace(proxy, problem=answer.what)
        return replace(proxy, running=answer)

    return [settled(proxy) for proxy in proxies]
