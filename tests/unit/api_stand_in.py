"""A tiny API server: answers JSON by path, refuses any path that a test does not name, can hold an answer."""

import base64
import json
import ssl
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

VERSION = {"major": "1", "minor": "36", "gitVersion": "v1.36.3"}


class StandIn:
    """What the server is to answer, and what it has been asked.

    asked: (path with its query, headers) of each request.
    holding: paths whose answer is held until `release` is set; `held` is set once one of them is asked for.
    """

    def __init__(self, answers: Mapping[str, Any], holding: tuple[str, ...], certificate: bytes) -> None:
        self.answers = answers
        self.holding = holding
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.held = threading.Event()
        self.release = threading.Event()
        self.certificate = certificate
        self.port = 0

    def kubeconfig(self, folder: Path, **user: Any) -> str:
        """Writes a kubeconfig of one context, `stand-in`, with these fields of its user; returns its path."""
        path = folder / "stand-in.kubeconfig"
        entry = {"name": "stand-in"}
        cluster = {"server": f"http://127.0.0.1:{self.port}"}
        if self.certificate:
            cluster["server"] = cluster["server"].replace("http:", "https:")
            cluster["certificate-authority-data"] = base64.b64encode(self.certificate).decode()
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "stand-in",
            "clusters": [{**entry, "cluster": cluster}],
            "users": [{**entry, "user": user}],
            "contexts": [{**entry, "context": {"cluster": "stand-in", "user": "stand-in"}}],
        }
        path.write_text(json.dumps(config))
        return str(path)


@contextmanager
def serving(
    answers: Mapping[str, Any], holding: tuple[str, ...] = (), *, tls: bool = False
) -> Iterator[StandIn]:
    """The server on a free port of this machine, gone afterwards."""
    certificate, key = self_signed() if tls else (b"", b"")
    stand_in = StandIn(answers, holding, certificate)

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
    if tls:
        server.socket = tls_context(certificate, key).wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield stand_in
    finally:
        stand_in.release.set()
        server.shutdown()
        thread.join()
        server.server_close()


def self_signed() -> tuple[bytes, bytes]:
    """A certificate for 127.0.0.1 that is its own authority, good for an hour, and its key, both as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "stand-in")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return certificate.public_bytes(serialization.Encoding.PEM), private


def tls_context(certificate: bytes, key: bytes) -> ssl.SSLContext:
    """What a server shows; ssl reads it from a file only."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile() as file:
        file.write(certificate + key)
        file.flush()
        context.load_cert_chain(file.name)
    return context


def table(columns: tuple[str, ...], *rows: tuple[str, ...]) -> dict[str, Any]:
    """A server's Table without objects."""
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "columnDefinitions": [{"name": name} for name in columns],
        "rows": [{"cells": list(row)} for row in rows],
    }
