"""Facts and objects to judge."""

from datetime import UTC, datetime
from typing import Any

from kubectl_admin.drain.facts import Budget, Demands, Facts, Node, Owner, Pod, Resources
from kubectl_admin.drain.labels import Requirement, Selector

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
WEB = Owner("ReplicaSet", "web", "uid-web")
AGENT = Owner("DaemonSet", "agent", "uid-agent")
ROOM: Resources = {"cpu": 4.0, "memory": 8e9, "pods": 110.0}


def pod(name: str = "one", **more: Any) -> Pod:
    """A pod of a ReplicaSet on node w1."""
    return Pod("shop", name, f"uid-{name}", **({"node": "w1", "controller": WEB} | more))


def node(name: str, **more: Any) -> Node:
    """A node with room, whose labels carry its name as the API's do."""
    labels = {"kubernetes.io/hostname": name, "metadata.name": name, **more.pop("labels", {})}
    return Node(name, labels=labels, **({"allocatable": ROOM} | more))


def budget(name: str = "guard", numbers: tuple[int, int, int, int] = (1, 3, 2, 3), **more: Any) -> Budget:
    """A budget of all pods of namespace shop. numbers: allowed, current, desired, expected."""
    allowed, current, desired, expected = numbers
    given = {"selector": Selector(), "wants": "minAvailable 2"} | more
    return Budget("shop", name, allowed=allowed, current=current, desired=desired, expected=expected, **given)


def facts(*pods: Pod, **more: Any) -> Facts:
    """What is known of node w1 beside w2."""
    known = {"node": node("w1"), "others": (node("w2"),), "daemonsets": frozenset({("shop", "agent")})}
    return Facts(context="here", pods=pods, **(known | more))


def asking(**more: Any) -> Demands:
    """Demands of a pod, a piece of «pods» among its requests."""
    requests = {"pods": 1.0, **more.pop("requests", {})}
    return Demands(requests=requests, **more)


def label(key: str, value: str) -> Requirement:
    """A label that must have this value."""
    return Requirement(key, "In", (value,))
