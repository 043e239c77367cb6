"""TLS over any stream of bytes, as over a forwarded port, where there is no socket to wrap."""

import ssl
from collections.abc import Callable
from typing import Protocol, TypeVar

from kubectl_admin.errors import AdminError

Result = TypeVar("Result")

RECORDS = 1 << 16  # bytes of TLS read at a time


class Stream(Protocol):
    """Bytes to and from somewhere."""

    def send(self, data: bytes) -> None:
        """Sends all of it."""

    def recv(self) -> bytes:
        """Waits for some bytes; none at the end."""


class Secured:
    """A Stream within TLS over another one. what: names the other end in errors.

    Raises AdminError if TLS can't be agreed on, besides what the stream beneath raises.
    """

    def __init__(self, stream: Stream, context: ssl.SSLContext, server_name: str | None, what: str) -> None:
        self._stream = stream
        self._arrived, self._leaving = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._arrived, self._leaving, server_hostname=server_name)
        try:
            self._step(self._tls.do_handshake)
        except ssl.SSLCertVerificationError as error:
            raise AdminError(f"{what}: failed to verify certificate: {error.verify_message}") from error
        except ssl.SSLError as error:
            raise AdminError(f"{what}: it does not speak TLS ({error.reason or error})") from error

    def send(self, data: bytes) -> None:
        """Sends all of it."""
        self._step(lambda: self._tls.write(data))

    def recv(self) -> bytes:
        """Waits for some bytes; none at the end."""
        try:
            return self._step(lambda: self._tls.read(RECORDS))
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return b""

    @property
    def peer_certificate(self) -> bytes | None:
        """The certificate of the other end, in DER; None where it shows none."""
        return self._tls.getpeercert(binary_form=True)

    def _step(self, action: Callable[[], Result]) -> Result:
        """The result of one action of TLS, with the traffic beneath that it needs."""
        while True:
            try:
                return action()
            except ssl.SSLWantReadError:
                self._flush()
                if data := self._stream.recv():
                    self._arrived.write(data)
                else:
                    self._arrived.write_eof()
            finally:
                self._flush()

    def _flush(self) -> None:
        if data := self._leaving.read():
            self._stream.send(data)
