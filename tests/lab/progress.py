"""What the lab is doing and for how long, on stderr; what its commands said, in a log of each step."""

import contextlib
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

from tests.lab.errors import LabError

STILL_AT_IT = 20  # seconds between two signs of life of one step
TIED = ("setpriv", "--pdeathsig", "KILL", "--")


class Step:
    """One titled piece of work; its commands write into its log."""

    def __init__(self, title: str, log: Path) -> None:
        self.title = title
        self.log = log

    def run(
        self,
        argv: Sequence[str | Path],
        *,
        input: str | None = None,  # noqa: A002 (as subprocess calls it)
        stdin: IO[bytes] | None = None,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        timeout: float | None = None,
        tied: bool = False,
    ) -> str:
        """Run a command, its errors logged as they come, and return its stdout; LabError where it fails.

        tied: it ends with this process, even where that is killed; otherwise it would go on alone.
        """
        command = [*(TIED if tied else ()), *(str(word) for word in argv)]
        with self.log.open("a", encoding="utf-8") as log:
            print(f"$ {' '.join(command)}", file=log, flush=True)
            start = log.tell()
            try:
                done = subprocess.run(
                    command,
                    input=input,
                    stdin=stdin,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    text=True,
                    cwd=cwd,
                    env=env,
                    timeout=timeout,
                    check=False,
                )
            except FileNotFoundError as error:
                raise LabError(f"{command[0]} is not on this machine", self.log) from error
            except subprocess.TimeoutExpired as error:
                raise LabError(f"{command[0]} was not done after {timeout:.0f} s", self.log) from error
            errors = self.log.read_bytes()[start:].decode(errors="replace")
            log.write(done.stdout)
        if done.returncode != 0:
            shown = " ".join(map(str, argv[:4])) + (" …" if len(argv) > 4 else "")
            raise LabError(
                f"«{shown}» ended with {done.returncode}: {last_line(errors, done.stdout)}", self.log
            )
        return done.stdout


class Progress:
    """Where steps are shown: one line when a step begins, one when it ends, signs of life between."""

    def __init__(self, prefix: str, logs: Path, quiet: bool = False) -> None:
        self.prefix = prefix
        self.logs = logs
        self.began = time.monotonic()
        self.quiet = quiet

    def say(self, text: str) -> None:
        """A line on stderr with the time since the start."""
        if not self.quiet:
            # One write a line, since steps of several threads may speak at once.
            sys.stderr.write(f"{self.prefix} [{clock(time.monotonic() - self.began)}] {text}\n")
            sys.stderr.flush()

    __call__ = say

    @contextlib.contextmanager
    def step(self, title: str, log: str) -> Iterator[Step]:
        """A step whose commands write into logs/LOG.log; a LabError inside it learns the step's title."""
        self.logs.mkdir(parents=True, exist_ok=True)
        began = time.monotonic()
        done = threading.Event()

        def still() -> None:
            while not done.wait(STILL_AT_IT):
                self.say(f"{title}: still at it after {clock(time.monotonic() - began)}")

        self.say(title)
        watcher = threading.Thread(target=still, daemon=True)
        watcher.start()
        try:
            yield Step(title, self.logs / f"{log}.log")
        except LabError as error:
            error.step = error.step or title
            raise
        finally:
            done.set()
            watcher.join()
        self.say(f"{title}: done in {time.monotonic() - began:.1f} s")


def clock(seconds: float) -> str:
    """Seconds as 0:07 or 12:34."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def last_words(log: Path) -> str:
    """The last line of a log that says something."""
    return last_line(log.read_text(encoding="utf-8", errors="replace"))


def last_line(*texts: str) -> str:
    """The last line that says something of the first of these texts that has one; no command's own line."""
    for text in texts:
        lines = [line.strip() for line in text.splitlines()]
        if said := [line for line in lines if line and not line.startswith("$ ")]:
            return said[-1][:300]
    return "it said nothing"
