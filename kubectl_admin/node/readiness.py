"""Whether a node's kubelet starts pods now, and since when it does not. Pure.

Source: kubernetes/kubernetes pkg/kubelet/nodestatus/setters.go, ReadyCondition;
pkg/controller/nodelifecycle/node_lifecycle_controller.go, tryUpdateNodeHealth.
"""

from datetime import datetime
from typing import Any

from kubectl_admin.cluster.decode import decode_moment
from kubectl_admin.cluster.objects import Object, find_condition, is_ready
from kubectl_admin.cluster.retry import NotReadyError
from kubectl_admin.errors import AdminError


def refuse_unready(node: dict[str, Any]) -> None:
    """Raises NotReadyError for a node whose kubelet would not start a pod."""
    name = node["metadata"]["name"]
    condition = find_condition(node, "Ready")
    if condition and not is_ready(node):
        raise NotReadyError(
            f"node {name} is not Ready since {condition.get('lastTransitionTime', '?')}: "
            f"{condition.get('reason', '')}: {condition.get('message', '')}",
            "its kubelet starts no pod; bring it back first",
        )


def refuse_down(node: dict[str, Any], now: datetime | None, patience: float) -> None:
    """Raises AdminError for a node that has not been Ready for more than `patience` seconds.

    It is down, and not only being restarted, so that it is not worth waiting for. now: by the API server's
    clock; None where that is not known.
    """
    try:
        refuse_unready(node)
    except NotReadyError as error:
        if seconds_in(find_condition(node, "Ready"), now) > patience:
            raise AdminError(error.what, error.hint) from None


def seconds_in(condition: Object, now: datetime | None) -> float:
    """For how long a node has been in this condition, at least; 0 where that is not known.

    False is the kubelet's own word, with both times by its own clock, whatever the time is elsewhere. Unknown
    is the controller manager's, which runs beside the API server.
    """
    since = decode_moment(condition.get("lastTransitionTime"))
    until = decode_moment(condition.get("lastHeartbeatTime")) if condition.get("status") == "False" else now
    return (until - since).total_seconds() if since and until else 0.0
