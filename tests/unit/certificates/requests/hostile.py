"""Requests that say one thing to one parser and another to the next, byte by byte.

Each is a kubelet's own request with something in it that a reader may pass over: as a table, so that the
rules and a real signer are held against the very same.
"""

from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from kubectl_admin.certificates.der import INTEGER, OBJECT, OCTETS, SEQUENCE, SET, tlv
from kubectl_admin.certificates.requests.pkcs10 import (
    ALTERNATIVE_NAMES,
    COMMON_NAME,
    CRITICAL,
    EXTENSION_REQUEST,
    ORGANIZATION,
    PRINTABLE,
    UTF8,
    VERSION,
)
from tests.unit.certificates.requests.samples import KEY, armored

BITS, TELETEX, IA5, UNIVERSAL, BMP = 0x03, 0x14, 0x16, 0x1C, 0x1E
MICROSOFT = b"\x2b\x06\x01\x04\x01\x82\x37\x02\x01\x0e"  # 1.3.6.1.4.1.311.2.1.14, of certificates' extensions
CHALLENGE = b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x07"  # challengePassword
BASIC_CONSTRAINTS, KEY_USAGE, UNKNOWN = b"\x55\x1d\x13", b"\x55\x1d\x0f", b"\x2a\x03\x04"
ECDSA = tlv(SEQUENCE, tlv(OBJECT, b"\x2a\x86\x48\xce\x3d\x04\x03\x02"))
KEY_DER = KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
SURPLUS = tlv(INTEGER, b"\x01")


def signed(tbs: bytes, *more: bytes) -> bytes:
    """The request with this content, signed with the key that it is for, in DER. more: behind all of it."""
    signature = KEY.sign(tbs, ec.ECDSA(hashes.SHA256()))
    return tlv(SEQUENCE, tbs, ECDSA, tlv(BITS, b"\0", signature), *more)


def names_of(*names: x509.GeneralName) -> bytes:
    """The value of an extension of alternative names."""
    return x509.SubjectAlternativeName(names).public_bytes()


def extension(value: bytes, oid: bytes = ALTERNATIVE_NAMES, *more: bytes, critical: bytes = b"") -> bytes:
    """An extension. more: behind its value."""
    return tlv(SEQUENCE, tlv(OBJECT, oid), critical, tlv(OCTETS, value), *more)


def attribute(*values: bytes, oid: bytes = EXTENSION_REQUEST, more: bytes = b"") -> bytes:
    """An attribute with its values. more: behind them."""
    return tlv(SEQUENCE, tlv(OBJECT, oid), tlv(SET, *values), more)


def rdn(*parts: tuple[bytes, int, bytes]) -> bytes:
    """One step of a subject's name, of an identifier, a kind of text, and a text; of several at once."""
    return tlv(SET, *(tlv(SEQUENCE, tlv(OBJECT, oid), tlv(kind, text)) for oid, kind, text in parts))


class Forger:
    """Who asks for what is not his. node: whose kubelet asks. own, foreign: its names, and the others."""

    def __init__(
        self, node: str, own: Sequence[x509.GeneralName], foreign: Sequence[x509.GeneralName]
    ) -> None:
        self.common_name = f"system:node:{node}".encode()
        self.nodes, self.own_cn = (
            (ORGANIZATION, PRINTABLE, b"system:nodes"),
            (COMMON_NAME, PRINTABLE, self.common_name),
        )
        self.subject = tlv(SEQUENCE, rdn(self.nodes), rdn(self.own_cn))
        self.own, self.foreign = names_of(*own), names_of(*foreign)
        self.good = attribute(tlv(SEQUENCE, extension(self.own)))
        self.evil = attribute(tlv(SEQUENCE, extension(self.foreign)))

    def tbs(
        self, *attributes: bytes, subject: bytes = b"", version: bytes = VERSION, more: bytes = b""
    ) -> bytes:
        """What is signed. more: behind all of it."""
        return tlv(SEQUENCE, version, subject or self.subject, KEY_DER, tlv(0xA0, *attributes), more)

    def honest(self) -> bytes:
        """The kubelet's own request, in PEM."""
        return armored(signed(self.tbs(self.good)))

    def two_parsers(self) -> bytes:
        """Its own names for who reads the first attribute, and foreign ones for Go."""
        microsoft = attribute(tlv(SEQUENCE, extension(self.own)), oid=MICROSOFT)
        return armored(signed(self.tbs(microsoft, self.evil)))

    def table(self) -> dict[str, bytes]:
        """What is wrong with each -> the request in PEM."""
        whole = signed(self.tbs(self.good))
        return {
            **{name: armored(signed(self.tbs(*each))) for name, each in self.attributes().items()},
            **{
                name: armored(signed(self.tbs(self.good, subject=tlv(SEQUENCE, *each))))
                for name, each in self.subjects().items()
            },
            "another version": armored(signed(self.tbs(self.good, version=tlv(INTEGER, b"\x01")))),
            "something behind the attributes": armored(signed(self.tbs(self.good, more=SURPLUS))),
            "something behind the signature": armored(signed(self.tbs(self.good), SURPLUS)),
            "something behind the request": armored(whole + SURPLUS),
            "another request behind it": armored(whole + signed(self.tbs(self.evil))),
            "another block behind it": armored(whole) + armored(signed(self.tbs(self.evil))),
            "another block before it": armored(signed(self.tbs(self.evil))) + armored(whole),
            "headers": armored(whole).replace(b"REQUEST-----\n", b"REQUEST-----\nA: b\n\n", 1),
            "a length of more bytes than it takes": armored(b"\x30\x83\0" + whole[2:]),
            "a length that is not told": armored(b"\x30\x80" + whole[4:] + b"\0\0"),
        }

    def attributes(self) -> dict[str, list[bytes]]:
        """What is wrong with the attributes -> the attributes."""
        own, foreign = extension(self.own), extension(self.foreign)
        both = tlv(SEQUENCE, own), tlv(SEQUENCE, foreign)
        challenge = attribute(tlv(UTF8, b"secret"), oid=CHALLENGE)
        authority = extension(tlv(SEQUENCE, CRITICAL), BASIC_CONSTRAINTS, critical=CRITICAL)
        kinds = self.own[2:]  # the names without their frame
        return {
            "Microsoft's attribute first": [attribute(both[0], oid=MICROSOFT), self.evil],
            "Microsoft's attribute last": [self.good, attribute(both[1], oid=MICROSOFT)],
            "Microsoft's attribute alone": [attribute(both[0], oid=MICROSOFT)],
            "two attributes": [self.good, self.evil],
            "the same attribute twice": [self.good, self.good],
            "one for names and one for another extension": [self.good, attribute(tlv(SEQUENCE, authority))],
            "an attribute without values first": [attribute(), self.evil],
            "an attribute without extensions first": [attribute(tlv(SEQUENCE)), self.evil],
            "two values": [attribute(*both)],
            "two values, the other way round": [attribute(*reversed(both))],
            "something behind the values": [attribute(both[0], more=tlv(SET, both[1]))],
            "names twice": [attribute(tlv(SEQUENCE, own, foreign))],
            "something behind an extension": [
                attribute(tlv(SEQUENCE, extension(self.own, ALTERNATIVE_NAMES, SURPLUS)))
            ],
            "names behind the names": [attribute(tlv(SEQUENCE, extension(self.own + self.foreign)))],
            "a challenge password": [challenge, self.good],
            "an attribute that is none": [tlv(SEQUENCE, SURPLUS), self.good],
            "an authority": [attribute(tlv(SEQUENCE, own, authority))],
            "a usage": [attribute(tlv(SEQUENCE, own, extension(b"\x03\x02\x02\x04", KEY_USAGE)))],
            "an unknown extension": [attribute(tlv(SEQUENCE, own, extension(b"\x05\0", UNKNOWN)))],
            "an unknown critical one": [
                attribute(tlv(SEQUENCE, own, extension(b"\x05\0", UNKNOWN, critical=CRITICAL)))
            ],
            "critical said to be false": [
                attribute(tlv(SEQUENCE, extension(self.own, critical=b"\x01\x01\x00")))
            ],
            "a name within a frame": [self._named(kinds, tlv(0xA2, tlv(IA5, b"kubernetes")))],
            "a name of another kind": [self._named(kinds, tlv(0x88, b"\x2a\x03\x04"))],
            "an email": [self._named(kinds, tlv(0x81, b"root@example.com"))],
            "a URI": [self._named(kinds, tlv(0x86, b"spiffe://cluster.local/root"))],
            "an address of five bytes": [self._named(kinds, tlv(0x87, b"\x0a\x60\0\x01\0"))],
            "a network": [self._named(kinds, tlv(0x87, b"\x0a\0\0\0\xff\0\0\0"))],
            "a name with a zero in it": [self._named(kinds, tlv(0x82, b"kubernetes\0.example.com"))],
            "an empty name": [self._named(kinds, tlv(0x82))],
            "foreign names": [self.evil],
            "own and foreign names": [
                attribute(tlv(SEQUENCE, extension(tlv(SEQUENCE, kinds, self.foreign[2:]))))
            ],
        }

    @staticmethod
    def _named(kinds: bytes, more: bytes) -> bytes:
        return attribute(tlv(SEQUENCE, extension(tlv(SEQUENCE, kinds, more))))

    def subjects(self) -> dict[str, list[bytes]]:
        """What is wrong with the subject -> its steps."""
        nodes, own, masters = self.nodes, self.own_cn, (ORGANIZATION, PRINTABLE, b"system:masters")
        other = (COMMON_NAME, PRINTABLE, b"system:node:cp-1")
        text = self.common_name.decode()
        return {
            "organization and common name in one step": [rdn(nodes, own)],
            "another organization": [rdn(nodes), rdn(masters), rdn(own)],
            "another organization in the same step": [rdn(nodes, masters), rdn(own)],
            "the organization twice": [rdn(nodes), rdn(nodes), rdn(own)],
            "another common name last": [rdn(nodes), rdn(own), rdn(other)],
            "another common name first": [rdn(nodes), rdn(other), rdn(own)],
            "another common name in the same step": [rdn(nodes), rdn(own, other)],
            "an empty step": [rdn(nodes), tlv(SET), rdn(own)],
            "a serial number": [rdn(nodes), rdn(own), rdn((b"\x55\x04\x05", PRINTABLE, b"1"))],
            "a common name that is bits": [rdn(nodes), rdn((COMMON_NAME, BITS, b"\0" + self.common_name))],
            "a common name in Teletex": [rdn(nodes), rdn((COMMON_NAME, TELETEX, self.common_name))],
            "a common name in IA5": [rdn(nodes), rdn((COMMON_NAME, IA5, self.common_name))],
            "a common name in two bytes a letter": [
                rdn(nodes),
                rdn((COMMON_NAME, BMP, text.encode("utf-16-be"))),
            ],
            "a common name in four bytes a letter": [
                rdn(nodes),
                rdn((COMMON_NAME, UNIVERSAL, text.encode("utf-32-be"))),
            ],
            "an organization in two bytes a letter": [
                rdn((ORGANIZATION, BMP, "system:nodes".encode("utf-16-be"))),
                rdn(own),
            ],
            "masters that one parser may not read": [
                rdn(nodes),
                rdn((ORGANIZATION, BITS, b"\0system:masters")),
                rdn(own),
            ],
            "a common name with a zero": [rdn(nodes), rdn((COMMON_NAME, UTF8, self.common_name + b"\0"))],
        }
