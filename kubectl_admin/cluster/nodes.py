"""A node by its name, and the one error where there is none: every verb that takes a node says the same."""

import re
from typing import TYPE_CHECKING, Any

from kubectl_admin.cluster.errors import NotFound
from kubectl_admin.errors import AdminError, UsageError

if TYPE_CHECKING:
    from kubectl_admin.cluster.connection import Cluster

NAME = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")  # a DNS subdomain, as nodes and namespaces are named


def read_node(cluster: "Cluster", node: str) -> dict[str, Any]:
    """The Node object of that name. Raises UsageError for what can't be a name, and `unknown_node`."""
    refuse_misnamed("node", node)
    try:
        found: dict[str, Any] = cluster.get(f"/api/v1/nodes/{node}")
    except NotFound as error:
        raise unknown_node(node) from error
    return found


def unknown_node(node: str) -> AdminError:
    """There is no node of that name."""
    return AdminError(f"there is no node {node}", "kubectl get nodes lists them")


def refuse_misnamed(kind: str, name: str) -> None:
    """Raises UsageError for what can't be a node's or a namespace's name: it would ask for something else."""
    if not NAME.fullmatch(name):
        raise UsageError(f"{name!r} can't be the name of a {kind}")
