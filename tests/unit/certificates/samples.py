"""Certificates that were made up, and some that are real: signed by keys of this run."""

from datetime import UTC, datetime, timedelta
from functools import cache
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from kubectl_admin.certificates.facts import Facts, Seen, Source, Use
from kubectl_admin.certificates.x509 import Certificate

NOW = datetime(2026, 11, 25, 12, 0, 0, tzinfo=UTC)
KINDS = {
    "RSA 2048": lambda: rsa.generate_private_key(65537, 2048),
    "ECDSA P-256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "Ed25519": ed25519.Ed25519PrivateKey.generate,
}


@cache
def key_of(kind="ECDSA P-256", _owner=""):
    """A key; the same for the same owner."""
    return KINDS[kind]()


def pem(
    name="kube-apiserver",
    *,
    kind="ECDSA P-256",
    names=("kubernetes", "10.0.0.11"),
    days=365.0,
    serial=0x0ABC,
    authority=False,
):
    """A certificate that signs itself, as PEM. days: from NOW until its end."""
    key = key_of(kind)
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "system:masters"),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
        ]
    )
    alternatives = [
        x509.IPAddress(ip_address(one)) if one[0].isdigit() or ":" in one else x509.DNSName(one)
        for one in names
    ]
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=days))
        .add_extension(x509.BasicConstraints(authority, None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if alternatives:
        builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
    signed = builder.sign(key, None if kind == "Ed25519" else hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM)


def key_pem(kind="ECDSA P-256"):
    """The key of such a certificate, as PEM."""
    return key_of(kind).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def certificate(name="apiserver", *, days=365.0, serial=1, issuer="CN=kubernetes", **changes):
    """A certificate that nobody has signed. days: from NOW until its end."""
    values = {
        "subject": f"CN={name}",
        "issuer": issuer,
        "common_name": name,
        "organizations": (),
        "serial": serial,
        "not_before": NOW - timedelta(days=1),
        "not_after": NOW + timedelta(days=days),
        "names": (),
        "authority": False,
        "key": "RSA 2048",
        "usages": (),
        "subject_key": "",
        "authority_key": "",
        "fingerprint": f"{name}/{serial}/{days}",
    }
    return Certificate(**(values | changes))


def seen(name="apiserver", content=None, *, node="cp1", source=Source.FILE, use=Use.SERVER, **changes):
    """A certificate in a place."""
    content = content or certificate(name)
    values = {"where": f"/etc/kubernetes/pki/{name}.crt", **changes}
    return Seen(name, node, source=source, use=use, content=content, **values)


def served(name, content, *, node="cp1", port=6443):
    """A certificate that a port shows."""
    return seen(name, content, node=node, source=Source.SERVED, where=f"port {port}", port=port)


def authority(name="ca", *, days=3650.0, node="cp1", **changes):
    """An authority's certificate in a place."""
    found = certificate("kubernetes", days=days, authority=True, subject_key="aa", authority_key="aa")
    return seen(name, found, node=node, use=Use.AUTHORITY, **changes)


def facts(*found, **changes):
    """A cluster of these certificates."""
    nodes = tuple(dict.fromkeys(one.node for one in found if one.node))
    values = {"nodes": nodes, "hosts": frozenset(nodes), "seen": tuple(found), **changes}
    return Facts("lab", "https://10.0.0.11:6443", "kubernetes-admin", **values)
