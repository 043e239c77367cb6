"""A snapshot, or this node's own data, judged on a control plane that has no API to be asked."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from kubectl_admin.errors import AdminError, UsageError
from kubectl_admin.etcd.members.etcdctl import Status
from kubectl_admin.etcd.members.facts import DEFAULT_QUOTA, Member, State
from kubectl_admin.etcd.members.pods import Etcd
from kubectl_admin.etcd.restore.judge import of_snapshot
from kubectl_admin.etcd.restore.judge.contents import of_file as of_contents
from kubectl_admin.etcd.restore.local import settings as deciding
from kubectl_admin.etcd.restore.local.settings import OWN, STEP, Settings
from kubectl_admin.etcd.restore.look import gather
from kubectl_admin.etcd.restore.look.authorities import fingerprints
from kubectl_admin.etcd.restore.look.facts import Authorities, ControlPlane, LiveFacts, SnapshotFacts, Told
from kubectl_admin.etcd.restore.look.look import Options
from kubectl_admin.etcd.restore.look.snapshot import of_file
from kubectl_admin.etcd.restore.rules import LOCAL_UNKNOWN
from kubectl_admin.etcd.snapshot.contents import Member as Stored
from kubectl_admin.etcd.snapshot.facts import Verdict
from kubectl_admin.etcd.snapshot.rules import NO_HASH
from kubectl_admin.etcd.stored.encryption import Encryption, Unconfigured, configured
from kubectl_admin.finding import Finding, Severity
from kubectl_admin.node.operation import Operation

CA = Path("/etc/kubernetes/pki/ca.crt")


@dataclass(frozen=True, slots=True)
class ByHand:
    """A person's choices beside Options. members: names; none: all. bump: None: it is found. is_script:
    whether a script is to be printed; else it is this host that restores.
    """

    members: tuple[str, ...] = ()
    bump: int | None = None
    is_script: bool = False


@dataclass(frozen=True, slots=True)
class Own:
    """This node's own data as they are now. facts: None where they could not be read, and why."""

    facts: SnapshotFacts | None = None
    why: str = ""

    @property
    def members(self) -> tuple[Stored, ...]:
        """As its database has them."""
        return self.facts.snapshot.contents.members if self.facts and self.facts.snapshot else ()


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found on this host. host: by name. file: of the snapshot; None for the node's own data."""

    host: Mapping[str, str]
    file: SnapshotFacts | None
    findings: tuple[Finding, ...]
    settings: Settings | None
    words: tuple[str, ...] = field(default=())

    @property
    def is_possible(self) -> bool:
        """Whether nothing forbids it."""
        return self.settings is not None and not any(
            one.severity is Severity.VIOLATION for one in self.findings
        )


def own_data(path: Path, prefix: str, *, read: Callable[..., SnapshotFacts] = of_file) -> Own:
    """The facts of the database that etcd runs with. path: its file. It may be written to meanwhile."""
    try:
        found = read(path, prefix=prefix)
    except AdminError as error:
        return Own(why=error.what)
    if found.objects is None:
        faults = [one.evidence for one in found.verdict.findings if one.severity is Severity.VIOLATION]
        return Own(why=next(iter(faults), "its keys can't be read"))
    return Own(found)


def live_facts(host: Mapping[str, str], own: Own, ca: Path = CA) -> LiveFacts:
    """This host in place of a cluster that nobody can ask."""
    name = host["node"]
    encryption, why = encryption_of(host.get("encryption", ""))
    try:
        known = fingerprints(ca.read_text(encoding="ascii", errors="replace"))
    except OSError as error:
        authorities = Authorities(why=f"{ca}: {error.strerror}")
    else:
        authorities = Authorities(known, "" if known else f"{ca} has no certificate that can be read")
    quota = int(host.get("quota", 0)) or DEFAULT_QUOTA
    status = Status(0, 0, revision_of(host, own) or 0, 0, host["etcd"], 0, 0, 0, 0, 0, quota=max(quota, 0))
    told = own.facts.cluster if own.facts else Told(why=f"this node's data were not read: {own.why}")
    return LiveFacts(
        state=State("this host", "", Etcd((), ()), (Member(None, name, name, status=status),)),
        cluster=told,
        server=Told(host.get("kubernetes", ""), "the tag of kube-apiserver's image tells no version"),
        kubernetes=Told(why="no API was asked"),
        nodes={name: ControlPlane(name, True, (), encryption, why, authorities)},
    )


def encryption_of(path: str) -> tuple[Encryption | None, str]:
    """How the API server of this node encrypts, by its file here; None where that is not known, and why."""
    if not path:
        return Encryption(), ""
    try:
        return configured(gather.document(Path(path).read_text(encoding="utf-8"), path)), ""
    except (OSError, UnicodeDecodeError):
        return None, f"{path} can't be read"
    except AdminError as error:
        return None, error.what
    except Unconfigured as error:
        return None, f"{path}: {error}"


def revision_of(host: Mapping[str, str], own: Own) -> int | None:
    """The newest revision that this node knows: by its etcd, else by its file; None where neither tells."""
    told = [int(host["live"])] if "live" in host else []
    if own.facts and own.facts.revision is not None:
        told.append(own.facts.revision)
    return max(told, default=None)


def look(host: Mapping[str, str], own: Own, file: Path | None, options: Options, choice: ByHand) -> Looked:
    """Judges a restore of this file, or of the node's own data, on this host.

    Raises AdminError for what can't be decided: members, or by how much revisions rise.
    """
    live = live_facts(host, own)
    if file is None:
        return of_own(host, own, options, choice)
    facts = of_file(file, prefix=options.prefix, unseal=gather.unseal(live))
    forced = options.forced if own.facts else replace(options.forced, other_cluster=True)
    findings = [*of_snapshot(facts, live, forced, defrag=options.defrag), *unknown(own, host)]
    if facts.objects is None or facts.snapshot is None:
        return Looked(host, facts, tuple(findings), None)
    bump = bump_of(host, own, facts.revision or 0, choice.bump)
    members, lost = deciding.chosen(own.members or facts.snapshot.contents.members, choice.members)
    settings = Settings(
        id=deciding.id_of(facts.snapshot.sha256, members, bump),
        digest=facts.snapshot.sha256,
        revision=facts.revision or 0,
        bump=bump,
        members=members,
        lost=lost,
        decide=options.times.decide,
        all_or_nothing=options.all_or_nothing,
        is_named=bool(choice.members),
        defrag=options.defrag,
    )
    return Looked(host, facts, tuple(findings), settings, words_of(options))


def for_script(
    file: Path | None, options: Options, choice: ByHand, now: float
) -> tuple[SnapshotFacts | None, Settings]:
    """The settings of a script that is printed now, and the snapshot's facts. now: seconds since the epoch.

    Raises AdminError for a snapshot that can't be restored, and for members that can't be decided.
    """
    operation = Operation.begin().id
    if file is None:
        if len(choice.members) != 1:
            raise UsageError("name a snapshot, or without one a survivor: --members NAME")
        bump = choice.bump if choice.bump is not None else 2 * STEP
        alone = (deciding.Peer(choice.members[0], ""),)
        return None, Settings(
            operation,
            OWN,
            0,
            bump,
            alone,
            decide=options.times.decide,
            is_named=True,
            defrag=options.defrag,
        )
    facts = of_file(file, prefix=options.prefix)
    for one in of_contents(facts):
        if one.severity is Severity.VIOLATION:
            raise AdminError(f"{file}: {one.subject}: {one.evidence}", one.fix or None)
    if facts.snapshot is None:
        raise AdminError(f"{file} can't be read")
    revision = facts.revision or 0
    members, lost = deciding.chosen(facts.snapshot.contents.members, choice.members)
    return facts, Settings(
        id=operation,
        digest=facts.snapshot.sha256,
        revision=revision,
        bump=choice.bump if choice.bump is not None else deciding.bump_of_time(now, revision),
        members=members,
        lost=lost,
        etcd="" if options.forced.version else deciding.minor(facts.etcd),
        kubernetes="" if options.forced.version else deciding.minor(facts.kubernetes.text),
        authorities=() if options.forced.authority else tuple(facts.authorities.given.values()),
        decide=options.times.decide,
        all_or_nothing=options.all_or_nothing,
        is_named=bool(choice.members),
        defrag=options.defrag,
    )


def of_own(host: Mapping[str, str], own: Own, options: Options, choice: ByHand) -> Looked:
    """The same without a snapshot."""
    if len(choice.members) != 1:
        raise UsageError("without a snapshot, one survivor is named: --members NAME")
    if not own.members:
        raise AdminError(f"this node's own data can't be read: {own.why}", "restore a snapshot instead")
    members, lost = deciding.chosen(own.members, choice.members)
    settings = Settings(
        id=Operation.begin().id,
        digest=OWN,
        revision=0,
        bump=choice.bump if choice.bump is not None else 2 * STEP,
        members=members,
        lost=lost,
        decide=options.times.decide,
        is_named=True,
        defrag=options.defrag,
    )
    return Looked(host, None, tuple(unknown(own, host)), settings, words_of(options))


def bump_of(host: Mapping[str, str], own: Own, snapshot: int, chosen: int | None = None) -> int:
    """By how much revisions rise. snapshot: its last revision. chosen: a person's number. Raises AdminError
    where nobody knows the present one, and where the number leaves the restored data below it.
    """
    live = revision_of(host, own)
    if chosen is not None:
        if live is not None and live >= snapshot + chosen:
            raise AdminError(
                f"this node's data are at revision {live}, and the restored ones would be at "
                f"{snapshot + chosen}: watchers would miss events",
                f"give a --bump above {live - snapshot}, the same on all nodes",
            )
        return chosen
    if live is None:
        raise AdminError(
            f"the present revision is not known: this node's data can't be read ({own.why})",
            "give one number to all nodes, above any revision there ever was: --bump 1000000000000",
        )
    return deciding.bump_of_data(live, snapshot)


def unknown(own: Own, host: Mapping[str, str]) -> list[Finding]:
    """What can't be looked at without an API server."""
    found = [
        LOCAL_UNKNOWN.warning(
            subject="the cluster",
            evidence="without an API server it is not known what would be lost, what runs on other nodes, "
            "and which nodes and volumes there are",
            fix="compare by kubectl admin etcd-diff, with a snapshot of now if etcd still gives one",
        )
    ]
    if own.facts is None:
        found.append(
            LOCAL_UNKNOWN.warning(
                subject=f"etcd's data on node {host['node']}",
                evidence=f"they can't be read: {own.why}",
                fix="see that the snapshot is of this cluster",
            )
        )
    return found


def of_copy(verdict: Verdict) -> None:
    """Raises AdminError where a copy of a node's own data is damaged. It has no sum behind it, which is no
    fault.
    """
    for one in verdict.findings:
        if one.severity is Severity.VIOLATION and one.rule != NO_HASH.id:
            raise AdminError(
                f"this node's own data are damaged: {one.evidence}", "take another survivor, or a snapshot"
            )


def words_of(options: Options) -> tuple[str, ...]:
    """Options of the script."""
    words: Sequence[str] = ("--etcdutl", str(options.etcdutl.absolute())) if options.etcdutl else ()
    return tuple(words)
