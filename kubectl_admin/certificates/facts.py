"""The facts on a cluster's certificates, as plain data."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from kubectl_admin.certificates.x509 import Broken, Certificate
from kubectl_admin.finding import Gap

# The signer of a certificate that client-go generates for a server without one: «cp-1-ca@1780000000».
# Source: client-go util/cert/cert.go, GenerateSelfSignedCertKeyWithFixtures.
GENERATED = re.compile(r"-ca@\d+$")
# Whose processes generate one where they are given none; any other that signs itself was given to a server.
GENERATORS = frozenset({"kubelet-serving", "controller-manager-serving", "scheduler-serving"})


# The content of a file that a process is told to use, and that does not exist.
ABSENT = Broken("the file is missing")


class Source(StrEnum):
    """Where a certificate was seen."""

    FILE = "file"  # a file on a node
    KUBECONFIG = "kubeconfig"  # a kubeconfig file on a node
    SERVED = "served"  # shown on a port of a node
    OBJECT = "object"  # an object of the API
    USER = "user"  # the user's kubeconfig


class Use(StrEnum):
    """The purpose of a certificate."""

    AUTHORITY = "authority"
    SERVER = "server"
    CLIENT = "client"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Seen:
    """One certificate in one place.

    name: kubeadm's for it («apiserver», «etcd-ca», «admin.conf»); for others the file's, the object's.
    node: "" for what belongs to none.
    where: a path on the node, «port 6443», «apiservice/v1.example», «client-certificate-data of user "ops"».
    required: whether a process that runs was told to use it; others are merely there.
    port: on which it is served; 0 where it is not.
    key: whether the authority's key is beside it; None where that does not matter or was not looked at.
    changed: when its file was written. by_plugin: whether a program gives it, and a new one when it expires.
    """

    name: str
    node: str
    where: str
    source: Source
    use: Use
    content: Certificate | Broken
    required: bool = True
    port: int = 0
    key: bool | None = None
    changed: datetime | None = None
    by_plugin: bool = False

    @property
    def certificate(self) -> Certificate | None:
        """The certificate; None for one that can't be read."""
        return self.content if isinstance(self.content, Certificate) else None

    @property
    def owner(self) -> str:
        """To whom it belongs: a node, or the object that somebody else keeps; "" for the whole cluster.

        An authority is in many places of a cluster, and is one all the same.
        """
        if self.source is Source.OBJECT and "/" in self.name:
            return self.name
        return "" if self.use is Use.AUTHORITY else self.node

    @property
    def generated(self) -> bool:
        """Whether a server has generated it, as kubelets and controllers do; nobody checks such a one."""
        found = self.certificate
        if found is None or self.use is not Use.SERVER:
            return False
        return (found.signs_itself and self.name in GENERATORS) or GENERATED.search(found.issuer) is not None


@dataclass(frozen=True, slots=True)
class Process:
    """A process that has read a kubeconfig file when it started, and does not read it again.

    component: «kube-scheduler». config: the name of that file. started: when.
    """

    node: str
    component: str
    config: str
    started: datetime


@dataclass(frozen=True, slots=True)
class Facts:
    """All that was seen.

    user: who asks. nodes: all of the cluster. hosts: those whose disks were looked at.
    etcd_servers: where the API servers say that an etcd outside of the cluster is. refusing: the nodes whose
    kubelets do not know the API server, so that they can't be reached. uncertified: those whose kubelets
    have no certificate to serve.
    """

    context: str
    server: str
    user: str
    nodes: tuple[str, ...] = ()
    hosts: frozenset[str] = frozenset()
    seen: tuple[Seen, ...] = ()
    processes: tuple[Process, ...] = ()
    etcd_servers: tuple[str, ...] = ()
    refusing: tuple[str, ...] = ()
    uncertified: tuple[str, ...] = ()
    gaps: tuple[Gap, ...] = ()
