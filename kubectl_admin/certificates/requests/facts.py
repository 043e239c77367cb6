"""A CertificateSigningRequest's content.

The requester is the API server's own word; everything else is what somebody has written there.
"""

import base64
import binascii
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from kubectl_admin.certificates.requests import pkcs10
from kubectl_admin.certificates.x509 import key_algorithm
from kubectl_admin.cluster.decode import decode_moment

SERVING = "kubernetes.io/kubelet-serving"
CLIENT = "kubernetes.io/kube-apiserver-client-kubelet"
# One block and nothing else: which of several an authority would sign is not for us to guess.
PEM = re.compile(
    rb"\s*-----BEGIN CERTIFICATE REQUEST-----\r?\n([A-Za-z0-9+/=\s]+)-----END CERTIFICATE REQUEST-----\s*"
)
SIZE_LIMIT = 8 << 10  # bytes of a request; a kubelet's has half a kilobyte
MOST_NAMES = 100  # alternative names of a request; a kubelet's has a handful
Address = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class Content:
    """The signed part of a request.

    common_names, organizations: as often as they are there. others: the rest of the subject, by name.
    dns_names, addresses: alternative names. other_names: those of other kinds, each with its kind.
    extensions: all others that are asked for, by name. attributes: all others, by number.
    exact: whether its bytes are this and nothing else, so that no parser could read another request in them.
    key: «RSA 2048», «ECDSA P-256», «Ed25519». strong: whether that is a key to be trusted. rsa: its kind.
    public_key: DER. signed: whether the request is signed with that key.
    """

    common_names: tuple[str, ...]
    organizations: tuple[str, ...]
    public_key: bytes = field(repr=False)
    others: tuple[str, ...] = ()
    dns_names: tuple[str, ...] = ()
    addresses: tuple[Address, ...] = ()
    other_names: tuple[str, ...] = ()
    extensions: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()
    exact: bool = True
    key: str = "ECDSA P-256"
    strong: bool = True
    rsa: bool = False
    signed: bool = True


@dataclass(frozen=True, slots=True)
class Request:
    """A CertificateSigningRequest.

    username, groups: who asks, by the API server's own word.
    expiration: seconds that the certificate is to last; None leaves it to the signer.
    content: None where it can't be read; broken then says why. It is only read while a request is pending.
    encoded: the source of `content`, as the API has it, while that was not read.
    approved, denied, failed: decisions on it so far. why: the words of the last such.
    certificate: PEM; "" while there is none.
    version: resourceVersion.
    """

    name: str
    uid: str
    version: str
    signer: str
    username: str
    groups: tuple[str, ...]
    usages: tuple[str, ...]
    created: datetime | None
    expiration: int | None = None
    encoded: str = field(default="", repr=False)
    content: Content | None = None
    broken: str = ""
    approved: bool = False
    denied: bool = False
    failed: bool = False
    why: str = ""
    certificate: str = ""

    @property
    def pending(self) -> bool:
        """Whether nobody has decided yet."""
        return not (self.approved or self.denied or self.failed or self.certificate)


def request_of(document: Mapping[str, Any]) -> Request:
    """The request of an object of the API; one that can't be read is `broken`.

    Its content is read only while nobody has decided: that costs more than all else, and of thousands most
    are decided.
    """
    return taken_apart(outline_of(document))


def taken_apart(request: Request) -> Request:
    """An outline with what it asks for, while nobody has decided."""
    if not request.pending or request.content or request.broken:
        return request
    try:
        content = content_of(base64.b64decode(request.encoded, validate=True))
        return replace(request, encoded="", content=content)
    except ValueError as error:  # binascii's own, too
        return replace(request, encoded="", broken=str(error))


def outline_of(document: Mapping[str, Any]) -> Request:
    """The request of an object of the API, its content not read."""
    metadata, spec = document["metadata"], document["spec"]
    status = document.get("status") or {}
    said = {one.get("type"): one for one in status.get("conditions") or () if one.get("status") != "False"}
    words = [str(one.get("message") or one.get("reason") or "") for one in said.values()]
    outline = Request(
        name=str(metadata["name"]),
        uid=str(metadata.get("uid") or ""),
        version=str(metadata.get("resourceVersion") or ""),
        signer=str(spec.get("signerName") or ""),
        username=str(spec.get("username") or ""),
        groups=tuple(map(str, spec.get("groups") or ())),
        usages=tuple(map(str, spec.get("usages") or ())),
        created=decode_moment(metadata.get("creationTimestamp")),
        expiration=spec.get("expirationSeconds"),
        approved="Approved" in said,
        denied="Denied" in said,
        failed="Failed" in said,
        why=words[-1] if words else "",
        certificate=pem_text(status.get("certificate")),
    )
    if not outline.pending:
        return outline
    encoded = str(spec.get("request") or "")
    if len(encoded) > SIZE_LIMIT * 4 // 3 + 4:  # in base64
        return replace(outline, broken=f"it has more than {SIZE_LIMIT} bytes")
    return replace(outline, encoded=encoded)


def content_of(pem: bytes) -> Content:
    """The content of a request in PEM. Raises ValueError with the reason where it can't be read.

    Strict: text that two readers may take differently is not read at all.
    """
    if len(pem) > SIZE_LIMIT:
        raise ValueError(f"it has more than {SIZE_LIMIT} bytes")
    block = PEM.fullmatch(pem)
    if block is None:
        raise ValueError("it is not one PEM block «CERTIFICATE REQUEST»")
    try:
        data = base64.b64decode(b"".join(block[1].split()), validate=True)
    except binascii.Error as error:
        raise ValueError(f"its PEM block is not base64: {error}") from None
    try:
        return read(x509.load_der_x509_csr(data))
    except UnsupportedAlgorithm as error:
        raise ValueError(f"the algorithm of its signature is unknown: {error}") from None
    except Exception as error:  # noqa: BLE001 - whatever somebody's request makes the parser raise
        raise ValueError(f"it can't be read: {said(error)}") from None


def read(found: x509.CertificateSigningRequest) -> Content:
    """The content of a request that has been taken apart; raises whatever the parser does where it can't be.

    The subject and the extensions are taken apart only here, when they are asked for.
    """

    def values(oid: x509.ObjectIdentifier) -> tuple[str, ...]:
        return tuple(str(one.value) for one in found.subject.get_attributes_for_oid(oid))

    names: x509.SubjectAlternativeName | None = None
    extensions = []
    for extension in found.extensions:
        if isinstance(extension.value, x509.SubjectAlternativeName):
            names = extension.value
        else:
            extensions.append(named(extension.oid))
    if names is not None and len(names) > MOST_NAMES:
        raise ValueError(f"it has {len(names)} alternative names")
    known = (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME)
    common_names, organizations = map(values, known)
    subject = (*common_names, *organizations)
    return Content(
        common_names=common_names,
        organizations=organizations,
        public_key=der(found),
        others=tuple(named(one.oid) for one in found.subject if one.oid not in known),
        dns_names=tuple(names.get_values_for_type(x509.DNSName)) if names else (),
        addresses=tuple(addresses_in(names or ())),
        other_names=tuple(other_names(names or ())),
        extensions=tuple(extensions),
        attributes=tuple(pkcs10.surplus(found)),
        exact=len(subject) == 2 and pkcs10.is_exact(found, *subject, names),
        key=key_algorithm(found.public_key()),
        strong=is_strong(found),
        rsa=isinstance(found.public_key(), rsa.RSAPublicKey),
        signed=found.is_signature_valid,
    )


def is_strong(found: x509.CertificateSigningRequest | x509.Certificate) -> bool:
    """Whether its key is one to be trusted; Go signs for no other kinds.

    Source: NIST SP 800-57 part 1, table 2 (112 bits); Go crypto/x509, CreateCertificate.
    """
    match found.public_key():
        case rsa.RSAPublicKey() as key:
            return key.key_size >= 2048
        case ec.EllipticCurvePublicKey() as key:
            return key.key_size >= 224
        case ed25519.Ed25519PublicKey():
            return True
        case _:
            return False


def der(found: x509.CertificateSigningRequest | x509.Certificate) -> bytes:
    """The public key."""
    return found.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def addresses_in(names: Iterable[x509.GeneralName]) -> list[Address]:
    """The addresses among alternative names; a network is none."""
    return [as_issued(one.value) for one in names if is_address(one)]


def is_address(name: x509.GeneralName) -> bool:
    """Whether an alternative name is an address; a network is none."""
    return isinstance(name, x509.IPAddress) and isinstance(name.value, IPv4Address | IPv6Address)


def as_issued(address: Address) -> Address:
    """The address as a certificate will hold it: Go takes ::ffff:10.0.0.9 for 10.0.0.9, wherever it stands.

    Source: Go net, IP.To4; crypto/x509, marshalSANs.
    """
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def other_names(names: Iterable[x509.GeneralName]) -> Iterable[str]:
    """The alternative names that are neither a DNS name nor an address."""
    for one in names:
        if isinstance(one, x509.RFC822Name):
            yield f"email {one.value}"
        elif isinstance(one, x509.UniformResourceIdentifier):
            yield f"URI {one.value}"
        elif not isinstance(one, x509.DNSName) and not is_address(one):
            yield type(one).__name__


def said(error: Exception) -> str:
    """A parser's words, in one line."""
    return " ".join(str(error).split()) or type(error).__name__


def named(oid: x509.ObjectIdentifier) -> str:
    """The name of an object identifier; its numbers where it has none that is known."""
    name: str = oid._name
    return oid.dotted_string if name == "Unknown OID" else name


def pem_text(encoded: str | None) -> str:
    """The text of a field of bytes, or ""."""
    try:
        return base64.b64decode(encoded or "").decode("ascii", "replace")
    except ValueError:
        return ""
