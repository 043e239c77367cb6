"""An etcd of its own on the loopback, of one member or several, to take files and snapshots from.

Each member has an address of its own in the loopback's network, of which this machine has all: a port that
is free when it is chosen may be anybody's when it is used.
"""

import base64
import json
import os
import secrets
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from tests.lab.errors import LabError
from tests.lab.progress import last_words

LOOPBACK = IPv4Network("127.0.0.0/8")
CLIENT_PORT, PEER_PORT = 2379, 2380
PATIENCE = 60.0  # seconds until it must answer; it takes one on an idle machine
# Milliseconds. On a busy machine a leader is silent for longer than the second that etcd puts up with.
UNHURRIED = ("--heartbeat-interval=300", "--election-timeout=3000")


@dataclass(frozen=True)
class Etcd:
    """A running member.

    programs: the folder with etcd, etcdctl and etcdutl. url: where it serves clients.
    database: its own file.
    """

    programs: Path
    url: str
    database: Path

    def call(self, path: str, **body: Any) -> dict[str, Any]:
        """A request through its JSON gateway: `call("kv/put", key=text(b"k"), value=text(b"v"))`."""
        request = Request(f"{self.url}/v3/{path}", json.dumps(body).encode())
        with urlopen(request, timeout=PATIENCE) as answer:
            found: dict[str, Any] = json.load(answer)
        return found

    def put(self, *pairs: tuple[bytes, bytes], lease: str = "0") -> int:
        """Writes up to 128 keys at one revision, which is returned."""
        puts = [
            {"requestPut": {"key": text(key), "value": text(value), "lease": lease}} for key, value in pairs
        ]
        return int(self.call("kv/txn", success=puts)["header"]["revision"])

    def ctl(self, *arguments: str | Path) -> str:
        """What etcdctl answers; LabError with its last words if it fails."""
        return run([self.programs / "etcdctl", f"--endpoints={self.url}", *arguments])

    def save(self, file: Path, *flags: str) -> Path:
        """A snapshot of it in this file."""
        self.ctl(*flags, "snapshot", "save", file)
        return file


@contextmanager
def running(programs: Path, folder: Path, *flags: str, members: int = 1) -> Iterator[list[Etcd]]:
    """So many members of one cluster, with their data below the folder; they are gone afterwards.

    flags: further ones for each.
    """
    names = [f"m{number}" for number in range(1, members + 1)]
    addresses = [own_address() for _ in names]
    clients, peers = ([f"http://{each}:{port}" for each in addresses] for port in (CLIENT_PORT, PEER_PORT))
    cluster = ",".join(f"{name}={peer}" for name, peer in zip(names, peers, strict=True))
    with ExitStack() as stack:
        started = []
        for name, client, peer in zip(names, clients, peers, strict=True):
            command = [
                programs / "etcd",
                f"--name={name}",
                f"--data-dir={folder / name}",
                f"--listen-client-urls={client}",
                f"--advertise-client-urls={client}",
                f"--listen-peer-urls={peer}",
                f"--initial-advertise-peer-urls={peer}",
                f"--initial-cluster={cluster}",
                "--unsafe-no-fsync",
                *UNHURRIED,
                *flags,
            ]
            started.append(stack.enter_context(process(command, folder / f"{name}.log")))
        etcds = [
            Etcd(programs, client, folder / name / "member/snap/db")
            for name, client in zip(names, clients, strict=True)
        ]
        for etcd, server, name in zip(etcds, started, names, strict=True):
            await_health(etcd.url, server, folder / f"{name}.log")
        yield etcds


@contextmanager
def process(command: Sequence[str | Path], log: Path) -> "Iterator[subprocess.Popen[bytes]]":
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output) as server:
        try:
            yield server
        finally:
            server.kill()


def await_health(url: str, server: "subprocess.Popen[bytes]", log: Path) -> None:
    end = time.monotonic() + PATIENCE
    while True:
        try:
            with urlopen(f"{url}/health", timeout=5) as answer:
                if json.load(answer)["health"] == "true":
                    return
        except OSError:
            pass  # it is not there yet, or has no leader yet
        if server.poll() is not None or time.monotonic() > end:
            raise LabError(f"etcd at {url} does not answer: {last_words(log)}", log)
        time.sleep(0.1)


def run(command: Sequence[str | Path], timeout: float = 2 * PATIENCE) -> str:
    """What a program says on stdout; LabError with what it says of its failure.

    timeout: in seconds; raises subprocess.TimeoutExpired, and the program is killed.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ETCD")}
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=environment, timeout=timeout
    )
    if done.returncode:
        raise LabError(f"«{' '.join(map(str, command))}»: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def own_address() -> str:
    """An address of the loopback that nobody else has, by chance: one of sixteen million."""
    return str(LOOPBACK[1 + secrets.randbelow(LOOPBACK.num_addresses - 2)])


def text(data: bytes) -> str:
    """Bytes as the JSON gateway wants them."""
    return base64.b64encode(data).decode()
