"""Keys as the library has them: recipients, identities out of files, and the key of an archive of its own.

An identity is a secret key. Nothing of one is part of an error.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import pyrage

from kubectl_admin.backup import layout
from kubectl_admin.backup.facts import Kind, Piece
from kubectl_admin.backup.recipients import Way, recipient
from kubectl_admin.backup.seal import passphrase
from kubectl_admin.errors import AdminError, UsageError

# The library has no types.
Public: TypeAlias = Any
Identity: TypeAlias = Any
# The passphrase of a file, by its title.
Ask = Callable[[str], str]

LIMIT = 1 << 20  # bytes of a file of identities
MANY = 100
PEM = b"-----BEGIN "
PLUGIN = "AGE-PLUGIN-"


@dataclass(frozen=True, slots=True)
class ArchiveKey:
    """A key that was made for one archive, to be stored in it.

    recipient: to whom its pieces are encrypted. head: the piece to write. stored: its content.
    """

    recipient: str
    head: Piece
    stored: bytes


def public(texts: Iterable[str]) -> list[Public]:
    """Recipients, as `recipients.recipient` has their texts. Raises UsageError."""
    return [_public(text) for text in texts]


def under_passphrase(words: str, work: int = passphrase.WORK) -> ArchiveKey:
    """A new key for an archive, under a passphrase. work: as passphrase.sealed has it."""
    identity = pyrage.x25519.Identity.generate()
    text = f"{identity}\n".encode()
    head = replace(layout.head(Kind.KEY), unpacked=len(text))
    return ArchiveKey(str(identity.to_public()), head, passphrase.sealed(text, words, work))


def identities(data: bytes, title: str, ask: Ask) -> list[Identity]:
    """The identities in a file: of age, one a line; of age under a passphrase; or a private key of SSH.

    title: the file's name in errors. ask: is asked for a passphrase where one is needed. Raises UsageError.
    """
    if len(data) > LIMIT:
        raise UsageError(f"{title} is too long for a file of secret keys")
    if passphrase.is_under_passphrase(data):
        data = _opened(data, title, ask)
    if data.lstrip().startswith(PEM):
        return [_of_ssh(data, title)]
    found = [
        _of_age(line, f"{title}, line {number}")
        for number, line in enumerate(data.decode("utf-8", "replace").splitlines(), 1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    if not found:
        raise UsageError(f"{title} holds no secret key", "name the file that age-keygen has written")
    if len(found) > MANY:
        raise UsageError(f"{title} holds more than {MANY} secret keys")
    return found


def of_archive(stored: bytes, title: str, ask: Ask) -> list[Identity]:
    """The identity in an archive's own key. title: the archive's name in errors. Raises AdminError."""
    try:
        text = passphrase.opened(stored, lambda: ask(title))
    except passphrase.WrongPassphraseError:
        raise AdminError(f"{title}: the passphrase is not the one of its key.age") from None
    except passphrase.WorkError:
        raise AdminError(
            f"{title}: its key.age asks for more work than a passphrase is worth", "who made this archive?"
        ) from None
    except passphrase.NotSealedError:
        raise AdminError(
            f"{title}: its key.age is not as kubectl admin writes it", "take another archive"
        ) from None
    return identities(text, f"{title}: key.age", ask)


def _public(text: str) -> Public:
    known = recipient(text)
    way = {
        Way.X25519: pyrage.x25519,
        Way.TAG: pyrage.tag,
        Way.TAGPQ: pyrage.tagpq,
        Way.SSH: pyrage.ssh,
    }[known.way]
    try:
        return way.Recipient.from_str(known.text)
    except pyrage.RecipientError:
        raise UsageError(
            f"{known.text[:24]}… is not a recipient: a part of it is missing or wrong", "copy it once more"
        ) from None


def _of_age(line: str, title: str) -> Identity:
    said = line.strip()
    if said.upper().startswith(PLUGIN):
        raise UsageError(
            f"{title} is a key of a plugin of age, which is not used here",
            "open the archive with age itself: docs/backup.md shows how",
        )
    try:
        return pyrage.x25519.Identity.from_str(said)
    except pyrage.IdentityError:
        hint = "name the file that age-keygen has written, and not the public key"
        raise UsageError(f"{title} is not a secret key of age", hint) from None


def _of_ssh(data: bytes, title: str) -> Identity:
    try:
        return pyrage.ssh.Identity.from_buffer(data)
    except pyrage.IdentityError:
        raise UsageError(
            f"{title} is not a secret key of SSH that is used here: ed25519 or RSA, without a passphrase",
            "take the passphrase off a copy: ssh-keygen -p -N '' -f COPY",
        ) from None


def _opened(data: bytes, title: str, ask: Ask) -> bytes:
    try:
        return passphrase.opened(data, lambda: ask(title))
    except passphrase.WrongPassphraseError:
        raise UsageError(f"the passphrase is not the one of {title}") from None
    except (passphrase.WorkError, passphrase.NotSealedError):
        raise UsageError(f"{title} can't be opened by a passphrase here", "open it first: age -d") from None
