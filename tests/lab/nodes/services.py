"""What a lab runs on this machine beside its nodes: a load balancer and a web server of packages."""

import contextlib
import os
import signal
import socket
import string
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.lab import cache
from tests.lab.errors import LabError
from tests.lab.nodes.lab import Lab
from tests.lab.recipes import packages

PACKAGES_HOST = "packages.lab"
PACKAGES_PORT = 8080
PACKAGES_URL = f"http://{PACKAGES_HOST}:{PACKAGES_PORT}"
API_PORT = 6443
START_TIMEOUT = 120  # seconds in which a service must be there; it takes below one on an idle machine


@dataclass(frozen=True)
class Service:
    """A process of a lab, known by its pid file and by the lab's folder in its command line."""

    name: str
    folder: Path

    def listen(self, argv: Sequence[str], listens: tuple[str, int]) -> None:
        """Start it and wait until it listens there."""
        self.start(argv, lambda: _listening(listens), f"{listens[0]}:{listens[1]}")

    def start(self, argv: Sequence[str], ready: Callable[[], bool], what: str) -> None:
        """Start it, to outlive this process, and wait until it offers `what`.

        LabError where it ends before, or has not after 20 seconds.
        """
        self._log.parent.mkdir(parents=True, exist_ok=True)
        streams = [
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, self._log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ]
        # Not by subprocess, which takes every process that it has started and that goes on for forgotten.
        process = os.posix_spawnp(argv[0], argv, os.environ, file_actions=streams, setsid=True)
        self._pid_file.write_text(str(process), encoding="utf-8")
        deadline = time.monotonic() + START_TIMEOUT
        while not ready():
            if os.waitpid(process, os.WNOHANG)[0] or time.monotonic() > deadline:
                raise LabError(f"{self.name} does not offer {what}", self._log)
            time.sleep(0.05)

    def pid(self) -> int | None:
        """Its process, or None where it does not run."""
        try:
            pid = int(self._pid_file.read_text(encoding="utf-8"))
            command = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
        except (OSError, ValueError):
            return None
        return pid if f"{self.folder}/" in command else None

    def stop(self) -> None:
        """End it if it runs."""
        pid = self.pid()
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):  # another process may have started it
                os.waitpid(pid, 0)
            while self.pid() == pid:
                time.sleep(0.02)
        self._pid_file.unlink(missing_ok=True)

    @property
    def _log(self) -> Path:
        return self.folder / "logs" / f"{self.name}.log"

    @property
    def _pid_file(self) -> Path:
        return self.folder / f"{self.name}.pid"


def load_balancer(lab: Lab) -> Service:
    """haproxy before the lab's API servers."""
    return Service("haproxy", lab.folder)


def package_server(lab: Lab) -> Service:
    """The web server of the package repositories."""
    return Service("packages", lab.folder)


def start(lab: Lab) -> None:
    """Start both."""
    start_load_balancer(lab)
    link = lab.folder / "web"
    link.unlink(missing_ok=True)
    link.symlink_to(packages.web_root())
    where = (lab.network.gateway, PACKAGES_PORT)
    serve = [
        sys.executable,
        "-m",
        "http.server",
        "--bind",
        where[0],
        "--directory",
        f"{link}/",
        str(where[1]),
    ]
    package_server(lab).listen(serve, where)


def start_load_balancer(lab: Lab) -> None:
    """Start haproxy; also after a fault has ended it."""
    servers = [f"  server {node.name} {node.address}:{API_PORT}" for node in lab.control_planes]
    template = string.Template((cache.FILES / "haproxy.cfg").read_text(encoding="utf-8"))
    text = template.substitute(folder=lab.folder, gateway=lab.network.gateway, servers="\n".join(servers))
    config = lab.folder / "haproxy.cfg"
    config.write_text(text, encoding="utf-8")
    load_balancer(lab).listen(["haproxy", "-db", "-f", str(config)], (lab.network.gateway, API_PORT))


def stop(lab: Lab) -> None:
    """End both, and every other process that keeps a pid file in the lab's folder."""
    for file in lab.folder.glob("*.pid"):
        Service(file.stem, lab.folder).stop()


def _listening(address: tuple[str, int]) -> bool:
    try:
        socket.create_connection(address, timeout=1).close()
    except OSError:
        return False
    return True
