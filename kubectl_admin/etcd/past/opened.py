"""A snapshot that is open, as whoever looks into it gets it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.past.facts import Past, Place
from kubectl_admin.finding import Finding, Severity


@dataclass(frozen=True, slots=True)
class Opened:
    """kubeconfig: leads to it, for any client. cluster: the same for this program.

    findings: what is to be known about it. check: raises AdminError once it is not open any more.
    """

    past: Past
    place: Place
    kubeconfig: Path
    cluster: Cluster
    findings: tuple[Finding, ...]
    check: Callable[[], None]


def refuse(past: Past, findings: Iterable[Finding]) -> None:
    """Raises AdminError for the first violation."""
    for one in findings:
        if one.severity is Severity.VIOLATION:
            raise AdminError(f"{past.path} can't be opened: {one.evidence}", one.fix)
