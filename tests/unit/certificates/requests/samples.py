"""Requests as kubelets make them, and as others do."""

import base64
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from kubectl_admin.certificates.requests.facts import CLIENT, SERVING, Content, Request
from kubectl_admin.certificates.requests.nodes import Addresses, Nodes

KEY = ec.generate_private_key(ec.SECP256R1())
DEFAULT: list[x509.GeneralName] = [x509.DNSName("w1"), x509.IPAddress(ip_address("10.0.0.11"))]
SUBJECT = ((NameOID.ORGANIZATION_NAME, "system:nodes"), (NameOID.COMMON_NAME, "system:node:w1"))
NODES = Nodes(
    {
        "cp1": Addresses(frozenset({"cp1"}), frozenset({ip_address("10.0.0.1")}), control_plane=True),
        "w1": Addresses(
            frozenset({"w1", "w1.example.com"}), frozenset({ip_address("10.0.0.11"), ip_address("fd00::11")})
        ),
    }
)
# As a kubelet of node w1 asks for its serving certificate.
CONTENT = Content(
    common_names=("system:node:w1",),
    organizations=("system:nodes",),
    public_key=b"",
    dns_names=("w1",),
    addresses=(ip_address("10.0.0.11"),),
)
REQUEST = Request(
    name="csr-1",
    uid="u1",
    version="1",
    signer=SERVING,
    username="system:node:w1",
    groups=("system:nodes", "system:authenticated"),
    usages=("digital signature", "server auth"),
    created=None,
    content=CONTENT,
)
# As a machine with a bootstrap token asks to become node w2.
NEW_NODE = replace(
    REQUEST,
    signer=CLIENT,
    username="system:bootstrap:abcdef",
    groups=(
        "system:bootstrappers",
        "system:bootstrappers:kubeadm:default-node-token",
        "system:authenticated",
    ),
    usages=("digital signature", "client auth"),
    content=replace(CONTENT, common_names=("system:node:w2",), dns_names=(), addresses=()),
)


def csr(
    subject: Sequence[tuple[x509.ObjectIdentifier, str]] = SUBJECT,
    names: Sequence[x509.GeneralName] = tuple(DEFAULT),
    *,
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey = KEY,
    ca: bool = False,
) -> x509.CertificateSigningRequest:
    """A request; by default a kubelet's for the serving certificate of node w1."""
    attributes = [x509.NameAttribute(oid, value) for oid, value in subject]
    built = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(attributes))
    if names:
        built = built.add_extension(x509.SubjectAlternativeName(list(names)), critical=False)
    if ca:
        built = built.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    return built.sign(key, None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256())


def pem(request: x509.CertificateSigningRequest) -> bytes:
    """The request as it is sent."""
    return request.public_bytes(serialization.Encoding.PEM)


def badly_signed(request: x509.CertificateSigningRequest) -> bytes:
    """The request with a signature that is not its key's."""
    der = request.public_bytes(serialization.Encoding.DER)
    other = csr(key=ec.generate_private_key(ec.SECP256R1())).signature
    changed = der[: -len(request.signature)] + other
    # The lengths of two signatures may differ by a byte or two, and are written down in front of them.
    while len(other) != len(request.signature):
        other = csr(key=ec.generate_private_key(ec.SECP256R1())).signature
        changed = der[: -len(request.signature)] + other
    return armored(changed)


def bits(request: x509.CertificateSigningRequest) -> bytes:
    """The request of node w1 with a common name that is bits instead of text, which Go reads over."""
    whole = request.public_bytes(serialization.Encoding.DER)
    text = request.tbs_certrequest_bytes
    # A BIT STRING's tag and number of unused bits, for a UTF8String's tag and first letter.
    changed = text.replace(b"\x0c\x0esystem:node:w1", b"\x03\x0e\0ystem:node:w1")
    signature = KEY.sign(changed, ec.ECDSA(hashes.SHA256()))
    algorithm = whole[whole.index(text) + len(text) : -len(request.signature) - 3]
    inside = changed + algorithm + bytes([0x03, len(signature) + 1, 0]) + signature
    return armored(b"\x30\x82" + len(inside).to_bytes(2, "big") + inside)


def armored(der: bytes) -> bytes:
    """DER as PEM."""
    text = base64.encodebytes(der).decode()
    return f"-----BEGIN CERTIFICATE REQUEST-----\n{text}-----END CERTIFICATE REQUEST-----\n".encode()


USAGE = dict.fromkeys(
    (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    ),
    False,
) | {"digital_signature": True}


def made(
    *,
    key: Any = KEY,
    subject: Sequence[tuple[x509.ObjectIdentifier, str]] = SUBJECT,
    names: Sequence[x509.GeneralName] = tuple(DEFAULT),
    purposes: Sequence[x509.ObjectIdentifier] = (ExtendedKeyUsageOID.SERVER_AUTH,),
    ca: bool = False,
    days: int = 365,
    **usages: bool,
) -> str:
    """A certificate in PEM, in base64 as in the API; by default as the cluster's signer makes that of w1."""
    start = datetime(2026, 11, 25, tzinfo=UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(oid, value) for oid, value in subject]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kubernetes")]))
        .public_key(key.public_key())
        .serial_number(0xABC)
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=days))
        .add_extension(x509.KeyUsage(**{**USAGE, **usages}), critical=True)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    if purposes:
        built = built.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
    if names:
        built = built.add_extension(x509.SubjectAlternativeName(list(names)), critical=False)
    pem_ = built.sign(KEY, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    return base64.b64encode(pem_).decode()


def document(request: bytes, **spec: Any) -> dict[str, Any]:
    """The object of a request, as a kubelet of node w1 makes it."""
    return {
        "apiVersion": "certificates.k8s.io/v1",
        "kind": "CertificateSigningRequest",
        "metadata": {
            "name": "csr-1",
            "uid": "u1",
            "resourceVersion": "1",
            "creationTimestamp": "2026-11-25T12:00:00Z",
        },
        "spec": {
            "request": base64.b64encode(request).decode(),
            "signerName": SERVING,
            "username": "system:node:w1",
            "groups": ["system:nodes", "system:authenticated"],
            "usages": ["digital signature", "server auth"],
            **spec,
        },
        "status": {},
    }
