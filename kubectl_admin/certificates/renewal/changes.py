"""The changes of certificates that there are, each with what looks, plans and works for it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from kubectl_admin.certificates.renewal.facts import Facts
from kubectl_admin.certificates.renewal.kubeadm import gather as kubeadm_gather
from kubectl_admin.certificates.renewal.kubeadm import plan as kubeadm_plan
from kubectl_admin.certificates.renewal.kubeadm import rollback as kubeadm_rollback
from kubectl_admin.certificates.renewal.kubeadm import work as kubeadm_work
from kubectl_admin.certificates.renewal.kubelet import gather as kubelet_gather
from kubectl_admin.certificates.renewal.kubelet import plan as kubelet_plan
from kubectl_admin.certificates.renewal.kubelet import work as kubelet_work
from kubectl_admin.certificates.renewal.plan import NodeStep
from kubectl_admin.certificates.renewal.work import Work
from kubectl_admin.plan import Plan


@dataclass(frozen=True, slots=True)
class CertificateChange:
    """A change of certificates.

    what: as a command («renew all certificates»).
    about: the same, for other runs («renews certificates»).
    gather: reads the nodes.
    plan: makes the plan from these facts.
    work: changes one node.
    renews: whether your own kubeconfig is kept up with it.
    """

    what: str
    about: str
    gather: Callable[..., Facts]
    plan: Callable[[Facts], Plan[NodeStep]]
    work: Work
    renews: bool = False


def renewal(names: Sequence[str]) -> CertificateChange:
    """Renewal by kubeadm. names: of certificates; all of them where none is named."""
    return CertificateChange(
        f"renew {', '.join(names) or 'all certificates'}",
        "renews certificates",
        kubeadm_gather.gather,
        lambda facts: kubeadm_plan.renewal(facts, names or None),
        kubeadm_work.apply,
        renews=True,
    )


def rotation(names: Sequence[str]) -> CertificateChange:
    """Rotation by kubelets. names: `kubelet-client`, `kubelet-serving`, or both."""
    what = " and ".join(names)
    return CertificateChange(
        f"rotate {what}",
        f"rotates {what}",
        kubelet_gather.gather,
        lambda facts: kubelet_plan.rotation(facts, names, datetime.now(UTC)),
        kubelet_work.rotate,
    )


def rollback(to: str | None, critical: timedelta, *, allow_expired: bool) -> CertificateChange:
    """Certificates restored. to: a backup's name; None for each node's newest. The others: as in its plan."""

    def plan(facts: Facts) -> Plan[NodeStep]:
        now = datetime.now(UTC)
        return kubeadm_rollback.rollback(facts, to, now=now, critical=critical, allow_expired=allow_expired)

    return CertificateChange(
        f"restore the certificates of backup {to}" if to else "restore the newest backup of certificates",
        "restores certificates",
        partial(kubeadm_gather.gather, inside=True),
        plan,
        kubeadm_work.apply,
    )
