"""Keys, certificates and kubeconfigs of an API-only lab: one CA for all, as short-lived as the lab."""

import base64
import ipaddress
import os
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

EXTRA_NAME = "api.lab.example"  # of the API servers, as by apiServer.certSANs; nothing but they tells of it
VALID = timedelta(days=30)
USAGES = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]


def make(folder: Path, addresses: Iterable[str]) -> None:
    """Everything that etcd and the API servers need: ca, apiserver, etcd, clients of both, sa.key and sa.pub.

    addresses: those at which any server of the lab is spoken to, all in one certificate.
    """
    folder.mkdir(mode=0o700, parents=True)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kubernetes")])
    ca = (
        builder(name, name, key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(key_usage(ca=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    write(folder, "ca", key, ca)
    names = ["localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", EXTRA_NAME]
    issue(folder, "server", "kube-apiserver", hosts=[*names, "10.96.0.1", *addresses])
    issue(folder, "etcd-client", "kube-apiserver-etcd-client")
    issue(folder, "kubelet-client", "kube-apiserver-kubelet-client", groups=["kubeadm:cluster-admins"])
    issue(folder, "kubernetes-admin", "kubernetes-admin", groups=["system:masters"])
    account = ec.generate_private_key(ec.SECP256R1())
    private(folder / "sa.key", pem(account))
    public = account.public_key()
    (folder / "sa.pub").write_bytes(
        public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )


def issue(
    folder: Path, file: str, user: str, *, groups: Sequence[str] = (), hosts: Sequence[str] = ()
) -> None:
    """file.crt and file.key in the folder, signed by its CA.

    user, groups: whom Kubernetes takes the holder for. hosts: names and addresses that a server answers to.
    """
    authority = x509.load_pem_x509_certificate((folder / "ca.crt").read_bytes())
    signer = serialization.load_pem_private_key((folder / "ca.key").read_bytes(), None)
    assert isinstance(signer, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey)  # kubeadm's is an RSA key
    subject = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    subject.append(x509.NameAttribute(NameOID.COMMON_NAME, user))
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        builder(x509.Name(subject), authority.subject, key)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(key_usage(ca=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(USAGES), critical=False)
    )
    if hosts:
        certificate = certificate.add_extension(
            x509.SubjectAlternativeName(list(map(alternative, hosts))), critical=False
        )
    write(folder, file, key, certificate.sign(signer, hashes.SHA256()))


def write_kubeconfig(path: Path, cluster: str, server: str, pki: Path, file: str) -> Path:
    """A kubeconfig of the shape of kubeadm's admin.conf, 0600, for the certificate file.crt in folder pki."""

    def encoded(name: str) -> str:
        return base64.b64encode((pki / name).read_bytes()).decode()

    context = f"{file}@{cluster}"
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {"name": cluster, "cluster": {"certificate-authority-data": encoded("ca.crt"), "server": server}}
        ],
        "contexts": [{"name": context, "context": {"cluster": cluster, "user": file}}],
        "current-context": context,
        "users": [
            {
                "name": file,
                "user": {
                    "client-certificate-data": encoded(f"{file}.crt"),
                    "client-key-data": encoded(f"{file}.key"),
                },
            }
        ],
    }
    private(path, yaml.safe_dump(document, sort_keys=False).encode())
    return path


def builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    """A certificate without extensions, valid from an hour ago, since clocks differ."""
    start = datetime.now(UTC) - timedelta(hours=1)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + VALID)
    )


def key_usage(*, ca: bool) -> x509.KeyUsage:
    """What the key may do: sign certificates, or sign in TLS."""
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )


def alternative(host: str) -> x509.GeneralName:
    """A subject alternative name, of an address or a DNS name."""
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def write(folder: Path, file: str, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> None:
    private(folder / f"{file}.key", pem(key))
    (folder / f"{file}.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )


def private(path: Path, data: bytes) -> None:
    """A file that nobody else can read, not for a moment."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)
