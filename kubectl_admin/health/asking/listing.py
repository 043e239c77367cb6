"""Lists what has to be known of a cluster before its components can be asked: nodes, pods, their settings.

Each listing is reduced while it is read.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

from kubectl_admin.cluster.access import Right
from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.decode import mapping
from kubectl_admin.cluster.errors import Misdirected, Unauthorized, Unreachable, Untrusted
from kubectl_admin.cluster.objects import Object
from kubectl_admin.cluster.paths import KUBE_SYSTEM, SYSTEM, SYSTEM_APPS, SYSTEM_PODS
from kubectl_admin.errors import AdminError
from kubectl_admin.health.asking.listed import (
    DAEMON_SETS,
    LEASES,
    NODE_LEASES,
    NODES,
    PODS,
    SERVICES,
    Listed,
    Listing,
    SystemPods,
    put_together,
)
from kubectl_admin.health.asking.nodes import lease_of, node_of
from kubectl_admin.health.facts import Lease
from kubectl_admin.pool import ask_all

OF_NODES = "kube-node-lease"  # the namespace of the nodes' Leases
WORKERS = 3  # listings at a time: more would not be quicker, and each has a connection of its own


def listed(cluster: Cluster, seconds: float) -> Listed:
    """Lists all that it takes to ask the components, within so many seconds.

    Raises AdminError where the API server can't be spoken to, or lists neither nodes nor pods.
    """
    asked: dict[Right | str, Callable[[], Any]] = {
        PODS: lambda: SystemPods.of(cluster.list(SYSTEM_PODS)),
        NODES: partial(_nodes, cluster),
        NODE_LEASES: partial(leases, cluster, OF_NODES),
        "kube-proxy": partial(cluster.get, f"{SYSTEM}/configmaps/kube-proxy"),
        "kubelet-config": partial(cluster.get, f"{SYSTEM}/configmaps/kubelet-config"),
        DAEMON_SETS: partial(_kube_proxy, cluster),
        LEASES: partial(leases, cluster, KUBE_SYSTEM),
        SERVICES: partial(cluster.get, "/api/v1/namespaces/default/services/kubernetes"),
    }
    answers = ask_all(asked, deadline=seconds, workers=WORKERS)
    for error in (answers[PODS], answers[NODES]):
        if isinstance(error, Unauthorized | Unreachable):
            error.hint = error.hint or hint_on(cluster, error)
            raise error
    if isinstance(answers[PODS], AdminError) and isinstance(answers[NODES], AdminError):
        raise answers[NODES]
    return put_together(answers, certificate=cluster.has_client_certificate)


def hint_on(cluster: Cluster, error: AdminError) -> str | None:
    """The hint where the API server can't be spoken to; None where none is known."""
    if not isinstance(error, Unreachable) or isinstance(error, Untrusted | Misdirected):
        return None
    directly = "--server https://CONTROL-PLANE:6443"
    if cluster.target.bypassed:
        return f"try that of another control plane: {directly}"
    return (
        f"where a balancer is at that address, ask an API server directly, which tells the rest: {directly}"
    )


def _nodes(cluster: Cluster) -> list[Listing]:
    found: list[Listing] = []
    for item in cluster.list("/api/v1/nodes"):
        metadata, status = item["metadata"], mapping(item.get("status"))
        kept = {
            "metadata": {name: metadata[name] for name in ("name", "uid", "labels") if name in metadata},
            "status": {name: status[name] for name in ("addresses", "daemonEndpoints") if name in status},
        }
        found.append((kept, node_of(item)))
    return found


def leases(
    cluster: Cluster, namespace: str, timeout: float | None = None, name: str = ""
) -> dict[str, Lease]:
    """The Leases of a namespace by their names, or one of them. timeout: seconds for each page."""
    query = [("fieldSelector", f"metadata.name={name}")] if name else []
    path = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"
    found = (lease_of(item, datetime.now(UTC)) for item in cluster.list(path, query, timeout=timeout))
    return {lease.name: lease for lease in found}


def _kube_proxy(cluster: Cluster) -> list[Object]:
    return list(cluster.list(f"{SYSTEM_APPS}/daemonsets", [("labelSelector", "k8s-app=kube-proxy")]))
