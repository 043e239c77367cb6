"""`python -m tests.cluster.health.quiet LAB [--runs 50]`: nothing is found on a lab that nobody has broken.

The last fifth of the runs is made while `kubectl admin drain` empties a worker, which is uncordoned then.
Prints a line a run, and each finding of warning or worse. Exit code 1: there was one that was not true.
"""

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.cluster import labs
from tests.cluster.health.trial import Looked, looked_at
from tests.lab.nodes import lab as all_labs
from tests.lab.nodes.lab import Lab
from tests.program import start

DNS = "/api/v1/namespaces/kube-system/pods?labelSelector=k8s-app%3Dkube-dns"


def main() -> int:
    """Looks again and again."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lab")
    parser.add_argument("--runs", type=int, default=50)
    options = parser.parse_args()
    lab = all_labs.get(options.lab)
    labs.wait_until_whole(lab)
    calm = options.runs - options.runs // 5
    false = sum(is_false(lab, number, looked_at(lab, 0)) for number in range(1, calm + 1))
    with drained(lab, lab.workers[0].name):
        for number in range(calm + 1, options.runs + 1):
            false += is_false(lab, number, looked_at(lab, 0))
    print(f"{options.runs} runs, {false} with a finding that was not true")
    return 1 if false else 0


@contextmanager
def drained(lab: Lab, node: str) -> Iterator[None]:
    """A node is being drained, or has been."""
    arguments = ("drain", node, "--yes", "--delete-emptydir-data")
    with start(*arguments, env=labs.environ_of(lab)) as process:
        try:
            yield
            process.communicate()
        finally:
            labs.admin(lab, "uncordon", node, "--yes")


def is_false(lab: Lab, number: int, look: Looked) -> bool:
    """Tells of a run; whether it has said something that is not so."""
    told = [f"{one['severity']} {one['rule']} {one['subject']}: {one['evidence']}" for one in look.serious]
    load = os.getloadavg()[0]
    print(
        f"{number}: took {look.took:.1f} s at load {load:.0f}; {told or 'nothing'} {look.words}", flush=True
    )
    return bool(look.words) or any(not is_true(lab, one["rule"]) for one in look.serious)


def is_true(lab: Lab, rule: str) -> bool:
    """Whether a finding holds by the API as well: a drained node takes a pod of CoreDNS along."""
    if rule != "dns-down":
        return False
    return sum(labs.is_ready(pod) for pod in labs.ask(lab, DNS)["items"]) < 2


if __name__ == "__main__":
    sys.exit(main())
