"""To whom a backup is encrypted, as a person writes it: one recipient, or a file of them. Pure.

A secret key that is given in place of a recipient is refused before anything else is done, and is never part
of a message: whoever has it in a command line, or in a CronJob, has lost it already.

Source: age-encryption.org/v1 (age, rage); sshd(8), «AUTHORIZED_KEYS FILE FORMAT».
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from kubectl_admin.errors import UsageError
from kubectl_admin.report.text import printable

# Beginnings of what must stay secret: keys of age, of its plugins, and private keys in PEM.
SECRETS = ("age-secret-key-", "age-plugin-", "-----begin ")
# Bech32: the alphabet of what follows the last «1». The library checks the rest.
AGE = re.compile(r"age1(?:(?P<kind>[a-z0-9-]+)1)?[02-9ac-hj-np-z]{6,}")
SSH = re.compile(r"(?P<kind>ssh-ed25519|ssh-rsa) (?P<key>[A-Za-z0-9+/]+=*)(?: .*)?")
OTHER_SSH = ("ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-", "ssh-dss")
SHOWN = 24  # characters of a recipient, for a person
LIMIT = 1 << 20  # characters of a file
MANY = 100  # recipients


class Way(StrEnum):
    """How a recipient's key works."""

    X25519 = "x25519"
    TAG = "tag"  # of a key in hardware
    TAGPQ = "tagpq"  # the same, and post-quantum
    SSH = "ssh"


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody to whom a backup is encrypted. text: the public key, as age writes it, without a comment."""

    way: Way
    text: str


def recipient(text: str) -> Recipient:
    """The recipient in a text. Raises UsageError, with nothing of a secret in it."""
    said = text.strip()
    if is_secret(said):
        raise UsageError(
            "a secret key was given as a recipient: take it for known to others from now on",
            "make a new one (age-keygen -o key.txt), and give its public key, which begins with age1",
        )
    if found := SSH.fullmatch(said):
        return Recipient(Way.SSH, f"{found['kind']} {found['key']}")
    if said.startswith(OTHER_SSH):
        raise UsageError(
            f"an SSH key of the kind {said.split()[0][:SHOWN]!r} can't be encrypted to",
            "give one of ssh-ed25519 or ssh-rsa, or a key of age",
        )
    found = AGE.fullmatch(said)
    if not found:
        raise UsageError(
            f"{shown(said)!r} is not a recipient",
            "give a public key of age (age1…) or of SSH (ssh-ed25519 …)",
        )
    kind = found["kind"]
    if kind and kind not in (Way.TAG, Way.TAGPQ):
        raise UsageError(
            f"a recipient of the kind age1{kind[:SHOWN]}1… needs a program of its own",
            "give a public key of age that begins with age1, age1tag1 or age1tagpq1, or of SSH",
        )
    return Recipient(Way(kind) if kind else Way.X25519, said)


def shown(text: str) -> str:
    """A recipient for a person, whoever has written it: its beginning."""
    return printable(text[:SHOWN]) + ("…" if len(text) > SHOWN else "")


def recipients(text: str, title: str) -> tuple[Recipient, ...]:
    """Those in a file, one a line; lines that are empty or begin with «#» are passed over.

    title: the file's name in errors. Raises UsageError, also for a file without any.
    """
    if len(text) > LIMIT:
        raise UsageError(f"{title} is too long for a file of recipients")
    found: dict[Recipient, None] = {}
    for number, line in enumerate(text.splitlines(), 1):
        said = line.strip()
        if not said or (said.startswith("#") and not is_secret(said.lstrip("# "))):
            continue
        try:
            found.setdefault(recipient(said.lstrip("# ") if said.startswith("#") else said))
        except UsageError as error:
            raise UsageError(f"{title}, line {number}: {error.what}", error.hint) from None
    if not found:
        raise UsageError(f"{title} holds no recipient", "write one a line, as age1…")
    if len(found) > MANY:
        raise UsageError(f"{title} holds more than {MANY} recipients")
    return tuple(found)


def is_secret(text: str) -> bool:
    """Whether a text begins as a secret key does."""
    return text.lower().startswith(SECRETS)
