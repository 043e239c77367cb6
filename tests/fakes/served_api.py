"""The stand-in API server as a process meets it: behind a kubeconfig, with answers that can be held back."""

import json
import ssl
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509

from tests.fakes.api_server import Asked, Says, StandIn
from tests.unit.cluster.conftest import new_authority

HOLD_TIMEOUT = 120  # seconds; longer than any test may take
VERSION = {"major": "1", "minor": "36", "gitVersion": "v1.36.3"}


# A cluster that has no nodes and shows nothing of its control plane, as skew asks for it.
EMPTY = {
    "/version": VERSION,
    "/api/v1/nodes": {"kind": "Table"},
    "/api/v1/namespaces/kube-system/pods": {},
    "/api/v1/namespaces/kube-system/configmaps/kubeadm-config": {},
    "/apis/apps/v1/namespaces/kube-system/daemonsets": {},
    "/apis/apps/v1/namespaces/kube-system/deployments": {},
}


class Server:
    """A running stand-in.

    held: set once a path is asked for whose answer is held back until `release` is set.
    """

    def __init__(self, stand_in: StandIn, trust: Mapping[str, str]) -> None:
        self.stand_in = stand_in
        self.held = threading.Event()
        self.release = threading.Event()
        self._trust = trust

    @property
    def asked(self) -> list[Asked]:
        """The requests that have come."""
        return self.stand_in.asked

    def kubeconfig(self, folder: Path, **user: Any) -> str:
        """Writes a kubeconfig of one context, `stand-in`, with these fields of its user; returns its path."""
        path = folder / "stand-in.kubeconfig"
        entry = {"name": "stand-in"}
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "stand-in",
            "clusters": [{**entry, "cluster": {"server": self.stand_in.url, **self._trust}}],
            "users": [{**entry, "user": user}],
            "contexts": [{**entry, "context": {"cluster": "stand-in", "user": "stand-in"}}],
        }
        path.write_text(json.dumps(config))
        return str(path)

    def hold(self, answer: Says) -> Says:
        """Waits until the answer may go."""
        self.held.set()
        self.release.wait(HOLD_TIMEOUT)
        return answer


@contextmanager
def serving(answers: Mapping[str, Any], *, holding: str = "", tls: bool = False) -> Iterator[Server]:
    """The server, which answers this JSON at these paths; the answer at the path `holding` is held back."""
    context, trust = secured() if tls else (None, {})
    server = Server(StandIn(context), trust)
    for path, body in answers.items():
        answer = Says(body=body)
        held = lambda _asked, answer=answer: server.hold(answer)  # noqa: E731
        server.stand_in.on("GET", path, held if path == holding else answer)
    with server.stand_in.serving():
        try:
            yield server
        finally:
            server.release.set()


def secured() -> tuple[ssl.SSLContext, dict[str, str]]:
    """What a server on 127.0.0.1 shows, and the fields of a kubeconfig's cluster that trust it."""
    authority = new_authority("authority of the stand-in")
    pair = authority.issue("stand-in", x509.IPAddress(ip_address("127.0.0.1")))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile() as file:  # ssl takes nothing but files
        file.write(pair.certificate + pair.key)
        file.flush()
        context.load_cert_chain(file.name)
    return context, {"certificate-authority-data": authority.data}


def table(columns: tuple[str, ...], *rows: tuple[str, ...]) -> dict[str, Any]:
    """A server's Table without objects."""
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "columnDefinitions": [{"name": name} for name in columns],
        "rows": [{"cells": list(row)} for row in rows],
    }
