"""scripts/relay.sh: bytes to an address and back, by whatever a host has for that."""

import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.host import Shell

END_TIMEOUT = 60  # seconds; nothing here takes so long


@pytest.fixture(params=[("127.0.0.1", socket.AF_INET), ("::1", socket.AF_INET6)], ids=["IPv4", "IPv6"])
def listening(request: pytest.FixtureRequest) -> Iterator[tuple[str, socket.socket]]:
    """A socket that listens at an address of this machine."""
    address, family = request.param
    sock = socket.socket(family)
    try:
        sock.bind((address, 0))
    except OSError:
        pytest.skip(f"this machine has no {address}")
    sock.listen()
    sock.settimeout(END_TIMEOUT)
    with sock:
        yield address, sock


def started(shell: Shell, *arguments: str) -> subprocess.Popen[bytes]:
    pipe = subprocess.PIPE
    command = shell.command("relay", *arguments)
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env=shell.env(), cwd="/")


def test_bytes_go_both_ways_until_the_other_end_hangs_up(
    shell: Shell, listening: tuple[str, socket.socket]
) -> None:
    address, sock = listening
    heard: list[bytes] = []

    def serve() -> None:
        connection, _ = sock.accept()
        with connection:
            heard.append(connection.recv(100))
            connection.sendall(b"\0\xffanswer" * 20_000)

    server = threading.Thread(target=serve)
    server.start()
    with started(shell, address, str(sock.getsockname()[1])) as running:
        assert running.stdin
        assert running.stdout
        assert running.stderr
        running.stdin.write(b"question\n\0")
        running.stdin.flush()
        assert running.stdout.read() == b"\0\xffanswer" * 20_000
        server.join(END_TIMEOUT)
        assert running.wait(END_TIMEOUT) == 0
        assert running.stderr.read() == b"it runs\n"
    assert heard == [b"question\n\0"]


def test_it_ends_when_nobody_is_there_any_more(dash: Shell, listening: tuple[str, socket.socket]) -> None:
    address, sock = listening
    with started(dash, address, str(sock.getsockname()[1])) as running:
        connection, _ = sock.accept()
        with connection:
            assert running.stdin
            running.stdin.close()
            assert running.wait(END_TIMEOUT) == 0
            assert connection.recv(1) == b""


def test_it_ends_also_where_an_end_has_hung_up_before_it_looks(
    dash: Shell, listening: tuple[str, socket.socket]
) -> None:
    address, sock = listening
    for client_first in (True, False) * 30:
        with started(dash, address, str(sock.getsockname()[1])) as running:
            assert running.stdin
            if client_first:
                running.stdin.close()
            connection, _ = sock.accept()
            with connection:
                if not client_first:
                    connection.close()
                assert running.wait(END_TIMEOUT) == 0
                assert not client_first or connection.recv(1) == b""


def test_where_nothing_listens_that_is_said(shell: Shell, listening: tuple[str, socket.socket]) -> None:
    address, sock = listening
    port = sock.getsockname()[1]
    sock.close()
    ended = shell.ended("relay", address, str(port))
    assert ended.returncode == 1
    first, further = ended.stderr.split(b"\n", 1)
    assert first == b"it runs"
    assert b"connection refused" in further.lower()


@pytest.mark.parametrize(
    "address", ["169.254.169.254", "203.0.113.7", "2001:db8::7", "::ffff:169.254.169.254"]
)
def test_only_an_address_of_the_host_is_connected_to(shell: Shell, address: str) -> None:
    ended = shell.ended("relay", address, "80")
    assert ended.returncode == 1
    assert ended.stderr.decode() == f"it runs\nits host does not have the address {address}\n"


@pytest.mark.parametrize(
    ("programs", "said"),
    [
        ({"ip": "echo local 127.0.0.1 dev lo"}, "its host has none of bash, socat and nc"),
        ({}, "its host has no program «ip», which tells its addresses"),
    ],
)
def test_a_host_without_any_program_for_it_says_so(
    dash: Shell, tmp_path: Path, programs: dict[str, str], said: str
) -> None:
    for name, text in programs.items():
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
        program.chmod(0o755)
    command = dash.command("relay", "127.0.0.1", "1")
    ended = subprocess.run(
        command, check=False, capture_output=True, env={"PATH": str(tmp_path)}, timeout=END_TIMEOUT
    )
    assert ended.returncode == 127
    assert ended.stderr.decode() == f"it runs\n{said}\n"
