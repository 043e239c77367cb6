"""The keys of one opening: made here, for it alone, and of no use to anything else.

The authority signs the server's certificate and is forgotten at once: its key is nowhere. A client shows a
token, and not a certificate, since an API server writes the authority of its clients into the ConfigMap
kube-system/extension-apiserver-authentication, where it would be taken for one of the past.
"""

import ipaddress
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

ADDRESS = "127.0.0.1"  # at which the opened API is spoken to
VALID = timedelta(days=30)  # nobody keeps one open for longer
SKEW = timedelta(days=1)  # by which a clock may be wrong
USER = "kubectl-admin-past"


@dataclass(frozen=True, slots=True)
class Keys:
    """All in PEM but the token. authority: its certificate. accounts: a key for tokens of service accounts,
    which nobody gets.
    """

    authority: bytes
    certificate: bytes
    key: bytes = field(repr=False)
    accounts: bytes = field(repr=False)
    token: str = field(repr=False)


def make(now: datetime | None = None) -> Keys:
    """New keys. now: in UTC, if it is not the present."""
    now = now or datetime.now(UTC)
    authority, server, accounts = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kubectl-admin: a snapshot that is opened")])
    own = (
        _builder(name, name, authority.public_key(), now)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .sign(authority, hashes.SHA256())
    )
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kube-apiserver")])
    served = (
        _builder(subject, name, server.public_key(), now)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(ADDRESS))]), critical=False
        )
        .sign(authority, hashes.SHA256())
    )
    return Keys(
        own.public_bytes(Encoding.PEM),
        served.public_bytes(Encoding.PEM),
        _pem(server),
        _pem(accounts),
        secrets.token_urlsafe(32),
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SKEW)
        .not_valid_after(now + VALID)
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    # An API server finds no public key in a private one of PKCS #8.
    # Source: client-go util/keyutil, ParsePublicKeysPEM.
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
