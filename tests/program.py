"""The program as a process of its own, as a shell starts it."""

import os
import pty
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
PROGRAM = (sys.executable, "-m", "kubectl_admin")
# The same with the verb `act`, which does what a test asks for.
STAND_IN = (sys.executable, "-m", "tests.unit.stand_in")


def environ(**changes: str) -> dict[str, str]:
    """This process' environment without what changes the look of output, and with `changes`."""
    unset = ("NO_COLOR", "TERM", "COLUMNS", "LINES", "KUBECONFIG", "PYTHONIOENCODING", "PYTHONUNBUFFERED")
    return {name: value for name, value in os.environ.items() if name not in unset} | changes


def run(
    *args: str, program: tuple[str, ...] = PROGRAM, env: Mapping[str, str] | None = None, timeout: float = 60
) -> "Ended":
    """Runs the program to its end with pipes for its streams; what hangs fails after `timeout` seconds."""
    done = subprocess.run(
        [*program, *args],
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=env or environ(),
        cwd=ROOT,
        timeout=timeout,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def start(
    *args: str,
    program: tuple[str, ...] = PROGRAM,
    env: Mapping[str, str] | None = None,
    stdin: int = subprocess.DEVNULL,
) -> "subprocess.Popen[str]":
    """Starts the program with pipes for its outputs."""
    return subprocess.Popen(
        [*program, *args],
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=env or environ(),
        cwd=ROOT,
    )


def run_on_terminal(
    *args: str, program: tuple[str, ...] = PROGRAM, env: Mapping[str, str] | None = None
) -> "Ended":
    """Runs the program to its end on a terminal, which shows both streams as one."""
    terminal, end = pty.openpty()
    with subprocess.Popen(
        [*program, *args], stdin=end, stdout=end, stderr=end, env=env or environ(TERM="xterm"), cwd=ROOT
    ) as process:
        os.close(end)
        shown = b""
        while chunk := read_terminal(terminal):
            shown += chunk
        os.close(terminal)
    return Ended(process.returncode, shown.decode().replace("\r\n", "\n"), "")


def read_terminal(terminal: int) -> bytes:
    """What is shown next; empty when nobody holds the other end any more."""
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux says EIO instead of an end of file
        return b""


@dataclass(frozen=True)
class Ended:
    """How a run ended."""

    code: int
    out: str
    err: str
