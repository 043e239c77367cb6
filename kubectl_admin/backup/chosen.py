"""A person's choices about a backup, checked before anything is asked of a cluster."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from kubectl_admin.backup import given as person
from kubectl_admin.backup import recipients
from kubectl_admin.backup.facts import Kind
from kubectl_admin.backup.recipients import Recipient
from kubectl_admin.backup.run import ALL, Wanted
from kubectl_admin.backup.seal import keys
from kubectl_admin.errors import UsageError

ONLY = {None: ALL, "etcd": frozenset({Kind.ETCD}), "files": ALL - {Kind.ETCD}}


def chosen(
    given: Sequence[str],
    keys_given: Sequence[str],
    passphrase: str | None,
    *,
    plain: bool,
    only: str | None,
) -> Wanted:
    """What is wanted by these options. given, keys_given: recipients, or files of them.

    Raises UsageError for those that do not go together, and for a recipient that is none.
    """
    if plain and (given or keys_given or passphrase is not None):
        raise UsageError(
            "--plain encrypts nothing, and somebody to encrypt to is given", "leave one of them out"
        )
    if keys_given and only == "etcd":
        raise UsageError("--keys-recipient is for the nodes' files, which --only etcd leaves out")
    to, keys_to = tuple(_texts(given)), tuple(_texts(keys_given))
    key = keys.under_passphrase(passphrase) if passphrase is not None else None
    if key:
        to = (*to, key.recipient)
    if only == "files":
        to = to or keys_to
    if not plain and not to:
        raise UsageError(
            "a backup holds every Secret and the cluster's keys, and nobody is given to encrypt it to",
            "--recipient age1… (age-keygen -o key.txt makes one), --passphrase, or --plain",
        )
    keys.public((*to, *keys_to))
    return Wanted(ONLY[only], to, keys_to, key)


def passphrase_of(file: str | None, *, asked: bool) -> str | None:
    """The passphrase in a file, or as a person types it, twice; None where neither is wanted."""
    if file is not None and asked:
        raise UsageError("--passphrase asks for one, and --passphrase-file has one", "leave one of them out")
    if file is not None:
        words = person.first_line(Path(file))
    elif asked:
        words, again = person.typed("Passphrase for the backup: ", "Once more: ")
        if words != again:
            raise UsageError("the two passphrases differ")
    else:
        return None
    if not words:
        raise UsageError("the passphrase is empty")
    return words


def _texts(given: Sequence[str]) -> Iterator[str]:
    found: dict[Recipient, None] = {}
    for one in given:
        # A key is never the name of a file, whatever lies here.
        if not recipients.is_secret(one.strip()) and os.path.isfile(one):  # noqa: PTH113 - any text will do
            text = person.content(Path(one), recipients.LIMIT).decode("utf-8", "replace")
            found |= dict.fromkeys(recipients.recipients(text, one))
        else:
            found[recipients.recipient(one)] = None
    return (each.text for each in found)
