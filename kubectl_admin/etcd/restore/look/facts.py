"""The facts by which it is judged whether a snapshot may be restored into a cluster, as plain data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from kubectl_admin.control_plane.pod import StaticPod
from kubectl_admin.etcd.members.facts import State
from kubectl_admin.etcd.rules import NOSPACE
from kubectl_admin.etcd.snapshot.facts import Snapshot, Verdict
from kubectl_admin.etcd.stored.encryption import Encryption


@dataclass(frozen=True, slots=True)
class Forced:
    """What a person takes upon themselves; each is an option «--force-…»."""

    other_cluster: bool = False
    version: bool = False
    quota: bool = False
    authority: bool = False
    encryption: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """A fact that may be missing. text: "" where it is not known, and then `why` says why."""

    text: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Authorities:
    """Certificates of authorities, by the SHA-256 of each.

    why: they are not known, or not all of them; "" where they are. given: those of each object that gives
    them to somebody, by its name, where several do.
    """

    fingerprints: frozenset[str] = frozenset()
    why: str = ""
    given: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Value:
    """A value of etcd. key: as a whole. data: its bytes, or the first of them where it is not encrypted."""

    key: bytes
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Sealed:
    """The values of a resource that are encrypted in one way, or not at all.

    encrypted: «k8s:enc:aescbc:v1:key1:»; "" for those that are not encrypted.
    count: how many there are; 0 where nobody counted. values: the oldest and the newest of them.
    """

    group: str
    resource: str
    encrypted: str
    count: int
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class SnapshotFacts:
    """A snapshot file.

    cluster: the UID of namespace kube-system. kubernetes: the version in ConfigMap kubeadm-config.
    authorities: those of ConfigMaps cluster-info and kube-root-ca.crt.
    newest: the newest time at which a Lease in it was renewed: it is at least as old; None where none tells.
    sealed: values by how they are encrypted.
    objects: how many keys exist in it; None where they could not be read, and nothing but `verdict` is known.
    """

    verdict: Verdict
    cluster: Told = Told(why="its keys were not read")
    kubernetes: Told = Told(why="its keys were not read")
    authorities: Authorities = Authorities(why="its keys were not read")
    newest: datetime | None = None
    sealed: tuple[Sealed, ...] = ()
    objects: int | None = None

    @property
    def snapshot(self) -> Snapshot | None:
        """The file's content, where it could be read."""
        return self.verdict.snapshot

    @property
    def revision(self) -> int | None:
        """Its last revision."""
        return self.snapshot.contents.revision if self.snapshot else None

    @property
    def etcd(self) -> str:
        """The version of etcd that wrote its format: «3.6.0»; "" where it does not say."""
        if self.snapshot is None:
            return ""
        contents = self.snapshot.contents
        return contents.storage_version or contents.cluster_version or ""


@dataclass(frozen=True, slots=True)
class ControlPlane:
    """A control-plane node.

    ready: whether its Node is. pods: the parts of the control plane that run on it as static pods.
    encryption: of its API server; None where it is not known, and why. It holds keys: never shown.
    authorities: those that its controller-manager gives to pods (--root-ca-file).
    """

    name: str
    ready: bool
    pods: tuple[StaticPod, ...]
    encryption: Encryption | None = None
    encryption_why: str = "its host was not asked"
    authorities: Authorities = Authorities(why="its host was not asked")

    def only(self, component: str) -> StaticPod | None:
        """The one pod of a component; None for none or several."""
        found = [pod for pod in self.pods if pod.component == component]
        return found[0] if len(found) == 1 else None


@dataclass(frozen=True, slots=True)
class LiveFacts:
    """The running cluster.

    state: its etcd. cluster: the UID of namespace kube-system. server: the version of the API server that
    answered. kubernetes: the version in ConfigMap kubeadm-config. nodes: of the control plane, by name.
    """

    state: State
    cluster: Told
    server: Told
    kubernetes: Told
    nodes: Mapping[str, ControlPlane]

    @property
    def is_full(self) -> bool:
        """Whether etcd takes no writes since it has reached its quota: then no debug pod can be made."""
        return any(alarm.kind == NOSPACE for alarm in self.state.alarms)

    @property
    def revision(self) -> int | None:
        """The newest revision that any member has told."""
        told = [member.status.revision for member in self.state.members if member.status]
        return max(told, default=None)

    @property
    def etcd(self) -> frozenset[str]:
        """The versions of the members that have answered."""
        return frozenset(member.status.version for member in self.state.members if member.status)

    @property
    def quota(self) -> int:
        """Bytes that each member's database may have at most; 0 for no limit, or none that is known."""
        return min((member.quota for member in self.state.members if member.quota), default=0)

    @property
    def quotas(self) -> dict[str, int]:
        """The same of each member that has a limit, by its node."""
        return {one.pod.node: one.quota for one in self.state.members if one.pod and one.quota}

    @property
    def database(self) -> int:
        """Bytes of the largest database that any member has told."""
        return max((member.status.size for member in self.state.members if member.status), default=0)
