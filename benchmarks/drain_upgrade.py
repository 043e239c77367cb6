"""`kubectl admin drain-upgrade` beside the documented procedure by hand, on one cluster.

    python -m benchmarks.drain_upgrade [--control-planes 3] [--link 50]

A lab of 1.36 with two workers, and as many more for the slow link. The first control plane is moved
beforehand; then, of three, one further control plane is moved by hand and one by this program, and so are
the workers. By hand is what kubernetes.io/docs/tasks/administer-cluster/kubeadm says, «Upgrading kubeadm
clusters» and «Upgrading Linux nodes», typed by somebody who never waits: each command as soon as the one
before it has ended, `uncordon` included. Pods of a Deployment are on the workers. The lab's packages come
from this machine; with --link they come at that many Mbit/s, as they would from elsewhere. Printed are the
seconds from cordon to uncordon, those from cordon until the node is Ready and its static pods are, and those
of the whole node.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

from tests.cluster.labs import environ_of, wait_until_whole
from tests.lab.nodes import cluster
from tests.lab.nodes.lab import Lab
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
      containers:
      - name: a
        image: registry.k8s.io/pause:3.10.2
        command: [/pause]
"""
AWAY = {"spec": {"template": {"spec": {"nodeSelector": {"kubernetes.io/hostname": "cp-1"}}}}}


def main() -> None:
    """Prints a row a node."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--control-planes", type=int, choices=[1, 3], default=3)
    parser.add_argument("--link", type=float, default=50.0, help="Mbit/s of the slow link; 0 leaves it out.")
    options = parser.parse_args()
    workers = 4 if options.link else 2
    made = cluster.up(NAME, control_planes=options.control_planes, workers=workers, version="1.36")
    cluster.import_images(made, "1.37", Progress(f"lab {NAME}", made.folder / "logs"))
    manifest = made.folder / "work.yaml"
    manifest.write_text(WORK, encoding="utf-8")
    made.kubectl("apply", "-f", str(manifest))
    made.kubectl("rollout", "status", "deployment/web", "--timeout=120s", timeout=130)
    ours(made, "cp-1", "--to", TO.kubernetes)
    # A pod of CoreDNS takes five seconds to end, on whichever worker it is.
    made.kubectl("-n", "kube-system", "patch", "deployment", "coredns", "-p", json.dumps(AWAY))
    print("| node | way | cordon to uncordon s | cordon to well s | whole node s |\n|---|---|---|---|---|")
    if options.control_planes == 3:
        row(made, "cp-2", "by hand", by_hand)
        row(made, "cp-3", "drain-upgrade", ours)
    row(made, "worker-1", "by hand", by_hand)
    row(made, "worker-2", "drain-upgrade", ours)
    if options.link:
        row(made, "worker-3", "by hand", by_hand, options.link)
        row(made, "worker-4", "drain-upgrade", ours, options.link)


def row(made: Lab, node: str, way: str, act: Callable[..., float], link: float = 0) -> None:
    """Moves a node, and prints what that took, in seconds."""
    slowed = made.faults.network(node, delay_ms=1, rate_mbit=link) if link else nullcontext()
    began = time.monotonic()
    with slowed:
        paid = act(made, node)
        acted = time.monotonic()
        wait_until_whole(made)
    unwell = time.monotonic() - acted
    over = f", {link:g} Mbit/s" if link else ""
    whole = time.monotonic() - began
    print(f"| {node}{over} | {way} | {paid:.1f} | {paid + unwell:.1f} | {whole:.1f} |", flush=True)


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
