"""A kubelet's request written in DER, from what was read of one.

A request is signed as bytes, and several programs read them: this one, the API server, the signer. Two
parsers may take the same bytes for different requests: a second attribute, a value behind the first, a name
that one of them passes over. Where the bytes are exactly what the content is written as, nothing is left
over that another parser could take for something else.

Source: RFC 2986, section 4; Go crypto/x509, CreateCertificateRequest, which is how kubelets make theirs.
"""

import itertools
from collections.abc import Iterator

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from kubectl_admin.certificates.der import BOOLEAN, INTEGER, OBJECT, OCTETS, SEQUENCE, SET, tlv

ATTRIBUTES = 0xA0
UTF8, PRINTABLE = 0x0C, 0x13  # the kinds of text that Go and OpenSSL choose between
COMMON_NAME, ORGANIZATION = b"\x55\x04\x03", b"\x55\x04\x0a"
ALTERNATIVE_NAMES = b"\x55\x1d\x11"
EXTENSION_REQUEST = b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0e"
PKCS9 = x509.ObjectIdentifier("1.2.840.113549.1.9.14")  # the same
VERSION = bytes([INTEGER, 1, 0])
CRITICAL = bytes([BOOLEAN, 1, 0xFF])


def is_exact(
    found: x509.CertificateSigningRequest,
    common_name: str,
    organization: str,
    names: x509.SubjectAlternativeName | None,
) -> bool:
    """Whether what is signed of a request is this subject, its key, and these alternative names.

    And nothing else, by its bytes. names: None for a request without any.
    """
    signed = found.tbs_certrequest_bytes
    key = found.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    ends = [key + tlv(ATTRIBUTES, asked) for asked in attributes(names)]
    return any(
        signed == tlv(SEQUENCE, VERSION, subject, end)
        for subject in subjects(common_name, organization)
        for end in ends
    )


def subjects(common_name: str, organization: str) -> Iterator[bytes]:
    """All ways to write a subject of these two, each by itself, in either order and kind of text."""
    parts = ((ORGANIZATION, organization), (COMMON_NAME, common_name))
    for order in itertools.permutations(parts):
        for kinds in itertools.product((PRINTABLE, UTF8), repeat=2):
            yield tlv(
                SEQUENCE,
                *(
                    tlv(SET, tlv(SEQUENCE, tlv(OBJECT, oid), tlv(kind, text.encode())))
                    for kind, (oid, text) in zip(kinds, order, strict=True)
                ),
            )


def attributes(names: x509.SubjectAlternativeName | None) -> Iterator[bytes]:
    """The ways to write the attributes: none, or the request for one extension, critical or not."""
    if names is None:
        yield b""
        return
    for critical in (b"", CRITICAL):
        extension = tlv(SEQUENCE, tlv(OBJECT, ALTERNATIVE_NAMES), critical, tlv(OCTETS, names.public_bytes()))
        yield tlv(SEQUENCE, tlv(OBJECT, EXTENSION_REQUEST), tlv(SET, tlv(SEQUENCE, extension)))


def surplus(found: x509.CertificateSigningRequest) -> list[str]:
    """The attributes of a request besides one request for extensions, each by its number.

    Raises whatever the parser does where they can't be read, as for an attribute of several values.
    """
    there = [one.oid for one in found.attributes]
    if PKCS9 in there:
        there.remove(PKCS9)
    return [oid.dotted_string for oid in there]
