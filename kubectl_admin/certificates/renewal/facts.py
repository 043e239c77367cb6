"""The facts before certificates are renewed or restored."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from kubectl_admin.certificates.facts import ABSENT, Seen, Source
from kubectl_admin.certificates.inventory.components import (
    FLAGS,
    KUBERNETES,
    PKI,
    Port,
    external_etcd,
    is_loopback,
    ports,
)
from kubectl_admin.certificates.renewable import AUTHORITIES, RENEWABLE
from kubectl_admin.certificates.x509 import Broken, Certificate
from kubectl_admin.cluster.decode import whole_number
from kubectl_admin.control_plane.pod import StaticPod
from kubectl_admin.node.operation import Owner

JOB = "certs"  # one at a time on a node
# Seconds after which a rotation's job is not waited for: it takes about five, gives up a certificate after
# 120, and restarts the kubelet twice at most, which systemd lets take three minutes each.
ROTATION_TIMEOUT = 600.0
BEFORE_ROLLBACK = "-before-rollback"  # the end of the name of a backup that a rollback has made
NAMED = "%Y%m%dT%H%M%SZ"  # how a backup's name begins
RUN_TIMEOUT = 1800  # seconds that a run may take on a node after its job


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup on a node.

    open: whether not all that its renewal has made was seen in use. held: the certificates in it by kubeadm's
    names, where it was looked at.
    """

    name: str
    open: bool
    held: Mapping[str, Certificate | Broken] = field(default_factory=dict)

    @property
    def before_rollback(self) -> bool:
        """Whether a rollback has made it, of what it replaced."""
        return self.name.endswith(BEFORE_ROLLBACK)

    @property
    def made(self) -> datetime | None:
        """When it was made, by the clock of the machine that made it; None where its name does not say so."""
        try:
            return datetime.strptime(self.name.removesuffix(BEFORE_ROLLBACK), NAMED).replace(tzinfo=UTC)
        except ValueError:
            return None


@dataclass(frozen=True, slots=True)
class Left:
    """The job of another run, which is there until that run is over.

    active: whether it still works. age: seconds since it does not.
    """

    active: bool
    owner: Owner | None
    age: int = 0

    @property
    def is_abandoned(self) -> bool:
        """Whether nobody works on it any more: its process has ended, or, elsewhere, should have."""
        if self.owner is not None and self.owner.has_ended():
            return True
        return not self.active and not (self.owner and self.owner.is_alive()) and self.age > RUN_TIMEOUT


@dataclass(frozen=True, slots=True)
class Survey:
    """A host by the script certs-survey. kubeadm: its version, "" for none.

    embedded: whether kubelet.conf holds its certificate itself, which then nobody renews.
    """

    kubeadm: str = ""
    kubelet: bool = True
    embedded: bool = False
    job: Left | None = None
    backups: tuple[Backup, ...] = ()

    @classmethod
    def of(cls, answer: bytes) -> "Survey":
        """The survey in an answer; lines that are not understood are ignored."""
        said: dict[str, str] = {}
        job: Left | None = None
        backups = []
        for line in answer.decode("utf-8", "replace").splitlines():
            match line.split(" ", 3):
                case ["job", active, age, owner]:
                    job = Left(active == "yes", Owner.parse(owner), whole_number(age) or 0)
                case ["backup", name, word]:
                    backups.append(Backup(name, word == "open"))
                case [name, value]:
                    said[name] = value
        return cls(said.get("kubeadm", ""), "kubelet" in said, "kubelet.conf" in said, job, tuple(backups))


@dataclass(frozen=True, slots=True)
class Node:
    """A node.

    seen: the certificates on its disk. pki: the directory of its certificates.
    parts: its static pods by component, uids: the same as the kubelet knows them.
    settings: of its kubelet; "" for those that it was not given.
    """

    name: str
    seen: tuple[Seen, ...]
    survey: Survey
    pki: str = PKI
    parts: Mapping[str, StaticPod] = field(default_factory=dict)
    uids: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)

    def on_disk(self, name: str) -> Seen | None:
        """The certificate of kubeadm's name: in its own file, or else in the one that a flag names."""
        found = [
            one for one in self.seen if one.name == name and one.source in (Source.FILE, Source.KUBECONFIG)
        ]
        own = self.path(name)
        return next((one for one in found if one.where == own), found[0] if found else None)

    def path(self, name: str) -> str:
        """Where kubeadm has the file of that name; "" for a name that it does not know."""
        if name in AUTHORITIES:
            return f"{self.pki}/{AUTHORITIES[name]}.crt"
        if name not in RENEWABLE:
            return ""
        file = RENEWABLE[name].files[-1]
        within = file.removeprefix("pki/")
        return f"{KUBERNETES if within == file else self.pki}/{within}"

    @property
    def etcd_is_external(self) -> bool:
        """Whether its API server uses an etcd that kubeadm does not run, and does not renew for."""
        return any(not is_loopback(url) for url in external_etcd(tuple(self.parts.values())))

    @property
    def renewable(self) -> tuple[str, ...]:
        """Those that kubeadm renews, in its order.

        Source: kubernetes/kubernetes cmd/kubeadm/app/phases/certs/certlist.go, GetCertsWithoutEtcd.
        """
        return tuple(
            name
            for name in RENEWABLE
            if self.has(name) and not (self.etcd_is_external and RENEWABLE[name].authority == "etcd-ca")
        )

    def certificate(self, name: str) -> Certificate | None:
        """The certificate of that name, or None, or one that can't be read."""
        seen = self.on_disk(name)
        return seen.certificate if seen else None

    def has(self, name: str) -> bool:
        """Whether there is such a file, whatever is in it."""
        seen = self.on_disk(name)
        return seen is not None and seen.content != ABSENT

    def ports(self, name: str) -> list[Port]:
        """The ports that should serve that certificate; none where a flag names another file."""
        own = self.on_disk(name)
        return [
            port
            for part in self.parts.values()
            for port in ports(part)
            if port.file == name and own and own.where in _named(part, name)
        ]


def _named(part: StaticPod, name: str) -> set[str]:
    """The files on the node that a static pod's flags name for this."""
    paths = [part.flags.get(flag, "") for flag, (each, _) in FLAGS[part.component].items() if each == name]
    return {part.on_host(path) for path in paths if path}


@dataclass(frozen=True, slots=True)
class Etcd:
    """The cluster's etcd, as far as kubeadm runs it.

    voters: how many of its members vote; 0 for an external one. up: the nodes of those that answer.
    problem: why none could be asked; "" where they were.
    """

    voters: int = 0
    up: frozenset[str] = frozenset()
    problem: str = ""

    def spares(self, node: str) -> bool:
        """Whether the members elsewhere are a quorum without the one of this node."""
        return self.voters <= 1 or len(self.up - {node}) > self.voters // 2

    def can_restart(self, node: str) -> bool:
        """Whether the node's member may be restarted: it does not answer anyway, or the others do without.

        One whose certificate has expired does not answer, and only its renewal brings it back. Members that
        nobody knows of are not a quorum.
        """
        return not self.problem and (self.spares(node) or node not in self.up)


@dataclass(frozen=True, slots=True)
class Facts:
    """All of it."""

    context: str
    nodes: tuple[Node, ...]
    etcd: Etcd = Etcd()
