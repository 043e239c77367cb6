"""The authority of a snapshot, and the keys by which it is encrypted, against those of the nodes. Pure."""

from collections.abc import Iterator

from kubectl_admin.etcd.restore import rules
from kubectl_admin.etcd.restore.judge.forcing import SUBJECT, unless
from kubectl_admin.etcd.restore.look.facts import ControlPlane, Forced, LiveFacts, Sealed, SnapshotFacts
from kubectl_admin.etcd.stored.encryption import Opened, Trial, opened
from kubectl_admin.etcd.stored.values import ENCRYPTED
from kubectl_admin.finding import Finding
from kubectl_admin.report.text import printable, some_of


def of_authority(file: SnapshotFacts, live: LiveFacts, forced: Forced) -> Iterator[Finding]:
    """The authorities that the snapshot gives to pods and to joining nodes, against those of the nodes.

    Each by itself: who joins trusts ConfigMap cluster-info alone.
    """
    if file.authorities.why:
        yield rules.AUTHORITY.warning(
            subject=SUBJECT,
            evidence=f"not every authority that it names is known: {printable(file.authorities.why)}",
            fix="afterwards, compare ConfigMap kube-public/cluster-info with /etc/kubernetes/pki/ca.crt",
        )
    for node in live.nodes.values():
        here = node.authorities
        if here.why:
            yield rules.AUTHORITY.warning(
                subject=f"node {node.name}",
                evidence=f"its authority is not known: {printable(here.why)}",
                objects=_objects(node),
            )
    for name, fingerprints in file.authorities.given.items():
        strangers = [node for node in live.nodes.values() if _is_stranger(fingerprints, node)]
        if not strangers:
            continue
        yield rules.AUTHORITY.finding(
            unless(forced.authority),
            subject=SUBJECT,
            evidence=(
                f"its ConfigMap {name} names authority {_short(fingerprints)}, and these nodes have others: "
                f"{some_of([node.name for node in strangers])}"
            ),
            fix=(
                "put the authority of then back first; if joining nodes and pods are to be given the new one "
                "afterwards: --force-authority"
            ),
            objects=[object_ for node in strangers for object_ in _objects(node)],
        )


def of_encryption(file: SnapshotFacts, live: LiveFacts, forced: Forced) -> Iterator[Finding]:
    """Values that an API server could not read: of each way of encryption some are really decrypted."""
    for node in live.nodes.values():
        if node.encryption is None and any(one.encrypted for one in file.sealed):
            yield rules.UNDECRYPTABLE.finding(
                unless(forced.encryption),
                subject=f"node {node.name}",
                evidence=f"its keys of encryption are not known: {printable(node.encryption_why)}",
                fix="see that its host can be asked; if its API server has the keys: --force-encryption",
                objects=_objects(node),
            )
    for one in file.sealed:
        refused = [(node, tried) for node, tried in _tries(one, live) if tried.trial is Trial.REFUSED]
        unknown = [(node, tried) for node, tried in _tries(one, live) if tried.trial is Trial.UNKNOWN]
        subject = _title(one)
        if refused:
            names = list(dict.fromkeys(node.name for node, _ in refused))
            yield rules.UNDECRYPTABLE.finding(
                unless(forced.encryption),
                subject=subject,
                evidence=f"they can't be read on {some_of(names)}: {printable(refused[0][1].why)}",
                fix=(
                    "add the key of then to the EncryptionConfiguration of every API server, behind the "
                    "present one; if they are to be lost: --force-encryption"
                    if one.encrypted
                    else "add «identity: {}» as the last provider; if they are to be lost: --force-encryption"
                ),
                objects=[f"node/{name}" for name in names],
            )
        elif unknown:
            yield rules.PLUGIN_KEY.warning(
                subject=subject,
                evidence=f"whether they can be decrypted is not known: {printable(unknown[0][1].why)}",
                fix="ask whoever runs the plugin whether it has every key since the snapshot",
            )


def _tries(one: Sealed, live: LiveFacts) -> Iterator[tuple[ControlPlane, Opened]]:
    """Each sample with each node whose configuration is known."""
    for node in live.nodes.values():
        if node.encryption is not None:
            providers = node.encryption.providers(one.group, one.resource)
            for value in one.values:
                yield node, opened(providers, value.key, value.data)


def _title(one: Sealed) -> str:
    resource = f"{one.resource}.{one.group}".rstrip(".")
    if not one.encrypted:
        return f"{resource} that are not encrypted"
    how = printable(one.encrypted.removeprefix(ENCRYPTED.decode()).rstrip(":"))
    return f"{one.count:,} {resource} encrypted by {how or 'an unknown provider'}"


def _is_stranger(given: frozenset[str], node: ControlPlane) -> bool:
    """Whether the node's authorities are known, and none of them is given."""
    here = node.authorities
    return not here.why and not here.fingerprints & given


def _objects(node: ControlPlane) -> tuple[str, ...]:
    return (f"node/{node.name}",)


def _short(found: frozenset[str]) -> str:
    return some_of([f"{each[:12]}…" for each in sorted(found)])
