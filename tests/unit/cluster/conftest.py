"""What the tests of the wire share: a stand-in server, with and without TLS, and certificates for it."""

import base64
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.fakes.api_server import StandIn


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, as PEM."""

    certificate: bytes
    key: bytes


@dataclass(frozen=True)
class Authority:
    """A certificate authority that was made for this run."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def data(self) -> str:
        """As it stands in a kubeconfig."""
        return base64.b64encode(self.pem).decode()

    def issue(self, name: str, *alternatives: x509.GeneralName) -> Pair:
        """A certificate of this authority."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = described(name, self.certificate.subject, key)
        if alternatives:
            builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        certificate = builder.sign(self.key, hashes.SHA256())
        return Pair(
            certificate.public_bytes(serialization.Encoding.PEM),
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            ),
        )


def described(
    name: str, issuer: x509.Name | None, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    """A certificate that has yet to be signed; issuer: None for one that signs itself."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer or subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
    )


def new_authority(name: str) -> Authority:
    """A certificate authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    builder = described(name, None, key).add_extension(x509.BasicConstraints(True, None), critical=True)
    return Authority(builder.sign(key, hashes.SHA256()), key)


@pytest.fixture(scope="session")
def authority() -> Authority:
    """The cluster's authority."""
    return new_authority("kubernetes")


@pytest.fixture(scope="session")
def server_pair(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the server's certificate and key."""
    names = x509.DNSName("kubernetes"), x509.IPAddress(ip_address("127.0.0.1"))
    pair = authority.issue("kube-apiserver", *names)
    path = tmp_path_factory.mktemp("server") / "server.pem"
    path.write_bytes(pair.certificate + pair.key)
    return path


@pytest.fixture
def server() -> Iterator[StandIn]:
    """A server without TLS."""
    with StandIn().serving() as stand_in:
        yield stand_in


@pytest.fixture
def secure(authority: Authority, server_pair: Path) -> Iterator[StandIn]:
    """A server with TLS that takes client certificates of the authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server_pair)
    context.load_verify_locations(cadata=authority.pem.decode())
    context.verify_mode = ssl.CERT_OPTIONAL
    with StandIn(context).serving() as stand_in:
        yield stand_in


@pytest.fixture
def trusting(authority: Authority) -> dict[str, Any]:
    """The fields of a kubeconfig's cluster that trust the secure server."""
    return {"certificate-authority-data": authority.data}


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxies of whoever runs the tests have no part in them."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
