"""A tiny API server: answers JSON by path, refuses any path that a test does not name, can hold an answer."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

VERSION = {"major": "1", "minor": "36", "gitVersion": "v1.36.3"}


class StandIn:
    """What the server is to answer, and what it has been asked.

    asked: (path with its query, headers) of each request.
    holding: paths whose answer is held until `release` is set; `held` is set once one of them is asked for.
    """

    def __init__(self, answers: Mapping[str, Any], holding: tuple[str, ...] = ()) -> None:
        self.answers = answers
        self.holding = holding
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.held = threading.Event()
        self.release = threading.Event()
        self.port = 0

    def kubeconfig(self, folder: Path) -> str:
        """Writes a kubeconfig of one context, `stand-in`, and returns its path."""
        path = folder / "stand-in.kubeconfig"
        entry = {"name": "stand-in"}
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "stand-in",
            "clusters": [{**entry, "cluster": {"server": f"http://127.0.0.1:{self.port}"}}],
            "users": [{**entry, "user": {}}],
            "contexts": [{**entry, "context": {"cluster": "stand-in", "user": "stand-in"}}],
        }
        path.write_text(json.dumps(config))
        return str(path)


@contextmanager
def serving(answers: Mapping[str, Any], holding: tuple[str, ...] = ()) -> Iterator[StandIn]:
    """The server on a free port of this machine, gone afterwards."""
    stand_in = StandIn(answers, holding)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            stand_in.asked.append((self.path, dict(self.headers)))
            path = self.path.partition("?")[0]
            if path in stand_in.holding:
                stand_in.held.set()
                stand_in.release.wait()
            known = path in stand_in.answers
            refusal = {
                "kind": "Status",
                "status": "Failure",
                "message": f"unexpected {self.path}",
                "code": 500,
            }
            body = json.dumps(stand_in.answers[path] if known else refusal).encode()
            self.send_response(200 if known else 500)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *_arguments: None  # clients that are gone are what some tests are about
    stand_in.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield stand_in
    finally:
        stand_in.release.set()
        server.shutdown()
        thread.join()
        server.server_close()


def table(columns: tuple[str, ...], *rows: tuple[str, ...]) -> dict[str, Any]:
    """A server's Table without objects."""
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "columnDefinitions": [{"name": name} for name in columns],
        "rows": [{"cells": list(row)} for row in rows],
    }
