"""What can be broken in a lab, each with its undoing.

A fault begins when it is entered and is undone when it is left (or by `begin` and `end`, from any process):

    with lab.faults.kubelet("worker-1"):
        …                                    # its kubelet is stopped
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING

from tests.lab import cache
from tests.lab.errors import LabError
from tests.lab.nodes import node, services, slow

if TYPE_CHECKING:
    from tests.lab.nodes.lab import Lab

ETCD_DATA = "/var/lib/etcd"
ANSWER_TIMEOUT = 60  # seconds for an answer of the load balancer, which takes none on an idle machine


@dataclass(frozen=True)
class Fault:
    """Something broken: what it is, how it begins, how it is undone. Both may be done twice."""

    title: str
    begin: Callable[[], None]
    end: Callable[[], None]

    def __enter__(self) -> Fault:
        try:
            self.begin()
        except BaseException:
            # Half begun, it would stay.
            self.end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()


class Faults:
    """The faults of one lab."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab

    def node(self, name: str) -> Fault:
        """The node has lost its power; it boots again afterwards."""
        lab, each = self._lab, self._lab.node(name)

        def begin() -> None:
            if node.running(each):
                node.stop(each)

        def end() -> None:
            if not node.running(each):
                node.start(lab, each)

        return Fault(f"node {name} is without power", begin, end)

    def kubelet(self, name: str) -> Fault:
        """The node's kubelet is stopped; its pods go on."""
        return self._unit(name, "kubelet", f"the kubelet of {name} is stopped")

    def runtime(self, name: str) -> Fault:
        """The node's containerd is stopped; its containers go on."""
        return self._unit(name, "containerd", f"the container runtime of {name} is stopped")

    def static_pod(self, name: str, component: str) -> Fault:
        """The manifest of a control-plane component is taken away, and the component has ended."""
        each = self._lab.node(name)
        if not each.control_plane:
            raise LabError(f"{name} is no control plane: no {component} runs there")

        def act(what: str) -> Callable[[], None]:
            return lambda: self._script(name, "static-pod.sh", what, component)

        return Fault(f"{component} of {name} is stopped", act("stop"), act("start"))

    def load_balancer(self) -> Fault:
        """The load balancer has cut all connections and takes no new ones."""
        lab, balancer = self._lab, services.load_balancer(self._lab)

        def end() -> None:
            if not balancer.pid():
                services.start_load_balancer(lab)

        return Fault("the load balancer is stopped", balancer.stop, end)

    def cut_connections(self) -> None:
        """Cut all connections that go through the load balancer; new ones are taken. Nothing to undo."""
        for each in self._lab.control_planes:
            _tell(self._lab, f"shutdown sessions server control-planes/{each.name}")

    def network(
        self, name: str, *, delay_ms: float = 100, rate_mbit: float = 0, loss_percent: float = 0
    ) -> Fault:
        """The node's network is slow each way: later, at most so fast (0: no limit), and losing packets."""
        lab, each = self._lab, self._lab.node(name)
        slowness = slow.Slowness(delay_ms, rate_mbit, loss_percent)
        return Fault(
            f"the network of {name} is slow ({slowness})",
            lambda: slow.begin(lab, each, slowness),
            lambda: slow.end(lab, each),
        )

    def disk(self, name: str, path: str = ETCD_DATA, *, size_mib: int = 256, free_mib: int = 0) -> Fault:
        """A folder of the node is a small file system with its content, and full but for `free_mib`.

        etcd is stopped and started again where the folder is its data's. What is written meanwhile stays.
        """
        numbers = (str(size_mib), str(free_mib))

        def act(*acts: str) -> None:
            for what in acts:
                self._script(name, "small-disk.sh", what, path, *numbers)

        def quiet() -> AbstractContextManager[object]:
            holds_etcd = path == ETCD_DATA and self._lab.node(name).control_plane
            return self.static_pod(name, "etcd") if holds_etcd else nullcontext()

        def begin() -> None:
            with quiet():
                act("mount")
            act("fill")

        def end() -> None:
            act("empty")
            with quiet():
                act("unmount")

        return Fault(f"{path} of {name} is full", begin, end)

    def _unit(self, name: str, unit: str, title: str) -> Fault:
        def act(what: str) -> Callable[[], None]:
            return lambda: self._run(name, ["systemctl", what, unit])

        return Fault(title, act("stop"), act("start"))

    def _script(self, name: str, script: str, *arguments: str) -> None:
        """Run one of files/faults/ on a node."""
        text = (cache.FILES / "faults" / script).read_text(encoding="utf-8")
        self._run(name, ["sh", "-c", text, script, *arguments])

    def _run(self, name: str, argv: list[str]) -> None:
        done = self._lab.exec(name, argv, check=False, timeout=240)
        if done.returncode != 0:
            raise LabError(f"{argv[0]} on node {name} ended with {done.returncode}: {done.stderr.strip()}")


def _tell(lab: Lab, command: str) -> None:
    """Give haproxy an order through its socket, which it answers with nothing when all is well."""
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(ANSWER_TIMEOUT)
        try:
            line.connect(str(lab.folder / "haproxy.sock"))
            line.sendall(f"{command}\n".encode())
            answer = line.makefile().read().strip()
        except OSError as error:
            raise LabError(f"the load balancer of {lab.name} does not answer: {error}") from error
    if answer:
        raise LabError(f"the load balancer of {lab.name} refused «{command}»: {answer}")
