"""`kubectl admin drain` beside `kubectl drain`, of a node with many pods that end at once.

    python -m benchmarks.drain_many [--pods 20 250] [--rounds 3]

Whole processes, in turn, on an API server whose kubelet is played here; budgets that can spare each pod.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.apiserver.drain.world import World, budget, made_namespace, numbers, owner, pod
from tests.lab import cache
from tests.lab.api import api_only
from tests.lab.versions import RELEASES

NAME = "bench-drain"
FLAGS = ["--ignore-daemonsets"]


def main() -> None:
    """Prints a row a number of pods."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pods", type=int, nargs="+", default=[20, 250])
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    kubeconfig = api_only.up(NAME, RELEASES[0].kubernetes, 5, lambda _: None)
    try:
        world = made_namespace(kubeconfig, "many", "worker-1")
        print("| pods | drain s | kubectl drain s | ratio |\n|---|---|---|---|")
        for pods in options.pods:
            print(row(world, pods, options.rounds), flush=True)
    finally:
        api_only.down(NAME)


def row(world: World, pods: int, rounds: int) -> str:
    """The measured row for a node with so many pods."""
    kubectl = str(cache.root() / f"bin/kubernetes-{RELEASES[0].kubernetes}/kubectl")
    ours = [str(Path(sys.executable).parent / "kubectl-admin"), "drain", world.node, "--yes", *FLAGS]
    theirs = [kubectl, "drain", world.node, *FLAGS]
    pairs = [(timed(world, ours, pods), timed(world, theirs, pods)) for _ in range(rounds)]
    ratio = statistics.median(mine / other for mine, other in pairs)
    mine, other = (statistics.median(each) for each in zip(*pairs, strict=True))
    return f"| {pods} | {mine:.2f} | {other:.2f} | {ratio:.2f} |"


def timed(world: World, command: list[str], pods: int) -> float:
    """Seconds that a whole drain of so many pods takes."""
    made = [
        part
        for number in range(pods)
        for part in (
            pod(f"pod-{number}", world.node, owner=owner("ReplicaSet", "web")),
            budget(f"budget-{number}", {"case": f"pod-{number}"}, numbers(1, 3, 2, 3)),
        )
    ]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(world.put, made))
    env = {**os.environ, "KUBECONFIG": str(world.kubeconfig)}
    try:
        with world.kubelet():
            start = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True, env=env)
            return time.perf_counter() - start
    finally:
        world.clear()


if __name__ == "__main__":
    main()
