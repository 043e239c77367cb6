"""A node's host, for the work on one node."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

from tests.fakes.clock import Clock


class Host:
    """A node's host that does what it is told: scripts are noted, and answer what a test wants.

    asked: the scripts and commands but for those of jobs and directories. job: the arguments of each job that
    was started, log and exit_code: its end. discarded: the directories that were removed. earlier: how an
    earlier run's job does, look by look; none where there is none.
    """

    pod = ("kube-system", "debug")

    def __init__(self, node: str = "cp-1") -> None:
        self.node = node
        self.clock = Clock()
        self.operation = SimpleNamespace(id="operation-1", owner="ann@laptop boot 1 2", work={})
        self.asked: list[tuple[str, ...]] = []
        self.answers = {"certs-restart": b"restarted\n"}
        self.jobs: list[tuple[str, ...]] = []
        self.discarded: list[str] = []
        self.log, self.exit_code = "", 0
        self.said: list[str] = []
        self.earlier: list[bytes] = []

    def say(self, text: str) -> None:
        self.said.append(text)

    def script(self, script: Any, *arguments: str, before: Any = lambda: None, **_options: Any) -> bytes:
        before()
        match script.name:
            case "workspace" | "leftovers":
                return b""
            case "discard":
                self.discarded.append(arguments[1])
                return b""
            case "job-start":
                # Behind directory, unit, owner and the texts of two scripts.
                self.jobs.append(arguments[5:])
                return b"started\n"
            case "job-wait":
                return self.wait(int(arguments[2]))
        self.asked.append((script.name, *arguments))
        return self.answers[script.name]

    def wait(self, length: int) -> bytes:
        """How a job does, and what it has written behind so many bytes."""
        if self.earlier:
            return self.earlier.pop(0) + b"\n"
        return f"ended {self.exit_code}\n".encode() + self.log.encode()[length:]

    def run(self, argv: Any, **_options: Any) -> Any:
        if argv[0] == "test":
            return SimpleNamespace(exit_code=0 if self.earlier else 1)
        self.asked.append(tuple(argv))
        return SimpleNamespace(exit_code=0)

    def persistently(self, action: Any, **_options: Any) -> Any:
        return action()

    @property
    def restarted(self) -> list[str]:
        return [each[1] for each in self.asked if each[0] == "certs-restart"]


class Hosts:
    """The hosts of many nodes, each a new one whenever it is opened, but for those given."""

    def __init__(self, *hosts: Host) -> None:
        self.opened: list[str] = []
        self._hosts = {each.node: each for each in hosts}
        self.cluster = SimpleNamespace()
        self.operation = SimpleNamespace(owner="ann")
        self.options = None
        self.said: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)

    @contextmanager
    def open(self, name: str) -> Iterator[Host]:
        self.opened.append(name)
        yield self._hosts.get(name) or Host(name)
