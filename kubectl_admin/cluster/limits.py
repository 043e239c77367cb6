"""Answers from the wire within so many seconds and bytes, however they dribble.

A socket's own time limit is one for each wait: who sends a byte now and then is never late by it.
"""

import io
import socket
from typing import Any

from kubectl_admin.clock import Deadline

RECORD = 1 << 14  # bytes that TLS has in a piece


class TooSlow(TimeoutError):  # noqa: N818 - named as Python's own
    """Something has come, but not all in time."""


class TooLong(Exception):  # noqa: N818 - never seen outside
    """More has come than is wanted."""


def wait_until(end: Deadline, sock: socket.socket) -> None:
    """Lets the next wait of a socket last until `end`; raises TooSlow after that moment."""
    left = end.left
    if left <= 0:
        raise TooSlow("timed out")
    sock.settimeout(left)


class LimitedFile(io.RawIOBase):
    """A socket's bytes until the moment `end`, as a file without a buffer; raises TimeoutError later.

    raw: the socket's own such file, which belongs to this one from now on.
    """

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, end: Deadline) -> None:
        self._raw = raw
        self._socket = sock
        self._end = end
        self._begun = False

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Fills the buffer with some bytes; 0 at the end."""
        try:
            wait_until(self._end, self._socket)
            taken = self._raw.readinto(buffer)
        except TimeoutError as error:
            if self._begun:
                raise TooSlow(str(error)) from error
            raise
        self._begun = True
        return taken

    def close(self) -> None:
        """Closes the file beneath as well."""
        self._raw.close()
        super().close()


class LimitedSocket:
    """As much of a socket as a handshake needs, which has until the moment `end` and may have `limit` bytes.

    It is read ahead, since websocket-client asks for each byte of a head by itself. Raises TooSlow and
    TooLong.
    """

    def __init__(self, sock: socket.socket, end: Deadline, limit: int) -> None:
        self._socket = sock
        self._end = end
        self._left = limit
        self._came, self._at = b"", 0

    @property
    def rest(self) -> bytes:
        """Bytes that nobody has asked for yet."""
        return self._came[self._at :]

    def recv(self, size: int) -> bytes:
        """Some bytes; none at the end."""
        if self._at == len(self._came):
            wait_until(self._end, self._socket)
            self._came, self._at = self._socket.recv(max(size, RECORD)), 0
            self._left -= len(self._came)
            if self._left < 0:
                raise TooLong
        data = self._came[self._at : self._at + size]
        self._at += len(data)
        return data

    def send(self, data: bytes) -> int:
        """Sends some of it, and says how much."""
        wait_until(self._end, self._socket)
        return self._socket.send(data)

    def gettimeout(self) -> float | None:
        """Seconds that a wait may last."""
        return self._socket.gettimeout()

    def fileno(self) -> int:
        """Its number, for a poll."""
        return self._socket.fileno()

    def close(self) -> None:
        """Closes the socket."""
        self._socket.close()
