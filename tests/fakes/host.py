"""This machine as a node's host: commands run here, through the real Exec, over streams that can be cut."""

import json
import os
import subprocess
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kubectl_admin.cluster.errors import BrokenStream
from kubectl_admin.cluster.exec import CLOSE, STATUS, STDERR, STDIN, STDOUT, Exec
from kubectl_admin.node import host
from kubectl_admin.node.debug_pod import Options
from kubectl_admin.node.host import Host
from kubectl_admin.node.operation import Operation, Owner
from kubectl_admin.node.script import END, Script
from tests.fakes.clock import Clock

ROOMS = Path(host.__file__).parent.parent
END_TIMEOUT = 60  # seconds; nothing here takes so long
OWNER = Owner("ann@laptop", "boot/pid:[1]", 4711, "12345")
OPERATION = Operation("0123456789", OWNER)
CLEAN = ["/usr/bin/env", "-i"]
PREFIX = [*CLEAN, "/usr/sbin/chroot", "/host", *CLEAN, *host.ENVIRONMENT]


@dataclass(frozen=True)
class Cut:
    """A stream ends after so many bytes of output. loud: with an error, else with exit code 0."""

    after: int
    loud: bool = True


@dataclass
class Streams:
    """The stand-in of a Channels: a process of this machine."""

    argv: Sequence[str]
    env: dict[str, str]
    cut: Cut | None = None
    what: str = "a command"

    def __post_init__(self) -> None:
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            self.argv, env=self.env, stdin=pipe, stdout=pipe, stderr=pipe, cwd="/"
        )

    def messages(
        self, outgoing: Iterable[tuple[int, bytes]] = (), _alarm: Any = None
    ) -> Iterator[tuple[int, bytes]]:
        """What the process writes, and how it ended."""
        process, said = self.process, bytearray()
        assert process.stdin
        assert process.stdout
        assert process.stderr
        sources = [
            threading.Thread(target=self._feed, args=[list(outgoing)]),
            threading.Thread(target=lambda: said.extend(process.stderr.read())),
        ]
        for source in sources:
            source.start()
        left = self.cut.after if self.cut else None
        while data := os.read(process.stdout.fileno(), 65536 if left is None else max(min(left, 65536), 1)):
            if left is not None:
                data = data[:left]
                left -= len(data)
            if data:
                yield STDOUT, data
            if left == 0:
                assert self.cut
                if self.cut.loud:
                    raise BrokenStream("the connection was lost")
                break
        self._end()
        for source in sources:
            source.join(END_TIMEOUT)
            assert not source.is_alive(), "something that it has started holds its streams"
        if said:
            yield STDERR, bytes(said)
        yield STATUS, status(process.wait(END_TIMEOUT) if left != 0 else 0)

    def speak_within(self, _seconds: float) -> None:
        """It speaks."""

    def finish_within(self, _seconds: float) -> None:
        """The end is near anyway."""

    def close(self) -> None:
        """Hangs up."""
        self.process.kill()
        self._end()
        self.process.wait(END_TIMEOUT)
        for stream in (self.process.stdin, self.process.stderr):
            assert stream
            stream.close()

    def _end(self) -> None:
        assert self.process.stdout
        self.process.stdout.close()

    def _feed(self, messages: Sequence[tuple[int, bytes]]) -> None:
        assert self.process.stdin
        try:
            for channel, data in messages:
                if channel == STDIN:
                    self.process.stdin.write(data)
                else:
                    assert channel == CLOSE
            self.process.stdin.close()
        except (BrokenPipeError, ValueError):
            pass  # it reads no more


def status(code: int) -> bytes:
    """The last word of an exec."""
    if code == 0:
        return b'{"status": "Success"}'
    cause = {"reason": "ExitCode", "message": str(code)}
    return json.dumps(
        {"status": "Failure", "reason": "NonZeroExitCode", "details": {"causes": [cause]}}
    ).encode()


@dataclass
class Machine:
    """The stand-in of a Cluster whose only node is this machine.

    path: the host's PATH. systemd: stands for /run/systemd/system, the sign that systemd runs. cuts: of the
    next streams, in order. commands: what was run. clock: costs no time.
    """

    path: str
    systemd: str = "/run/systemd/system"
    cuts: list[Cut | None] = field(default_factory=list)
    commands: list[list[str]] = field(default_factory=list)
    clock: Clock = field(default_factory=Clock)

    def exec(self, *_where: str, stdin: Iterable[bytes] | None, timeout: float | None) -> Exec:
        """Runs a command."""
        *_, command = _where
        del timeout
        assert command[: len(PREFIX)] == PREFIX
        environment = dict(word.split("=", 1) for word in host.ENVIRONMENT)
        argv = [word.replace("/run/systemd/system", self.systemd) for word in command[len(PREFIX) :]]
        self.commands.append(argv)
        cut = self.cuts.pop(0) if self.cuts else None
        return Exec(Streams(argv, environment | {"PATH": self.path}, cut), stdin)  # type: ignore[arg-type]

    def get(self, _path: str) -> dict[str, Any]:
        """The debug pod, which runs."""
        return {"metadata": {"uid": ""}, "status": {"phase": "Running"}}


class Inline(Script):
    """A script that has no file: its name is its text."""

    def text(self) -> str:
        """That text."""
        return self.name


def inline(text: str) -> Inline:
    """A script with this text."""
    return Inline("", text)


def script_named(name: str) -> Script:
    """The script of that name, in whichever room it is."""
    (path,) = ROOMS.glob(f"*/scripts/{name}.sh")
    return Script(path.parent.parent.name, name)


def host_of(
    machine: Machine,
    said: list[str] | None = None,
    operation: Operation = OPERATION,
    options: Options = Options(),  # noqa: B008 - it is frozen
) -> Host:
    """This machine as a host that is open already."""
    say = (said if said is not None else []).append
    return Host(machine, "cp-1", operation, options, say)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Shell:
    """A POSIX shell with the programs that its kind of host has."""

    name: str
    argv: tuple[str, ...]
    path: str

    def run(
        self, script: str, *arguments: str | bytes | Path, given: bytes = b"", check: bool = True
    ) -> bytes:
        """What one of scripts/ writes to stdout, run as on a host; its end is taken off."""
        done = self.ended(script, *arguments, given=given)
        if check:
            assert (done.returncode, done.stderr) == (0, b"")
            assert done.stdout.endswith(END)
        return done.stdout.removesuffix(END)

    def ended(
        self,
        script: str,
        *arguments: str | bytes | Path,
        given: bytes = b"",
        path: str = "",
        systemd: str = "",
    ) -> subprocess.CompletedProcess[bytes]:
        """How one of scripts/ ends. path: folders before the shell's own PATH. systemd: stands for
        /run/systemd/system, the sign that systemd runs.
        """
        command = self.command(script, *arguments)
        if systemd:
            command[2] = str(command[2]).replace("/run/systemd/system", systemd)
        return subprocess.run(
            command,
            check=False,
            input=given,
            capture_output=True,
            env=self.env(path),
            cwd="/",
            timeout=60,
        )

    def command(self, script: str, *arguments: str | bytes | Path) -> list[str | bytes | Path]:
        """The command that runs one of scripts/."""
        return [*self.argv, "-c", script_named(script).text(), f"kubectl-admin-{script}", *arguments]

    def env(self, path: str = "") -> dict[str, str]:
        """The environment on a host."""
        here = f"{path}:{self.path}" if path else self.path
        return dict(word.split("=", 1) for word in host.ENVIRONMENT) | {"PATH": here}
