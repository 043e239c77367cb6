"""The program as a process of its own, as a shell starts it."""

import contextlib
import os
import pty
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from types import TracebackType
from typing import AnyStr

ROOT = Path(__file__).parents[1]
PROGRAM = (sys.executable, "-m", "kubectl_admin")
# The same with the verb `act`, which does what a test asks for.
STAND_IN = (sys.executable, "-m", "tests.fakes.program")


RUN_TIMEOUT = 120  # seconds that a run may take; most take one on an idle machine
END_TIMEOUT = 120  # seconds that a process may take to end once its test is done with it
SIGNAL_INTERVAL = 1.0  # seconds until a signal is sent again


class Child(subprocess.Popen[AnyStr]):
    """A process that ends with its test: killed where the test fails, or where it has not ended in time."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if kind:
                self.kill()
            for stream in (self.stdin, self.stdout, self.stderr):
                if stream:
                    with contextlib.suppress(BrokenPipeError):
                        stream.close()
            self.wait(END_TIMEOUT)
        finally:
            self.kill()
            super().__exit__(kind, error, traceback)


@contextlib.contextmanager
def signalled(process: "subprocess.Popen[str]", number: int) -> Iterator[None]:
    """Sends a signal, and again each second inside.

    Python does not see one that comes just before it calls what waits (0.8 % do on a busy machine) until that
    has returned. The program heeds the first that it sees. None is sent once it has no handler any more: a
    Python that ends takes it away, and what comes then would be how the process has ended.
    """
    over = Event()

    def again() -> None:
        while not over.wait(SIGNAL_INTERVAL) and handles(process.pid, number):
            process.send_signal(number)

    process.send_signal(number)
    sender = Thread(target=again, daemon=True)
    sender.start()
    try:
        yield
    finally:
        over.set()
        sender.join()


def handles(pid: int, number: int) -> bool:
    """Whether a process runs that has a handler of its own for a signal."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return False
    (caught,) = (line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(int(caught, 16) >> (number - 1) & 1)


def environ(**changes: str) -> dict[str, str]:
    """This process' environment without what changes its output or slows it down, and with `changes`."""
    of_output = "NO_COLOR", "TERM", "COLUMNS", "LINES", "PYTHONIOENCODING", "PYTHONUNBUFFERED"
    # An installed program keeps its bytecode: to compile it anew takes half of a short run.
    unset = (*of_output, "PYTHONDONTWRITEBYTECODE", "KUBECONFIG")
    return {name: value for name, value in os.environ.items() if name not in unset} | changes


def run(
    *args: str,
    program: tuple[str, ...] = PROGRAM,
    env: Mapping[str, str] | None = None,
    timeout: float = RUN_TIMEOUT,
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
) -> Child[str]:
    """Starts the program with pipes for its outputs."""
    return Child(
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
    with Child[bytes](
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
