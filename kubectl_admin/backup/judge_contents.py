"""Whether a cluster can be brought back from what an archive holds. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from kubectl_admin.backup import chains, rules
from kubectl_admin.backup import judge as lacking
from kubectl_admin.backup.contents import Contents
from kubectl_admin.backup.differences import Keys
from kubectl_admin.backup.facts import Kind, Lost, Manifest
from kubectl_admin.backup.judge import SavedFiles
from kubectl_admin.etcd.restore.look.facts import Sealed, SnapshotFacts
from kubectl_admin.etcd.stored.encryption import Opened, Trial, opened
from kubectl_admin.etcd.stored.values import ENCRYPTED
from kubectl_admin.finding import Finding, Severity
from kubectl_admin.report.text import printable, some_of

SNAPSHOT = "the snapshot"
ANOTHER = "take another archive, and look at the cluster: kubectl admin etcd-status"


@dataclass(frozen=True, slots=True)
class Tried:
    """The values of a resource that are encrypted in one way, and what became of one on each node.

    outcomes: by node; empty where the archive has no node's configuration.
    """

    sealed: Sealed
    outcomes: Mapping[str, Opened]

    @property
    def title(self) -> str:
        """«secrets encrypted by aescbc:v1:key1»."""
        resource = f"{self.sealed.resource}.{self.sealed.group}".rstrip(".")
        how = self.sealed.encrypted.removeprefix(ENCRYPTED.decode()).rstrip(":")
        return f"{printable(resource)} encrypted by {printable(how) or 'an unknown provider'}"

    @property
    def trial(self) -> Trial:
        """The worst outcome."""
        found = {one.trial for one in self.outcomes.values()}
        return next(
            (each for each in (Trial.REFUSED, Trial.UNKNOWN) if each in found or not found), Trial.OPENED
        )


@dataclass(frozen=True, slots=True)
class Judged:
    """The outcome. tried: the encrypted values, in their order."""

    findings: tuple[Finding, ...]
    tried: tuple[Tried, ...] = ()


def judge(contents: Contents, now: datetime) -> Judged:
    """All that is wrong with it, the worst first."""
    manifest = contents.manifest
    saved = {one.node: one.saved(_unread(manifest, one.node)) for one in contents.nodes}
    keys = [one.keys for one in saved.values() if one.keys]
    tried = _tried(contents.snapshot, keys)
    found = [
        *(_of_snapshot(contents.snapshot, manifest) if contents.snapshot else ()),
        *(_of_authorities(contents.snapshot, keys) if contents.snapshot else ()),
        *_of_encryption(tried, has_files=bool(saved)),
        *(finding for node in contents.nodes for finding in chains.judge(node, now)),
        *_of_files(manifest, saved),
    ]
    order = list(Severity)
    return Judged(tuple(sorted(found, key=lambda one: order.index(one.severity))), tuple(tried))


def _unread(manifest: Manifest, node: str) -> dict[str, str]:
    return {lost.what: lost.why for lost in manifest.lost if lost.node == node and lost.what.startswith("/")}


def _of_files(manifest: Manifest, saved: Mapping[str, SavedFiles]) -> Iterator[Finding]:
    """What the archive lacks, and what no archive can bring back: always."""
    if Kind.FILES in manifest.kinds or not manifest.kinds:
        found = lacking.judge(manifest.nodes, saved)
        yield from found
        told = {one.subject for one in found}
    else:
        told = set()
        yield rules.NO_FILES.warning(
            subject="the archive",
            evidence="it holds no control plane's files: without its keys a snapshot brings no cluster back",
            fix="keep one with --only files beside it",
        )
    if Kind.ETCD not in manifest.kinds:
        yield rules.NO_SNAPSHOT.warning(
            subject="the archive",
            evidence="it holds no snapshot of etcd",
            fix="keep one with --only etcd beside it",
        )
    yield from lacking.of_lost([one for one in _lost(manifest) if printable(one.what) not in told])


def _lost(manifest: Manifest) -> Iterator[Lost]:
    yield from manifest.lost
    drivers: dict[str, int] = {}
    for volume in manifest.volumes:
        drivers[volume.driver] = drivers.get(volume.driver, 0) + 1
    for driver, count in sorted(drivers.items()):
        yield Lost(
            f"the data of {count:,} volume{'s' if count > 1 else ''} of {driver or 'no driver'}",
            "only their objects and handles are",
        )


def _of_snapshot(snapshot: SnapshotFacts, manifest: Manifest) -> Iterator[Finding]:
    verdict = snapshot.verdict
    yield from verdict.findings
    if verdict.snapshot is None:
        return
    if verdict.snapshot.hash_right is None:
        yield rules.OTHER_SNAPSHOT.violation(
            subject=SNAPSHOT,
            evidence="it came without its sha256: nothing shows that it is what etcd sent",
            fix=ANOTHER,
        )
    told = manifest.database
    if told and snapshot.revision != told.revision:
        yield rules.OTHER_SNAPSHOT.violation(
            subject=SNAPSHOT,
            evidence=f"its last revision is {snapshot.revision}, and the manifest says {told.revision}",
            fix=ANOTHER,
        )
    if snapshot.cluster.text and snapshot.cluster.text != manifest.uid:
        yield rules.OTHER_CLUSTER.violation(
            subject=SNAPSHOT,
            evidence=(
                f"namespace kube-system has the UID {printable(snapshot.cluster.text)} in it, and "
                f"{printable(manifest.uid)} in the manifest"
            ),
            fix=ANOTHER,
        )
    elif not snapshot.cluster.text:
        yield rules.OTHER_CLUSTER.warning(
            subject=SNAPSHOT,
            evidence=f"it is not known whose it is: {printable(snapshot.cluster.why)}",
        )


def _of_authorities(snapshot: SnapshotFacts, keys: Sequence[Keys]) -> Iterator[Finding]:
    """The authorities that pods and joining nodes are given, against those in the files."""
    if snapshot.authorities.why and keys:
        yield rules.OTHER_AUTHORITY.warning(
            subject=SNAPSHOT,
            evidence=f"not every authority that it names is known: {printable(snapshot.authorities.why)}",
        )
    for name, given in snapshot.authorities.given.items():
        strangers = [one.node for one in keys if (here := one.authorities.get("ca")) and not here & given]
        if strangers:
            yield rules.OTHER_AUTHORITY.violation(
                subject=f"ConfigMap {name}",
                evidence=f"it names another authority than the files of {some_of(strangers)}",
                fix="was the authority replaced? put that ConfigMap right, then make another backup",
                objects=[f"node/{node}" for node in strangers],
            )


def _tried(snapshot: SnapshotFacts | None, keys: Sequence[Keys]) -> list[Tried]:
    known = [one for one in keys if one.encryption is not None]
    return [
        Tried(sealed, {one.node: _outcome(sealed, one) for one in known})
        for sealed in (snapshot.sealed if snapshot else ())
        if sealed.encrypted
    ]


def _outcome(sealed: Sealed, keys: Keys) -> Opened:
    """The worst of the values that were kept: the oldest and the newest."""
    providers = keys.encryption.providers(sealed.group, sealed.resource) if keys.encryption else ()
    found = [opened(providers, value.key, value.data) for value in sealed.values]
    order = [Trial.REFUSED, Trial.UNKNOWN, Trial.OPENED]
    return min(
        found, key=lambda one: order.index(one.trial), default=Opened(Trial.UNKNOWN, why="no value is there")
    )


def _of_encryption(tried: Sequence[Tried], *, has_files: bool) -> Iterator[Finding]:
    for one in tried:
        refused = {node: each for node, each in one.outcomes.items() if each.trial is Trial.REFUSED}
        unknown = {node: each for node, each in one.outcomes.items() if each.trial is Trial.UNKNOWN}
        if refused:
            yield rules.UNDECRYPTABLE.violation(
                subject=one.title,
                evidence=f"the keys of {some_of(list(refused))} do not open them: {_why(refused)}",
                fix="make a backup whose files have every key that is still in use",
                objects=[f"node/{node}" for node in refused],
            )
        elif unknown or not one.outcomes:
            why = _why(unknown) if unknown else "no control plane's configuration is known"
            why = why if has_files or unknown else "the archive holds no files"
            yield rules.UNDECRYPTABLE.warning(
                subject=one.title,
                evidence=f"whether they can be opened is not known: {why}",
                fix="keep the keys that open them: of a KMS plugin, wherever it has them",
            )


def _why(outcomes: Mapping[str, Opened]) -> str:
    return printable(next(iter(outcomes.values())).why)
