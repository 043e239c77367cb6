"""Facts for the plan of a node's upgrade, as plain data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from kubectl_admin.control_plane.component import Component
from kubectl_admin.etcd.members.facts import State
from kubectl_admin.finding import Gap
from kubectl_admin.node.texts import Texts
from kubectl_admin.upgrade.packages import Packages
from kubectl_admin.upgrade.unit import Command
from kubectl_admin.versions.facts import Facts, Instance
from kubectl_admin.versions.version import Version

# Moved by kubeadm on a control-plane node, beside etcd, whose version is its own.
STATIC = (Component.APISERVER, Component.CONTROLLER_MANAGER, Component.SCHEDULER)


class Role(StrEnum):
    """A node's role in an upgrade, which decides about kubeadm's part in it."""

    FIRST = "first control plane"
    FURTHER = "further control plane"
    WORKER = "worker"

    @property
    def control_plane(self) -> bool:
        """Whether it runs an API server."""
        return self is not Role.WORKER


@dataclass(frozen=True, slots=True)
class Mark:
    """An upgrade's note at the node before its cordon, for a later run and for people.

    target: «1.37.2». since: when, by the clock of the machine that asked for it.
    uncordon: whether it ends the cordon in the end; it does not where the node was cordoned before.
    """

    target: str
    since: str
    uncordon: bool


@dataclass(frozen=True, slots=True)
class Room:
    """Bytes that are free where a directory is, or will be. device: which file system that is."""

    free: int
    device: str


@dataclass(frozen=True, slots=True)
class Record:
    """How a step of an upgrade ended on the host, as its own job has written it to the disk there.

    target: «v1.37.2» for kubeadm, else the packages' version. mode: «apply» or «node» for kubeadm, else «-».
    exit_code: None while it is at work, and for good where it was killed.
    """

    target: str
    mode: str
    exit_code: int | None

    def is_apply(self, version: Version) -> bool:
        """Whether it is of `kubeadm upgrade apply` to this version, however that has ended."""
        return (self.target, self.mode) == (f"v{version}", "apply")


@dataclass(frozen=True, slots=True)
class Disk:
    """Facts of a node's host.

    packages: by its package manager. kubeadm, kubelet: the programs' own versions; None where there is
    none. systemd: whether it is there. cgroup: 1 or 2; None where that could not be seen. etcd: bytes of
    etcd's data directory; 0 where there is none. room: by directory.
    records: of the steps of an upgrade that was begun here and is not over, by step.
    apiserver: whether kubeadm's manifest of an API server is there.
    running: the words that the kubelet that runs was given. command: how its unit starts the next one.
    texts: the files that this one reads. patches: kubeadm's patches, by their paths.
    """

    packages: Packages
    kubeadm: Version | None
    kubelet: Version | None
    systemd: bool = True
    cgroup: int | None = 2
    etcd: int = 0
    room: Mapping[str, Room] = field(default_factory=dict)
    running: tuple[str, ...] = ()
    command: Command = field(default_factory=Command)
    texts: Texts = field(default_factory=Texts)
    patches: Mapping[str, str] = field(default_factory=dict)
    records: Mapping[str, Record] = field(default_factory=dict)
    apiserver: bool = False

    @property
    def kubeadm_record(self) -> Record | None:
        """How kubeadm's step ended here; None where it was not begun."""
        return self.records.get("kubeadm")


@dataclass(frozen=True, slots=True)
class Proxy:
    """kube-proxy as kubeadm keeps it.

    present: whether there is a DaemonSet of it; None where that could not be seen. words: of its command.
    config: its configuration in ConfigMap kube-proxy; None where there is none, or none that may be read.
    """

    present: bool | None = None
    words: tuple[str, ...] = ()
    config: str | None = None


@dataclass(frozen=True, slots=True)
class CoreDNS:
    """CoreDNS as kubeadm keeps it.

    present: whether there is its Deployment; None where that could not be seen. configured: where there is
    none, whether its ConfigMap is there.
    """

    present: bool | None = None
    configured: bool = False


@dataclass(frozen=True, slots=True)
class ClusterFacts:
    """The node among the others.

    versions: of the whole cluster. order: control-plane nodes, the oldest first. etcd: its state; None where
    the node runs no member. flags: of the node's static pods, by component and name. mark: of an upgrade that
    was begun here. cordoned: whether the node is. ready: whether it is. kubelet: as the Node object says.
    drained: whether a drain of this program has left its note that the cordon is its own.
    kubelet_config: the content of ConfigMap kubelet-config; None where it can't be read. proxy: kube-proxy.
    gaps: all that could not be looked at. coredns: CoreDNS.
    etcd_data: the directory of its member's data on the host, or "", or where it is not known.
    """

    node: str
    versions: Facts
    order: tuple[str, ...]
    etcd: State | None
    flags: Mapping[str, Mapping[str, str]]
    mark: Mark | None
    cordoned: bool
    ready: bool
    kubelet: Version | None
    kubelet_config: str | None = None
    proxy: Proxy = Proxy()
    gaps: tuple[Gap, ...] = ()
    coredns: CoreDNS = CoreDNS()
    drained: bool = False
    etcd_data: str = ""

    @property
    def own_apiserver(self) -> Instance | None:
        """The API server of this node; None for a worker."""
        return next((part for part in self.versions.of(Component.APISERVER) if part.node == self.node), None)

    @property
    def apiservers(self) -> tuple[Version, ...]:
        """The versions of all API servers, the oldest first; those that are not known are left out."""
        known = [part.version for part in self.versions.of(Component.APISERVER) if part.version]
        return tuple(sorted(known, key=lambda version: (version.precedence, version.suffix)))

    def is_written(self, target: Version) -> bool:
        """Whether ConfigMap kubeadm-config has the version, or a later one: a control plane had `apply`."""
        written = self.versions.kubeadm
        return written is not None and (target.is_met_by(written) or written.precedence > target.precedence)

    def static_versions(self) -> dict[Component, Version | None]:
        """The versions of this node's part of the control plane; empty for a worker."""
        return {part.component: part.version for part in self.versions.of(*STATIC) if part.node == self.node}


@dataclass(frozen=True, slots=True)
class Target:
    """Where the node goes. version: of Kubernetes. package: the package manager's own, «1.37.2-1.1»; "" where
    the version is refused, and no repository was asked.
    """

    version: Version
    package: str
