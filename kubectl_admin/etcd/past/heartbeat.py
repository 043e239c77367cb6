"""Tells a node now and then that somebody still looks into a snapshot there, and hears whether it is open."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.past import programs
from kubectl_admin.node.host import Host
from kubectl_admin.node.script import Script

STATE = Script("etcd", "past-state")
SILENCE = 600  # seconds after which a node that hears nothing ends what it has opened
BEAT_INTERVAL = 30.0  # seconds between two words
FAST_INTERVAL = 0.5  # seconds between two, until it answers
JOIN_TIMEOUT = 5.0  # seconds for the last word to be said


class Heartbeat:
    """Made by `beating`. ready: is set once the snapshot answers, and the node is asked less often."""

    def __init__(self, ask: Callable[[], None]) -> None:
        self.ready = threading.Event()
        self._over = threading.Event()
        self._ask = ask
        self._problem: AdminError | None = None
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
        self._thread.start()

    def check(self) -> None:
        """Raises AdminError once it is not open any more."""
        if self._problem:
            raise AdminError(self._problem.what, self._problem.hint)

    def end(self) -> None:
        """Says nothing more."""
        self._over.set()
        self.ready.set()
        self._thread.join(JOIN_TIMEOUT)

    def _run(self) -> None:
        while not self._over.is_set():
            try:
                self._ask()
            except AdminError as error:
                self._problem = error
                return
            if self.ready.is_set():
                self._over.wait(BEAT_INTERVAL)
            else:
                self.ready.wait(FAST_INTERVAL)


@contextmanager
def beating(host: Host, directory: str, unit: str) -> Iterator[Heartbeat]:
    """Inside, the node is told so. directory, unit: of the opened snapshot."""

    def ask() -> None:
        answer = host.script(STATE, directory, unit).decode("utf-8", "replace")
        refuse_ended(host.node, answer)

    heartbeat = Heartbeat(ask)
    try:
        yield heartbeat
    finally:
        heartbeat.end()


def refuse_ended(node: str, answer: str) -> None:
    """Raises AdminError where the script's answer says that the snapshot is not open. Pure."""
    ended: dict[str, int] = {}
    said: dict[str, list[str]] = {}
    unit = ""
    for line in answer.splitlines():
        match line.split(" ", 2):
            case ["unit", word]:
                unit = word
            case ["network", "shared"]:
                raise AdminError(
                    f"node {node}: its systemd gives a unit no network of its own",
                    "open it on another node (--node), or on this machine (--local)",
                )
            case ["ended", name, code] if code.isdecimal():
                ended[name] = int(code)
            case ["said", name, words]:
                said.setdefault(name, []).append(words)
    try:
        programs.refuse_ended(ended, {name: "\n".join(lines) for name, lines in said.items()})
    except AdminError as error:
        raise AdminError(f"node {node}: {error.what}", error.hint) from None
    if unit == "ended":
        raise AdminError(f"node {node}: the systemd unit of the opened snapshot has ended")
