"""`kubectl admin etcd-undelete` of a namespace beside `kubectl apply` of the same manifests.

    python -m benchmarks.etcd_undelete [--objects 500] [--rounds 3] [--lab NAME]

One control plane and a worker. The namespace has ConfigMaps, Secrets, Services and Deployments without pods.
Both ways begin without it; the manifests are those that `etcd-undelete -o yaml` has given. Beside the whole
is what opening and comparing alone take (`--dry-run=client`).
"""

import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks import on_lab
from tests.lab import cache
from tests.lab.nodes.lab import Lab
from tests.program import PROGRAM

NAME, SPACE = "bench-undelete", "undelete"


def objects(count: int) -> Iterator[dict[str, Any]]:
    """So many objects: of ten six ConfigMaps, two Secrets, a Service and a Deployment."""
    for number in range(count):
        name = {"name": f"object-{number}"}
        if number % 10 < 6:
            yield {"apiVersion": "v1", "kind": "ConfigMap", "metadata": name, "data": {"filled": "x" * 500}}
        elif number % 10 < 8:
            yield {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": name,
                "stringData": {"filled": "x" * 500},
            }
        elif number % 10 == 8:
            spec: dict[str, Any] = {"selector": name, "ports": [{"port": 80}]}
            yield {"apiVersion": "v1", "kind": "Service", "metadata": name, "spec": spec}
        else:
            container = {"name": "a", "image": "registry.k8s.io/pause:3.10.2"}
            template = {"metadata": {"labels": name}, "spec": {"containers": [container]}}
            spec = {"replicas": 0, "selector": {"matchLabels": name}, "template": template}
            yield {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": name, "spec": spec}


def main() -> None:
    """Prints a row a round."""
    parser = on_lab.parser(__doc__, control_planes=1)
    parser.add_argument("--objects", type=int, default=500)
    options = parser.parse_args()
    lab = on_lab.lab_of(options, NAME)
    with tempfile.TemporaryDirectory() as folder:
        snapshot, manifests = Path(folder, "snapshot.db"), Path(folder, "manifests.yaml")
        file = Path(folder, "objects.json")
        items = list(objects(options.objects))
        file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}), encoding="utf-8")
        lab.kubectl("create", "namespace", SPACE)
        lab.kubectl("-n", SPACE, "create", "-f", str(file), timeout=on_lab.LIMIT)
        on_lab.program(lab, "etcd-snapshot", "-o", str(snapshot))
        remove(lab)
        ours = (*PROGRAM, "etcd-undelete", str(snapshot), "-n", SPACE)
        manifests.write_bytes(on_lab.run(lab, [*ours, "-o", "yaml"]))
        kubectl = str(cache.root() / f"bin/kubernetes-{lab.release.kubernetes}/kubectl")
        print(
            "| kubectl apply s | etcd-undelete s | ratio | of it opening and comparing s |\n|---|---|---|---|"
        )
        for _ in range(options.rounds):
            by_kubectl = timed(lab, kubectl, "apply", "-f", str(manifests))
            remove(lab)
            compared = timed(lab, *ours, "--dry-run=client")
            by_us = timed(lab, *ours, "--yes")
            remove(lab)
            print(
                f"| {by_kubectl:.1f} | {by_us:.1f} | {by_us / by_kubectl:.2f} | {compared:.1f} |", flush=True
            )


def remove(lab: Lab) -> None:
    """Removes the namespace, and returns when it is gone."""
    lab.kubectl("delete", "namespace", SPACE, timeout=on_lab.LIMIT)


def timed(lab: Lab, *command: str) -> float:
    """Seconds of a command."""
    began = time.monotonic()
    on_lab.run(lab, command)
    return time.monotonic() - began


if __name__ == "__main__":
    main()
