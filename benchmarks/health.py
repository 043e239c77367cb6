"""`kubectl admin health`: on a real cluster beside the same requests made one by one, and with many nodes.

    python -m benchmarks.health [--rounds 5] [--nodes 50 200 5000]

By hand, each port of a node is forwarded by `kubectl port-forward`, each path of it asked by `curl`, with the
user's client certificate where one is wanted; the next port follows when that is done. In turn with health,
the median of each figure and of the ratios round by round. The connections are those that health opens to the
API server in all. The many nodes are stand-ins: one process answers as an API server and as all their ports,
with metrics of 200 kB; up to 200 are all asked, above it a sample.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import Process, SimpleQueue
from pathlib import Path
from typing import Any

from benchmarks.certs_table import lab, medians
from benchmarks.process import timed
from tests.lab import cache
from tests.lab.versions import RELEASES

NAME = "bench-health"
PROGRAM = str(Path(sys.executable).parent / "kubectl-admin")
HEALTH = [PROGRAM, "health", "--fail-on", "never"]
# Of a node, and of one of the control plane: port, TLS or not, paths.
OF_NODE = (
    (10250, "https", ("/healthz?verbose", "/metrics")),
    (10256, "http", ("/healthz", "/livez")),
    (10249, "http", ("/metrics", "/proxyMode")),
)
OF_CONTROL_PLANE = (
    (6443, "https", ("/livez?verbose", "/readyz?verbose", "/metrics")),
    (2381, "http", ("/health", "/readyz?verbose", "/metrics")),
    (10257, "https", ("/healthz", "/metrics")),
    (10259, "https", ("/readyz", "/metrics")),
)
# Its arguments: kubectl, certificate, key, a pod, scheme, port, paths.
BY_HAND = """\
kubectl=$1 cert=$2 key=$3 pod=$4 scheme=$5 port=$6
shift 6
: > "$cert.forwarded"
"$kubectl" -n kube-system port-forward "$pod" ":$port" > "$cert.forwarded" &
until local=$(sed -n 's/^Forwarding from 127.0.0.1:\\([0-9]*\\).*/\\1/p' "$cert.forwarded") && [ "$local" ]
do sleep 0.01; done
for path; do
  curl --silent --show-error --insecure --cert "$cert" --key "$key" --output /dev/null \\
    "$scheme://127.0.0.1:$local$path" || exit
done
kill $!
"""
COUNTING = """\
import socket, sys
real, opened = socket.socket.connect, []
def connect(self, address):
    opened.append(address)
    return real(self, address)
socket.socket.connect = connect
from kubectl_admin import __main__, cli
sys.argv = ["kubectl-admin", *sys.argv[1:]]
try:
    __main__.main()
finally:
    print(sum(isinstance(one, tuple) for one in opened), file=sys.stderr)
"""


def main() -> None:
    """Prints both tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--nodes", type=int, nargs="*", default=[50, 200, 5000])
    parser.add_argument("--lab", help="a running lab of 3 control planes and a worker, instead of a new one")
    options = parser.parse_args()
    name = options.lab or NAME
    if not options.lab:
        lab("up", name, "--control-planes", "3", "--workers", "1")
    try:
        print("| health s | one by one s | ratio | MB | connections |\n|---|---|---|---|---|")
        print(on_lab(Path(lab("kubeconfig", name).strip()), options.rounds), flush=True)
    finally:
        if not options.lab:
            lab("down", name)
    print("\n| nodes | form | health s | MB |\n|---|---|---|---|")
    for nodes in options.nodes:
        for form in ("--all",) if nodes <= 200 else ("sampled", "--all"):
            print(on_stand_ins(nodes, form, options.rounds), flush=True)


def on_lab(kubeconfig: Path, rounds: int) -> str:
    """The row of the real cluster."""
    runs = []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(rounds + 1):
            seconds, memory = timed(HEALTH, kubeconfig)
            by_hand = one_by_one(kubeconfig, Path(folder))
            runs.append((seconds, by_hand, seconds / by_hand, memory))
    health, by_hand, ratio, memory = medians(runs[1:])  # the first round warms caches up
    opened = connections(kubeconfig)
    return f"| {health:.2f} | {by_hand:.2f} | {ratio:.2f} | {memory:.0f} | {opened} |"


def one_by_one(kubeconfig: Path, folder: Path) -> float:
    """Seconds for the same requests made one after another."""
    kubectl = str(cache.root() / f"bin/kubernetes-{RELEASES[0].kubernetes}/kubectl")
    start = time.perf_counter()
    said = run(kubectl, kubeconfig, "config", "view", "--raw", "--minify", "--output=json")
    user = json.loads(said)["users"][0]["user"]
    paths = folder / "user.crt", folder / "user.key"
    for path, field in zip(paths, ("client-certificate-data", "client-key-data"), strict=True):
        path.write_bytes(b64decode(user[field]))
    pods = json.loads(run(kubectl, kubeconfig, "-n", "kube-system", "get", "pods", "-o", "json"))["items"]
    control_planes = {
        pod["spec"]["nodeName"]
        for pod in pods
        if pod["metadata"].get("labels", {}).get("tier") == "control-plane"
    }
    for pod in pods:
        if pod["metadata"].get("labels", {}).get("k8s-app") != "kube-proxy":
            continue
        asked = (*OF_NODE, *(OF_CONTROL_PLANE if pod["spec"]["nodeName"] in control_planes else ()))
        for port, scheme, wanted in asked:
            words = [kubectl, *map(str, paths), pod["metadata"]["name"], scheme, str(port), *wanted]
            env = {**os.environ, "KUBECONFIG": str(kubeconfig)}
            subprocess.run(["sh", "-c", BY_HAND, "by-hand", *words], check=True, env=env)
    return time.perf_counter() - start


def run(kubectl: str, kubeconfig: Path, *arguments: str) -> str:
    """What kubectl answers."""
    command = [kubectl, f"--kubeconfig={kubeconfig}", *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def connections(kubeconfig: Path) -> int:
    """How many connections health opens."""
    command = [sys.executable, "-c", COUNTING, *HEALTH[1:]]
    env = {**os.environ, "KUBECONFIG": str(kubeconfig)}
    ended = subprocess.run(command, check=False, env=env, capture_output=True, text=True)
    return int(re.findall(r"^\d+$", ended.stderr, re.MULTILINE)[-1])


def on_stand_ins(nodes: int, form: str, rounds: int) -> str:
    """The row of so many nodes."""
    command = [*HEALTH, "--timeout", "600s", *(["--all"] if form == "--all" else [])]
    with stand_ins(nodes) as kubeconfig:
        seconds, memory = medians([timed(command, kubeconfig) for _ in range(rounds)])
    return f"| {nodes:,} | {form} | {seconds:.2f} | {memory:.0f} |"


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
    from tests.fakes.api_server import StandIn
    from tests.fakes.forwarded_node import Node
    from tests.unit.health.asking.test_ask import context, trusting, user

    names = [f"node-{number:05}" for number in range(nodes)]
    metrics = "".join(
        f'kubelet_runtime_operations_duration_seconds_bucket{{operation_type="op",le="{number}"}} {number}\n'
        for number in range(2700)
    )
    clock = '{"currentTime":"2026-11-30T03:00:00.5Z"}'
    with_metrics = {"/metrics": metrics.encode()}
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
    system = "/api/v1/namespaces/kube-system"
    listed = {
        "/api/v1/nodes": [node_object(name) for name in names],
        f"{system}/pods": [proxy_object(name) for name in names],
        "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases": [lease(name) for name in names],
    }
    for path, items in listed.items():
        server.on("GET", path, lambda asked, items=items: page_of(items, dict(asked.query)))
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


def page_of(items: list[Any], query: dict[str, str]) -> Any:
    """A page of a list."""
    from tests.fakes.api_server import Says

    start, limit = int(query.get("continue") or 0), int(query.get("limit") or 500)
    following = str(start + limit) if start + limit < len(items) else ""
    return Says(body={"metadata": {"continue": following}, "items": items[start : start + limit]})


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


if __name__ == "__main__":
    main()
