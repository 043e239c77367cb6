"""The certificates of a control plane in an archive: each against its authority, its key and the time. Pure.

A leaf that has expired is no fault of an archive: kubeadm makes another one by the authority in it. An
authority is made once, and what it did not sign is refused by everybody.
"""

from base64 import b64decode
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from cryptography.exceptions import InvalidSignature
from cryptography.x509 import Certificate as Parsed
from cryptography.x509 import load_pem_x509_certificates

from kubectl_admin.backup import rules
from kubectl_admin.backup.contents import NodeContents
from kubectl_admin.backup.named_by_files import document
from kubectl_admin.backup.node_keys import REFUSED, is_pair
from kubectl_admin.certificates import x509
from kubectl_admin.certificates.facts import Use
from kubectl_admin.certificates.inventory.components import File, files
from kubectl_admin.certificates.x509 import Certificate
from kubectl_admin.cluster.decode import mapping
from kubectl_admin.errors import AdminError
from kubectl_admin.finding import Finding
from kubectl_admin.report.text import printable, relative

SOON = timedelta(days=90)
SUFFIX, KEY = ".crt", ".key"
MANY = 20  # certificates of a file
# kubeadm's name of a certificate: that of the authority which signs it. kubeconfigs: «ca».
# Source: kubernetes/kubernetes cmd/kubeadm/app/phases/certs/certlist.go.
SIGNERS = {
    "apiserver": "ca",
    "apiserver-kubelet-client": "ca",
    "apiserver-etcd-client": "etcd-ca",
    "front-proxy-client": "front-proxy-ca",
    "etcd-server": "etcd-ca",
    "etcd-peer": "etcd-ca",
    "etcd-healthcheck-client": "etcd-ca",
}


def judge(node: NodeContents, now: datetime) -> Iterator[Finding]:
    """All that is wrong with the certificates of a node."""
    known = {file.name: file for file in files(node.pods)}
    for file in known.values():
        data = node.contents.get(file.path)
        if data is None:
            continue  # the judge of files tells what is not there
        if file.kubeconfig:
            yield from _of_kubeconfig(node, file, data, known)
        elif file.use is Use.AUTHORITY:
            yield from _of_authority(node, file, data, now)
        else:
            key = node.contents.get(file.path.removesuffix(SUFFIX) + KEY)
            yield from _of_leaf(node, file, data, key, known)


def _of_authority(node: NodeContents, file: File, data: bytes, now: datetime) -> Iterator[Finding]:
    read = [one for one in x509.read(data) if isinstance(one, Certificate)]
    if not read:
        yield _unreadable(node, file)
        return
    last = max(one.not_after for one in read)
    if last <= now + SOON:
        make = rules.AUTHORITY_EXPIRED.violation if last <= now else rules.AUTHORITY_EXPIRED.warning
        yield make(
            subject=f"authority {file.name}",
            evidence=f"{'expired' if last <= now else 'expires'} {relative(last, now)}",
            fix="replace the authority, then make another backup: docs/certificates.md",
            objects=[f"node/{node.node}"],
        )


def _of_leaf(
    node: NodeContents, file: File, data: bytes, key: bytes | None, known: Mapping[str, File]
) -> Iterator[Finding]:
    first = next(iter(x509.read(data)))
    if not isinstance(first, Certificate):
        yield _unreadable(node, file)
        return
    if key is not None and not is_pair(key, data):
        yield _finding(node, file, "the key beside it is another's")
    signer = SIGNERS.get(file.name, "")
    authority = node.contents.get(known[signer].path) if signer in known else None
    if authority is not None and not _is_signed(data, authority):
        yield _finding(node, file, f"authority {signer} of the same node has not signed it")


def _of_kubeconfig(
    node: NodeContents, file: File, data: bytes, known: Mapping[str, File]
) -> Iterator[Finding]:
    try:
        found = mapping(document(data.decode("utf-8", "replace"), file.path))
    except AdminError:
        found = {}
    users = found.get("users")
    for one in users if isinstance(users, list) else ():
        user = mapping(mapping(one).get("user"))
        certificate, key = _decoded(user, "client-certificate-data"), _decoded(user, "client-key-data")
        if certificate:
            yield from _of_leaf(node, File(file.name, file.path, file.use), certificate, key or None, {})
            authority = node.contents.get(known["ca"].path) if "ca" in known else None
            if authority is not None and not _is_signed(certificate, authority):
                yield _finding(node, file, "authority ca of the same node has not signed its certificate")


def _decoded(user: Mapping[str, object], field: str) -> bytes:
    try:
        return b64decode(str(user.get(field) or ""))
    except ValueError:
        return b""


def _is_signed(data: bytes, authority: bytes) -> bool:
    """Whether one of the authorities has signed the first certificate, or one behind it that leads to it."""
    try:
        leaf, *between = load_pem_x509_certificates(data)[:MANY]
        roots = load_pem_x509_certificates(authority)[:MANY]
    except REFUSED:
        return False
    return any(_has_signed(one, leaf) for one in roots) or any(
        _has_signed(one, leaf) and any(_has_signed(root, one) for root in roots) for one in between
    )


def _has_signed(authority: Parsed, one: Parsed) -> bool:
    try:
        one.verify_directly_issued_by(authority)
    except (*REFUSED, InvalidSignature):
        return False
    return True


def _unreadable(node: NodeContents, file: File) -> Finding:
    return _finding(node, file, "it holds no certificate that can be read")


def _finding(node: NodeContents, file: File, evidence: str) -> Finding:
    return rules.FOREIGN_CERTIFICATE.violation(
        subject=f"{printable(file.path)} of {node.node}",
        evidence=evidence,
        fix="kubeadm certs renew makes it anew after a restore; look at the node, then make another backup",
        objects=[f"node/{node.node}"],
    )
