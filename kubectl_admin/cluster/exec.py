"""A command in a container: its output as it comes, its input, its exit code.

Source: apimachinery pkg/util/remotecommand (v4 and v5 of channel.k8s.io); v5, which can say that standard
input has ended, is there since Kubernetes 1.30.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from kubectl_admin.cluster.channels import FRAME, Channels, Closing, Message
from kubectl_admin.cluster.errors import BrokenStream, Forbidden, of_status
from kubectl_admin.cluster.requests import location
from kubectl_admin.cluster.transport import Transport
from kubectl_admin.errors import AdminError

STDIN, STDOUT, STDERR, STATUS, CLOSE = 0, 1, 2, 3, 255
V5, V4 = "v5.channel.k8s.io", "v4.channel.k8s.io"
LIMIT = 16 << 20  # bytes of output that `run` keeps
GRACE = 2.0  # seconds that the stream may stay open after the command's end has been told


@dataclass(frozen=True, slots=True)
class ExecResult:
    """How a command ended and what it wrote."""

    exit_code: int
    stdout: bytes
    stderr: bytes


class Exec(Closing):
    """A running command. Iterate over it for what it writes: (STDOUT or STDERR, bytes), in order.

    exit_code: None until the iteration has ended. Raises BrokenStream if the stream ends without saying
    how the command did, ApiError if it could not be run at all.

    Even exit code 0 is no promise that every byte has come: runtimes are known to lose the end of a stream.
    """

    def __init__(self, channels: Channels, stdin: Iterable[bytes] | None = None) -> None:
        self.exit_code: int | None = None
        self._channels = channels
        self._stdin = stdin

    def __iter__(self) -> Iterator[Message]:
        status = b""
        try:
            for channel, data in self._channels.messages(self._input()):
                if channel in (STDOUT, STDERR):
                    yield channel, data
                elif channel == STATUS:
                    status += data
                    if self._told(status):
                        self._channels.finish_within(GRACE)
        except BrokenStream:
            if self.exit_code is None:
                raise
        finally:
            self.close()
        if self.exit_code is None:
            raise BrokenStream(
                f"{self._channels.what}: the stream ended without saying how the command did",
                "it may have been carried out in part or in whole",
            )

    def run(self, limit: int = LIMIT) -> ExecResult:
        """The command's result when it has ended; raises AdminError if it writes more than `limit` bytes."""
        written: dict[int, list[bytes]] = {STDOUT: [], STDERR: []}
        length = 0
        with self:
            for channel, data in self:
                written[channel].append(data)
                length += len(data)
                if length > limit:
                    raise AdminError(f"{self._channels.what}: it has written more than {limit} bytes")
        return ExecResult(self.exit_code or 0, b"".join(written[STDOUT]), b"".join(written[STDERR]))

    def close(self) -> None:
        """Hangs up; a command that still runs loses its streams, which does not end every one."""
        self._channels.close()

    def _input(self) -> Iterator[Message]:
        """What goes to the command: its input in frames, and the end of it."""
        if self._stdin is None:
            return
        for data in self._stdin:
            if not data:
                yield STDIN, b""
            for start in range(0, len(data), FRAME):
                if self.exit_code is not None:
                    return
                yield STDIN, bytes(data[start : start + FRAME])
        yield CLOSE, bytes([STDIN])

    def _told(self, status: bytes) -> bool:
        """Whether the Status is complete; takes the exit code from it, raises what says that nothing ran."""
        try:
            document = json.loads(status)
        except ValueError:
            return False
        self.exit_code = exit_code(document)
        return True


def start(  # noqa: PLR0913 - a command, where it runs, and what goes with it
    transport: Transport,
    namespace: str,
    pod: str,
    container: str | None,
    command: Sequence[str],
    *,
    stdin: Iterable[bytes] | None = None,
    timeout: float | None = None,
) -> Exec:
    """Starts a command in a container; None is the pod's default one.

    stdin: what the command reads, piece by piece, followed by its end; None for nothing to read. An empty
    piece says that there is nothing yet, so that one who waits need not hold up the output. It must read
    all of it: where more than about 64 KB are left unread, API servers (1.36 was tried, with kubectl, too)
    never tell how it ended.
    timeout: seconds after which the command must have ended. Raises ApiError if the server refuses.
    """
    query = [("command", word) for word in command] + [("stdout", "true"), ("stderr", "true")]
    query += [("container", container)] if container else []
    query += [("stdin", "true")] if stdin is not None else []
    path = location(f"/api/v1/namespaces/{namespace}/pods/{pod}/exec", query)
    what = f"{command[0]} in pod {namespace}/{pod}"
    # Where the end of the input can't be told, a command that waits for it must not even begin.
    protocols = [V5, V4] if stdin is None else [V5]
    try:
        return Exec(Channels.open(transport, path, protocols, what=what, timeout=timeout), stdin)
    except Forbidden as error:
        if stdin is None or error.verb or error.details:
            raise
        # So answer servers that speak none of the protocols: without a Status.
        raise AdminError(
            f"{what}: the server can't tell a command that its input has ended",
            "Kubernetes 1.30 and later can",
        ) from error


def exit_code(status: dict[str, Any]) -> int:
    """The exit code in the Status at a command's end; raises ApiError if it was not run."""
    if status.get("status") == "Success":
        return 0
    if status.get("reason") == "NonZeroExitCode":
        for cause in (status.get("details") or {}).get("causes") or ():
            if cause.get("reason") == "ExitCode":
                return int(cause["message"])
    raise of_status(status)
