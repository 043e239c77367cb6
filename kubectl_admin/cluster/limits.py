"""Answers from the wire within so many seconds and bytes, however they dribble.

A socket's own time limit is one for each wait: who sends a byte now and then is never late by it.
"""

import io
import socket
from typing import Any

from kubectl_admin.clock import Deadline


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

    Raises TooSlow and TooLong.
    """

    def __init__(self, sock: socket.socket, end: Deadline, limit: int) -> None:
        self._socket = sock
        self._end = end
        self._left = limit

    def recv(self, size: int) -> bytes:
        """Some bytes; none at the end."""
        wait_until(self._end, self._socket)
        data = self._socket.recv(size)
        self._left -= len(data)
        if self._left < 0:
            raise TooLong
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
