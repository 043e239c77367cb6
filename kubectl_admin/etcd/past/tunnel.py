"""A port of this machine's loopback that leads to one on a node: each connection by a command there.

The API server of an opened snapshot has a network of its own on its node, to which no forwarded port leads.
"""

import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress

from kubectl_admin.cluster.exec import STDOUT, Exec
from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.past.certificates import ADDRESS

PIECE = 1 << 16  # bytes that are carried at a time
MOST = 64  # connections at a time, each of which is a thread here, and a process on the node
WAITING = 32  # connections that have not been taken yet

Pieces = Iterable[bytes]
Start = Callable[[Pieces], Exec]


@contextmanager
def listening(start: Start) -> Iterator[int]:
    """The port while it is there. start: starts the command that carries, by the pieces that it reads."""
    with socket.create_server((ADDRESS, 0), backlog=WAITING) as server:
        open_ones: set[socket.socket] = set()
        threading.Thread(target=serve, args=(server, start, open_ones), name="tunnel", daemon=True).start()
        try:
            yield int(server.getsockname()[1])
        finally:
            # The thread that waits in accept is woken by this alone.
            with suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)
            for near in tuple(open_ones):
                with suppress(OSError):
                    near.shutdown(socket.SHUT_RDWR)


def serve(server: socket.socket, start: Start, open_ones: set[socket.socket]) -> None:
    """Takes connections until the server is closed, each in a thread of its own; MOST at a time."""
    free = threading.Semaphore(MOST)

    def carry_one(near: socket.socket) -> None:
        try:
            carry(near, start, open_ones)
        finally:
            free.release()

    while True:
        free.acquire()
        try:
            near, _ = server.accept()
        except OSError:
            return
        open_ones.add(near)
        threading.Thread(target=carry_one, args=(near,), name="tunnel", daemon=True).start()


def carry(near: socket.socket, start: Start, open_ones: set[socket.socket]) -> None:
    """Carries one connection until either end hangs up.

    A client that reads slowly is waited for: no more than some pieces of an answer are held.
    """
    with near:
        try:
            with start(pieces(near)) as running:
                running.hear(near)
                for channel, data in running:
                    if channel == STDOUT:
                        near.sendall(data)
        except (AdminError, OSError):
            pass  # the client sees the end, and asks again
        finally:
            open_ones.discard(near)


def pieces(near: socket.socket) -> Iterator[bytes]:
    """All that the client sends, and empty pieces while there is nothing."""
    while True:
        try:
            data = near.recv(PIECE, socket.MSG_DONTWAIT)
        except BlockingIOError:
            yield b""
            continue
        except OSError:
            return
        if not data:
            return
        yield data
