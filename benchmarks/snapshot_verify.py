"""`kubectl admin etcd-verify` beside `sha256sum` and `etcdutl snapshot status`, on a snapshot of a real etcd.

    python -m benchmarks.snapshot_verify [--gigabytes 1 4] [--value 1000] [--rounds 5]

Whole processes, in turn, the file in the page cache; medians, of the ratios pair by pair. The time of the
processor stands beside the time on the clock: on a busy machine only the former says much.
"""

import argparse
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.lab import cache
from tests.lab.api import etcd_process
from tests.lab.versions import RELEASES

ETCD = cache.root() / f"bin/etcd-{RELEASES[0].etcd}"
OURS = Path(sys.executable).parent / "kubectl-admin"
KEY = b"/registry/pods/default/web-%09d"
A_REQUEST = 1_000_000  # bytes; etcd takes 1.5 MiB


def main() -> None:
    """Prints a table for each size."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--gigabytes", type=float, nargs="+", default=[1])
    parser.add_argument("--value", type=int, default=1000, help="bytes of a value")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path, help="where the snapshot is made; needs twice its size")
    options = parser.parse_args()
    for gigabytes in options.gigabytes:
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            file = snapshot(Path(folder), gigabytes, options.value)
            print(table(file, options.rounds), flush=True)


def snapshot(folder: Path, gigabytes: float, value: int) -> Path:
    """A snapshot of about that size, made by another process: a child's peak memory counts from ours."""
    code = "import sys; from benchmarks import snapshot_verify as b; b.fill(*sys.argv[1:])"
    subprocess.run([sys.executable, "-c", code, str(folder), str(gigabytes), str(value)], check=True)
    return folder / "snapshot.db"


def fill(folder: str, gigabytes: str, value: str) -> None:
    """Keys as Kubernetes names them, with random values, until the database has its size."""
    chance, size = random.Random(1), int(value)
    a_request = max(1, min(128, A_REQUEST // size))
    keys = int(float(gigabytes) * 1e9 / (size + 380))
    with etcd_process.running(ETCD, Path(folder), f"--quota-backend-bytes={16 << 30}") as (etcd,):
        for first in range(0, keys, a_request):
            names = range(first, min(first + a_request, keys))
            etcd.put(*((KEY % n, chance.randbytes(size)) for n in names))
        etcd.save(Path(folder) / "snapshot.db")


def table(file: Path, rounds: int) -> str:
    """The measured rows for this file."""
    status = "etcdutl snapshot status"
    commands: dict[str, list[str | Path]] = {
        "sha256sum": ["sha256sum", file],
        status: [ETCD / "etcdutl", *status.split()[1:], file],
        "etcd-verify": [OURS, "etcd-verify", file],
        "etcd-verify --full": [OURS, "etcd-verify", "--full", file],
    }
    # The first round warms caches up.
    runs = [{name: measured(command) for name, command in commands.items()} for _ in range(rounds + 1)][1:]
    size = file.stat().st_size / 1e6
    head = ("", "s", "processor s", "MB/s", "to sha256sum", "to etcdutl", "memory MB")
    lines = [f"{size:,.0f} MB\n", f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for name in commands:
        seconds, processor = (statistics.median(run[name][part] for run in runs) for part in (0, 1))
        ratios = [statistics.median(run[name][0] / run[peer][0] for run in runs) for peer in [*commands][:2]]
        cells = [
            name,
            f"{seconds:.2f}",
            f"{processor:.2f}",
            f"{size / seconds:,.0f}",
            *(f"{ratio:.2f}" for ratio in ratios),
            f"{max(run[name][2] for run in runs):.0f}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def measured(command: Sequence[str | Path]) -> tuple[float, float, float]:
    """Seconds, those of the processor, and peak memory in MB of a process; its output is thrown away."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, command
    return time.perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


if __name__ == "__main__":
    main()
