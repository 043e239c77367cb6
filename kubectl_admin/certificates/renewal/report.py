"""How a renewal is shown: before, as a plan, and afterwards, as an outcome. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from kubectl_admin.certificates.renewable import KNOWN, ROTATED
from kubectl_admin.certificates.renewal.facts import Backup
from kubectl_admin.certificates.renewal.plan import NodeStep
from kubectl_admin.certificates.renewal.work import Changed, Done
from kubectl_admin.certificates.x509 import Certificate
from kubectl_admin.plan import Plan
from kubectl_admin.report import Cell, Column, Mark, Report, Table
from kubectl_admin.report.text import duration


def plan(planned: Plan[NodeStep]) -> Report:
    """The plan, node after node."""
    return Report(
        kind="CertificateRenewalPlan",
        items=lambda: map(step_document, planned.steps),
        names=lambda: (f"node/{step.node}" for step in planned.steps),
        tables=[table(planned)] if planned.steps else [],
        paragraphs=["\n".join(told(planned))],
        findings=planned.findings,
        fields={"context": planned.context},
    )


def table(planned: Plan[NodeStep]) -> Table:
    """A row for each certificate of each node."""
    back = any(step.backup for step in planned.steps)
    rows = [row(step, name, back=back) for step in planned.steps for name in step.names]
    columns = [
        Column("NODE"),
        Column("CERTIFICATE"),
        Column("EXPIRES"),
        *([Column("EXPIRES AFTERWARDS")] if back else []),
        Column("THEN"),
        Column("SERIAL", wide=True),
        *([Column("SERIAL AFTERWARDS", wide=True)] if back else []),
    ]
    return Table(columns, rows)


def row(step: NodeStep, name: str, *, back: bool) -> list[Cell | str]:
    """One certificate of one node; with what will be there afterwards for a rollback."""
    here = step.before.certificate(name)
    if not back:
        return [step.node, name, ends(here), then(name), serial(here)]
    found = step.afterwards(name)
    later = found if isinstance(found, Certificate) else None
    # A certificate that is there already is not touched, nor is the process that serves or reads it.
    what = then(name) if name in step.restored else "unchanged"
    return [step.node, name, ends(here), ends(later), what, serial(here), serial(later)]


def then(name: str) -> str:
    """The work on a process then."""
    about = KNOWN[name]
    if name in ROTATED:
        return "restart the kubelet, which gets a new one"
    if about.reader:
        return f"restart {about.reader}"
    return f"verify that {about.server} serves it" if about.server else ""


def told(planned: Plan[NodeStep]) -> Iterator[str]:
    """The plan in sentences."""
    for step in planned.steps:
        if step.backup:
            yield f"node {step.node}: backup {step.backup.name} is restored"
    nodes = ", ".join(step.node for step in planned.steps)
    if all(name in ROTATED for step in planned.steps for name in step.names):
        yield (
            f"one node after the other: {nodes}; no pod is touched; a kubelet that gets no new certificate "
            "keeps its own"
        )
        return
    yield (
        f"one node after the other: {nodes}; the present files are backed up first; a server that does not "
        "reload its new certificate is restarted"
    )


def result(context: str, done: Sequence[Done]) -> Report:
    """The outcome."""
    rows = [
        [one.node, one.name, ends(one.after), seen(one), serial(one.after), serial(one.before)]
        for each in done
        for one in each.changed
    ]
    columns = [
        Column("NODE"),
        Column("CERTIFICATE"),
        Column("EXPIRES"),
        Column("SERVED"),
        Column("SERIAL", wide=True),
        Column("BEFORE", wide=True),
    ]
    return Report(
        kind="CertificateRenewal",
        items=lambda: map(done_document, done),
        names=lambda: (f"node/{each.node}" for each in done),
        tables=[Table(columns, rows)] if rows else [],
        paragraphs=["\n".join(map(summary, done)) or "no node is done"],
        fields={"context": context},
    )


def seen(one: Changed) -> Cell | str:
    """Whether it was seen being served; «-» for what is not served."""
    if not KNOWN[one.name].server:
        return ""
    return "yes" if one.served else Cell("not seen", Mark.DOUBT)


def summary(done: Done) -> str:
    """The outcome on a node, in a sentence."""
    number = len(done.changed)
    what = (
        f"{number} certificate{'' if number == 1 else 's'} changed" if number else "nothing had to be changed"
    )
    again = f", {' and '.join(done.restarted)} restarted" if done.restarted else ""
    kept = f"; the previous files are in backup {done.backup}" if done.backup else ""
    return f"node {done.node}: {what}{again} in {duration(done.seconds)}{kept}"


def ends(certificate: Certificate | None) -> Cell | str:
    """When a certificate ends."""
    return moment(certificate.not_after) if certificate else Cell("<unreadable>", Mark.BAD)


def moment(when: datetime) -> str:
    """«2027-11-25 16:05»."""
    return f"{when:%Y-%m-%d %H:%M}"


def serial(certificate: Certificate | None) -> str:
    """A serial number as openssl writes it."""
    return certificate.serial_text if certificate else ""


def step_document(step: NodeStep) -> dict[str, object]:
    """A node of the plan as plain data."""
    return {
        "node": step.node,
        "kubeadm": step.before.survey.kubeadm or None,
        "backup": step.backup.name if step.backup else None,
        "backups": [backup_document(backup) for backup in step.before.survey.backups],
        "restarts": list(step.restarts),
        "certificates": [
            {"name": name, **certificate_document(step.before.certificate(name)), **afterwards(step, name)}
            for name in step.names
        ],
    }


def afterwards(step: NodeStep, name: str) -> dict[str, object]:
    """The next certificate, where it is known beforehand, as plain data."""
    if step.backup is None:
        return {}
    found = step.afterwards(name)
    return {"afterwards": certificate_document(found if isinstance(found, Certificate) else None)}


def backup_document(backup: Backup) -> dict[str, object]:
    """A backup as plain data, with what it holds where that was looked at."""
    held = {name: one if isinstance(one, Certificate) else None for name, one in backup.held.items()}
    return {
        "name": backup.name,
        "certificates": [{"name": name, **certificate_document(one)} for name, one in held.items()],
    }


def done_document(done: Done) -> dict[str, object]:
    """A node that was worked on as plain data."""
    return {
        "node": done.node,
        "backup": done.backup or None,
        "restarted": list(done.restarted),
        "seconds": round(done.seconds, 1),
        "certificates": list(changed_documents(done.changed)),
    }


def changed_documents(changed: Iterable[Changed]) -> Iterator[dict[str, object]]:
    """Certificates before and after as plain data."""
    for one in changed:
        yield {
            "name": one.name,
            "before": certificate_document(one.before),
            "after": certificate_document(one.after),
            "served": one.served if KNOWN[one.name].server else None,
        }


def certificate_document(certificate: Certificate | None) -> dict[str, object]:
    """A certificate's number and end as plain data; None for one that can't be read."""
    return {
        "serial": certificate.serial_text if certificate else None,
        "notBefore": certificate.not_before.isoformat() if certificate else None,
        "notAfter": certificate.not_after.isoformat() if certificate else None,
    }
