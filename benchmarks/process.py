"""A whole process, measured, and the lab that it is measured on."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.lab import cache


def timed(command: list[str], kubeconfig: Path) -> tuple[float, float, float]:
    """Seconds, peak memory in MB and seconds of processor time of a whole process.

    Its output is thrown away.
    """
    start = time.perf_counter()
    process = subprocess.Popen(
        command, env=environment(kubeconfig), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    usage = os.wait4(process.pid, 0)[2]
    process.returncode = 0
    seconds = time.perf_counter() - start
    return seconds, usage.ru_maxrss / 1024, usage.ru_utime + usage.ru_stime


def shown_and_ended(command: list[str], kubeconfig: Path) -> tuple[float, float]:
    """Seconds until a process has written the last that it writes, and until it has ended."""
    start = last = time.perf_counter()
    with subprocess.Popen(
        command, env=environment(kubeconfig), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout
        while os.read(process.stdout.fileno(), 1 << 16):
            last = time.perf_counter()
    return last - start, time.perf_counter() - start


def environment(kubeconfig: Path) -> dict[str, str]:
    """The environment of a process on a cluster.

    The program's bytecode is kept, as that of an installed one is.
    """
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPYCACHEPREFIX": str(cache.root() / "bytecode"), "KUBECONFIG": str(kubeconfig)}


def medians(rows: Iterable[Sequence[float]]) -> list[float]:
    """The median of each column."""
    return [statistics.median(column) for column in zip(*rows, strict=True)]


def lab(*arguments: str) -> str:
    """What the lab's program answers on stdout.

    It is a process of its own: the peak memory of a child counts from its parent's.
    """
    command = [sys.executable, "-m", "tests.lab", *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
