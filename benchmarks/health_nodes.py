"""Stand-ins for health: one process that answers as an API server of many nodes, and as all their ports.

They are workers, whose kubelets and kube-proxies have metrics of 200 kB, compressed as theirs are.
"""

import gzip
import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, partial
from multiprocessing import Process, SimpleQueue
from pathlib import Path
from typing import Any

PAGE = 500
CONFIG_MAPS = ("kube-proxy", "kubelet-config", "extension-apiserver-authentication")
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"  # asked for as a table
# Lists of which a stand-in has none.
NOTHING = (
    "/api/v1/namespaces",
    "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations",
    "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations",
    "/apis/apiregistration.k8s.io/v1/apiservices",
    "/apis/apps/v1/daemonsets",
    "/apis/apps/v1/deployments",
    "/apis/apps/v1/namespaces/kube-system/daemonsets",
    "/apis/apps/v1/statefulsets",
    "/apis/certificates.k8s.io/v1/certificatesigningrequests",
    "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases",
    "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices",
    "/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices",
    "/apis/policy/v1/poddisruptionbudgets",
)


@contextmanager
def stand_ins(nodes: int) -> Iterator[Path]:
    """The kubeconfig of a stand-in with so many nodes, which runs in a process of its own."""
    ready: Any = SimpleQueue()
    process = Process(target=serve, args=(nodes, ready), daemon=True)
    process.start()
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "kubeconfig"
            path.write_text(json.dumps(ready.get()))
            yield path
    finally:
        process.terminate()
        process.join()


def serve(nodes: int, ready: Any) -> None:
    """Answers as an API server of so many workers; gives its kubeconfig."""
    from tests.fakes.api_server import Says, StandIn
    from tests.fakes.forwarded_node import Node, Packed
    from tests.unit.health.asking.test_ask import context, trusting, user

    names = [f"node-{number:05}" for number in range(nodes)]
    metrics = "".join(
        f'kubelet_runtime_operations_duration_seconds_bucket{{operation_type="op",le="{number}"}} {number}\n'
        for number in range(2700)
    )
    clock = '{"currentTime":"2026-11-30T03:00:00.5Z"}'
    with_metrics = {"/metrics": Packed(gzip.compress(metrics.encode()))}
    node = Node(
        {
            10250: {"/healthz?verbose": "[+]ping ok\n", **with_metrics},
            10256: {"/healthz": clock, "/livez": clock},
            10249: {"/proxyMode": "iptables", **with_metrics},
        },
        {10250: context("kubelet")},
    )
    node.opened, node.asked, node.users = Forgotten(), Forgotten(), Forgotten()
    server = StandIn(context("kubernetes"))
    server.asked = Forgotten()
    system = "/api/v1/namespaces/kube-system"
    listed = {
        "/api/v1/nodes": [node_object(name) for name in names],
        f"{system}/pods": [proxy_object(name) for name in names],
        "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases": [lease(name) for name in names],
    }
    listed.update((path, []) for path in NOTHING)
    for path, items in listed.items():
        pages = cache(partial(page_of, items))
        server.on("GET", path, lambda asked, pages=pages: Says(body=pages(dict(asked.query).get("continue"))))
    for name in CONFIG_MAPS:
        server.on("GET", f"{system}/configmaps/{name}", Says(body={"data": {}}))
    for path in ("/api/v1/namespaces/default/services/kubernetes", f"{system}/services/kube-dns"):
        server.on("GET", path, Says(body={"spec": {}}))
    server.on("GET", DEFINITIONS, Says(body={"kind": "Table", "columnDefinitions": [], "rows": []}))
    for name in names:
        server.on("GET", f"{system}/pods/kube-proxy-{name}/portforward", node)
    entry = {"name": "stand-in"}
    with server.serving():
        ready.put(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "stand-in",
                "clusters": [{**entry, "cluster": {"server": server.url, **trusting()}}],
                "users": [{**entry, "user": user()}],
                "contexts": [{**entry, "context": {"cluster": "stand-in", "user": "stand-in"}}],
            }
        )
        time.sleep(3600)


class Forgotten(list[Any]):
    """A list in which nothing stays: what thousands of nodes were asked."""

    def append(self, _each: Any) -> None:
        """Forgets it."""


def page_of(items: list[Any], after: str | None) -> bytes:
    """A page of a list, written once: an API server of Go is quicker at that."""
    start = int(after or 0)
    following = str(start + PAGE) if start + PAGE < len(items) else ""
    page = {"kind": "List", "metadata": {"continue": following}, "items": items[start : start + PAGE]}
    return json.dumps(page).encode()


def node_object(name: str) -> dict[str, Any]:
    """A Node of the size that they have."""
    return {
        "metadata": {"name": name, "uid": f"uid-{name}", "labels": {}, "managedFields": [{"x": "y" * 300}]},
        "status": {
            "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "2026-11-30T03:00:00Z"}],
            "images": [{"names": ["x" * 80] * 2, "sizeBytes": 1}] * 40,
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
            "capacity": {"pods": "110"},
        },
    }


def proxy_object(name: str) -> dict[str, Any]:
    """A kube-proxy's pod of the size that they have."""
    container = {"name": "kube-proxy", "command": ["kube-proxy", "--config=/etc/kube-proxy"]}
    return {
        "metadata": {
            "name": f"kube-proxy-{name}",
            "namespace": "kube-system",
            "labels": {"k8s-app": "kube-proxy"},
            "ownerReferences": [{"kind": "DaemonSet", "name": "kube-proxy", "controller": True}],
            "managedFields": [{"x": "y" * 3000}],
        },
        "spec": {"nodeName": name, "hostNetwork": True, "containers": [container]},
        "status": {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "2026-11-30T03:00:00Z"}],
            "containerStatuses": [
                {
                    "name": "kube-proxy",
                    "ready": True,
                    "state": {"running": {"startedAt": "2026-11-30T03:00:00Z"}},
                }
            ],
        },
    }


def lease(name: str) -> dict[str, Any]:
    """A node's Lease."""
    spec = {"holderIdentity": name, "renewTime": "2999-11-30T03:00:00.000000Z", "leaseDurationSeconds": 40}
    return {"metadata": {"name": name}, "spec": spec}
