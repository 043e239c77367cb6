"""A connection from a container, or its node's host, to an address: a command's standard streams carry it.

The command writes a line to stderr before it connects. Further words there say why it could not.
"""

import threading
from collections.abc import Callable, Iterable, Iterator

from kubectl_admin.cluster.channels import Closing
from kubectl_admin.cluster.errors import BrokenStream
from kubectl_admin.cluster.exec import STDERR, STDIN, STDOUT, Exec
from kubectl_admin.cluster.forwarded import HungUpError, Outgoing, Port
from kubectl_admin.cluster.portforward import SAID, PortError
from kubectl_admin.errors import AdminError
from kubectl_admin.pool import LateError

WORDS = 4096  # bytes of stderr that are kept
OF_OTHER_END = ("connection refused", "timed out")  # words on what listens at the address, or does not


class RelayError(AdminError):
    """The command could not connect, for a reason that says nothing of the other end. said: its words."""

    def __init__(self, what: str, said: str) -> None:
        super().__init__(f"{what}: {said}")
        self.said = said


class Relayed(Closing):
    """One connection. port: its bytes, a Stream that raises RelayError besides what a Port does.

    start: starts the command that reads these pieces. what: names the other end in errors. Raises AdminError
    where the command could not be started.
    """

    def __init__(self, start: Callable[[Iterable[bytes]], Exec], what: str) -> None:
        self._outgoing = Outgoing()
        self._started = threading.Event()
        self.port = Port(what, STDIN, self._outgoing)
        try:
            running = start(self._pieces())
        except BaseException:
            self._outgoing.close()
            raise
        running.hear(self._outgoing.alarm)
        threading.Thread(target=self._carry, args=(running,), name="relayed", daemon=True).start()

    def wait_until_started(self, seconds: float) -> None:
        """Waits until the command runs. Raises LateError where it does not after so many seconds."""
        if not self._started.wait(seconds):
            raise LateError(f"{self.port.what}: the command that connects has not begun in time")

    def close(self) -> None:
        """Hangs up; the port ends."""
        self._outgoing.put(None)

    def _pieces(self) -> Iterator[bytes]:
        return (data for _, data in self._outgoing)

    def _carry(self, running: Exec) -> None:
        """Carries until either end hangs up, and tells the port how it ended."""
        what, words = self.port.what, b""
        ended: AdminError | None = BrokenStream(f"{what}: the connection was lost")
        try:
            for channel, data in running:
                self._started.set()
                if channel == STDOUT:
                    self.port.hear(data)
                elif channel == STDERR:
                    words = (words + data)[:WORDS]
            ended = end_of(what, running.exit_code or 0, words)
        except HungUpError:
            ended = None
        except AdminError as error:
            ended = error
        finally:
            self._outgoing.close()
            self.port.hear(ended or b"")
            self._started.set()


def end_of(what: str, code: int, words: bytes) -> AdminError | None:
    """How a connection has ended, by the command's exit code and its words on stderr; None for well."""
    if code == 0:
        return None
    _, _, further = words.decode("utf-8", "replace").partition("\n")
    said = " ".join(further.split())[:SAID] or f"the command that connects ended with exit code {code}"
    if any(each in said.lower() for each in OF_OTHER_END):
        return PortError(what, said.lower())
    return RelayError(what, said)
