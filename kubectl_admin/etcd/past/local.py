"""A snapshot opened on this machine, by programs that are here. No cluster is asked.

A shell runs them (scripts/past-run.sh): it ends with its standard input, so with this process, however that
ends, and leaves nothing of them.
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from kubectl_admin.clock import Deadline
from kubectl_admin.errors import AdminError, UsageError
from kubectl_admin.etcd.past import certificates, flags, judge, kubeconfig, programs, ready
from kubectl_admin.etcd.past.certificates import ADDRESS
from kubectl_admin.etcd.past.facts import Past, Place
from kubectl_admin.etcd.past.opened import Opened, refuse
from kubectl_admin.etcd.past.programs import ASKED, NAMES
from kubectl_admin.node.script import Script
from kubectl_admin.signals import sheltered

RUN = Script("etcd", "past-run")
GO = "go"  # the file that says that all others are there
HERE = "this machine"
END_TIMEOUT = 30.0  # seconds in which the programs must have ended, and their directory be gone
END_INTERVAL = 0.02  # seconds between two looks whether they have
VERSION_TIMEOUT = 30.0  # seconds for a program to tell its version
MEMORY = Path("/proc/meminfo")
TAIL = 4096  # bytes of a log's end
LONGEST = 1 << 20  # bytes of a configuration of encryption
HINT = "name the directory of etcd, etcdutl and kube-apiserver with --bin"


@dataclass(frozen=True, slots=True)
class Local:
    """A person's choices. bin: where the programs are; None for PATH. encryption: the API server's
    configuration, where there is one. namespace: of the kubeconfig, or "".
    """

    bin: Path | None
    encryption: Path | None
    namespace: str
    environ: Mapping[str, str]


def found(where: Local) -> dict[str, Path]:
    """The programs by their names. Raises UsageError where one is missing."""
    path = str(where.bin) if where.bin else where.environ.get("PATH", os.defpath)
    there = {name: shutil.which(name, path=path) for name in NAMES}
    if lacking := [name for name, program in there.items() if program is None]:
        place = str(where.bin) if where.bin else "PATH"
        raise UsageError(f"{', '.join(lacking)} {'is' if len(lacking) == 1 else 'are'} not in {place}", HINT)
    return {name: Path(program).resolve() for name, program in there.items() if program}


def place_of(there: Mapping[str, Path]) -> Place:
    """This machine. Raises AdminError for programs that do not fit."""
    versions = {name: programs.version(_said(program, ASKED[name])) for name, program in there.items()}
    programs.refuse_unable(versions, HERE, HINT)
    system = os.statvfs(tempfile.gettempdir())
    return Place(
        name=HERE,
        memory=told("MemAvailable"),
        total=told("MemTotal"),
        room=system.f_bavail * system.f_frsize,
        copies=0,
        etcd=versions[flags.ETCD],
        kubernetes=versions[flags.APISERVER],
    )


def told(name: str) -> int | None:
    """Bytes of memory by the system's name for them; None where it does not tell."""
    try:
        lines = MEMORY.read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) << 10 for line in lines if line.startswith(f"{name}:"))
    except (OSError, ValueError, StopIteration):
        return None


@contextmanager
def opened(past: Past, where: Local, say: Callable[[str], None]) -> Iterator[Opened]:
    """The snapshot while it is open; of its programs and files nothing is there afterwards.

    Raises AdminError where something forbids it, or a program fails.
    """
    there = found(where)
    place = place_of(there)
    findings = judge.judge(past, place)
    refuse(past, findings)
    keys = certificates.make()
    with (
        kubeconfig.guarded_directory(where.environ) as own,
        running(past, where, there, keys) as (port, check),
    ):
        say("the database is made, and etcd and kube-apiserver start")
        path = kubeconfig.write(own, kubeconfig.text(port, keys, where.namespace))
        cluster = kubeconfig.connect(path)
        ready.wait_until_ready(cluster, check)
        yield Opened(past, place, path, cluster, (*findings, *ready.unread(cluster, past)), check)


@contextmanager
def running(
    past: Past, where: Local, there: Mapping[str, Path], keys: certificates.Keys
) -> Iterator[tuple[int, Callable[[], None]]]:
    """The programs while they run: the port, and what raises AdminError once one of them has ended."""
    process: subprocess.Popen[bytes] | None = None
    with sheltered() as shelter:
        directory = Path(tempfile.mkdtemp(prefix=kubeconfig.PREFIX))
        try:
            with shelter.exposed():
                port = free_port()
                fill(directory, past, where, there, keys, port)
                process = subprocess.Popen(
                    ["/bin/sh", "-c", RUN.text(), RUN.name, str(directory), "0"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,
                    cwd="/",
                    env=environ_without_etcd(os.environ),
                )
                runner = process
                yield port, lambda: check(directory, runner)
        finally:
            end(process)
            shutil.rmtree(directory, ignore_errors=True)


def end(process: "subprocess.Popen[bytes] | None") -> None:
    """Ends the programs by the end of the runner's input; those that it has left, as where it was killed, by
    its process group.
    """
    if process is None:
        return
    with suppress(OSError):
        if process.stdin:
            process.stdin.close()
    deadline = Deadline.after(END_TIMEOUT)
    while not has_ended(process) and deadline.left > 0:
        time.sleep(END_INTERVAL)
    # As long as it is not waited for, the number of its group is nobody else's.
    with suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def has_ended(process: "subprocess.Popen[bytes]") -> bool:
    """Whether a child has ended; it is not waited for, where the system can tell it so."""
    if not hasattr(os, "waitid"):  # macOS, until Python 3.13
        return process.poll() is not None
    try:
        return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return True


def environ_without_etcd(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment without etcd's settings: on a control plane they are those of the live member.

    Source: etcd pkg/flags/flag.go: each flag that is not given is taken from a variable; ETCD_CONFIG_FILE
    stands for all.
    """
    return {name: value for name, value in environ.items() if not name.startswith("ETCD")}


def fill(
    directory: Path,
    past: Past,
    where: Local,
    there: Mapping[str, Path],
    keys: certificates.Keys,
    port: int,
) -> None:
    """Puts all that the programs need into their directory."""
    for name, program in there.items():
        (directory / name).symlink_to(program)
    # By a link, since a path may hold anything, and words are lines.
    (directory / flags.SNAPSHOT).symlink_to(past.path.resolve())
    commands = flags.words(past, port, encrypted=where.encryption is not None)
    content = flags.files(commands, keys)
    if where.encryption:
        content[flags.ENCRYPTION] = configuration(where.encryption)
    for name, data in {**content, GO: b""}.items():
        kubeconfig.create(directory / name, data)


def configuration(path: Path) -> bytes:
    """The configuration of encryption. Raises UsageError where it can't be read."""
    try:
        with path.open("rb") as file:
            return file.read(LONGEST)
    except OSError as error:
        raise UsageError(f"{path} can't be read: {error.strerror}") from error


def free_port() -> int:
    """A port of the loopback on which nobody listens."""
    with socket.socket() as probe:
        probe.bind((ADDRESS, 0))
        return int(probe.getsockname()[1])


def check(directory: Path, runner: "subprocess.Popen[bytes]") -> None:
    """Raises AdminError where a program has ended, or the shell that runs them."""
    ended, words = {}, {}
    for name in NAMES:
        try:
            ended[name] = int((directory / f"{name}.ended").read_text(encoding="ascii"))
        except (OSError, ValueError):
            continue
        words[name] = tail(directory / f"{name}.log")
    programs.refuse_ended(ended, words)
    if has_ended(runner):
        raise AdminError("the shell that runs etcd and kube-apiserver was killed")


def tail(path: Path) -> str:
    """The end of a log."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - TAIL))
            return file.read(TAIL).decode("utf-8", "replace")
    except OSError:
        return ""


def _said(program: Path, word: str) -> str:
    """All that a program says to this word."""
    try:
        done = subprocess.run(
            [program, word],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=VERSION_TIMEOUT,
            env=environ_without_etcd(os.environ),
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise AdminError(f"{program} does not tell its version: {error}", HINT) from error
    return done.stdout.decode("utf-8", "replace")
