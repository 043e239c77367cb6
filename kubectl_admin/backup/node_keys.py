"""The keys of a control plane by their fingerprints, out of the files that its flags name. Pure.

The same is read from a node while it is backed up, and from an archive when that is verified. Nothing of a
private key leaves this module.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from cryptography.x509 import load_pem_x509_certificate

from kubectl_admin.backup.differences import Keys
from kubectl_admin.backup.named_by_files import document
from kubectl_admin.control_plane.component import APISERVER, CONTROLLER_MANAGER, ETCD
from kubectl_admin.control_plane.flags import listed
from kubectl_admin.control_plane.pod import StaticPod
from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.restore.look.authorities import fingerprints
from kubectl_admin.etcd.stored.encryption import Encryption, Unconfigured, configured

# component, flag: the name of the authority whose certificates it names.
AUTHORITIES = {
    (APISERVER, "client-ca-file"): "ca",
    (APISERVER, "requestheader-client-ca-file"): "front-proxy-ca",
    (ETCD, "trusted-ca-file"): "etcd-ca",
}
# Of an authority's certificate, where kubeadm has the key.
KEY, CERTIFICATE = ".key", ".crt"
BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----", re.DOTALL)
MANY = 100  # blocks of a file
# The ways in which cryptography refuses a file.
REFUSED = (ValueError, TypeError, UnsupportedAlgorithm)

Files = Mapping[str, bytes]


def keys_of(node: str, pods: Iterable[StaticPod], files: Files) -> Keys:
    """The keys of a node. files: those of the node by their paths, as far as they are there."""
    parts = {pod.component: pod for pod in pods}
    unknown = [f"{name} is not seen" for name in (APISERVER, CONTROLLER_MANAGER) if name not in parts]
    authorities: dict[str, frozenset[str]] = {}
    foreign: list[str] = []
    for (component, flag), name in AUTHORITIES.items():
        path = _path(parts.get(component), flag)
        if not path:
            continue
        authorities[name] = fingerprints(files.get(path, b"").decode("latin-1"))
        if not authorities[name]:
            unknown.append(f"{path} has no certificate that can be read")
        key = path.removesuffix(CERTIFICATE) + KEY
        if key in files and not public_keys(files[key]):
            unknown.append(f"{key} has no key that can be read")
        elif key in files and authorities[name] and not is_pair(files[key], files[path]):
            foreign.append(name)
    # Tokens of pods are signed by the API server, those in Secrets by the other.
    signers = _public(parts.get(APISERVER), "service-account-signing-key-file", files, unknown)
    signers |= _public(parts.get(CONTROLLER_MANAGER), "service-account-private-key-file", files, unknown)
    accepts = _public(parts.get(APISERVER), "service-account-key-file", files, unknown)
    encryption = _encryption(parts.get(APISERVER), files, unknown)
    return Keys(
        node,
        authorities,
        tuple(foreign),
        signers,
        accepts,
        encryption,
        "; ".join(unknown),
    )


def public_keys(data: bytes) -> frozenset[str]:
    """The SHA-256, in hex, of each public key in a PEM file: its own, a certificate's, or a private key's.

    Source: kubernetes client-go util/keyutil, ParsePublicKeysPEM.
    """
    return frozenset(map(_fingerprint, _keys(data)))


def is_pair(key: bytes, certificate: bytes) -> bool:
    """Whether a private key is that of one of the certificates in a PEM file."""
    return bool(public_keys(key) & public_keys(certificate))


def _keys(data: bytes) -> Iterator[PublicKeyTypes]:
    for block in _blocks(data):
        try:
            if b"CERTIFICATE-" in block[:40]:
                yield load_pem_x509_certificate(block).public_key()
            elif b"PRIVATE KEY-" in block[:40]:
                yield load_pem_private_key(block, None).public_key()
            else:
                yield load_pem_public_key(block)
        except REFUSED:
            continue


def _blocks(data: bytes) -> list[bytes]:
    return [found[0] for found, _ in zip(BLOCK.finditer(data), range(MANY), strict=False)]


def _fingerprint(key: PublicKeyTypes) -> str:
    return sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def _path(pod: StaticPod | None, flag: str) -> str:
    """Where on the node the file is that a flag names; "" where it names none."""
    path = pod.flags.get(flag, "") if pod else ""
    return pod.on_host(path) if pod and path else ""


def _public(pod: StaticPod | None, flag: str, files: Files, unknown: list[str]) -> frozenset[str]:
    """The public keys in the files that a flag names."""
    found: set[str] = set()
    for path in listed(pod.flags.get(flag, "")) if pod else ():
        there = pod.on_host(path) if pod else path
        here = public_keys(files.get(there, b""))
        if not here:
            unknown.append(f"{there} has no key that can be read")
        found |= here
    return frozenset(found)


def _encryption(pod: StaticPod | None, files: Files, unknown: list[str]) -> Encryption | None:
    if pod is None:
        return None
    path = _path(pod, "encryption-provider-config")
    if not path:
        return Encryption()
    try:
        if path not in files:
            raise Unconfigured("it is not there")
        return configured(document(files[path].decode("utf-8", "replace"), path))
    except (AdminError, Unconfigured) as error:
        unknown.append(f"{path} is not understood: {error}")
        return None
