"""Connections that are carried by commands on a node."""

import select
import socket

import pytest

from kubectl_admin.cluster.exec import STDERR, STDOUT
from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.past import tunnel

WAIT_TIMEOUT = 60  # seconds; nothing here takes so long


class Echo:
    """A command that writes all that it reads, until that ends."""

    def __init__(self, pieces):
        self._pieces = pieces
        self._alarm = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def hear(self, alarm):
        self._alarm = alarm

    def __iter__(self):
        yield STDERR, b"words"
        for data in self._pieces:
            if data:
                yield STDOUT, data
            else:
                select.select([self._alarm], [], [], WAIT_TIMEOUT)


def connected(port):
    return socket.create_connection(("127.0.0.1", port), WAIT_TIMEOUT)


def received(sock, size):
    data = b""
    while len(data) < size and (part := sock.recv(1 << 16)):
        data += part
    return data


def test_each_connection_is_carried_by_itself():
    with tunnel.listening(Echo) as port, connected(port) as one, connected(port) as other:
        for sock, data in ((one, b"1" * 300_000), (other, b"2"), (one, b"3")):
            sock.sendall(data)
            assert received(sock, len(data)) == data


def test_the_end_of_a_client_is_the_end_of_its_command():
    with tunnel.listening(Echo) as port, connected(port) as sock:
        sock.sendall(b"1")
        sock.shutdown(socket.SHUT_WR)
        assert received(sock, 2) == b"1"


def test_where_a_command_can_not_be_started_the_client_sees_the_end():
    def start(_pieces):
        raise AdminError("no")

    with tunnel.listening(start) as port, connected(port) as sock:
        assert sock.recv(1) == b""


def test_afterwards_nobody_listens_and_connections_are_over():
    with tunnel.listening(Echo) as port:
        sock = connected(port)
        sock.sendall(b"1")
        assert received(sock, 1) == b"1"
    with sock:
        assert sock.recv(1) == b""
    with pytest.raises(OSError, match="refused"):
        connected(port)


def test_no_more_connections_are_taken_than_can_be_carried(monkeypatch):
    monkeypatch.setattr(tunnel, "MOST", 1)
    with tunnel.listening(Echo) as port, connected(port) as one:
        one.sendall(b"1")
        assert received(one, 1) == b"1"
        with connected(port) as other:
            other.sendall(b"2")
            assert select.select([other], [], [], 0)[0] == []
            one.close()
            assert received(other, 1) == b"2"
