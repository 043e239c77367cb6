"""The step of a node, for the plans of kubeadm's and kubelets' renewals. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from kubectl_admin.certificates.renewable import KNOWN
from kubectl_admin.certificates.renewal.facts import Backup, Node
from kubectl_admin.certificates.rules import BUSY
from kubectl_admin.certificates.x509 import Broken, Certificate
from kubectl_admin.finding import Finding
from kubectl_admin.plan import Step


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeStep(Step):
    """The change of one node's certificates.

    before: the node as it was found.
    names: of the certificates that are renewed or restored.
    words: the same as kubeadm is told.
    backup: which is restored; None for a renewal.
    end: when the first of the restored certificates expires; None where that does not matter.
    """

    before: Node
    names: tuple[str, ...]
    words: tuple[str, ...]
    backup: Backup | None = None
    end: datetime | None = None

    @classmethod
    def of(
        cls,
        name: str,
        before: Node,
        names: Sequence[str],
        words: Sequence[str] = (),
        backup: Backup | None = None,
    ) -> "NodeStep":
        """The step of that name («renew») on a node."""
        title = f"{name} {f'backup {backup.name}' if backup else ', '.join(names)}"
        return cls(
            name=name,
            title=title,
            node=before.name,
            before=before,
            names=tuple(names),
            words=tuple(words),
            backup=backup,
        )

    def afterwards(self, name: str) -> Certificate | Broken | None:
        """The certificate on the node afterwards: for a rollback, the backup's, where that has it."""
        here = self.before.certificate(name)
        return self.backup.held.get(name, here) if self.backup else here

    @property
    def restored(self) -> dict[str, Certificate | Broken]:
        """The backup's certificates that replace another one, by name."""
        held = self.backup.held if self.backup else {}
        return {
            name: held[name]
            for name in self.names
            if name in held and held[name] != self.before.certificate(name)
        }

    @property
    def resumes(self) -> bool:
        """Whether an earlier run may have changed what it has not seen in use: it was cut off."""
        return self.backup is not None or any(backup.open for backup in self.before.survey.backups)

    @property
    def restarts(self) -> tuple[str, ...]:
        """The components that have to be restarted: those that read a file only when they start."""
        return tuple(dict.fromkeys(KNOWN[name].reader for name in self.names if KNOWN[name].reader))

    @property
    def served(self) -> tuple[str, ...]:
        """The names of the certificates that are served, and must be seen served."""
        return tuple(name for name in self.names if KNOWN[name].server)


def busy(node: Node) -> Iterator[Finding]:
    """Another run that works on the node."""
    job = node.survey.job
    if job and not job.is_abandoned:
        by = f" by {job.owner.person} (process {job.owner.pid})" if job.owner else ""
        yield BUSY.violation(
            subject="another run",
            evidence=f"it was started{by} and {'still works' if job.active else 'is not over'} there",
            fix="wait until it is over; if it was killed on another machine: kubectl admin cleanup",
            objects=(f"node/{node.name}",),
        )


def why(node: Node, name: str) -> str:
    """Why a certificate can't be read."""
    seen = node.on_disk(name)
    return f"{name}: {seen.content.why}" if seen and isinstance(seen.content, Broken) else name
