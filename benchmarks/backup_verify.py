"""`kubectl admin backup verify` beside age, zstd and etcdutl in a pipe, on a snapshot of a real etcd.

    python -m benchmarks.backup_verify [--gigabytes 0.3 1] [--value 1000] [--rounds 5]

Whole processes, in turn, the archive in the page cache; medians. MB/s are those of the database. The time of
the processor stands beside the time on the clock: on a busy machine only the former says much.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.snapshot_verify import ETCD, OURS, measured, snapshot

BY_HAND = (
    "tar xOf {archive} etcd.db.zst.age | age -d -i {key} | zstd -d > {database} && "
    "{etcdutl} snapshot status {database}"
)


def main() -> None:
    """Prints a table for each size."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--gigabytes", type=float, nargs="+", default=[0.3])
    parser.add_argument("--value", type=int, default=1000, help="bytes of a value")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path, help="where the snapshot is made; needs four times its size")
    options = parser.parse_args()
    for gigabytes in options.gigabytes:
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            file = snapshot(Path(folder), gigabytes, options.value)
            # In a process of its own: a child's peak memory counts from ours.
            code = "import sys; from benchmarks import backup_verify as b; b.pack(*sys.argv[1:])"
            subprocess.run([sys.executable, "-c", code, str(file)], check=True)
            print(table(file, options.rounds), flush=True)


def pack(file: str) -> None:
    """Makes an archive of a snapshot, and its key, beside it."""
    import pyrage

    from kubectl_admin.backup import layout
    from kubectl_admin.backup.archive.write import Writing
    from kubectl_admin.backup.facts import Database, Kind
    from kubectl_admin.etcd.snapshot.verify import verify
    from kubectl_admin.part_file import PartFile
    from tests.unit.backup.samples import manifest

    verdict = verify(Path(file))
    assert verdict.snapshot
    key = pyrage.x25519.Identity.generate()
    Path(file).with_name("key.txt").write_text(f"{key}\n", encoding="ascii")
    head = layout.head(Kind.ETCD, "cp-1", [str(key.to_public())])
    about = manifest(pieces=(head,), database=Database("cp-1", verdict.snapshot.contents.revision or 0, 1))
    with PartFile(Path(file).with_name("a.tar")) as draft, Path(file).open("rb") as source:
        writing = Writing(draft, about)
        with writing.piece(head) as sink:
            while block := source.read(8 << 20):
                sink.write(block)
        writing.finish(about)
        draft.publish()


def table(file: Path, rounds: int) -> str:
    """The measured rows for this snapshot."""
    archive, key = file.with_name("a.tar"), file.with_name("key.txt")
    by_hand = BY_HAND.format(
        archive=archive, key=key, database=file.with_name("again.db"), etcdutl=ETCD / "etcdutl"
    )
    verify: list[str | Path] = [OURS, "backup", "verify", archive]
    commands: dict[str, list[str | Path]] = {
        "age, zstd, etcdutl": ["bash", "-c", by_hand],
        "backup verify": verify,
        "backup verify --identity": [*verify, "--identity", key],
    }
    # The first round warms caches up.
    runs = [{name: measured(command) for name, command in commands.items()} for _ in range(rounds + 1)][1:]
    size = file.stat().st_size / 1e6
    head = ("", "s", "processor s", "MB/s", "MB per processor s", "memory MB")
    lines = [f"{size:,.0f} MB\n", f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for name in commands:
        seconds, processor = (statistics.median(run[name][part] for run in runs) for part in (0, 1))
        cells = [
            name,
            f"{seconds:.2f}",
            f"{processor:.2f}",
            f"{size / seconds:,.0f}",
            f"{size / processor:,.0f}",
            f"{max(run[name][2] for run in runs):.0f}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
