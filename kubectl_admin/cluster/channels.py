"""Channels of bytes to and from a pod: a WebSocket whose messages begin with the number of a channel.

kubernetes.stream is not used: it copies its whole backlog for every message (0.6 MB/s for 200 MB), keeps a
second copy of everything, and forgets whom the user impersonates.

Source: k8s.io/streaming pkg/httpstream/wsstream.
"""

import select
import socket
import ssl
import time
from collections import deque
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any, Self

from kubectl_admin.clock import Clock, Deadline
from kubectl_admin.cluster.dial import websocket_to
from kubectl_admin.cluster.errors import BrokenStream
from kubectl_admin.cluster.transport import Transport
from kubectl_admin.cluster.websockets import ABNF, websocket
from kubectl_admin.report.text import duration

PING_INTERVAL = 15.0  # seconds of silence after which the other end is asked whether it is still there
SILENCE_TIMEOUT = 60.0  # seconds of silence, pings unanswered, after which it is not
# The same once something has been sent: an API server reads no ping while a command does not read its input.
SILENCE_FED_TIMEOUT = 600.0
POLL_INTERVAL = 0.05  # seconds to wait for the rest of a message while there is something to be sent
FRAME = 32 * 1024  # bytes sent at a time; more only makes masking slower
UNSENT = 16  # frames on their way, beyond which the other end's pings are no longer answered
Message = tuple[int, bytes]


class Closing:
    """Hangs up when its `with` block is left, however that ends."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Hangs up."""
        raise NotImplementedError


class Channels(Closing):
    """A connected WebSocket; to be used by one thread at a time.

    what: names it in errors. timeout: seconds after which all must be over; None is never.
    protocol: the one that the server chose.
    """

    def __init__(self, connection: Any, what: str, timeout: float | None = None, clock: Clock = time) -> None:
        self.what = what
        self.protocol = str(connection.subprotocol)
        self._connection = connection
        self._socket: socket.socket = connection.sock
        self._unsent: deque[memoryview] = deque()
        self._heeded = True  # whether there is any sense in sending
        self._idle = False  # whether there is nothing to be sent yet
        self._alarm: socket.socket | None = None  # readable as soon as there is something again
        self._silence = SILENCE_TIMEOUT
        self._channel = 0  # of the message whose fragments are coming
        self._clock = clock
        self._timeout = timeout
        self._end = Deadline.after(timeout, clock) if timeout else None
        self._heard = self._pinged = clock.monotonic()
        self._unanswered = 0  # pings since then
        self._quiet: float | None = None  # seconds in which it must have said something
        self._spoke = self._heard
        connection.frame_buffer.before_reading = self._allow_reading

    @classmethod
    def open(
        cls,
        transport: Transport,
        location: str,
        protocols: list[str],
        *,
        what: str,
        timeout: float | None = None,
        opening: float | None = None,
    ) -> Self:
        """Connects to a subresource that speaks one of these protocols.

        timeout: seconds after which all must be over; None is never. opening: seconds for the server's
        consent where they are fewer. Raises ApiError if the server refuses, Unreachable if it is not there.
        """
        connection = websocket_to(transport, location, protocols, opening or timeout)
        return cls(connection, what, timeout, transport.clock)

    def messages(
        self, outgoing: Iterable[Message] = (), alarm: socket.socket | None = None
    ) -> Iterator[Message]:
        """The messages as they come, until the other end closes; outgoing ones are sent meanwhile.

        alarm: becomes readable when there is something outgoing again, which then is asked for at once; else
        it is after POLL_INTERVAL. The giver of outgoing messages empties it.

        Nothing is kept, so memory stays the same at any size; neither direction waits for the other, so a
        command that already answers while it is being fed can't block. An outgoing message without bytes says
        that there is nothing yet, and to ask again. Raises BrokenStream if the connection is lost, falls
        silent, or takes longer than its time limit.
        """
        source = iter(outgoing)
        self._alarm = alarm
        while True:
            if self._heeded and not self._unsent:
                away = self._clock.monotonic()
                message = next(source, None)
                self._listen_again(away)
                self._heeded = message is not None
                self._idle = message is not None and not message[1]
                if message and message[1]:
                    self._heard, self._silence = self._clock.monotonic(), SILENCE_FED_TIMEOUT
                    self._queue(ABNF.OPCODE_BINARY, bytes([message[0]]) + message[1])
            if self._unsent and not self._readable_while_sending():
                self._check_time()
                continue
            received = self._received()
            if received is None:
                return
            if received[1]:
                away = self._spoke = self._clock.monotonic()
                yield received
                self._listen_again(away)

    def send(self, channel: int, data: bytes) -> None:
        """Sends bytes on a channel and waits until they are on their way."""
        for start in range(0, len(data), FRAME):
            self._queue(ABNF.OPCODE_BINARY, bytes([channel]) + data[start : start + FRAME])
        while self._unsent:
            ready(self._socket, select.POLLOUT, self._patience())
            self._push()
            self._check_time()

    def finish_within(self, seconds: float) -> None:
        """From now on the other end has so many seconds to close."""
        self._end = Deadline.after(seconds, self._clock)

    def speak_within(self, seconds: float) -> None:
        """From now on the other end must say something every so many seconds; a pong is nothing."""
        self._quiet, self._spoke = seconds, self._clock.monotonic()

    def close(self) -> None:
        """Hangs up at once; a command that still runs in a container loses its streams."""
        self._connection.shutdown()

    def _queue(self, opcode: int, data: bytes) -> None:
        self._unsent.append(memoryview(ABNF.create_frame(data, opcode).format()))

    def _readable_while_sending(self) -> bool:
        """Sends what can be sent now; whether there is something to be received."""
        decrypted = self._has_decrypted()
        patience = 0 if decrypted else self._patience()
        events = ready(self._socket, select.POLLIN | select.POLLOUT, patience)
        if events & ~select.POLLIN:  # an error shows when something is sent
            self._push()
        return decrypted or bool(events & ~select.POLLOUT)

    def _readable_before(self, alarm: socket.socket) -> bool:
        """Waits until there is something to be received, or something outgoing; whether it is the first."""
        if self._unsent or self._has_decrypted():
            return True
        return self._socket.fileno() in ready_of((self._socket, alarm), self._patience())

    def _has_decrypted(self) -> bool:
        """Whether bytes have come of which the system does not know any more.

        TLS holds them, or they have come behind the handshake; websocket-client holds none.
        """
        if self._connection.frame_buffer.early:
            return True
        return isinstance(self._socket, ssl.SSLSocket) and self._socket.pending() > 0

    def _push(self) -> None:
        """Sends as much as goes without waiting."""
        self._socket.settimeout(0)
        try:
            while self._unsent:
                part = self._unsent.popleft()
                sent = 0
                try:
                    sent = self._socket.send(part)
                finally:
                    if sent < len(part):
                        self._unsent.appendleft(part[sent:])
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass
        except OSError:
            # The other end takes nothing more; it may have said why, which is still to be received.
            self._unsent.clear()
            self._heeded = False

    def _received(self) -> Message | None:
        """The next message or fragment; one without bytes if there is none yet, None at the end."""
        if self._idle and self._alarm and not self._readable_before(self._alarm):
            self._check_time()
            return self._channel, b""
        try:
            frame = self._connection.recv_frame()
        except websocket.WebSocketTimeoutException:
            self._check_time()
            return self._channel, b""
        except (websocket.WebSocketException, OSError) as error:
            raise BrokenStream(f"{self.what}: the connection was lost: {error}") from error
        self._heard, self._unanswered = self._clock.monotonic(), 0
        self._check_time()
        data: bytes = frame.data
        match frame.opcode:
            case ABNF.OPCODE_CLOSE:
                return None
            case ABNF.OPCODE_PING if len(self._unsent) < UNSENT:
                self._queue(ABNF.OPCODE_PONG, data)
            case ABNF.OPCODE_CONT:
                return self._channel, data
            case ABNF.OPCODE_BINARY | ABNF.OPCODE_TEXT if data:
                self._channel = data[0]
                return self._channel, data[1:]
        return self._channel, b""

    def _allow_reading(self) -> None:
        """Before each read of a part of a frame: BrokenStream is raised after the time limit."""
        self._check_end()
        patience = POLL_INTERVAL if self._unsent or self._idle else self._patience()
        if patience != self._socket.gettimeout():
            self._socket.settimeout(patience)

    def _listen_again(self, away: float) -> None:
        """Nobody has listened since the moment `away`, so the other end was not silent meanwhile."""
        absence = self._clock.monotonic() - away
        self._heard += absence
        self._spoke += absence
        self._pinged += absence

    def _patience(self) -> float:
        """Seconds to wait for anything before time is looked at again."""
        return PING_INTERVAL if self._end is None else min(PING_INTERVAL, max(self._end.left, 0.001))

    def _check_end(self) -> None:
        """Raises BrokenStream after the time limit."""
        if self._end and self._end.left < 0:
            raise BrokenStream(f"{self.what}: not done within {duration(self._timeout or 0, tenths=True)}")

    def _check_time(self) -> None:
        """Raises BrokenStream if the other end is late or gone, and asks it now and then whether it is."""
        self._check_end()
        now = self._clock.monotonic()
        if self._quiet is not None and now - self._spoke > self._quiet:
            raise BrokenStream(f"{self.what}: nothing has been said for {duration(self._quiet)}")
        if now - self._heard > self._silence and self._unanswered:
            raise BrokenStream(
                f"{self.what}: nothing heard for {duration(self._silence)}, the connection is dead"
            )
        if now - max(self._heard, self._pinged) >= PING_INTERVAL:
            self._pinged = now
            self._unanswered += 1
            self._queue(ABNF.OPCODE_PING, b"")


def ready_of(socks: Iterable[socket.socket], seconds: float) -> set[int]:
    """The numbers of those sockets that can be read after so many seconds at most."""
    poll = select.poll()
    for sock in socks:
        poll.register(sock, select.POLLIN)
    return {number for number, _ in poll.poll(seconds * 1000)}


def ready(sock: socket.socket, events: int, seconds: float) -> int:
    """The events a socket is ready for after so many seconds at most, as in poll; 0 for none.

    select knows no file beyond the first 1,024.
    """
    poll = select.poll()
    poll.register(sock, events)
    return next((found for _, found in poll.poll(seconds * 1000)), 0)
