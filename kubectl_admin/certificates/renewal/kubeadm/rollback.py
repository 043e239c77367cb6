"""The plan of a rollback on each control-plane node, and what forbids it. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from kubectl_admin.certificates.renewable import RENEWABLE
from kubectl_admin.certificates.renewal.facts import RUN_TIMEOUT, Backup, Facts, Node
from kubectl_admin.certificates.renewal.kubeadm.plan import quorum
from kubectl_admin.certificates.renewal.plan import NodeStep, busy
from kubectl_admin.certificates.rules import BROKEN_BACKUP, EXPIRED_BACKUP, NO_BACKUP, RENEWED_SINCE
from kubectl_admin.certificates.x509 import Broken, Certificate
from kubectl_admin.errors import AdminError
from kubectl_admin.finding import Finding, Severity
from kubectl_admin.plan import Plan
from kubectl_admin.report.text import relative


def rollback(
    facts: Facts, to: str | None, *, now: datetime, critical: timedelta, allow_expired: bool = False
) -> Plan[NodeStep]:
    """The plan of a rollback. to: the name of a backup; None is each node's newest that is of a renewal.

    critical: time for which restored certificates must still be valid; allow_expired: whether they need not.
    Raises AdminError where there is none on any of the nodes.
    """
    steps, findings = [], []
    for node in facts.nodes:
        backup = chosen(node.survey.backups, to)
        if backup is None:
            findings.append(without_backup(node, to))
            continue
        names = tuple(name for name in RENEWABLE if node.on_disk(name))
        step = NodeStep.of("restore", node, names, backup=backup)
        ends = [one.not_after for one in step.restored.values() if isinstance(one, Certificate)]
        steps.append(replace(step, end=None if allow_expired else min(ends, default=None)))
        findings += [*busy(node), *worse(step, now, critical, allow_expired=allow_expired), *newer(step)]
    if not steps:
        what = f"backup {to}" if to else "backup"
        raise AdminError(f"there is no {what} on {', '.join(node.name for node in facts.nodes)}")
    return Plan(facts.context, tuple(steps), (*findings, *quorum(facts, steps)))


def chosen(backups: Sequence[Backup], to: str | None) -> Backup | None:
    """The backup of that name, or the newest that a renewal has made."""
    if to:
        return next((one for one in backups if one.name == to), None)
    return next((one for one in reversed(backups) if not one.before_rollback), None)


def worse(step: NodeStep, now: datetime, critical: timedelta, *, allow_expired: bool) -> Iterator[Finding]:
    """Certificates in a backup that are unreadable, expired, or about to be."""
    objects, backup = (f"node/{step.node}",), step.backup.name if step.backup else ""
    broken = [name for name, one in step.restored.items() if isinstance(one, Broken)]
    if broken or (step.backup and not step.backup.held):
        yield BROKEN_BACKUP.violation(
            subject=f"backup {backup}",
            evidence=(f"{', '.join(broken)} can't" if broken else "no certificate was found in it"),
            fix="choose another backup with --to, or renew instead: kubectl admin certs renew",
            objects=objects,
        )
    ending = {
        name: one.not_after
        for name, one in step.restored.items()
        if isinstance(one, Certificate) and one.not_after <= now + critical
    }
    if ending:
        how = ", ".join(
            f"{name} {'expired' if end <= now else 'expires'} {relative(end, now)}"
            for name, end in ending.items()
        )
        yield EXPIRED_BACKUP.finding(
            Severity.WARNING if allow_expired else Severity.VIOLATION,
            subject=f"backup {backup}",
            evidence=how,
            fix="renew instead: kubectl admin certs renew; to restore it anyway: --to BACKUP --allow-expired",
            objects=objects,
        )


def newer(step: NodeStep) -> Iterator[Finding]:
    """Files on the node that are newer than the renewal that made the backup, and would be replaced, too."""
    made = step.backup.made if step.backup else None
    if made is None or step.backup is None or step.backup.before_rollback:
        return
    others = [
        name
        for name in step.restored
        if (seen := step.before.on_disk(name))
        and seen.changed
        and seen.changed > made + timedelta(seconds=RUN_TIMEOUT)
    ]
    if others:
        yield RENEWED_SINCE.warning(
            subject=f"backup {step.backup.name}",
            evidence=f"{', '.join(others)} on the disk is newer than that renewal; an upgrade renews, too",
            fix="choose another backup with --to; the replaced files are backed up, too",
            objects=(f"node/{step.node}",),
        )


def without_backup(node: Node, to: str | None) -> Finding:
    """A node that is left out."""
    there = ", ".join(one.name for one in node.survey.backups) or "none"
    return NO_BACKUP.warning(
        subject=f"backup {to}" if to else "backup",
        evidence=f"it is not on the node, which is left as it is (backups there: {there})",
        objects=(f"node/{node.name}",),
    )
