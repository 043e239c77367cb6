"""A command in a container: its output as it comes, its input, its exit code.

Source: apimachinery pkg/util/remotecommand (v4 and v5 of channel.k8s.io); v5, which can say that standard
input has ended, is there since Kubernetes 1.30.
"""

import socket
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from kubectl_admin.cluster.channels import FRAME, Channels, Closing, Message
from kubectl_admin.cluster.decode import decode_json, decode_object, mapping, whole_number
from kubectl_admin.cluster.errors import BrokenStream, Forbidden, of_status
from kubectl_admin.cluster.requests import location
from kubectl_admin.cluster.transport import Transport
from kubectl_admin.errors import AdminError

STDIN, STDOUT, STDERR, STATUS, CLOSE = 0, 1, 2, 3, 255
V5, V4 = "v5.channel.k8s.io", "v4.channel.k8s.io"
LIMIT = 16 << 20  # bytes of output that `run` keeps
STATUS_LIMIT = 64 << 10  # bytes in which it is told how a command ended
CLOSE_GRACE = 2.0  # seconds that the stream may stay open after the command's end has begun to be told


@dataclass(frozen=True, slots=True)
class ExecResult:
    """How a command ended, and its output."""

    exit_code: int
    stdout: bytes
    stderr: bytes


class Exec(Closing):
    """A running command. Iterate over it for what it writes: (STDOUT or STDERR, bytes), in order.

    exit_code: None until the iteration has ended. Raises BrokenStream if the stream ends without saying
    how the command did, ApiError if it could not be run at all.

    Even with exit code 0 not every byte may have come: runtimes are known to lose the end of a stream.
    """

    def __init__(self, channels: Channels, stdin: Iterable[bytes] | None = None) -> None:
        self.exit_code: int | None = None
        self._ending = False  # whether it has begun to be told how the command ended
        self._alarm: socket.socket | None = None
        self._channels = channels
        self._stdin = stdin

    def __iter__(self) -> Iterator[Message]:
        status = bytearray()
        try:
            for channel, data in self._channels.messages(self._input(), self._alarm):
                if channel in (STDOUT, STDERR):
                    yield channel, data
                elif channel == STATUS:
                    if not status:
                        self._ending = True
                        self._channels.finish_within(CLOSE_GRACE)
                    if len(status) + len(data) > STATUS_LIMIT:
                        raise BrokenStream(
                            f"{self._channels.what}: its final status is longer than {STATUS_LIMIT} bytes"
                        )
                    status += data
        except BrokenStream:
            if not is_whole(status):
                raise
        finally:
            self.close()
        self.exit_code = exit_code(bytes(status), self._channels.what)

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

    def speak_within(self, seconds: float) -> None:
        """From now on the command must write something every so many seconds; BrokenStream if it does not."""
        self._channels.speak_within(seconds)

    def hear(self, alarm: socket.socket) -> None:
        """Becomes readable when there is more for the command to read, which then goes there at once."""
        self._alarm = alarm

    def close(self) -> None:
        """Hangs up; a command that still runs loses its streams, which does not end every one."""
        self._channels.close()

    def _input(self) -> Iterator[Message]:
        """Messages to the command: its input in frames, and the end of it."""
        if self._stdin is None:
            return
        for data in self._stdin:
            if not data:
                yield STDIN, b""
            for start in range(0, len(data), FRAME):
                if self._ending:
                    return
                yield STDIN, bytes(data[start : start + FRAME])
        yield CLOSE, bytes([STDIN])


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

    stdin: the command's input, piece by piece, followed by its end; None for nothing to read. An empty
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


def is_whole(status: bytearray) -> bool:
    """Whether the Status at a command's end has come whole."""
    try:
        decode_json(bytes(status), "")
    except AdminError:
        return False
    return True


def exit_code(said: bytes, what: str) -> int:
    """The exit code in the Status at a command's end.

    what: names the command. Raises ApiError if it was not run, BrokenStream where nothing of that was said,
    or nothing that makes sense: the words may be a node's.
    """
    hint = "it may have been carried out in part or in whole"
    if not said:
        raise BrokenStream(f"{what}: the stream ended without saying how the command did", hint)
    try:
        status = decode_object(said, "how it ended")
    except AdminError as error:
        raise BrokenStream(f"{what}: {error.what}", hint) from None
    if status.get("status") == "Success":
        return 0
    if status.get("reason") != "NonZeroExitCode":
        raise of_status(status)
    causes = mapping(status.get("details")).get("causes")
    for cause in causes if isinstance(causes, list) else ():
        if mapping(cause).get("reason") != "ExitCode":
            continue
        code = whole_number(cause.get("message"))
        if code is not None and 0 < code < 256:  # a shell would take 256 for 0
            return code
    raise BrokenStream(f"{what}: it failed, with an exit code that is not a number", hint)
