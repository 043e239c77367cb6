"""`kubectl admin drain-upgrade` beside the documented procedure by hand, on one cluster.

    python -m benchmarks.drain_upgrade

A lab of three control planes and two workers of 1.36. The first control plane is moved beforehand; then one
further control plane and one worker are moved by hand, one of each by this program. By hand is what
kubernetes.io/docs/tasks/administer-cluster/kubeadm says, «Upgrading kubeadm clusters» and «Upgrading Linux
nodes», typed by somebody who never waits: each command as soon as the one before it has ended. Pods of a
Deployment with a grace of 10 seconds are on both workers. Printed are the seconds from cordon to uncordon,
those until the node is Ready at its version, and those of the whole node.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.cluster.labs import environ_of
from tests.lab import cluster
from tests.lab.lab import Lab
from tests.lab.progress import Progress
from tests.lab.versions import release

NAME = "bench-upgrade"
TO = release("1.37")
PACKAGE = f"{TO.kubernetes}-1.1"
CHECKS = "--ignore-preflight-errors=SystemVerification"
SOURCE = "/etc/apt/sources.list.d/kubernetes.list"
WORK = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 8
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 10
      containers:
      - {name: a, image: "registry.k8s.io/pause:3.10.2"}
"""


def main() -> None:
    """Prints a row a node."""
    made = cluster.up(NAME, control_planes=3, workers=2, version="1.36")
    cluster.import_images(made, "1.37", Progress(f"lab {NAME}", made.folder / "logs"))
    manifest = made.folder / "work.yaml"
    manifest.write_text(WORK, encoding="utf-8")
    made.kubectl("apply", "-f", str(manifest))
    made.kubectl("rollout", "status", "deployment/web", "--timeout=120s", timeout=130)
    ours(made, "cp-1", "--to", TO.kubernetes)
    print("| node | way | cordon to uncordon s | whole node s |\n|---|---|---|---|")
    rows = [
        ("cp-2", "by hand", by_hand),
        ("cp-3", "drain-upgrade", ours),
        ("worker-1", "by hand", by_hand),
        ("worker-2", "drain-upgrade", ours),
    ]
    for node, way, act in rows:
        paid, whole = measured(act, made, node)
        print(f"| {node} | {way} | {paid:.1f} | {whole:.1f} |", flush=True)


def measured(act: Callable[..., float], made: Lab, node: str) -> tuple[float, float]:
    """Seconds from cordon to uncordon, and until the node is Ready at its version."""
    began = time.monotonic()
    paid = act(made, node)
    version = f"--for=jsonpath={{.status.nodeInfo.kubeletVersion}}=v{TO.kubernetes}"
    for condition in (version, "--for=condition=Ready"):
        made.kubectl("wait", f"node/{node}", condition, "--timeout=300s", timeout=310)
    return paid, time.monotonic() - began


def ours(made: Lab, node: str, *more: str) -> float:
    """This project's way."""
    program = Path(sys.executable).parent / "kubectl-admin"
    words = [*more, "--yes", "--no-snapshot", "--allow=etcd-too-old-to-upgrade", CHECKS, "-o", "json"]
    done = subprocess.run(
        [program, "drain-upgrade", node, *words], env=environ_of(made), check=True, stdout=subprocess.PIPE
    )
    return float(json.loads(done.stdout)["items"][0]["cordonedSeconds"])


def by_hand(made: Lab, node: str) -> float:
    """The documented commands, those on the node by a shell that is open there already."""

    def there(*argv: str) -> None:
        made.exec(node, ["env", "DEBIAN_FRONTEND=noninteractive", *argv], timeout=600)

    def install(*names: str) -> None:
        there("apt-mark", "unhold", *names)
        there("apt-get", "update")
        there("apt-get", "install", "-y", *(f"{name}={PACKAGE}" for name in names))
        there("apt-mark", "hold", *names)

    there("sed", "-i", f"s,/v[0-9.]*/deb/,/v{TO.minor}/deb/,", SOURCE)
    install("kubeadm")
    there("kubeadm", "upgrade", "node", CHECKS)
    began = time.monotonic()
    made.kubectl("drain", node, "--ignore-daemonsets", timeout=600)
    install("kubelet", "kubectl")
    there("systemctl", "daemon-reload")
    there("systemctl", "restart", "kubelet")
    made.kubectl("uncordon", node)
    return time.monotonic() - began


if __name__ == "__main__":
    main()
