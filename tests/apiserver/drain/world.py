"""A node's pods and budgets on an API server without kubelets and controllers, whose parts tests play."""

import contextlib
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from kubectl_admin.cluster import kubeconfig as kubeconfigs
from kubectl_admin.cluster.connection import MERGE_PATCH, Cluster
from kubectl_admin.cluster.errors import Conflict, NotFound
from kubectl_admin.errors import AdminError
from tests.lab import cache
from tests.lab.versions import RELEASES

Object = dict[str, Any]
NOW = {"kind": "DeleteOptions", "apiVersion": "v1", "gracePeriodSeconds": 0}


def owner(kind: str, name: str, *, controls: bool = True, api_version: str = "apps/v1") -> Object:
    """An ownerReference to something whose UID is made of its name."""
    return {
        "kind": kind,
        "name": name,
        "uid": f"uid-of-{name}",
        "apiVersion": api_version,
        "controller": controls,
    }


REPLICASET = owner("ReplicaSet", "web")
DAEMONSET = owner("DaemonSet", "agent")


def pod(name: str, node: str, **more: Any) -> Object:
    """A pod of one container that is bound to a node.

    more: labels, annotations, owner, volumes, phase, ready, spec (further fields), finalizers.
    """
    metadata: Object = {"name": name, "labels": {"case": name, **more.get("labels", {})}}
    metadata |= {key: more[key] for key in ("annotations", "finalizers") if key in more}
    if "owner" in more:
        metadata["ownerReferences"] = [more["owner"]]
    return {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": metadata,
        "spec": {
            "nodeName": node,
            "automountServiceAccountToken": False,
            "containers": [{"name": "main", "image": "localhost/lab/busybox:1"}],
            "volumes": more.get("volumes", []),
            **more.get("spec", {}),
        },
        "status": running(more.get("phase", "Running"), ready=more.get("ready", True)),
    }


def running(phase: str, *, ready: bool) -> Object:
    """A pod's status."""
    status = "True" if ready and phase == "Running" else "False"
    return {"phase": phase, "conditions": [{"type": "Ready", "status": status}]}


def daemonset(name: str) -> Object:
    labels = {"app": name}
    return {
        "kind": "DaemonSet",
        "apiVersion": "apps/v1",
        "metadata": {"name": name},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "main", "image": "x"}]},
            },
        },
    }


def numbers(allowed: int, current: int, desired: int, expected: int, **more: Any) -> Object:
    """A budget's status, as the disruption controller would write it for its first generation."""
    return {
        "disruptionsAllowed": allowed,
        "currentHealthy": current,
        "desiredHealthy": desired,
        "expectedPods": expected,
        "observedGeneration": 1,
        **more,
    }


def budget(name: str, match: Object, status: Object, **spec: Any) -> Object:
    """A PodDisruptionBudget for pods with these labels."""
    return {
        "kind": "PodDisruptionBudget",
        "apiVersion": "policy/v1",
        "metadata": {"name": name},
        "spec": {"selector": {"matchLabels": match}, **({"minAvailable": 1} | spec)},
        "status": status,
    }


class World:
    """A namespace of its own on the API server, and one node that is empty at first."""

    def __init__(self, kubeconfig: Path, namespace: str, node: str) -> None:
        self.kubeconfig, self.namespace, self.node = kubeconfig, namespace, node
        target = kubeconfigs.resolve(kubeconfigs.Overrides(kubeconfig=str(kubeconfig)), {})
        self.cluster = Cluster.connect(target)

    def path(self, kind: str, name: str = "") -> str:
        """Where objects of a kind (in the plural) stand in this namespace."""
        group = {
            "pods": "/api/v1",
            "poddisruptionbudgets": "/apis/policy/v1",
            "clusters": "/apis/postgresql.cnpg.io/v1",
        }.get(kind, "/apis/apps/v1")
        return f"{group}/namespaces/{self.namespace}/{kind}" + (f"/{name}" if name else "")

    def put(self, *made: Object) -> None:
        """Creates objects, their status as well.

        A server takes a status in a second request. A drain that goes on meanwhile may have evicted the
        pod before it; a status of something that is gone is not needed.
        """
        for each in made:
            plural = f"{each['kind'].lower()}s"
            self.cluster.post(self.path(plural), each)
            while "status" in each:
                with contextlib.suppress(Conflict):  # it went between the server's look and its write
                    with contextlib.suppress(NotFound):
                        self.set_status(plural, each["metadata"]["name"], each["status"])
                    break

    def set_status(self, kind: str, name: str, status: Object) -> None:
        """Writes an object's status."""
        self.cluster.patch(f"{self.path(kind, name)}/status", {"status": status}, MERGE_PATCH)

    def set_labels(self, name: str, labels: Object) -> None:
        """Changes a pod's labels; None takes one away."""
        self.cluster.patch(self.path("pods", name), {"metadata": {"labels": labels}}, MERGE_PATCH)

    def pods(self) -> set[str]:
        """The names of the namespace's pods."""
        return {item["metadata"]["name"] for item in self.cluster.list(self.path("pods"))}

    def node_object(self) -> Object:
        """The node as it is."""
        node: Object = self.cluster.get(f"/api/v1/nodes/{self.node}")
        return node

    @property
    def is_cordoned(self) -> bool:
        """Whether the node is cordoned."""
        return bool(self.node_object()["spec"].get("unschedulable"))

    def set_cordon(self, cordoned: bool | None) -> None:
        """Cordons the node, or takes the cordon away (None), by hand."""
        body = {"spec": {"unschedulable": cordoned}}
        self.cluster.patch(f"/api/v1/nodes/{self.node}", body, MERGE_PATCH)

    def kubectl(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs the lab's kubectl as the administrator."""
        program = cache.root() / f"bin/kubernetes-{RELEASES[0].kubernetes}/kubectl"
        return subprocess.run(
            [program, f"--kubeconfig={self.kubeconfig}", *arguments],
            check=False,
            capture_output=True,
            text=True,
            timeout=120,
        )

    def clear(self) -> None:
        """Takes everything away that `put` has made, and the node's cordon."""
        for kind in ("poddisruptionbudgets", "daemonsets", "replicasets", "statefulsets", "pods"):
            for item in self.cluster.list(self.path(kind)):
                path = self.path(kind, item["metadata"]["name"])
                with contextlib.suppress(NotFound):
                    if item["metadata"].get("finalizers"):
                        self.cluster.patch(path, {"metadata": {"finalizers": None}}, MERGE_PATCH)
                    self.cluster.delete(path, NOW)
        node = {"metadata": {"annotations": {"kubectl-admin/drain": None}}, "spec": {"unschedulable": None}}
        self.cluster.patch(f"/api/v1/nodes/{self.node}", node, MERGE_PATCH)

    @contextlib.contextmanager
    def kubelet(self) -> Iterator[None]:
        """While this lasts, pods of the node that are deleted end at once, as a kubelet would have it."""
        stop = threading.Event()

        def work() -> None:
            query = [("fieldSelector", f"spec.nodeName={self.node}")]
            while not stop.is_set():
                with contextlib.suppress(AdminError, RuntimeError):  # RuntimeError: the pool has ended
                    for event in self.cluster.watch("/api/v1/pods", query, timeout=5):
                        if stop.is_set():
                            return
                        pool.submit(self._end, event)

        with ThreadPoolExecutor(8) as pool:
            threading.Thread(target=work, daemon=True).start()
            try:
                yield
            finally:
                stop.set()

    def _end(self, event: Object) -> None:
        metadata = event["object"]["metadata"]
        if event["type"] == "DELETED" or not metadata.get("deletionTimestamp"):
            return
        path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}"
        with contextlib.suppress(AdminError):
            self.cluster.delete(path, {**NOW, "preconditions": {"uid": metadata["uid"]}})


def made_namespace(kubeconfig: Path, name: str, node: str) -> World:
    """A world in a new namespace, which controllers that are not here would have given a service account."""
    world = World(kubeconfig, name, node)
    with contextlib.suppress(Conflict):
        world.cluster.post("/api/v1/namespaces", {"metadata": {"name": name}})
        account = {"metadata": {"name": "default"}}
        world.cluster.post(f"/api/v1/namespaces/{name}/serviceaccounts", account)
    return world
