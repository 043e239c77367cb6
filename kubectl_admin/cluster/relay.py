"""TLS within TLS: a socket that leads through a connection encrypted already, as to an https:// proxy.

Python wraps only sockets of the system, and a wait for several of them needs such a one as well: so it is one
end of a pair, and a thread carries between the other end and the connection.
"""

import select
import socket
import ssl
import threading

PIECE = 1 << 16  # bytes carried at a time


def relay(far: ssl.SSLSocket) -> socket.socket:
    """A socket that leads where this connection does, which belongs to it from now on and ends with it."""
    near, other = socket.socketpair()
    near.settimeout(far.gettimeout())
    threading.Thread(target=carry, args=(other, far), name="relay", daemon=True).start()
    return near


def carry(near: socket.socket, far: ssl.SSLSocket) -> None:
    """Carries bytes both ways until either end hangs up or breaks, and closes both.

    One end's bytes are handed on before its end is; neither way waits for the other, and of each way no
    more than a PIECE is held.
    """
    held: dict[socket.socket, bytes] = {near: b"", far: b""}
    with near, far:
        near.setblocking(False)
        far.setblocking(False)
        while True:
            readable: list[socket.socket] = []
            writable: list[socket.socket] = []
            for source, sink in ((near, far), (far, near)):
                try:
                    if not held[source]:
                        held[source] = source.recv(PIECE)
                        if not held[source]:
                            return
                    held[source] = held[source][sink.send(held[source]) :]
                # TLS may wait for the other direction than the one it was asked for.
                except ssl.SSLWantReadError:
                    readable.append(far)
                except ssl.SSLWantWriteError:
                    writable.append(far)
                except BlockingIOError:
                    (writable if held[source] else readable).append(near)
                except OSError:
                    return
            if len(readable) + len(writable) == len(held):  # else a way goes on, and TLS may have more
                wait_for(readable, writable)


def wait_for(readable: list[socket.socket], writable: list[socket.socket]) -> None:
    """Waits until one of them can be read or written, also beyond select's first 1,024 files."""
    poll = select.poll()
    for end in {*readable, *writable}:
        poll.register(end, select.POLLIN * (end in readable) | select.POLLOUT * (end in writable))
    poll.poll()
