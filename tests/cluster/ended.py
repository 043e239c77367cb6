"""Certificates of a lab that have ended: made from sound ones, with their own keys, by its authorities."""

import base64
from datetime import UTC, datetime, timedelta

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from tests.lab.nodes.lab import Lab

PKI = "/etc/kubernetes/pki"


def certificate(lab: Lab, sound: bytes, signer: str = "ca") -> bytes:
    """A certificate like this one, which ended two days ago, as PEM. signer: «ca», or «etcd/ca»."""
    node = lab.control_planes[0].name
    files = [f"{PKI}/{signer}.{kind}" for kind in ("crt", "key")]
    authority, key = (lab.exec(node, ["cat", file]).stdout.encode() for file in files)
    old, now = x509.load_pem_x509_certificate(sound), datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(old.subject)
        .issuer_name(x509.load_pem_x509_certificate(authority).subject)
        .public_key(old.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=9))
        .not_valid_after(now - timedelta(days=2))
    )
    for extension in old.extensions:
        builder = builder.add_extension(extension.value, extension.critical)
    own = serialization.load_pem_private_key(key, None)
    assert not isinstance(own, dict)
    return builder.sign(own, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)  # type: ignore[arg-type]


def kubeconfig(lab: Lab) -> str:
    """The administrator's kubeconfig with a certificate that has ended, as text."""
    config = yaml.safe_load(lab.kubeconfig.read_text(encoding="utf-8"))
    user = config["users"][0]["user"]
    over = certificate(lab, base64.b64decode(user["client-certificate-data"]))
    user["client-certificate-data"] = base64.b64encode(over).decode()
    return str(yaml.safe_dump(config))


def put(lab: Lab, node: str, path: str, signer: str = "ca") -> None:
    """Puts one that has ended in the place of a certificate file of a node; its key stays."""
    over = certificate(lab, lab.exec(node, ["cat", path]).stdout.encode(), signer)
    encoded = base64.b64encode(over).decode()
    lab.exec(node, ["sh", "-c", 'echo "$1" | base64 -d > "$2"', "sh", encoded, path])
