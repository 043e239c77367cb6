"""`kubectl admin health`: on a real cluster beside the same requests made one by one, and with many nodes.

    python -m benchmarks.health [--rounds 5] [--nodes 50 200 5000]

In turn with what `health_by_hand` does, the median of each figure and of the ratios round by round. The
connections are those that health opens to the API server in all. The many nodes are stand-ins
(`health_nodes`), which share the processors with the client: up to 200 are all asked, above it a sample, with
the listings that are made before that, alone and in the same process.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.health_by_hand import asked_by, by_hand, keep_certificate
from benchmarks.health_nodes import stand_ins
from benchmarks.process import environment, lab, medians, timed

NAME = "bench-health"
PROGRAM = str(Path(sys.executable).parent / "kubectl-admin")
ARGUMENTS = ["health", "--fail-on", "never"]
PATIENT = ["--timeout", "600s"]
LISTING = """\
import time
from kubectl_admin.frame.environment import Environment
from kubectl_admin.health.asking import listing
cluster = Environment.of_process().cluster()
start = time.perf_counter()
listing.listed(cluster, 600)
print(time.perf_counter() - start)
"""


def main() -> None:
    """Prints both tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--nodes", type=int, nargs="*", default=[50, 200, 5000])
    parser.add_argument("--lab", help="a running lab of 3 control planes and a worker, instead of a new one")
    parser.add_argument("--no-lab", action="store_true", help="only the stand-ins")
    options = parser.parse_args()
    if not options.no_lab:
        name = options.lab or NAME
        if not options.lab:
            lab("up", name, "--control-planes", "3", "--workers", "1")
        try:
            print("| health s | processor s | MB | one by one s | ratio | requests | connections |")
            print("|---|---|---|---|---|---|---|")
            print(on_lab(Path(lab("kubeconfig", name).strip()), options.rounds), flush=True)
        finally:
            if not options.lab:
                lab("down", name)
    print("\n| nodes | form | health s | processor s | MB | connections | listings s |")
    print("|---|---|---|---|---|---|---|")
    for nodes in options.nodes:
        print(on_stand_ins(nodes, options.rounds), flush=True)


def on_lab(kubeconfig: Path, rounds: int) -> str:
    """The row of the real cluster."""
    runs = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        keep_certificate(kubeconfig, folder)
        for _ in range(rounds + 1):
            asked = asked_by(ARGUMENTS, kubeconfig, folder)
            seconds, memory, processor = timed([PROGRAM, *ARGUMENTS], kubeconfig)
            slow = by_hand(asked, kubeconfig, folder)
            runs.append((seconds, processor, memory, slow, seconds / slow))
    health, processor, memory, slow, ratio = medians(runs[1:])  # the first round warms caches up
    cells = [f"{health:.2f}", f"{processor:.2f}", f"{memory:.0f}", f"{slow:.2f}", f"{ratio:.2f}"]
    return f"| {' | '.join([*cells, str(asked.requests), str(asked.connections)])} |"


def on_stand_ins(nodes: int, rounds: int) -> str:
    """The row of so many nodes."""
    arguments = [*ARGUMENTS, *PATIENT, *(["--all"] if nodes <= 200 else [])]
    with stand_ins(nodes) as kubeconfig, tempfile.TemporaryDirectory() as folder:
        seconds, memory, processor = medians(
            [timed([PROGRAM, *arguments], kubeconfig) for _ in range(rounds)]
        )
        (listed,) = medians([[listing(kubeconfig)] for _ in range(rounds)])
        opened = asked_by(arguments, kubeconfig, Path(folder)).connections
    form = "--all" if nodes <= 200 else "sampled"
    cells = [f"{seconds:.2f}", f"{processor:.2f}", f"{memory:.0f}", str(opened), f"{listed:.2f}"]
    return f"| {nodes:,} | {form} | {' | '.join(cells)} |"


def listing(kubeconfig: Path) -> float:
    """Seconds for the listings that have to be there before a node can be asked."""
    command = [sys.executable, "-c", LISTING]
    said = subprocess.run(command, check=True, env=environment(kubeconfig), stdout=subprocess.PIPE, text=True)
    return float(said.stdout)


if __name__ == "__main__":
    main()
