"""How the servers of an API-only lab are started and awaited, tried on small processes in their place."""

import os
import signal
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.lab.api import processes
from tests.lab.errors import LabError

NOWHERE = "http://127.0.0.1:1/readyz"


@pytest.fixture
def slow_to_be_ready() -> Iterator[str]:
    """A health check that fails the first time it is asked."""
    asked = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if asked.is_set() else 503)
            self.end_headers()
            asked.set()

        def log_message(self, *_: object) -> None:
            """Says nothing on stderr."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/readyz"
        server.shutdown()


def test_a_server_that_is_being_replaced_by_another_program_has_not_ended(tmp_path, slow_to_be_ready):
    """While a process becomes another program its environment can't be read; here it never can."""
    process = processes.start(tmp_path, "server", ["env", "-i", "sleep", "60"])
    try:
        processes.await_ready(process, processes.log_of(tmp_path, "server"), slow_to_be_ready, None)
    finally:
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)


def test_a_server_that_ends_is_told_with_its_last_words(tmp_path):
    process = processes.start(tmp_path, "server", ["sh", "-c", "echo no such flag; exit 1"])
    with pytest.raises(LabError, match="server has ended: no such flag"):
        processes.await_ready(process, processes.log_of(tmp_path, "server"), NOWHERE, None)
