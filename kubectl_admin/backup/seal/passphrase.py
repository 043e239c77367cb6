"""A few bytes under a passphrase, as age has them. Pure, but for chance.

The library measures the machine, and asks for the work that takes it a second: on a busy machine so little
that a passphrase is soon guessed, and on a slow one it refuses what a fast one has made. Here the work is
always age's own, and whatever was made here is opened here.

Source: C2SP age.md, «The scrypt recipient type», «Header», «Payload».
"""

import re
import secrets
from base64 import b64decode, b64encode
from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import constant_time
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

WORK = 18  # the logarithm of scrypt's N: 256 MiB, a second
MOST = 20  # of what others have made: 1 GiB
LABEL = b"age-encryption.org/v1/scrypt"
BEGINNING = b"age-encryption.org/v1\n"
FORM = re.compile(
    rb"(?P<head>age-encryption\.org/v1\n"
    rb"-> scrypt (?P<salt>[A-Za-z0-9+/]{22}) (?P<work>[1-9][0-9]?)\n"
    rb"(?P<body>[A-Za-z0-9+/]{43})\n---) (?P<mac>[A-Za-z0-9+/]{43})\n(?P<nonce>.{16})(?P<payload>.{16,})",
    re.DOTALL,
)
FIRST = bytes(12)  # nonce of what is encrypted once
LAST = bytes(11) + b"\1"  # nonce of a payload's first chunk that is its last
CHUNK = 64 << 10  # bytes; no more are taken


class NotSealedError(ValueError):
    """Bytes are not as age writes them under a passphrase."""


class WorkError(ValueError):
    """Bytes ask for more work than is done for them."""


class WrongPassphraseError(ValueError):
    """Bytes are not under this passphrase."""


def sealed(data: bytes, passphrase: str, work: int = WORK) -> bytes:
    """Bytes, at most CHUNK, under a passphrase."""
    key, salt, nonce = (secrets.token_bytes(16) for _ in range(3))
    body = ChaCha20Poly1305(_wrapping(passphrase, salt, work)).encrypt(FIRST, key, None)
    head = b"%s-> scrypt %s %d\n%s\n---" % (BEGINNING, _base64(salt), work, _base64(body))
    payload = ChaCha20Poly1305(_derived(key, nonce, b"payload")).encrypt(LAST, data, None)
    return head + b" " + _base64(_mac(key, head)) + b"\n" + nonce + payload


def opened(stored: bytes, passphrase: Callable[[], str]) -> bytes:
    """What is in them. passphrase: is asked once, when it is known to be worth it.

    Raises NotSealedError, WorkError, WrongPassphraseError.
    """
    found = FORM.fullmatch(stored) if len(stored) < 2 * CHUNK else None
    if not found:
        raise NotSealedError
    if int(found["work"]) > MOST:
        raise WorkError
    try:
        salt, body, mac = (_bytes(found[name]) for name in ("salt", "body", "mac"))
    except ValueError:
        raise NotSealedError from None
    try:
        wrapping = _wrapping(passphrase(), salt, int(found["work"]))
        key = ChaCha20Poly1305(wrapping).decrypt(FIRST, body, None)
    except InvalidTag:
        raise WrongPassphraseError from None
    if not constant_time.bytes_eq(mac, _mac(key, found["head"])):
        raise NotSealedError
    try:
        payload = ChaCha20Poly1305(_derived(key, found["nonce"], b"payload"))
        return payload.decrypt(LAST, found["payload"], None)
    except InvalidTag:
        raise NotSealedError from None


def is_under_passphrase(stored: bytes) -> bool:
    """Whether bytes begin as those that age has put under a passphrase."""
    return stored.startswith(BEGINNING + b"-> scrypt ")


def _wrapping(passphrase: str, salt: bytes, work: int) -> bytes:
    return Scrypt(salt=LABEL + salt, length=32, n=1 << work, r=8, p=1).derive(passphrase.encode())


def _derived(key: bytes, salt: bytes, info: bytes) -> bytes:
    return HKDF(SHA256(), length=32, salt=salt, info=info).derive(key)


def _mac(key: bytes, head: bytes) -> bytes:
    made = HMAC(_derived(key, b"", b"header"), SHA256())
    made.update(head)
    return made.finalize()


def _bytes(text: bytes) -> bytes:
    data = b64decode(text + b"=" * (-len(text) % 4), validate=True)
    if _base64(data) != text:
        raise ValueError("bits that mean nothing are set")  # another text of the same bytes
    return data


def _base64(data: bytes) -> bytes:
    return b64encode(data).rstrip(b"=")
