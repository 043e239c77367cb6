"""Control planes beside each other: each alone is well, and yet a cluster of them is not one. Pure.

Authorities and the keys of service accounts are the same on all control planes of kubeadm, which copies them.
One that differs shows only when it is this node that answers, or this node's files that are brought back.
Keys are compared by their fingerprints; nothing of a key is part of a finding.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import permutations, product

from kubectl_admin.backup import rules
from kubectl_admin.etcd.stored.encryption import IDENTITY, KMS, Encryption, Key, Provider
from kubectl_admin.finding import Finding, Gap, Severity
from kubectl_admin.report.text import some_of

SECRETS = ("", "secrets")
SHORT = 12  # digits of a fingerprint that are shown


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of a control plane, by their fingerprints (SHA-256, in hex) and names.

    authorities: the certificates of each, by its name («ca», «front-proxy-ca», «etcd-ca»).
    foreign: those whose key is there, and is that of another certificate.
    signs: the public keys of those that sign the tokens of service accounts, as far as they are files.
    accepts: the public keys by which the API server checks them. encryption: None where it is not known.
    why: what of all that is not known, in a clause; "" where all is.
    """

    node: str
    authorities: Mapping[str, frozenset[str]]
    foreign: tuple[str, ...] = ()
    signs: frozenset[str] = frozenset()
    accepts: frozenset[str] = frozenset()
    encryption: Encryption | None = field(default=None, repr=False)
    why: str = ""


def judge(control_planes: Sequence[Keys], resources: Sequence[tuple[str, str]] = (SECRETS,)) -> list[Finding]:
    """All in which control planes differ and must not, and what of them is not known.

    resources: by group and name, those whose encryption is compared.
    """
    return [
        *_of_authorities(control_planes),
        *_of_foreign(control_planes),
        *_of_tokens(control_planes),
        *_of_encryption(control_planes, resources),
        *(Gap(f"node {one.node}", one.why).finding() for one in control_planes if one.why),
    ]


def _of_authorities(control_planes: Sequence[Keys]) -> Iterator[Finding]:
    for name in sorted({name for one in control_planes for name in one.authorities}):
        having = [one for one in control_planes if one.authorities.get(name)]
        sides: dict[frozenset[str], list[Keys]] = {}
        for one in having:
            sides.setdefault(one.authorities[name], []).append(one)
        if len(sides) > 1:
            common = frozenset.intersection(*sides)
            # While an authority is replaced, some have the old one and the new one for a time.
            yield rules.AUTHORITIES_DIFFER.finding(
                Severity.WARNING if common else Severity.VIOLATION,
                subject=f"authority {name}",
                evidence="; ".join(f"{_fingerprints(one)} on {_nodes(some)}" for one, some in sides.items()),
                fix="is it being replaced? else put the same files on all control planes",
                objects=_objects(having),
            )


def _of_foreign(control_planes: Sequence[Keys]) -> Iterator[Finding]:
    for name in sorted({name for one in control_planes for name in one.foreign}):
        having = [one for one in control_planes if name in one.foreign]
        yield rules.FOREIGN_KEY.violation(
            subject=f"authority {name}",
            evidence=f"the key on {_nodes(having)} is not that of its certificate",
            fix="copy both files from a control plane that has them right; nothing can be signed by them",
            objects=_objects(having),
        )


def _of_tokens(control_planes: Sequence[Keys]) -> Iterator[Finding]:
    """A token that one control plane signs, and an API server does not accept, at home or elsewhere."""
    refused = [
        (signer, other)
        for signer, other in product(control_planes, repeat=2)
        if other.accepts and not signer.signs <= other.accepts
    ]
    if refused:
        signer, other = refused[0]
        concerned = [one for one in control_planes if any(one in pair for pair in refused)]
        yield rules.SIGNING_KEYS_DIFFER.violation(
            subject="keys of service accounts",
            evidence=(
                f"tokens that {signer.node} signs by {_fingerprints(signer.signs - other.accepts)} are "
                f"refused on {_nodes([each for one, each in refused if one == signer])}"
            ),
            fix="put the same sa.key and sa.pub on all control planes, and restart what has read them",
            objects=_objects(concerned),
        )
    elif len(frozenset().union(*(one.signs for one in control_planes))) > 1:
        yield rules.SIGNING_KEYS_DIFFER.note(
            subject="keys of service accounts",
            evidence="there are several, and each API server accepts them all",
            fix="is one being replaced? let it come to its end",
            objects=_objects(control_planes),
        )


def _of_encryption(control_planes: Sequence[Keys], resources: Sequence[tuple[str, str]]) -> Iterator[Finding]:
    known = [one for one in control_planes if one.encryption is not None]
    for group, resource in resources:
        ways = {one.node: one.encryption.providers(group, resource) for one in known if one.encryption}
        refused = [
            (writer, reader)
            for writer, reader in permutations(known, 2)
            if not _can_read(ways[reader.node], ways[writer.node])
        ]
        title = f"{resource}.{group}".rstrip(".")
        if refused:
            writer, _ = refused[0]
            concerned = [one for one in known if any(one in pair for pair in refused)]
            yield rules.ENCRYPTION_DIFFERS.violation(
                subject=f"encryption of {title}",
                evidence=(
                    f"{writer.node} writes them by {_way(ways[writer.node])}, which "
                    f"{_nodes([each for one, each in refused if one == writer])} can't read"
                ),
                fix="add that key to the EncryptionConfiguration of every API server, and restart them",
                objects=_objects(concerned),
            )
        elif len({tuple(map(_named, way)) for way in ways.values()}) > 1:
            yield rules.ENCRYPTION_DIFFERS.warning(
                subject=f"encryption of {title}",
                evidence=f"they differ on {_nodes(known)}, and each can read what the others write",
                fix="is a key being replaced? let it come to its end",
                objects=_objects(known),
            )


def _can_read(reader: Sequence[Provider], writer: Sequence[Provider]) -> bool:
    """Whether an API server with the one list of providers reads what one with the other list writes."""
    first = writer[0] if writer else Provider(IDENTITY)
    if first.kind == IDENTITY:
        return not reader or any(one.kind == IDENTITY for one in reader)
    if first.kind == KMS:
        return any((one.kind, one.name, one.version) == (KMS, first.name, first.version) for one in reader)
    return any(_has(one, first.kind, first.keys[0]) for one in reader) if first.keys else False


def _has(provider: Provider, kind: str, key: Key) -> bool:
    return provider.kind == kind and any(one == key for one in provider.keys)


def _named(provider: Provider) -> tuple[object, ...]:
    return (provider.kind, provider.keys, provider.name, provider.version)


def _way(providers: Sequence[Provider]) -> str:
    first = providers[0] if providers else Provider(IDENTITY)
    if first.kind == IDENTITY:
        return "no key"
    return " ".join([first.kind, first.name or (first.keys[0].name if first.keys else "")]).strip()


def _fingerprints(found: frozenset[str]) -> str:
    return some_of([f"{each[:SHORT]}…" for each in sorted(found)])


def _nodes(control_planes: Sequence[Keys]) -> str:
    return some_of([one.node for one in control_planes])


def _objects(control_planes: Sequence[Keys]) -> list[str]:
    return [f"node/{one.node}" for one in control_planes]
