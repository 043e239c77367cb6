"""The plan that kubeadm's and kubelets' renewals share: what would be done on each node. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from kubectl_admin.certificates.renewable import KNOWN
from kubectl_admin.certificates.renewal.facts import Backup, Node
from kubectl_admin.certificates.rules import BUSY
from kubectl_admin.certificates.x509 import Broken, Certificate
from kubectl_admin.finding import Finding, Severity


@dataclass(frozen=True, slots=True)
class NodeStep:
    """What is done on one node. names: of the certificates that are renewed or restored.

    words: the same as kubeadm is told. backup: which is restored; None for a renewal. end: when the first
    of the restored certificates expires; None where that does not matter.
    """

    node: Node
    names: tuple[str, ...]
    words: tuple[str, ...]
    backup: Backup | None = None
    end: datetime | None = None

    def afterwards(self, name: str) -> Certificate | Broken | None:
        """The certificate on the node afterwards: for a rollback, the backup's, where that has it."""
        here = self.node.certificate(name)
        return self.backup.held.get(name, here) if self.backup else here

    @property
    def restored(self) -> dict[str, Certificate | Broken]:
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
        """The components that have to be restarted: those that read a file only when they start."""
        return tuple(dict.fromkeys(KNOWN[name].reader for name in self.names if KNOWN[name].reader))

    @property
    def served(self) -> tuple[str, ...]:
        """The names of the certificates that are served, and must be seen served."""
        return tuple(name for name in self.names if KNOWN[name].server)


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be done, node after node, and what is to be said about it."""

    context: str
    steps: tuple[NodeStep, ...]
    findings: tuple[Finding, ...]

    @property
    def possible(self) -> bool:
        """Whether nothing forbids it."""
        return not any(finding.severity is Severity.VIOLATION for finding in self.findings)


def busy(node: Node) -> Iterator[Finding]:
    """Another run that works on the node."""
    job = node.survey.job
    if job and not job.is_abandoned:
        by = f" by {job.owner.person} (process {job.owner.pid})" if job.owner else ""
        yield BUSY.violation(
            subject="another run",
            evidence=f"it was started{by} and {'still works' if job.active else 'is not over'} there",
            fix="wait until it is over; if it was killed on another machine: kubectl admin cleanup",
            objects=(f"node/{node.node}",),
        )


def why(node: Node, name: str) -> str:
    """Why a certificate can't be read."""
    seen = node.on_disk(name)
    return f"{name}: {seen.content.why}" if seen and isinstance(seen.content, Broken) else name
