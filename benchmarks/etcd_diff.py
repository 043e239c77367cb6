"""`kubectl admin etcd-diff` beside `kubectl admin etcd-verify --full`, on two snapshots of a real etcd.

    python -m benchmarks.etcd_diff [--gigabytes 1] [--value 1000] [--shares 0.1 1] [--rounds 5]

Whole processes, in turn, the files in the page cache; medians, of the ratios pair by pair. Before the second
snapshot a share of all objects is deleted, written or made, a third of it each.
"""

import argparse
import random
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.snapshot_verify import A_REQUEST, ETCD, KEY, OURS, measured
from tests.lab.api import etcd_process
from tests.lab.api.etcd_process import Etcd

A_DELETION = 100  # objects that are deleted in one request


def main() -> None:
    """Prints a table for each share."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--gigabytes", type=float, default=1)
    parser.add_argument("--value", type=int, default=1000, help="bytes of a value")
    parser.add_argument("--shares", type=float, nargs="+", default=[0.1, 1], help="of objects that differ")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path, help="where the snapshots are made; needs four times the size")
    options = parser.parse_args()
    for share in options.shares:
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            # Made by another process: a child's peak memory counts from ours.
            code = "import sys; from benchmarks import etcd_diff as b; b.make(*sys.argv[1:])"
            numbers = map(str, (options.gigabytes, options.value, share))
            subprocess.run([sys.executable, "-c", code, folder, *numbers], check=True)
            print(table(Path(folder), share, options.rounds), flush=True)


def make(folder: str, gigabytes: str, value: str, share: str) -> None:
    """Two snapshots of one etcd, a.db and b.db, between which a share of its objects has changed."""
    chance, size = random.Random(1), int(value)
    keys = int(float(gigabytes) * 1e9 / (size + 380))
    third = int(keys * float(share) / 3)
    with etcd_process.running(ETCD, Path(folder), f"--quota-backend-bytes={16 << 30}") as (etcd,):
        write(etcd, chance, size, 0, keys)
        etcd.save(Path(folder) / "a.db")
        for first in range(0, third, A_DELETION):
            last = min(first + A_DELETION, third)
            etcd.call(
                "kv/deleterange", key=etcd_process.text(KEY % first), range_end=etcd_process.text(KEY % last)
            )
        write(etcd, chance, size, third, 2 * third)
        write(etcd, chance, size, keys, keys + third)
        revision = etcd.call("kv/range", key=etcd_process.text(b"none"))["header"]["revision"]
        etcd.call("kv/compaction", revision=revision, physical=True)
        etcd.ctl("--command-timeout=120s", "defrag")
        etcd.save(Path(folder) / "b.db")


def write(etcd: Etcd, chance: random.Random, size: int, first: int, last: int) -> None:
    """Writes these objects, with random values."""
    a_request = max(1, min(128, A_REQUEST // size))
    for start in range(first, last, a_request):
        names = range(start, min(start + a_request, last))
        etcd.put(*((KEY % name, chance.randbytes(size)) for name in names))


def table(folder: Path, share: float, rounds: int) -> str:
    """The measured rows for these snapshots."""
    a, b = folder / "a.db", folder / "b.db"
    commands: dict[str, list[str | Path]] = {
        "etcd-verify --full": [OURS, "etcd-verify", "--full", a],
        "etcd-diff": [OURS, "etcd-diff", a, b],
        "etcd-diff -o json": [OURS, "etcd-diff", a, b, "-o", "json"],
    }
    # The first round warms caches up.
    runs = [{name: measured(command) for name, command in commands.items()} for _ in range(rounds + 1)][1:]
    sizes = " and ".join(f"{file.stat().st_size / 1e6:,.0f} MB" for file in (a, b))
    head = ("", "s", "processor s", "to etcd-verify --full", "memory MB")
    lines = [
        f"{sizes}, {share:.0%} of the objects differ\n",
        f"| {' | '.join(head)} |",
        "|---" * len(head) + "|",
    ]
    peer, *_ = commands
    for name in commands:
        seconds, processor = (statistics.median(run[name][part] for run in runs) for part in (0, 1))
        ratio = statistics.median(run[name][0] / run[peer][0] for run in runs)
        memory = max(run[name][2] for run in runs)
        lines.append(f"| {name} | {seconds:.2f} | {processor:.2f} | {ratio:.2f} | {memory:.0f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
