"""X.509 certificates as plain data, out of whatever a file holds: nothing in it raises a traceback. Pure."""

import base64
import binascii
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from kubectl_admin.certificates import der

if TYPE_CHECKING:
    from cryptography import x509

# A block ends with the line that names it, or where another one begins: then its end is missing.
BLOCK = re.compile(
    r"-----BEGIN (?P<label>[A-Z0-9 ]*CERTIFICATE)-----(?P<body>.*?)"
    r"(?:(?P<end>-----END (?P=label)-----)|(?=-----BEGIN )|\Z)",
    re.DOTALL,
)
LIMIT = 200  # certificates of a file; all authorities of the public web are some 150
LABELS = ("CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE")
CURVES = {"secp224r1": "P-224", "secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}
# Extended key usages as Kubernetes spells them; others are shown by their object identifier.
USAGES = {
    "1.3.6.1.5.5.7.3.1": "server auth",
    "1.3.6.1.5.5.7.3.2": "client auth",
    "1.3.6.1.5.5.7.3.3": "code signing",
}

Kind = TypeVar("Kind", bound="x509.ExtensionType")


@dataclass(frozen=True, slots=True)
class Certificate:
    """One certificate.

    subject, issuer: as RFC 4514 writes them. common_name, organizations: the subject's, which Kubernetes
        takes for a user and its groups.
    not_before, not_after: in UTC. names: subject alternative names, «DNS:a», «IP:10.0.0.1», as openssl writes
        them.
    authority: whether it may sign others. key: «RSA 2048», «ECDSA P-256», «Ed25519».
    usages: of the extended key usages, as Kubernetes spells them.
    subject_key, authority_key: identifiers of its own key and of its signer's, in hex; "" without any.
    fingerprint: the SHA-256 of the whole, in hex.
    odd: the extensions that can't be read here, each with why; other programs may read them.
    """

    subject: str
    issuer: str
    common_name: str
    organizations: tuple[str, ...]
    serial: int
    not_before: datetime
    not_after: datetime
    names: tuple[str, ...]
    authority: bool
    key: str
    usages: tuple[str, ...]
    subject_key: str
    authority_key: str
    fingerprint: str
    odd: tuple[str, ...] = ()

    @property
    def serial_text(self) -> str:
        """The serial number in hex, as openssl writes it."""
        text = f"{self.serial:X}"
        return text if len(text) % 2 == 0 else f"0{text}"

    @property
    def signs_itself(self) -> bool:
        """Whether it claims to have signed itself, as roots and self-signed certificates do."""
        return self.subject == self.issuer and self.authority_key in ("", self.subject_key)


@dataclass(frozen=True, slots=True)
class Broken:
    """A certificate that can't be read, and why."""

    why: str


def read(text: bytes) -> list[Certificate | Broken]:
    """The certificates in a PEM file, in its order; text around them and other blocks are passed over.

    A file without any is one Broken; of one with very many the last is, in place of the rest.
    """
    if not text.strip():
        return [Broken("it is empty")]
    found = list(islice(_blocks(text.decode("latin-1")), LIMIT + 1))
    if len(found) > LIMIT:
        found[LIMIT:] = [Broken(f"only the first {LIMIT} certificates in it are read")]
    return found or [Broken("it holds no PEM certificate")]


def of_base64(data: str) -> list[Certificate | Broken]:
    """The certificates in a field of JSON or of a kubeconfig (PEM in base64)."""
    try:
        return read(base64.b64decode("".join(data.split()), validate=True))
    except ValueError:
        return [Broken("it is not base64")]


def of_der(data: bytes) -> Certificate | Broken:
    """The certificate in DER."""
    from cryptography import x509

    try:
        return _certificate(x509.load_der_x509_certificate(data), data)
    except Exception as error:  # noqa: BLE001 - whatever somebody's certificate makes the parser raise
        return Broken(f"it is not an X.509 certificate: {_said(error)}")


def _blocks(text: str) -> Iterator[Certificate | Broken]:
    for block in BLOCK.finditer(text):
        if block["label"] not in LABELS:
            continue
        if not block["end"]:
            yield Broken("a PEM certificate in it is cut off or damaged")
            continue
        try:
            data = base64.b64decode("".join(block["body"].split()), validate=True)
        except binascii.Error:
            yield Broken("a PEM certificate in it is not base64")
            continue
        yield of_der(data)


def _certificate(parsed: "x509.Certificate", data: bytes) -> Certificate:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    extensions, odd = _extensions(parsed, data)
    basic = _of_kind(extensions, x509.BasicConstraints)
    extended = _of_kind(extensions, x509.ExtendedKeyUsage)
    own = _of_kind(extensions, x509.SubjectKeyIdentifier)
    signer = _of_kind(extensions, x509.AuthorityKeyIdentifier)
    names = parsed.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    organizations = parsed.subject.get_attributes_for_oid(x509.NameOID.ORGANIZATION_NAME)
    return Certificate(
        subject=parsed.subject.rfc4514_string(),
        issuer=parsed.issuer.rfc4514_string(),
        # Of several Go takes the last. Source: Go crypto/x509/pkix, Name.FillFromRDNSequence.
        common_name=str(names[-1].value) if names else "",
        organizations=tuple(str(one.value) for one in organizations),
        serial=parsed.serial_number,
        not_before=parsed.not_valid_before_utc,
        not_after=parsed.not_valid_after_utc,
        names=tuple(_alternatives(_of_kind(extensions, x509.SubjectAlternativeName) or ())),
        # Before version 3 there were no extensions that could have said so.
        authority=basic.ca if basic else False,
        key=_key(parsed),
        usages=tuple(USAGES.get(one.dotted_string, one.dotted_string) for one in extended or ()),
        subject_key=own.digest.hex() if own else "",
        authority_key=(signer.key_identifier or b"").hex() if signer else "",
        fingerprint=parsed.fingerprint(hashes.SHA256()).hex(),
        odd=odd,
    )


def _extensions(
    parsed: "x509.Certificate", data: bytes
) -> tuple[list["x509.ExtensionType"], tuple[str, ...]]:
    """The extensions that can be read, and which can't; one that is odd must not hide the others.

    Raises what the parser does for an extension that is there twice, which no other program reads either.
    """
    from cryptography import x509

    try:
        return [one.value for one in parsed.extensions], ()
    except x509.DuplicateExtension:
        raise
    except Exception:  # noqa: BLE001 - read one by one, which tells
        found, odd = [], []
        for oid, alone in der.each_extension(data):
            try:
                found += [one.value for one in x509.load_der_x509_certificate(alone).extensions]
            except Exception as error:  # noqa: BLE001 - whatever makes the parser raise
                odd.append(f"{_named(oid)}: {_said(error)}")
        return found, tuple(odd)


def _named(oid: str) -> str:
    from cryptography import x509

    name: str = x509.ObjectIdentifier(oid)._name
    return oid if name == "Unknown OID" else name


def _of_kind(extensions: "Iterable[x509.ExtensionType]", kind: type[Kind]) -> Kind | None:
    return next((one for one in extensions if isinstance(one, kind)), None)


def _alternatives(names: "Iterable[x509.GeneralName]") -> Iterator[str]:
    from cryptography import x509

    for one in names:
        match one:
            case x509.DNSName():
                yield f"DNS:{one.value}"
            case x509.IPAddress():
                yield f"IP:{one.value}"
            case x509.UniformResourceIdentifier():
                yield f"URI:{one.value}"
            case x509.RFC822Name():
                yield f"email:{one.value}"
            case _:
                yield "other"


def key_algorithm(key: object) -> str:
    """The kind and the size of a public key: «RSA 2048», «ECDSA P-256», «Ed25519»."""
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    match key:
        case rsa.RSAPublicKey():
            return f"RSA {key.key_size}"
        case ec.EllipticCurvePublicKey():
            return f"ECDSA {CURVES.get(key.curve.name, key.curve.name)}"
    return type(key).__name__.removeprefix("_").removesuffix("PublicKey")


def _key(parsed: "x509.Certificate") -> str:
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        return key_algorithm(parsed.public_key())
    except (UnsupportedAlgorithm, ValueError):
        return f"unknown ({parsed.public_key_algorithm_oid.dotted_string})"


def _said(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
