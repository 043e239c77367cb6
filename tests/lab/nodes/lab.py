"""What a lab is: a folder in the cache with a record, nodes with fixed addresses, a kubeconfig."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.lab import cache
from tests.lab.errors import LabError
from tests.lab.nodes.network import Network
from tests.lab.versions import Release, release

if TYPE_CHECKING:
    from tests.lab.nodes.faults import Faults

PODMAN = ("podman", "--runtime", "runc")
LABEL = "kubectl-admin-lab"


@dataclass(frozen=True)
class Node:
    """One machine of a lab: its name in the cluster, its podman container, its address."""

    name: str
    container: str
    number: int
    address: str
    control_plane: bool
    folder: Path


@dataclass(frozen=True)
class Shape:
    """What was asked for."""

    version: str
    control_planes: int
    workers: int

    def __str__(self) -> str:
        return f"{self.control_planes}+{self.workers} of {self.version}"


@dataclass(frozen=True)
class Lab:
    """A cluster of the lab. It is complete when `up` has seen it work."""

    name: str
    shape: Shape
    network: Network
    complete: bool = False

    @property
    def folder(self) -> Path:
        return folder_of(self.name)

    @property
    def kubeconfig(self) -> Path:
        return self.folder / "kubeconfig"

    @property
    def release(self) -> Release:
        return release(self.shape.version)

    @property
    def nodes(self) -> tuple[Node, ...]:
        """All nodes, control planes first: cp-1, cp-2, …, worker-1, …"""
        names = [f"cp-{number}" for number in range(1, self.shape.control_planes + 1)]
        names += [f"worker-{number}" for number in range(1, self.shape.workers + 1)]
        return tuple(self._node(name, number) for number, name in enumerate(names, start=1))

    @property
    def control_planes(self) -> tuple[Node, ...]:
        return tuple(node for node in self.nodes if node.control_plane)

    @property
    def workers(self) -> tuple[Node, ...]:
        return tuple(node for node in self.nodes if not node.control_plane)

    @property
    def faults(self) -> Faults:
        """What can be broken here; every fault is a context that ends with its undoing."""
        from tests.lab.nodes.faults import Faults

        return Faults(self)

    def node(self, name: str) -> Node:
        """The node of that name; LabError where there is none."""
        for node in self.nodes:
            if node.name == name:
                return node
        raise LabError(f"lab {self.name} has no node {name}; it has {', '.join(n.name for n in self.nodes)}")

    def exec(
        self, node: str, argv: Sequence[str], *, check: bool = True, timeout: float | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command on a node as root, its output captured as text.

        Raises subprocess.CalledProcessError (unless `check` is false) and subprocess.TimeoutExpired.
        """
        command = [*PODMAN, "exec", self.node(node).container, *argv]
        return subprocess.run(command, capture_output=True, text=True, check=check, timeout=timeout)

    def kubectl(self, *arguments: str, timeout: float | None = 120) -> str:
        """What kubectl of this lab's own version answers on stdout, asked with its kubeconfig."""
        program = cache.root() / f"bin/kubernetes-{self.release.kubernetes}/kubectl"
        command = [program, "--kubeconfig", self.kubeconfig, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=timeout)
        if done.returncode != 0:
            raise LabError(f"kubectl {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def save(self) -> None:
        """Write the record; whole or not at all."""
        record = {"shape": asdict(self.shape), "network": self.network.index, "complete": self.complete}
        self.folder.mkdir(parents=True, exist_ok=True)
        fresh = self.folder / ".lab.json"
        fresh.write_text(json.dumps(record, indent=1), encoding="utf-8")
        fresh.rename(self.folder / "lab.json")

    def _node(self, name: str, number: int) -> Node:
        return Node(
            name=name,
            container=f"{LABEL}-{self.name}-{name}",
            number=number,
            address=self.network.address(number),
            control_plane=name.startswith("cp-"),
            folder=self.folder / "nodes" / name,
        )


def labs() -> Path:
    """The folder of all labs' folders."""
    return cache.root() / "labs"


def folder_of(name: str) -> Path:
    """The folder of the lab of that name, there or not; LabError for what can't be a name."""
    if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,22}[a-z0-9])?", name):
        raise LabError(f"«{name}» is no name for a lab: lower case, digits and «-», at most 24 characters")
    return labs() / name


def names() -> list[str]:
    """The names of all labs of nodes, half-made ones too."""
    return sorted(file.parent.name for file in labs().glob("*/lab.json"))


def find(name: str) -> Lab | None:
    """The lab of that name as it was recorded, or None."""
    try:
        record = json.loads((folder_of(name) / "lab.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return Lab(name, Shape(**record["shape"]), Network(record["network"]), record["complete"])


def get(name: str) -> Lab:
    """The lab of that name; LabError where there is none."""
    found = find(name)
    if found is None:
        raise LabError(f"there is no lab {name}")
    return found
