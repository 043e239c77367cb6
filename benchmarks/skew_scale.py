"""`kubectl admin skew` beside `kubectl get nodes` on the same API server, for clusters of many nodes.

    python -m benchmarks.skew_scale [--nodes 10 100 1000 5000] [--rounds 5]

Whole processes, in turn; the median of each figure, and of the ratios pair by pair.
"""

import argparse
import statistics
import sys
from pathlib import Path

from benchmarks.process import lab, timed
from tests.lab import cache
from tests.lab.versions import RELEASES

NAME = "bench-skew"


def main() -> None:
    """Prints a row a size."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--nodes", type=int, nargs="+", default=[10, 100, 1000, 5000])
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    print(
        "| nodes | skew s | kubectl get nodes s | ratio | skew MB | kubectl MB |\n|---|---|---|---|---|---|"
    )
    for nodes in options.nodes:
        lab("up", NAME, "--api-only", "--nodes", str(nodes))
        try:
            print(row(nodes, Path(lab("kubeconfig", NAME).strip()), options.rounds), flush=True)
        finally:
            lab("down", NAME)


def row(nodes: int, kubeconfig: Path, rounds: int) -> str:
    """The measured row for a cluster of so many nodes."""
    kubectl = str(cache.root() / f"bin/kubernetes-{RELEASES[0].kubernetes}/kubectl")
    ours = [str(Path(sys.executable).parent / "kubectl-admin"), "skew"]
    pairs = [
        (timed(ours, kubeconfig), timed([kubectl, "get", "nodes"], kubeconfig)) for _ in range(rounds + 1)
    ]
    mine, theirs = zip(*pairs[1:], strict=True)  # the first round warms caches up
    ratio = statistics.median(a[0] / b[0] for a, b in pairs[1:])
    seconds = [statistics.median(run[0] for run in runs) for runs in (mine, theirs)]
    memory = [max(run[1] for run in runs) for runs in (mine, theirs)]
    cells = [
        f"{nodes:,}",
        *(f"{each:.2f}" for each in (*seconds, ratio)),
        *(f"{each:.0f}" for each in memory),
    ]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
