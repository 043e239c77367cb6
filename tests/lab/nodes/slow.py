"""A node's slow network: netem at both ends of its cable, or a process where the kernel has no netem."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.lab.errors import LabError
from tests.lab.nodes import node, slow_wire
from tests.lab.nodes.lab import PODMAN
from tests.lab.nodes.services import Service

if TYPE_CHECKING:
    from tests.lab.nodes.lab import Lab, Node

# With these on, the kernel hands over large frames without checksums, which no cable carries.
OFFLOADS = ("tx", "sg", "tso", "gso", "gro")


@dataclass(frozen=True)
class Slowness:
    """How slow, each way."""

    delay_ms: float
    rate_mbit: float  # 0: no limit
    loss_percent: float

    def __str__(self) -> str:
        rate = f", {self.rate_mbit:g} Mbit/s" if self.rate_mbit else ""
        loss = f", {self.loss_percent:g} % lost" if self.loss_percent else ""
        return f"{self.delay_ms:g} ms later each way{rate}{loss}"


def begin(lab: Lab, each: Node, slowness: Slowness) -> None:
    """Slow the node's network down; instead of what slows it already."""
    end(lab, each)
    if not _netem(lab, each, slowness):
        _put_wire(lab, each, slowness)


def end(lab: Lab, each: Node) -> None:
    """Make the node's network quick again; nothing where it is."""
    cable, tap = lab.network.cable(each.number), _tap(lab, each)
    _wire(lab, each).stop()
    while Path(f"/sys/class/net/{tap}").exists():  # it goes when its process has gone
        time.sleep(0.02)
    if not Path(f"/sys/class/net/{cable}").exists():
        return
    _run("ip", "link", "set", cable, "master", lab.network.bridge)
    _run("tc", "qdisc", "del", "dev", cable, "root", check=False)
    if node.running(each):
        _inside(each, "tc", "qdisc", "del", "dev", "eth0", "root", check=False)
        _offload(each, "on")


def _netem(lab: Lab, each: Node, slowness: Slowness) -> bool:
    """Slow both ends by the kernel's own means; False where it has none."""
    netem = ["root", "netem", "delay", f"{slowness.delay_ms}ms", "loss", f"{slowness.loss_percent}%"]
    if slowness.rate_mbit:
        netem += ["rate", f"{slowness.rate_mbit}mbit"]
    if not _run("tc", "qdisc", "add", "dev", lab.network.cable(each.number), *netem, check=False):
        return False
    return _inside(each, "tc", "qdisc", "add", "dev", "eth0", *netem)


def _put_wire(lab: Lab, each: Node, slowness: Slowness) -> None:
    cable, tap = lab.network.cable(each.number), _tap(lab, each)
    numbers = [str(number) for number in (slowness.delay_ms, slowness.rate_mbit, slowness.loss_percent)]
    _offload(each, "off")
    command = [sys.executable, slow_wire.__file__, cable, tap, *numbers, f"{lab.folder}/"]
    _wire(lab, each).start(command, Path(f"/sys/class/net/{tap}").exists, f"tap device {tap}")
    _run("ip", "link", "set", cable, "nomaster")
    _run("ip", "link", "set", tap, "master", lab.network.bridge, "up")


def _wire(lab: Lab, each: Node) -> Service:
    return Service(f"slow-wire-{each.name}", lab.folder)


def _tap(lab: Lab, each: Node) -> str:
    return f"{lab.network.bridge}t{each.number}"


def _offload(each: Node, state: str) -> None:
    _inside(each, "ethtool", "-K", "eth0", *(word for offload in OFFLOADS for word in (offload, state)))


def _inside(each: Node, *argv: str, check: bool = True) -> bool:
    return _run(*PODMAN, "exec", each.container, *argv, check=check)


def _run(*argv: str, check: bool = True) -> bool:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if check and done.returncode != 0:
        raise LabError(f"{' '.join(argv)}: {done.stderr.strip()}")
    return done.returncode == 0
