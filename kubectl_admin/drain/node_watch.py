"""Watch for a drain the pods of its node, all budgets, and any further list that it needs."""

import queue
from collections.abc import Callable, Collection, Mapping
from typing import Any

from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.watched import WatchedObjects
from kubectl_admin.drain import read
from kubectl_admin.drain.facts import Budget, Name, Pod
from kubectl_admin.drain.gather import BUDGETS, PODS
from kubectl_admin.errors import AdminError


class NodeWatch:
    """The node's pods and all budgets, kept up to date, and one queue that wakes the waiting thread."""

    def __init__(self, cluster: Cluster, node: str) -> None:
        self.events = queue.SimpleQueue[Any]()
        self._cluster = cluster
        on_node = [("fieldSelector", f"spec.nodeName={node}")]
        self._pods = WatchedObjects(cluster, PODS, on_node, read.pod, self.wake)
        self._budgets = WatchedObjects(cluster, BUDGETS, (), read.budget, self.wake)
        self._others: list[WatchedObjects[Any]] = []

    def wake(self) -> None:
        """Something has changed."""
        self.events.put(None)

    @property
    def pods(self) -> Mapping[Name, Pod] | None:
        """The node's pods; None until they are known. Raises AdminError where they can't be."""
        return self._pods.facts

    @property
    def problem(self) -> str:
        """Why nothing new of the pods is known at the moment."""
        return self._pods.problem

    @property
    def budgets(self) -> Collection[Budget]:
        """All budgets; none where they can't be seen: pods are then asked again from time to time."""
        try:
            return (self._budgets.facts or {}).values()
        except AdminError:
            return ()

    def add(self, path: str, fact: Callable[[Any], Any]) -> WatchedObjects[Any]:
        """Watches one more list."""
        other = WatchedObjects(self._cluster, path, (), fact, self.wake)
        self._others.append(other)
        return other

    def wait(self, seconds: float) -> list[Any]:
        """Events within so many seconds: None for each change, and whatever else was put there."""
        came = []
        try:
            came.append(self.events.get(timeout=max(seconds, 0.001)))
            while True:
                came.append(self.events.get_nowait())
        except queue.Empty:
            return came

    def close(self) -> None:
        """Ends all watches."""
        every: list[WatchedObjects[Any]] = [self._pods, self._budgets, *self._others]
        for followed in every:
            followed.close()
