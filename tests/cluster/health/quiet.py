"""`python -m tests.cluster.health.quiet LAB [--runs 50] [--load]`: nothing is found on a lab that is whole.

The last fifth of the runs, or as many as --drained says, is made while `kubectl admin drain` empties a node
where CoreDNS runs, and after that, before the node is uncordoned.
--load: meanwhile 200 ConfigMaps and ten pods are made and deleted again and again.
Prints a line a run, and each finding of warning or worse. Exit code 1: there was one that was not true.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from threading import Event, Thread
from typing import Any

from tests.cluster import labs
from tests.cluster.health.breaks import dns_nodes, temporary
from tests.cluster.health.trial import Looked, is_trace, looked_at
from tests.lab.nodes import lab as all_labs
from tests.lab.nodes.lab import Lab
from tests.program import start

CONFIG_MAPS, PODS = 200, 10
DRAIN_TIMEOUT = 300  # seconds
DNS = "/api/v1/namespaces/kube-system/pods?labelSelector=k8s-app%3Dkube-dns"


def main() -> int:
    """Looks again and again."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lab")
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--drained", type=int)
    parser.add_argument("--load", action="store_true")
    options = parser.parse_args()
    lab = all_labs.get(options.lab)
    labs.wait_until_whole(lab)
    calm = options.runs - (options.runs // 5 if options.drained is None else options.drained)
    with loaded(lab) if options.load else nullcontext():
        false = sum(is_false(lab, number, looked_at(lab, 0)) for number in range(1, calm + 1))
        with drained(lab, dns_nodes(lab)[-1]):
            for number in range(calm + 1, options.runs + 1):
                false += is_false(lab, number, looked_at(lab, 0))
    print(f"{options.runs} runs, {false} with a finding that was not true")
    return 1 if false else 0


@contextmanager
def loaded(lab: Lab) -> Iterator[None]:
    """Objects and pods are made and deleted, again and again."""
    items: list[dict[str, object]] = [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": f"load-{number}"},
            "data": {"filled": "x" * 1000},
        }
        for number in range(CONFIG_MAPS)
    ]
    labels = {"load": "yes"}
    container = {"name": "load", "image": "localhost/lab/busybox:1", "command": ["sleep", "3600"]}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    items.append(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "load"},
            "spec": {"replicas": PODS, "selector": {"matchLabels": labels}, "template": template},
        }
    )
    over, rounds = Event(), 0

    def work() -> None:
        nonlocal rounds
        with temporary(lab, json.dumps({"apiVersion": "v1", "kind": "List", "items": items})) as file:
            while not over.is_set():
                lab.kubectl("-n", "load", "create", "-f", str(file), timeout=300)
                lab.kubectl("-n", "load", "delete", "-f", str(file), timeout=300)
                rounds += 1

    lab.kubectl("create", "namespace", "load")
    worker = Thread(target=work)
    worker.start()
    try:
        yield
    finally:
        over.set()
        worker.join()
        lab.kubectl("delete", "namespace", "load", timeout=300)
        print(f"{CONFIG_MAPS} ConfigMaps and {PODS} pods were made and deleted {rounds} times")


@contextmanager
def drained(lab: Lab, node: str) -> Iterator[None]:
    """A node is being drained, or has been."""
    arguments = ("drain", node, "--yes", "--delete-emptydir-data", "--ignore-daemonsets", "--timeout", "3m")
    with start(*arguments, env=labs.environ_of(lab)) as process:
        try:
            yield
            out, err = process.communicate(timeout=DRAIN_TIMEOUT)
            print(f"drain of {node}: exit code {process.returncode}, {' '.join((out or err).split())[-200:]}")
            assert labs.ask(lab, f"/api/v1/nodes/{node}")["spec"].get("unschedulable"), "it was not drained"
        finally:
            labs.admin(lab, "uncordon", node, "--yes")


def is_false(lab: Lab, number: int, look: Looked) -> bool:
    """Tells of a run; whether it has said something that is not so."""
    told = [f"{one['severity']} {one['rule']} {one['subject']}: {one['evidence']}" for one in look.serious]
    load = os.getloadavg()[0]
    print(
        f"{number}: took {look.took:.1f} s at load {load:.0f}; {told or 'nothing'} {look.words}", flush=True
    )
    return bool(look.words) or any(not is_true(lab, one) for one in look.serious)


def is_true(lab: Lab, finding: dict[str, Any]) -> bool:
    """Whether a finding holds by the API as well: a drained node takes a pod of CoreDNS along.

    Of a lab that was broken before, something may have begun again within the last minutes.
    """
    if finding["rule"] != "dns-down":
        return is_trace(finding)
    return sum(labs.is_ready(pod) for pod in labs.ask(lab, DNS)["items"]) < 2


if __name__ == "__main__":
    sys.exit(main())
