"""Ways to break a restore; each is a context that ends with all mended."""

import os
import signal
import subprocess
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from random import Random
from threading import Event, Thread

from tests.cluster.restore.watch import Journals
from tests.lab.nodes import node as machine
from tests.lab.nodes.lab import Lab
from tests.program import Child

UNIT = "kubectl-admin-restore.service"
PORTS = "2379:2380"  # etcd's, for clients and for peers
KILL_INTERVAL = 1.5  # seconds at most between two kills
FILLER = ".chaos"
# The most of it at once, without writing it; then what is left.
FILL = """
fallocate -l "$(df --output=avail -B1 "$1" | tail -n 1)" "$1/$2"
dd if=/dev/zero of="$1/$2.rest" bs=4k
"""
DISK = 2048  # MiB of a small disk: enough for a restore, until it is filled
FREE = 1800
POWER_INTERVAL = 0.1  # seconds between two looks whether a machine has stopped


@dataclass(frozen=True)
class Run:
    """A restore under way. client: the program. chance: the same with each run of the same seed."""

    lab: Lab
    client: Child[str]
    journals: Journals
    chance: Random


@contextmanager
def nothing(run: Run) -> Iterator[None]:
    """Nothing is broken."""
    del run
    yield


@contextmanager
def off(run: Run, *nodes: str) -> Iterator[None]:
    """Nodes have no power.

    Their first process is killed, and all others with it: at once, while podman takes its time. What they
    have written and not yet synced stays, as this machine goes on.
    """
    for pid in [run.journals.pid(name) for name in nodes]:
        os.kill(pid, signal.SIGKILL)
    try:
        yield
    finally:
        with ThreadPoolExecutor(len(nodes)) as pool:
            list(pool.map(lambda name: power_on(run.lab, name), nodes))


def power_on(lab: Lab, name: str) -> None:
    """A node that was killed boots."""
    while machine.running(lab.node(name)):
        time.sleep(POWER_INTERVAL)
    lab.faults.node(name).end()


@contextmanager
def cut(run: Run, *links: tuple[str, str]) -> Iterator[None]:
    """Nothing of etcd's arrives between the two nodes of each link, either way; the API is still in reach."""
    try:
        filter_links(run, "-I", links)
        yield
    finally:
        filter_links(run, "-D", links)


def filter_links(run: Run, act: str, links: Iterable[tuple[str, str]]) -> None:
    """Begins (-I) or ends (-D) cuts; each on one of its nodes, whose network sees both ways."""
    scripts: dict[str, list[str]] = {}
    for here, there in links:
        address = run.lab.node(there).address
        scripts.setdefault(here, []).extend(
            f"iptables -w {act} {chain} {end} {address} -p tcp --{side} {PORTS} -j DROP"
            for chain, end in (("INPUT", "-s"), ("OUTPUT", "-d"))
            for side in ("dport", "sport")
        )

    def on_node(name: str) -> None:
        inside = ["nsenter", "--target", str(run.journals.pid(name)), "--mount", "--net"]
        script = "; ".join(scripts[name])
        subprocess.run([*inside, "sh", "-c", script], check=True, capture_output=True, timeout=60)

    with ThreadPoolExecutor(len(scripts)) as pool:
        list(pool.map(on_node, scripts))


@contextmanager
def workers_killed(run: Run) -> Iterator[None]:
    """The worker of some node is killed, with all that it runs, at random moments, and starts again."""
    over = Event()
    names = [each.name for each in run.lab.control_planes]

    def kill() -> None:
        while not over.wait(run.chance.random() * KILL_INTERVAL):
            victim = run.chance.choice(names)
            run.lab.exec(victim, ["systemctl", "kill", "--signal=KILL", UNIT], check=False)

    killer = Thread(target=kill)
    killer.start()
    try:
        yield
    finally:
        over.set()
        killer.join()


@contextmanager
def client_killed(run: Run) -> Iterator[None]:
    """The program is killed."""
    run.client.kill()
    yield


@contextmanager
def disk_full(run: Run, node: str, path: str) -> Iterator[None]:
    """A small disk of a node (see `small_disk`) is full to the last byte."""
    try:
        run.lab.exec(node, ["sh", "-c", FILL, "sh", path, FILLER], check=False)
        yield
    finally:
        run.lab.exec(node, ["rm", "-f", f"{path}/{FILLER}", f"{path}/{FILLER}.rest"])


def small_disk(lab: Lab, node: str, path: str) -> AbstractContextManager[object]:
    """A folder of a node is a file system of its own, with enough room for a restore."""
    return lab.faults.disk(node, path, size_mib=DISK, free_mib=FREE)
