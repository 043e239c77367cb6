"""What a renewal or a rollback would do on each node, and what forbids it. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from kubectl_admin.certificates.facts import Seen
from kubectl_admin.certificates.judge.text import relative
from kubectl_admin.certificates.renewable import ALL, CLIENT, KNOWN, RENEWABLE, RENEWAL_DOCS
from kubectl_admin.certificates.renewal.facts import ABSENT, LONGEST, Backup, Facts, Node
from kubectl_admin.certificates.x509 import Broken, Certificate
from kubectl_admin.errors import AdminError
from kubectl_admin.finding import Finding, Severity

RELOADS = "reloads by itself; started anew only if it does not"


@dataclass(frozen=True, slots=True)
class Step:
    """What is done on one node. names: what is renewed, or brought back.

    words: the same as kubeadm is told. backup: which is brought back; None for a renewal. end: when the first
    of what is brought back ends; None where that does not matter.
    """

    node: Node
    names: tuple[str, ...]
    words: tuple[str, ...]
    backup: Backup | None = None
    end: datetime | None = None

    def afterwards(self, name: str) -> Certificate | Broken | None:
        """What lies on the node when it has been done: of a rollback, the backup's, where that has it."""
        here = self.node.certificate(name)
        return self.backup.held.get(name, here) if self.backup else here

    @property
    def brought_back(self) -> dict[str, Certificate | Broken]:
        """What of the backup takes the place of something else, by its name."""
        held = self.backup.held if self.backup else {}
        return {
            name: held[name]
            for name in self.names
            if name in held and held[name] != self.node.certificate(name)
        }

    @property
    def resumes(self) -> bool:
        """Whether an earlier run may have changed what it has not seen in use: it was cut off."""
        return self.backup is not None or any(backup.open for backup in self.node.survey.backups)

    @property
    def restarts(self) -> tuple[str, ...]:
        """The components that have to be started anew: who has read a file at its start."""
        return tuple(dict.fromkeys(KNOWN[name].reader for name in self.names if KNOWN[name].reader))

    @property
    def served(self) -> tuple[str, ...]:
        """The names of what is served, and is to be seen served."""
        return tuple(name for name in self.names if KNOWN[name].server)


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be done, node after node, and what is to be said about it."""

    context: str
    steps: tuple[Step, ...]
    findings: tuple[Finding, ...]

    @property
    def possible(self) -> bool:
        """Whether nothing forbids it."""
        return not any(finding.severity is Severity.VIOLATION for finding in self.findings)


def renewal(facts: Facts, names: Sequence[str] | None) -> Plan:
    """The plan of a renewal. names: kubeadm's; None is all of them, as far as they are on a node.

    Raises AdminError for a name that is on none of the nodes.
    """
    steps = []
    # A member of etcd that does not answer comes back by its renewal, or costs nothing: the others need it.
    for node in sorted(facts.nodes, key=lambda node: node.node in facts.etcd.up):
        here = tuple(name for name in names if node.has(name)) if names else node.renewable
        if here:
            steps.append(Step(node, here, here if names else (ALL,)))
    for name in names or ():
        if not any(node.has(name) for node in facts.nodes):
            raise AdminError(f"{name} is on none of the nodes {', '.join(node.node for node in facts.nodes)}")
    findings = [finding for step in steps for finding in forbidding(step)]
    return Plan(facts.context, tuple(steps), (*findings, *quorum(facts, steps), *remarks(facts.nodes)))


def rollback(
    facts: Facts, to: str | None, *, now: datetime, critical: timedelta, allow_expired: bool = False
) -> Plan:
    """The plan of a rollback. to: the name of a backup; None is each node's newest that is of a renewal.

    critical: time that what is brought back must still be good for. allow_expired: whether it need not.
    Raises AdminError where there is none on any of the nodes.
    """
    steps, findings = [], []
    for node in facts.nodes:
        backup = chosen(node.survey.backups, to)
        if backup is None:
            findings.append(without_backup(node, to))
            continue
        names = tuple(name for name in RENEWABLE if node.on_disk(name))
        step = Step(node, names, (), backup)
        ends = [one.not_after for one in step.brought_back.values() if isinstance(one, Certificate)]
        steps.append(replace(step, end=None if allow_expired else min(ends, default=None)))
        findings += [*busy(node), *worse(step, now, critical, allow_expired=allow_expired), *newer(step)]
    if not steps:
        what = f"backup {to}" if to else "backup"
        raise AdminError(f"there is no {what} on {', '.join(node.node for node in facts.nodes)}")
    return Plan(facts.context, tuple(steps), (*findings, *quorum(facts, steps)))


def chosen(backups: Sequence[Backup], to: str | None) -> Backup | None:
    """The backup of that name, or the newest that a renewal has made."""
    if to:
        return next((one for one in backups if one.name == to), None)
    return next((one for one in reversed(backups) if not one.before_rollback), None)


def worse(step: Step, now: datetime, critical: timedelta, *, allow_expired: bool) -> Iterator[Finding]:
    """What a backup holds that nobody should go back to: unreadable, expired, or about to be."""
    objects, backup = (f"node/{step.node.node}",), step.backup.name if step.backup else ""
    broken = [name for name, one in step.brought_back.items() if isinstance(one, Broken)]
    if broken or (step.backup and not step.backup.held):
        yield Finding(
            Severity.VIOLATION,
            "broken-backup",
            f"backup {backup}",
            "what is brought back can be read",
            f"{', '.join(broken)} can't" if broken else "no certificate was found in it",
            "choose another one with --to, or renew instead: kubectl admin certs renew",
            objects=objects,
        )
    ending = {
        name: one.not_after
        for name, one in step.brought_back.items()
        if isinstance(one, Certificate) and one.not_after <= now + critical
    }
    if ending:
        how = ", ".join(
            f"{name} {'expired' if end <= now else 'expires'} {relative(end, now)}"
            for name, end in ending.items()
        )
        yield Finding(
            Severity.WARNING if allow_expired else Severity.VIOLATION,
            "expired-backup",
            f"backup {backup}",
            "what is brought back is good for some time: whoever shows an expired certificate is refused",
            how,
            "renew instead: kubectl admin certs renew; if it has to be this one: --to, --allow-expired",
            RENEWAL_DOCS,
            objects,
        )


def newer(step: Step) -> Iterator[Finding]:
    """What lies there was not made by the renewal that the backup was kept for, and goes as well."""
    made = step.backup.made if step.backup else None
    if made is None or step.backup is None or step.backup.before_rollback:
        return
    others = [
        name
        for name in step.brought_back
        if (seen := step.node.on_disk(name))
        and seen.changed
        and seen.changed > made + timedelta(seconds=LONGEST)
    ]
    if others:
        yield Finding(
            Severity.WARNING,
            "renewed-since",
            f"backup {step.backup.name}",
            "a rollback undoes the renewal that its backup was kept for",
            f"{', '.join(others)} on the disk is newer than that renewal: an upgrade, say, has renewed since",
            "choose another backup with --to, or leave it; what is replaced is kept, too",
            objects=(f"node/{step.node.node}",),
        )


def without_backup(node: Node, to: str | None) -> Finding:
    """A node that is left out."""
    there = ", ".join(one.name for one in node.survey.backups) or "none"
    return Finding(
        Severity.WARNING,
        "no-backup",
        f"backup {to}" if to else "backup",
        "what is brought back was kept before",
        f"it is not there; the node is left as it is (there: {there})",
        objects=(f"node/{node.node}",),
    )


def forbidding(step: Step) -> Iterator[Finding]:
    """What forbids a renewal on one node."""
    node = step.node
    objects = (f"node/{node.node}",)
    if not node.survey.kubeadm:
        yield Finding(
            Severity.VIOLATION,
            "no-kubeadm",
            "kubeadm",
            "certificates are renewed by the node's own kubeadm",
            "it is not there, or does not say its version",
            "install the kubeadm of the cluster's version on it",
            RENEWAL_DOCS,
            objects,
        )
    yield from busy(node)
    yield from external(step)
    broken = [name for name in step.names if node.certificate(name) is None]
    if broken and not any(backup.open for backup in node.survey.backups):
        yield Finding(
            Severity.VIOLATION,
            "broken-certificate",
            ", ".join(broken),
            "kubeadm makes a new certificate after the old one, which it must be able to read",
            "; ".join(why(node, name) for name in broken),
            "bring an older one back with kubectl admin certs rollback, or make it anew on the node: "
            "kubeadm init phase certs",
            RENEWAL_DOCS,
            objects,
        )


def why(node: Node, name: str) -> str:
    """Why a certificate can't be read."""
    seen = node.on_disk(name)
    return f"{name}: {seen.content.why}" if seen and isinstance(seen.content, Broken) else name


def busy(node: Node) -> Iterator[Finding]:
    """Another run that works on the node."""
    job = node.survey.job
    if job and not job.is_abandoned:
        by = f" by {job.owner.person} (process {job.owner.pid})" if job.owner else ""
        yield Finding(
            Severity.VIOLATION,
            "busy",
            "another run",
            "one run at a time changes a node's certificates",
            f"one was started{by} and works there" if job.active else f"one was started{by} and is not over",
            "wait until it is over; if it was killed on another machine: kubectl admin cleanup",
            objects=(f"node/{node.node}",),
        )


def external(step: Step) -> Iterator[Finding]:
    """Certificates whose signer's key is not on the node: kubeadm would pass over them without an error."""
    node = step.node
    keyless: dict[str, list[str]] = {}
    for name in step.names:
        authority = node.on_disk(RENEWABLE[name].authority)
        if authority is None or authority.key is False:
            keyless.setdefault(RENEWABLE[name].authority, []).append(name)
    for signed_by, names in keyless.items():
        found = node.on_disk(signed_by)
        yield Finding(
            Severity.VIOLATION,
            "external-authority",
            ", ".join(names),
            "kubeadm renews what an authority on the node can sign",
            f"the key of {signed_by} is not there",
            # Without the configuration, requests lack the name of the cluster's endpoint and its kind of key;
            # without an InitConfiguration, they have the default route's address and the hostname.
            "on the node, with the cluster's configuration in FILE and this node's InitConfiguration: "
            "kubeadm certs generate-csr --config FILE --cert-dir /root/csr/pki --kubeconfig-dir /root/csr; "
            f"have the .csr files of {', '.join(names)} signed by {signer(found)}, and put keys and "
            "certificates in their places; docs/certificates.md has every step",
            f"{RENEWAL_DOCS}#external-ca-mode",
            (f"node/{node.node}",),
        )


def signer(authority: Seen | None) -> str:
    """Who signs: the subject of the authority's certificate, as far as that is there."""
    found = authority.certificate if authority else None
    return f"«{found.subject}»" if found else "whoever holds the authority's key"


def quorum(facts: Facts, steps: Sequence[Step]) -> Iterator[Finding]:
    """Whether etcd can spare a member: one that does not reload by itself is started anew."""
    etcd, up = facts.etcd, facts.etcd.up
    for step in steps:
        node = step.node.node
        if not any(RENEWABLE[name].server == "etcd" for name in step.names):
            continue
        now = replace(etcd, up=up)
        if etcd.problem or not now.may_start_anew(node):
            all_up = len(up) == etcd.voters and not etcd.problem
            yield Finding(
                Severity.WARNING if all_up else Severity.VIOLATION,
                "no-spare-member",
                "etcd",
                "a member may have to be started anew, so the others must be a quorum without it",
                etcd.problem or f"{len(up)} of {etcd.voters} voting members answer",
                "" if all_up else "bring its members back first: kubectl admin etcd-status",
                objects=() if etcd.problem else (f"node/{node}",),
            )
            return
        up |= {node}  # or this run ends there


def remarks(nodes: Sequence[Node]) -> Iterator[Finding]:
    """What is to be known beforehand, and forbids nothing."""
    embedded = [node.node for node in nodes if node.survey.embedded]
    if embedded:
        yield Finding(
            Severity.WARNING,
            "kubelet-conf-embeds",
            "kubelet.conf",
            "a kubelet's certificate is in a file that it renews itself",
            "the certificate stands in kubelet.conf, which neither kubeadm nor the kubelet renews there",
            f"kubectl admin certs renew {CLIENT}, which has it name the kubelet's own file again",
            f"{RENEWAL_DOCS}#check-certificate-expiration",
            tuple(f"node/{name}" for name in embedded),
        )
    outside = [node.node for node in nodes if node.etcd_is_external and node.has("apiserver-etcd-client")]
    if outside:
        yield Finding(
            Severity.NOTE,
            "external-etcd",
            "apiserver-etcd-client",
            "kubeadm renews nothing that an external etcd has signed",
            "the API servers use an etcd outside of the cluster",
            "have it renewed by whoever runs that etcd",
            objects=tuple(f"node/{name}" for name in outside),
        )
    for node in nodes:
        gone = [name for name in RENEWABLE if (one := node.on_disk(name)) and one.content == ABSENT]
        if gone:
            yield Finding(
                Severity.WARNING,
                "missing-certificate",
                ", ".join(gone),
                "what is there is renewed",
                "it is not there, and a process was told to use it",
                "bring it back with kubectl admin certs rollback, or make it anew on the node: "
                "kubeadm init phase certs",
                RENEWAL_DOCS,
                (f"node/{node.node}",),
            )
        for backup in node.survey.backups[-1:]:
            if backup.open:
                yield Finding(
                    Severity.NOTE,
                    "goes-on",
                    "an earlier renewal",
                    "a renewal is seen to its end",
                    f"it was not (backup {backup.name}); all is looked at once more, what is good is kept "
                    "first, and a key that lies beside another's certificate is renewed as well",
                    objects=(f"node/{node.node}",),
                )
