"""The certificate that a signer has issued, held against the judged request. Pure.

A request is approved, but the certificate has the power. Nothing makes sure that a signer issues what was
requested: it is another program, with a parser of its own, and an approval can't be taken back.
"""

import hashlib
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from kubectl_admin.certificates.requests.facts import Content, addresses_in, der, named, other_names, said
from kubectl_admin.certificates.requests.policy import ENCIPHERMENT, SIGNATURE, Judged, quoted
from kubectl_admin.errors import AdminError
from kubectl_admin.report.text import exactly

PURPOSES = {"server auth": ExtendedKeyUsageOID.SERVER_AUTH, "client auth": ExtendedKeyUsageOID.CLIENT_AUTH}
# The signer gives a certificate at least so many seconds, and dates it back by 300.
# Source: kubernetes/kubernetes pkg/controller/certificates/signer/signer.go, duration and sign.
MIN_DURATION = 600  # seconds
CLOCK_GRACE = 300 + 60  # seconds: dated back, and a clock that is a minute off
Kind = TypeVar("Kind", bound=x509.ExtensionType)
KEY_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
)


@dataclass(frozen=True, slots=True)
class Issued:
    """The certificate that a signer has made.

    serial: hexadecimal. ends: None where it can't be read. seconds: how long it lasts in all.
    key: the SHA-256 of its public key, in hex; "" for an unknown kind.
    differences: from the judged request, each a sentence's part; none where it has none.
    """

    serial: str
    ends: datetime | None
    key: str = ""
    seconds: int = 0
    differences: tuple[str, ...] = ()


def of_pem(judged: Judged, certificate: str) -> Issued:
    """The certificate of a request that was judged; one that can't be read here may be good elsewhere.

    certificate: PEM; the first one in it is the kubelet's, the others are of its signers.
    """
    try:
        made, *chain = x509.load_pem_x509_certificates(certificate.encode())
    except Exception as error:  # noqa: BLE001 - whatever somebody's certificate makes the parser raise
        return Issued("", None, differences=(f"it can't be read: {said(error)}",))
    key = ""
    try:
        key = hashlib.sha256(der(made)).hexdigest()
        differences = (*compare(judged, made), *compare_chain(chain))
    except Exception as error:  # noqa: BLE001 - whatever somebody's certificate makes the parser raise
        differences = (f"it can't be compared: {said(error)}",)
    return Issued(
        serial=f"{made.serial_number:x}",
        ends=made.not_valid_after_utc,
        key=key,
        seconds=int((made.not_valid_after_utc - made.not_valid_before_utc).total_seconds()),
        differences=differences,
    )


def mismatch(judged: Judged, issued: Issued) -> AdminError:
    """The error of a certificate that is not what was judged, after which nothing more is approved."""
    what = f"request {judged.request.name} of node {judged.node}: its certificate is not what was judged"
    return AdminError(
        f"{what}: {'; '.join(issued.differences)}; nothing more is approved", remedy(judged, issued)
    )


def remedy(judged: Judged, issued: Issued) -> str:
    """The fix for a certificate that is not what was judged: which key, which node, until when.

    Source: Kubernetes «Certificates and Certificate Signing Requests»: there is no revocation.
    """
    node, until = judged.node, f"{issued.ends:%Y-%m-%d %H:%M} UTC" if issued.ends else "it expires"
    return (
        f"approve nothing more, and find out what signs for {judged.request.signer}. Nothing revokes a "
        f"certificate: the holder of the key (SHA-256 {issued.key or 'unknown'}) can use it until "
        f"{until}, even when the request is deleted. It was made on node {node}: "
        f"kubectl admin drain {node}, kubectl delete node {node}, reinstall the machine. Only a new "
        "authority invalidates the certificate earlier; docs/certs.md has the steps"
    )


def compare(judged: Judged, made: x509.Certificate) -> Iterator[str]:
    """Differences from the judged request. Raises whatever the parser does."""
    content = judged.request.content
    if content is None:
        yield "the judged request can't be read"
        return
    if der(made) != content.public_key:
        yield "it is for another key than the requested one"
    subject = sorted((named(one.oid), str(one.value)) for one in made.subject)
    asked = sorted(
        [(named(NameOID.COMMON_NAME), one) for one in content.common_names]
        + [(named(NameOID.ORGANIZATION_NAME), one) for one in content.organizations]
    )
    if subject != asked:
        yield f"its subject is {quoted(f'{name}={value}' for name, value in subject)}"
    yield from compare_names(content, made)
    yield from compare_usages(judged.request.usages, made)
    longest = judged.request.expiration
    if longest is not None:
        lasts = made.not_valid_after_utc - made.not_valid_before_utc
        if lasts > timedelta(seconds=max(longest, MIN_DURATION) + CLOCK_GRACE):
            yield f"it lasts {exactly(int(lasts.total_seconds()))}, not {exactly(longest)}"


def compare_chain(chain: Iterable[x509.Certificate]) -> Iterator[str]:
    """Certificates that come with it and are not an authority's."""
    for one in chain:
        basic = extension(one, x509.BasicConstraints)
        if not (basic and basic.ca):
            yield f"another certificate comes with it, for {one.subject.rfc4514_string() or 'nobody'}"


def extension(made: x509.Certificate, kind: type[Kind]) -> Kind | None:
    """The value of an extension; None where there is none."""
    try:
        return made.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def compare_names(content: Content, made: x509.Certificate) -> Iterator[str]:
    """Differences of its alternative names from the judged ones."""
    names = extension(made, x509.SubjectAlternativeName) or ()
    found = {
        *(one.value for one in names if isinstance(one, x509.DNSName)),
        *map(str, addresses_in(names)),
        *other_names(names),
    }
    asked = {*content.dns_names, *map(str, content.addresses), *content.other_names}
    if more := found - asked:
        yield f"it also names {', '.join(sorted(more))}"
    if less := asked - found:
        yield f"it does not name {', '.join(sorted(less))}"


def compare_usages(asked: Collection[str], made: x509.Certificate) -> Iterator[str]:
    """Uses that were not asked for, or are missing; without the extensions, for everything."""
    usage = extension(made, x509.KeyUsage)
    found = {name for name in KEY_USAGES if usage is None or getattr(usage, name)}
    wanted = {word.replace(" ", "_") for word in (SIGNATURE, ENCIPHERMENT) if word in asked}
    if found != wanted:
        yield f"its key may be used for {quoted(sorted(one.replace('_', ' ') for one in found))}"
    purposes = {one.dotted_string for one in extension(made, x509.ExtendedKeyUsage) or ()}
    if purposes != {oid.dotted_string for word, oid in PURPOSES.items() if word in asked}:
        yield f"its purpose is {', '.join(sorted(purposes)) or 'any'}"
    basic = extension(made, x509.BasicConstraints)
    if basic and basic.ca:
        yield "it may sign other certificates"
