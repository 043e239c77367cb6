"""Tells a node now and then that somebody still looks into a snapshot there, and hears whether it is open."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.past import programs
from kubectl_admin.etcd.past.survey import HINT
from kubectl_admin.node.host import Host, Say
from kubectl_admin.node.script import Script

STATE = Script("etcd", "past-state")
SILENCE = 600  # seconds after which a node that hears nothing ends what it has opened
BEAT_INTERVAL = 30.0  # seconds between two words
FAST_INTERVAL = 0.5  # seconds between two, while its programs start
RETRY_INTERVAL = 5.0  # seconds between two, while the node is not heard of
WORD_TIMEOUT = 20.0  # seconds for which one word is tried
JOIN_TIMEOUT = 5.0  # seconds for the last word to be said
AGAIN = "was the node restarted, or the unit stopped? run the command again"


class EndedError(AdminError):
    """The snapshot is not open any more, for good."""


class Heartbeat:
    """Made by `beating`, or with what asks the node once: it raises EndedError where all is over.

    Whatever else comes of a question, it is asked again until `end`. say: is given a sentence where the node
    is not heard of, and when it is again. where: names the node.
    """

    def __init__(self, ask: Callable[[], None], say: Say, where: str) -> None:
        self._ask = ask
        self._say = say
        self._where = where
        self._interval = BEAT_INTERVAL
        self._wake = threading.Event()
        self._over = threading.Event()
        self._problem: EndedError | None = None
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
        self._thread.start()

    def check(self) -> None:
        """Raises EndedError once it is not open any more."""
        if self._problem:
            raise EndedError(self._problem.what, self._problem.hint)

    def hurry(self) -> None:
        """From now on the end of a program is seen soon."""
        self._interval = FAST_INTERVAL
        self._wake.set()

    def calm(self) -> None:
        """From now on the node is asked less often."""
        self._interval = BEAT_INTERVAL

    def wake(self) -> None:
        """Asks now: somebody has found no way to the node, which a question mends."""
        self._wake.set()

    def end(self) -> None:
        """Says nothing more."""
        self._over.set()
        self._wake.set()
        self._thread.join(JOIN_TIMEOUT)

    def _run(self) -> None:
        silent = False
        while not self._over.is_set():
            interval = self._interval
            try:
                self._ask()
            except EndedError as error:
                self._problem = error
                return
            except Exception as error:  # noqa: BLE001 - a thread that ends would end the opening, without a word
                silent, interval = self._lost(error, silent), RETRY_INTERVAL
            else:
                silent = self._heard(silent)
            self._wake.wait(interval)
            self._wake.clear()

    def _lost(self, error: Exception, silent: bool) -> bool:
        if not silent and not self._over.is_set():
            why = error.what if isinstance(error, AdminError) else f"{type(error).__name__}: {error}"
            self._say(f"{self._where} is not heard of, and is asked again and again: {why}")
        return True

    def _heard(self, silent: bool) -> bool:
        if silent:
            self._say(f"{self._where} is heard of again")
        return False


@contextmanager
def beating(host: Host, directory: str, unit: str) -> Iterator[Heartbeat]:
    """Inside, the node is told so. directory, unit: of the opened snapshot."""
    over = threading.Event()

    def attempt() -> bytes:
        if over.is_set():
            raise AdminError(f"node {host.node}: the snapshot is not needed any more")
        return host.answer(STATE, directory, unit)

    def ask() -> None:
        answer = host.persistently(attempt, patience=WORD_TIMEOUT, quiet=True)
        refuse_ended(host.node, answer.decode("utf-8", "replace"))

    heartbeat = Heartbeat(ask, host.say, f"node {host.node}")
    try:
        yield heartbeat
    finally:
        over.set()
        heartbeat.end()


def refuse_ended(node: str, answer: str) -> None:
    """Raises EndedError where the script's answer says that the snapshot is not open. Pure."""
    ended: dict[str, int] = {}
    said: dict[str, list[str]] = {}
    unit = ""
    for line in answer.splitlines():
        match line.split(" ", 2):
            case ["gone", _]:
                raise EndedError(f"node {node}: the directory of the opened snapshot is gone", AGAIN)
            case ["unit", word]:
                unit = word
            case ["network", "shared"]:
                raise shared(node)
            case ["ended", name, code] if code.isdecimal():
                ended[name] = int(code)
            case ["said", name, words]:
                said.setdefault(name, []).append(words)
    try:
        programs.refuse_ended(ended, {name: "\n".join(lines) for name, lines in said.items()})
    except AdminError as error:
        raise EndedError(f"node {node}: {error.what}", error.hint) from None
    if unit == "ended":
        raise over(node)


def shared(node: str) -> EndedError:
    """The unit has the network of the host."""
    return EndedError(f"node {node}: its systemd gives a unit no network of its own", HINT)


def over(node: str) -> EndedError:
    """The unit does not run any more."""
    return EndedError(f"node {node}: the systemd unit of the opened snapshot has ended", AGAIN)
