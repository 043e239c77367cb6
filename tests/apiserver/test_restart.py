"""The only API server goes away and comes back under a run, directly and behind a balancer."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import yaml

from tests.lab.api import api_only
from tests.lab.nodes import lab
from tests.lab.progress import Progress
from tests.lab.versions import RELEASES
from tests.permissions import Stage
from tests.program import END_TIMEOUT, environ, run, start

pytestmark = pytest.mark.lab

NAME = "test-restart"
PLANE = "cp-1"
MISSING = "error: there is no node no-such-node\n       kubectl get nodes lists them\n"


@pytest.fixture(scope="module")
def operator() -> Iterator[Path]:
    """The kubeconfig of an administrator by RBAC, of a cluster with one API server."""
    api_only.down(NAME)
    progress = Progress(f"lab {NAME}", lab.folder_of(NAME) / "logs")
    admin = api_only.up(NAME, RELEASES[0].kubernetes, 1, progress.say)
    stage = Stage(admin, [], RELEASES[0].kubernetes, lambda who: api_only.user(NAME, who))
    stage.kubectl(
        "create", "clusterrolebinding", "operator", "--clusterrole=cluster-admin", "--user=operator"
    )
    yield api_only.user(NAME, "operator")
    api_only.down(NAME)


@contextmanager
def balancer(server: str) -> Iterator[str]:
    """What is in front of an API server, and hangs up while that is not there; its address."""
    host, port = server.removeprefix("https://").split(":")
    listener = socket.create_server(("127.0.0.1", 0))

    def pump(source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 16):
                sink.sendall(data)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def connect(client: socket.socket) -> None:
        with client, suppress(OSError):
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            hello = client.recv(1 << 16)
            with socket.create_connection((host, int(port))) as backend:
                backend.sendall(hello)
                back = threading.Thread(target=pump, args=(backend, client), daemon=True)
                back.start()
                pump(client, backend)
                back.join()

    def serve() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=connect, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"https://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


@contextmanager
def away() -> Iterator[None]:
    """Inside, there is no API server; afterwards there is one, and it is ready."""
    api_only.stop_apiserver(NAME, PLANE)
    try:
        yield
    finally:
        api_only.start_apiserver(NAME, PLANE)


def first_look(kubeconfig: Path, *flags: str) -> tuple[str, str]:
    """What an upgrade says that begins while the API server is away: until it is back, and then."""
    with away():
        looking = start(
            "drain-upgrade", "no-such-node", "--dry-run", *flags, env=environ(KUBECONFIG=str(kubeconfig))
        )
        assert looking.stderr
        said = looking.stderr.readline()
    with looking:
        _, rest = looking.communicate(timeout=END_TIMEOUT)
    assert looking.returncode == 1
    return said, rest


def test_the_first_look_of_an_upgrade_outlasts_a_restart(operator):
    said, rest = first_look(operator)
    assert "was refused" in said
    assert said.endswith("; trying again\n")
    assert rest.endswith(MISSING)


def test_the_first_look_of_an_upgrade_outlasts_a_balancer_without_a_backend(operator):
    (cluster,) = yaml.safe_load(operator.read_text())["clusters"]
    with balancer(cluster["cluster"]["server"]) as server:
        said, rest = first_look(operator, f"--server={server}", "--tls-server-name=kubernetes")
    assert "eof" in said or "reset" in said
    assert said.endswith("; trying again\n")
    assert rest.endswith(MISSING)


def test_what_changes_nothing_is_told_at_once(operator):
    with away():
        ended = run("version", env=environ(KUBECONFIG=str(operator)))
    assert (ended.code, ended.out) == (1, "")
    assert "was refused" in ended.err
    assert "trying again" not in ended.err
