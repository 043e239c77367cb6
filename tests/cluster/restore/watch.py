"""What is looked at all along: the words in the journals of nodes, and whether the API answers."""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from threading import Event, Thread
from typing import Self
from urllib.request import urlopen

from tests.cluster.labs import administrator
from tests.lab.errors import LabError
from tests.lab.nodes import node
from tests.lab.nodes.lab import Lab

JOURNAL = "var/lib/kubectl-admin/restore/journal"
JOURNAL_INTERVAL = 0.02  # seconds between two looks: some words are a few tenths of a second apart
PID_INTERVAL = 0.5  # seconds between two questions whether a node has power again
INTERVAL = 0.1  # seconds between two questions to the API
GAP = 1.0  # seconds without an answer that count as being without API
RESTORED, AS_BEFORE = "restored", "as before"
# The last words of a journal with which a node's restore is over; «prepared» alone never begins.
OVER = {"restored": RESTORED, "as-before": AS_BEFORE, "disarmed": AS_BEFORE, "prepared": AS_BEFORE}

Words = Mapping[str, tuple[str, ...] | None]  # by node; None where there is no journal


class Journals:
    """The journals of all control planes, read where the nodes keep them, without a program on any.

    words: as they were read last. A node without power keeps those that were seen before.
    """

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._pids: dict[str, int] = {}
        self._asked: dict[str, float] = {}
        self.words: dict[str, tuple[str, ...] | None] = {each.name: None for each in lab.control_planes}

    def pid(self, name: str) -> int:
        """The node's first process; LabError where it has no power."""
        if name not in self._pids:
            self._pids[name] = node.pid(self._lab.node(name))
        return self._pids[name]

    def look(self) -> Words:
        """Reads them all."""
        for name in self.words:
            if not self._has_power(name):
                continue
            root = Path(f"/proc/{self._pids[name]}/root")
            try:
                lines = (root / JOURNAL).read_text(encoding="utf-8").splitlines()
                self.words[name] = tuple(line.split()[-1] for line in lines if line.split())
            except OSError:
                try:
                    (root / "var/lib").stat()
                except OSError:
                    self._pids.pop(name, None)
                else:
                    self.words[name] = None
        return self.words

    def _has_power(self, name: str) -> bool:
        """Whether the node's first process is known."""
        if name not in self._pids and time.monotonic() - self._asked.get(name, 0) > PID_INTERVAL:
            self._asked[name] = time.monotonic()
            with suppress(LabError):  # it may lose it between the two questions
                if node.running(self._lab.node(name)):
                    self.pid(name)
        return name in self._pids

    def wait(self, state: Callable[[Words], bool], timeout: float) -> bool:
        """Whether the words came to be so within so many seconds."""
        end = time.monotonic() + timeout
        while not state(self.look()):
            if time.monotonic() > end:
                return False
            time.sleep(JOURNAL_INTERVAL)
        return True


def end_on_node(words: tuple[str, ...] | None) -> str:
    """How a restore has ended on a node; "" while it has not. Where there is none, nothing was changed."""
    return AS_BEFORE if words is None else OVER.get(words[-1], "") if words else ""


def are_over(words: Words) -> bool:
    """Whether it has ended on all nodes."""
    return all(end_on_node(one) for one in words.values())


def end_of(words: Words) -> str:
    """How it has ended on all nodes. Several ends, which must never be, are all named."""
    return " and ".join(sorted({end_on_node(one) or "not over" for one in words.values()}))


class Asker:
    """A thread that asks the API while it is entered. server: "" is the load balancer."""

    interval = INTERVAL

    def __init__(self, lab: Lab, server: str = "") -> None:
        balancer, self.context = administrator(lab.kubeconfig.read_text(encoding="utf-8"))
        self.server = server or balancer
        self._over = Event()
        self._thread = Thread(target=self._ask_on, daemon=True)

    def ask(self) -> None:
        """Asks once. Raises OSError, HTTPException or ValueError where no answer makes sense."""
        raise NotImplementedError

    def _ask_on(self) -> None:
        while not self._over.wait(self.interval):
            with suppress(OSError, HTTPException, ValueError):
                self.ask()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()


class Poller(Asker):
    """Asks whether the API is ready. answers: the moments at which it was."""

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        self.answers: list[float] = []

    def ask(self) -> None:
        """Asks once."""
        with urlopen(f"{self.server}/readyz", timeout=2, context=self.context):
            self.answers.append(time.monotonic())

    def gaps(self) -> list[tuple[float, float]]:
        """The times between two answers: from when, and how long."""
        pairs = zip(self.answers, self.answers[1:], strict=False)
        return [(begin, end - begin) for begin, end in pairs]

    def gap(self) -> tuple[float, float]:
        """The longest of them."""
        return max(self.gaps(), key=lambda gap: gap[1])

    def without_api(self) -> float:
        """The seconds without API, all together."""
        return sum(length for _, length in self.gaps() if length > GAP)
