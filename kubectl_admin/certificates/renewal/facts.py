"""What was found out before certificates are renewed, or brought back."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from kubectl_admin.certificates.components import PKI, Port, StaticPod, ports
from kubectl_admin.certificates.facts import Seen, Source
from kubectl_admin.certificates.x509 import Broken, Certificate
from kubectl_admin.node.operation import Owner

JOB = "certs"  # one at a time on a node
BEFORE_ROLLBACK = "-before-rollback"  # what a backup's name ends with that a rollback has made
LONGEST = 1800  # seconds that a run may take on a node after its job
ABSENT = Broken("it is not there")


@dataclass(frozen=True, slots=True)
class Backup:
    """What was kept on a node. open: whether the renewal that made it was not seen to its end."""

    name: str
    open: bool

    @property
    def before_rollback(self) -> bool:
        """Whether a rollback has made it, of what it replaced."""
        return self.name.endswith(BEFORE_ROLLBACK)


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
        """Whether nobody is at it any more: its process has ended, or, seen from elsewhere, should have."""
        if self.owner is not None and self.owner.has_ended():
            return True
        return not self.active and not (self.owner and self.owner.is_alive()) and self.age > LONGEST


@dataclass(frozen=True, slots=True)
class Survey:
    """What the script certs-survey says of a host. kubeadm: its version, "" for none.

    embedded: whether kubelet.conf holds its certificate itself, which then nobody renews.
    """

    kubeadm: str = ""
    kubelet: bool = True
    embedded: bool = False
    job: Left | None = None
    backups: tuple[Backup, ...] = ()

    @classmethod
    def of(cls, answer: bytes) -> "Survey":
        """What the answer says; what is not understood is as if it were not there."""
        said: dict[str, str] = {}
        job: Left | None = None
        backups = []
        for line in answer.decode("utf-8", "replace").splitlines():
            match line.split(" ", 3):
                case ["job", active, age, owner]:
                    job = Left(active == "yes", Owner.parse(owner), int(age) if age.isdecimal() else 0)
                case ["backup", name, word]:
                    backups.append(Backup(name, word == "open"))
                case [name, value]:
                    said[name] = value
        return cls(said.get("kubeadm", ""), "kubelet" in said, "kubelet.conf" in said, job, tuple(backups))


@dataclass(frozen=True, slots=True)
class Node:
    """A node.

    seen: the certificates on its disk. pki: the folder of its certificates.
    parts: its static pods by component, uids: the same as the kubelet knows them.
    settings: what its kubelet was told; "" for what it was not.
    """

    node: str
    seen: tuple[Seen, ...]
    survey: Survey
    pki: str = PKI
    parts: Mapping[str, StaticPod] = field(default_factory=dict)
    uids: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)

    def on_disk(self, name: str) -> Seen | None:
        """What lies there under kubeadm's name."""
        return next(
            (one for one in self.seen if one.name == name and one.source in (Source.FILE, Source.KUBECONFIG)),
            None,
        )

    def certificate(self, name: str) -> Certificate | None:
        """The certificate that lies there; None for none, or one that can't be read."""
        seen = self.on_disk(name)
        return seen.certificate if seen else None

    def has(self, name: str) -> bool:
        """Whether there is such a file, whatever is in it."""
        seen = self.on_disk(name)
        return seen is not None and seen.content != ABSENT

    def ports(self, name: str) -> list[Port]:
        """Where a certificate is meant to be served."""
        return [port for part in self.parts.values() for port in ports(part) if port.file == name]


@dataclass(frozen=True, slots=True)
class Facts:
    """All of it.

    members, spare: how many of etcd's members vote, and how many of them may fail; 0 for an external one.
    etcd_problem: why etcd could not be asked; "" where it was.
    """

    context: str
    nodes: tuple[Node, ...]
    members: int = 0
    spare: int = 0
    etcd_problem: str = ""
