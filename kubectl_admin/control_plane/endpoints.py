"""Endpoints on the loopback of a node, reached by a port-forward to a pod in the node's own network."""

from collections.abc import Iterable, Mapping
from typing import Any

from kubectl_admin.cluster.access import Right
from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.errors import Forbidden, refusal
from kubectl_admin.cluster.paths import KUBE_SYSTEM
from kubectl_admin.errors import AdminError

GET_TIMEOUT = 10.0  # seconds for one process' answer
GET_LIMIT = 16 << 20  # bytes of it; metrics of a large cluster's controller-manager are a few million
NOBODY = "system:anonymous"  # the user of a request without a credential that is trusted
# The rights that it needs.
FORWARDING = tuple(Right(verb, "pods/portforward", KUBE_SYSTEM) for verb in ("create", "get"))


def get_from_loopback(cluster: Cluster, pod: str, port: int, path: str, *, tls: bool = False) -> str:
    """The body of a GET from a port of a node's loopback, through a pod of kube-system in its network.

    Raises Forbidden where the listener refuses the user, whom it knows by the client certificate.
    """
    from kubectl_admin.cluster import portforward  # while listings are under way

    answer = portforward.http_get(
        cluster, KUBE_SYSTEM, pod, port, path, tls=tls, timeout=GET_TIMEOUT, limit=GET_LIMIT
    )
    if answer.status == 403:
        refused = refusal(answer.status, answer.body, {}, f"GET {path}")
        # Nothing to be granted: a process that has just started may not know yet whose certificates to trust.
        if isinstance(refused, Forbidden) and refused.user == NOBODY:
            raise AdminError(f"port {port} does not know this user's client certificate")
        raise refused
    if answer.status != 200:
        raise AdminError(f"port {port} answered {answer.status} {answer.reason} to {path}")
    return answer.body.decode("utf-8", "replace")


def forwarders(pods: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """For each node the first of these pods that runs there in the node's own network."""
    found: dict[str, str] = {}
    for pod in pods:
        runs = (pod.get("status") or {}).get("phase") == "Running"
        if runs and pod["spec"].get("hostNetwork") and pod["spec"].get("nodeName"):
            found.setdefault(pod["spec"]["nodeName"], pod["metadata"]["name"])
    return found
