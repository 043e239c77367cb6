"""A whole process, measured."""

import os
import subprocess
import time
from pathlib import Path


def timed(command: list[str], kubeconfig: Path) -> tuple[float, float]:
    """Seconds and peak memory in MB of a whole process; its output is thrown away."""
    start = time.perf_counter()
    process = subprocess.Popen(
        command,
        env={**os.environ, "KUBECONFIG": str(kubeconfig)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    usage = os.wait4(process.pid, 0)[2]
    process.returncode = 0
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def shown_and_ended(command: list[str], kubeconfig: Path) -> tuple[float, float]:
    """Seconds until a process has written the last that it writes, and until it has ended."""
    start = last = time.perf_counter()
    with subprocess.Popen(
        command,
        env={**os.environ, "KUBECONFIG": str(kubeconfig)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdout
        while os.read(process.stdout.fileno(), 1 << 16):
            last = time.perf_counter()
    return last - start, time.perf_counter() - start
